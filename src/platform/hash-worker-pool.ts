/**
 * Hashing files off the main thread, on several threads: what a publisher does with a whole directory.
 *
 * It promises that a file which changes while it is read is noticed (size, modification or change time), never that it
 * does not change afterwards: the stamp that comes with the checksums is there to be compared later.
 */
import { availableParallelism } from "node:os";
import { UserError } from "../std/errors.ts";
import type { ChecksumAlgorithm } from "../model/checksum.ts";
import { WorkerThread } from "./worker-thread.ts";

/** What tells whether a file has changed. Times in milliseconds with their fraction. */
export interface FileStamp {
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly ino: number;
  readonly dev: number;
  readonly mode: number;
}

export interface HashPartJob {
  readonly algorithm: ChecksumAlgorithm;
  readonly path: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly blockBytes: number;
}

export interface HashPartResult {
  /** Of the blocks in order, 32 bytes each; the last block is what the file had left. */
  readonly checksums: Uint8Array;
  /** Whether the file stayed the same while this was read. */
  readonly unchanged: boolean;
  readonly stamp: FileStamp;
}

/** A file that could not be read: the system's code, such as ENOENT or EACCES, and its message. */
export interface HashProblem {
  readonly code: string;
  readonly message: string;
}

export interface HashSmallFilesJob {
  readonly algorithm: ChecksumAlgorithm;
  readonly paths: readonly string[];
  readonly blockBytes: number;
}

export type HashJobs = {
  hashPart: { job: HashPartJob; result: HashPartResult };
  hashSmallFiles: { job: HashSmallFilesJob; result: (HashPartResult | HashProblem)[] };
};

/** Threads, when not told otherwise: more bring nothing, since one hashes faster than most disks read. */
const maximumThreads = 4;
/** How much of a file one job covers: progress is reported, and other files get their turn, in such steps. */
const partBytes = 32 * 1024 * 1024;
/** Jobs handed to the threads ahead of time for one file. */
const jobsAhead = 2;

export class HashWorkerPool {
  readonly #threads: WorkerThread<HashJobs>[];

  /** @param threads 1 or more; by default one less than the machine has processors, 4 at most */
  constructor(threads: number = Math.min(maximumThreads, Math.max(1, availableParallelism() - 1))) {
    const script = new URL("./hash-worker.js", import.meta.url);
    this.#threads = Array.from({ length: threads }, () => new WorkerThread<HashJobs>(script));
  }

  /**
   * The checksums of all blocks of a file, each `blockBytes` long but the last, and its stamp. Throws UserError when the
   * file cannot be read or changes meanwhile. `onProgress` hears of each further stretch of bytes.
   */
  async hashFile(
    path: string,
    lengthBytes: number,
    options: { algorithm: ChecksumAlgorithm; blockBytes: number; onProgress?: (bytes: number) => void },
  ): Promise<{ checksums: Uint8Array; stamp: FileStamp }> {
    const { algorithm, blockBytes } = options;
    const stepBytes = Math.max(blockBytes, partBytes - (partBytes % blockBytes));
    const parts: HashPartResult[] = [];
    const partCount = Math.max(1, Math.ceil(lengthBytes / stepBytes));
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < partCount) {
        const index = next;
        next += 1;
        const offsetBytes = index * stepBytes;
        const stretchBytes = Math.min(stepBytes, lengthBytes - offsetBytes);
        const part = await this.#idlest().run("hashPart", {
          algorithm,
          path,
          blockBytes,
          offsetBytes,
          lengthBytes: stretchBytes,
        });
        parts[index] = part;
        options.onProgress?.(stretchBytes);
      }
    };
    try {
      await Promise.all(Array.from({ length: this.#threads.length * jobsAhead }, work));
    } catch (error) {
      if (error instanceof UserError) throw error;
      throw new UserError(`cannot read ${JSON.stringify(path)}: ${(error as Error).message}`, { cause: error });
    }
    const stamp = parts[0]?.stamp;
    if (
      stamp === undefined ||
      stamp.size !== lengthBytes ||
      !parts.every((part) => part.unchanged && isSame(part.stamp, stamp))
    ) {
      throw new UserError(`${JSON.stringify(path)} changed while it was being read`, {
        hint: "publish again when it is still",
      });
    }
    return { checksums: concatenate(parts), stamp };
  }

  /**
   * Hashes many files of one block each at a time (about 100 is good). A file longer than `blockBytes` has a stamp that
   * says so. The results stand in the order of the paths; a file that cannot be read has its problem there.
   */
  async hashSmallFiles(job: HashSmallFilesJob): Promise<(HashPartResult | HashProblem)[]> {
    return this.#idlest().run("hashSmallFiles", job);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(async (thread) => thread.close()));
  }

  #idlest(): WorkerThread<HashJobs> {
    const [first, ...others] = this.#threads;
    if (first === undefined) throw new RangeError("a pool without threads");
    return others.reduce((best, thread) => (thread.pending < best.pending ? thread : best), first);
  }
}

function isSame(one: FileStamp, other: FileStamp): boolean {
  return (
    one.size === other.size && one.mtimeMs === other.mtimeMs && one.ctimeMs === other.ctimeMs && one.ino === other.ino
  );
}

function concatenate(parts: readonly HashPartResult[]): Uint8Array {
  const checksums = new Uint8Array(parts.reduce((sum, part) => sum + part.checksums.length, 0));
  let position = 0;
  for (const part of parts) {
    checksums.set(part.checksums, position);
    position += part.checksums.length;
  }
  return checksums;
}
