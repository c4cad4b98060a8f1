/**
 * Which paths of a file set are taken, and as what.
 *
 * Promises that no path is taken twice and that nothing lies below a file or a link, in whatever order entries come.
 */
import { UserError } from "../std/errors.ts";
import { maximumEntries } from "./limits.ts";
import { checkTreePath } from "./tree-path.ts";

type EntryKind = "directory" | "file" | "link";
/** `implied`: a directory that something lies in and that has no entry of its own (yet). */
type TakenAs = EntryKind | "implied";

export class TreeNames {
  readonly #takenAs = new Map<string, TakenAs>();
  #entryCount = 0;

  /** Takes `path`. Throws UserError unless it is a valid path, free, and below directories only. */
  take(path: string, kind: EntryKind): void {
    checkTreePath(path);
    const before = this.#takenAs.get(path);
    if (before === "implied" && kind !== "directory") {
      throw new UserError(`${JSON.stringify(path)} is both a ${kind} and a directory`);
    }
    if (before !== undefined && before !== "implied") throw new UserError(`${JSON.stringify(path)} is there twice`);
    this.#entryCount += 1;
    if (this.#entryCount > maximumEntries) throw new UserError(`more than ${String(maximumEntries)} entries`);
    if (before === undefined) this.#implyParents(path);
    this.#takenAs.set(path, kind);
  }

  /** Forgets everything, once nothing can follow. */
  clear(): void {
    this.#takenAs.clear();
  }

  #implyParents(path: string): void {
    for (let slash = path.lastIndexOf("/"); slash > 0; slash = path.lastIndexOf("/", slash - 1)) {
      const parent = path.slice(0, slash);
      const kind = this.#takenAs.get(parent);
      // The parents of what is a directory were implied before.
      if (kind === "directory" || kind === "implied") return;
      if (kind !== undefined) {
        throw new UserError(`${JSON.stringify(path)} lies below ${JSON.stringify(parent)}, which is a ${kind}`);
      }
      this.#takenAs.set(parent, "implied");
    }
  }
}
