/**
 * Writing past the page cache: a large file that is written once, verified, costs several times less so, and pushes
 * nothing else out of memory (docs/decisions/0020). It promises to say no wherever that cannot be done: no such flag,
 * a file system without it, memory or places in the file that are not aligned.
 */
import { closeSync, constants, openSync, writeSync, writevSync } from "node:fs";
import { errorCode } from "./disk-errors.ts";
import { directAlignmentBytes, smallestDirectFileBytes, smallestDirectWriteBytes } from "./limits.ts";

/** 0 where the system knows no such flag. */
const direct = process.platform === "linux" ? (constants.O_DIRECT ?? 0) : 0;
/** What systems say to a write or an opening that cannot go past the page cache. */
const refusals: ReadonlySet<string> = new Set(["EINVAL", "EOPNOTSUPP", "ENOTSUP"]);

const noBytes = new Uint8Array(0);

/** Whether a file of this length is written so. */
export function isWrittenDirectly(lengthBytes: number | undefined): lengthBytes is number {
  return direct !== 0 && lengthBytes !== undefined && lengthBytes >= smallestDirectFileBytes;
}

/** Second descriptors of files that are open for writing, by the first one. */
export class DirectFiles {
  readonly #direct = new Map<number, number | undefined>();

  /**
   * Writes as much of what begins the pieces as goes this way, and says how many bytes that is.
   * @param descriptor of a file that is open for writing
   */
  write(descriptor: number, pieces: readonly Uint8Array[], offset: number): number {
    const aligned = alignedPieces(pieces, offset);
    const length = aligned.reduce((sum, piece) => sum + piece.length, 0);
    const ours = length < smallestDirectWriteBytes ? undefined : this.#open(descriptor);
    if (ours === undefined) return 0;
    try {
      const done =
        aligned.length === 1
          ? writeSync(ours, aligned[0] ?? noBytes, 0, length, offset)
          : writevSync(ours, aligned, offset);
      // What a write that was cut short has left goes the usual way.
      return done;
    } catch (error) {
      if (!refusals.has(errorCode(error))) throw error;
      // Memory that is not aligned after all, or a file system that says no only now: a failed call costs little.
      return 0;
    }
  }

  /** To be called before the descriptor is closed. */
  forget(descriptor: number): void {
    const ours = this.#direct.get(descriptor);
    this.#direct.delete(descriptor);
    if (ours !== undefined) closeSync(ours);
  }

  #open(descriptor: number): number | undefined {
    if (this.#direct.has(descriptor)) return this.#direct.get(descriptor);
    let ours: number | undefined;
    try {
      // By the descriptor, not by the path: it must be the same file.
      ours = openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | direct);
    } catch (error) {
      if (errorCode(error) === "") throw error;
    }
    this.#direct.set(descriptor, ours);
    return ours;
  }
}

/** The pieces up to the first that is not aligned, cut to what is a multiple of the alignment. */
function alignedPieces(pieces: readonly Uint8Array[], offset: number): Uint8Array[] {
  const aligned: Uint8Array[] = [];
  if (offset % directAlignmentBytes !== 0) return aligned;
  for (const piece of pieces) {
    if (piece.byteOffset % directAlignmentBytes !== 0) break;
    const length = piece.length - (piece.length % directAlignmentBytes);
    if (length > 0) aligned.push(piece.subarray(0, length));
    if (length < piece.length) break;
  }
  return aligned;
}
