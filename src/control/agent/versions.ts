/** Which versions this agent goes on holding: the controller's word that one need not be held, and what is kept beside. */
import type { FileSetKey } from "../../protocol/parts.ts";
import type { Activation } from "./activation.ts";
import type { AgentContext } from "./context.ts";
import type { FileSets } from "./file-sets.ts";
import { versionsToDelete } from "./retention.ts";

export class Versions {
  readonly #context: AgentContext;
  readonly #fileSets: FileSets;
  readonly #activation: Activation;

  constructor(context: AgentContext, fileSets: FileSets, activation: Activation) {
    this.#context = context;
    this.#fileSets = fileSets;
    this.#activation = activation;
  }

  /** This agent need not obtain a file set any more; `isDeleted`: it must not hold it either. */
  unassign(fileSet: FileSetKey, isDeleted: boolean): void {
    const record = this.#fileSets.get(fileSet);
    if (record === undefined) return;
    if (record.phase.status === "deleting") {
      record.phase = { status: "deleting", next: undefined };
    } else if (isDeleted) {
      this.#activation.leave(record.name, record.version);
      this.#fileSets.remove(record);
    } else if (record.wanted) {
      record.wanted = false;
      this.#context.documentChanged = true;
      this.retain(record.name);
    }
  }

  /** Deletes what is not to be kept of one name; while `current` moves, that is decided when it has moved. */
  retain(name: string): void {
    if (this.#activation.isMoving(name)) return;
    const records = [...this.#fileSets.all()].filter(
      (record) => record.name === name && record.phase.status !== "deleting",
    );
    const drop = versionsToDelete({
      keepVersions: this.#context.settings.keepVersions,
      ...this.#activation.standing(name),
      versions: records.map(({ version, sequence, wanted, complete }) => ({ version, sequence, wanted, complete })),
    });
    for (const record of records) {
      if (!drop.includes(record.version)) continue;
      this.#context.note("info", `${record.fileSet} is not kept any longer`, record.fileSet);
      this.#fileSets.remove(record);
    }
  }

  retainAll(): void {
    for (const name of new Set([...this.#fileSets.all()].map((record) => record.name))) this.retain(name);
  }
}
