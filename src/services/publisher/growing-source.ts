/**
 * Where a growing file comes from: standard input, or a file that another process is still writing.
 *
 * A source says that there is more, and is asked for the checksum of the next block once it is known where that ends. It
 * promises: blocks come in order and without a gap; while paused it takes in no more; after `onEnd` or `onProblem` it
 * says nothing.
 */
import type { Readable } from "node:stream";
import { accessSync, closeSync, constants, openSync, readFileSync, realpathSync, statSync, type Stats } from "node:fs";
import type { ChecksumAlgorithm } from "../../model/checksum.ts";
import type { WorkerThread } from "../../platform/worker-thread.ts";
import { UserError } from "../../std/errors.ts";
import { followPollMilliseconds, unacknowledgedBytes } from "./limits.ts";
import { changedError, PublishError } from "./publish-error.ts";
import { readError, stampOf } from "./scan.ts";
import type { SourceFile } from "./block-source.ts";
import type { SourceJobs } from "./source-jobs.ts";

export interface GrowingListener {
  readonly onGrowth: (lengthBytes: number) => void;
  readonly onEnd: () => void;
  readonly onProblem: (error: UserError) => void;
}

/** The next block of a source. */
export interface GrownBlock {
  readonly checksum: Uint8Array;
  /** Its bytes, of a source that cannot be read again. */
  readonly bytes: Uint8Array | undefined;
}

export interface GrowingSource {
  start(listener: GrowingListener): void;
  setPaused(paused: boolean): void;
  /** Cuts off the next `lengthBytes`, which have been told of; calls need not wait for each other. */
  next(lengthBytes: number): Promise<GrownBlock>;
  close(): void;
}

/** Bytes of a stream. */
export class StreamSource implements GrowingSource {
  readonly #stream: Readable;
  readonly #thread: WorkerThread<SourceJobs>;
  readonly #algorithm: ChecksumAlgorithm;
  #parts: Uint8Array[] = [];

  constructor(stream: Readable, thread: WorkerThread<SourceJobs>, algorithm: ChecksumAlgorithm) {
    this.#stream = stream;
    this.#thread = thread;
    this.#algorithm = algorithm;
  }

  start({ onGrowth, onEnd, onProblem }: GrowingListener): void {
    this.#stream.on("data", (part: Uint8Array) => {
      this.#parts.push(part);
      onGrowth(part.length);
    });
    this.#stream.once("end", onEnd);
    this.#stream.once("error", (error) => {
      onProblem(new PublishError("failed", `cannot read standard input: ${error.message}`, { cause: error }));
    });
  }

  setPaused(paused: boolean): void {
    if (paused) this.#stream.pause();
    else this.#stream.resume();
  }

  async next(lengthBytes: number): Promise<GrownBlock> {
    // In shared memory, so that the hashing thread needs no copy.
    const bytes = new Uint8Array(new SharedArrayBuffer(lengthBytes));
    let filled = 0;
    let used = 0;
    for (const part of this.#parts) {
      const taken = Math.min(part.length, lengthBytes - filled);
      bytes.set(part.subarray(0, taken), filled);
      filled += taken;
      if (taken < part.length) {
        this.#parts[used] = part.subarray(taken);
        break;
      }
      used += 1;
    }
    this.#parts.splice(0, used);
    const checksum = await this.#thread.run("hashBytes", { algorithm: this.#algorithm, bytes });
    return { checksum, bytes };
  }

  close(): void {
    this.#stream.removeAllListeners("data");
    this.#stream.destroy();
  }
}

/** When a followed file has ended. At least one of the two is given; whichever comes first counts. */
export interface FollowEnd {
  /** No growth for so long. */
  readonly afterIdleMilliseconds?: number;
  /** Says whether the process that writes the file still runs. */
  readonly writerRuns?: () => boolean;
}

/** A file that another process writes. What was read is read again from the file when it is handed over. */
export class FollowSource implements GrowingSource {
  /** The file at its real path, as it was at the start. */
  readonly file: SourceFile;
  readonly #thread: WorkerThread<SourceJobs>;
  readonly #algorithm: ChecksumAlgorithm;
  readonly #end: FollowEnd;
  #timer: NodeJS.Timeout | undefined;
  /** As long as the file is open, no other can get its inode. */
  #descriptor: number | undefined;
  #paused = false;
  #knownBytes = 0;
  #cutBytes = 0;
  #grewAt = performance.now();

  constructor(file: SourceFile, thread: WorkerThread<SourceJobs>, algorithm: ChecksumAlgorithm, end: FollowEnd) {
    this.file = file;
    this.#thread = thread;
    this.#algorithm = algorithm;
    this.#end = end;
  }

  start(listener: GrowingListener): void {
    try {
      this.#descriptor = openSync(this.file.source, "r");
    } catch (error) {
      listener.onProblem(readError(this.file.source, error));
      return;
    }
    this.#grewAt = performance.now();
    this.#timer = setInterval(() => this.#look(listener), followPollMilliseconds);
    this.#look(listener);
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
  }

  async next(lengthBytes: number): Promise<GrownBlock> {
    const offsetBytes = this.#cutBytes;
    this.#cutBytes += lengthBytes;
    const { source, stamp } = this.file;
    const checksum = await this.#thread.run("hashStretch", {
      algorithm: this.#algorithm,
      stretch: { path: source, offsetBytes, lengthBytes, stamp, growing: true },
      blockLengths: [lengthBytes],
    });
    if (checksum === undefined) throw changedError(source);
    return { checksum, bytes: undefined };
  }

  close(): void {
    clearInterval(this.#timer);
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #look({ onGrowth, onEnd, onProblem }: GrowingListener): void {
    // In this order: what the writer wrote last before it ended must still be seen.
    const writerEnded = this.#end.writerRuns?.() === false;
    const stats = this.#stats();
    if (stats === undefined || stats.size < this.#knownBytes) {
      this.close();
      onProblem(followError(this.file.source, stats));
      return;
    }
    const grown = stats.size - this.#knownBytes;
    if (grown > 0) {
      this.#grewAt = performance.now();
      if (this.#paused) return;
      // A long file that is there already is taken in by parts, as memory for hashing allows.
      const taken = Math.min(grown, unacknowledgedBytes);
      this.#knownBytes += taken;
      onGrowth(taken);
      return;
    }
    const idle = performance.now() - this.#grewAt;
    if (writerEnded || idle >= (this.#end.afterIdleMilliseconds ?? Infinity)) {
      this.close();
      onEnd();
    }
  }

  /** undefined: what stands at the path is not the file any more. */
  #stats(): Stats | undefined {
    const { source, stamp } = this.file;
    const stats = statSync(source, { throwIfNoEntry: false });
    return stats !== undefined && stats.ino === stamp.ino && stats.dev === stamp.dev ? stats : undefined;
  }
}

/** Looks at a file that is to be followed. @throws UserError when it cannot be read or is none */
export function fileToFollow(path: string): SourceFile {
  try {
    const source = realpathSync(path);
    const stats = statSync(source);
    if (!stats.isFile()) throw new UserError(`${JSON.stringify(path)} is no plain file: only a file can be followed`);
    accessSync(source, constants.R_OK);
    return { source, stamp: stampOf(stats) };
  } catch (error) {
    throw error instanceof UserError ? error : readError(path, error);
  }
}

/** Whether a process runs. One that has ended and that its parent has not noticed yet does not. */
export function processRuns(processId: number): boolean {
  try {
    process.kill(processId, 0);
  } catch (error) {
    // Without permission to send it signals, it is there all the same.
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  try {
    // Linux: the state follows the name, which stands in parentheses and may hold any character.
    const text = readFileSync(`/proc/${processId}/stat`, "latin1");
    return !/^\s*[ZX]/.test(text.slice(text.lastIndexOf(")") + 1));
  } catch {
    return true;
  }
}

function followError(path: string, stats: Stats | undefined): PublishError {
  const what = stats === undefined ? "was replaced or removed" : "got shorter";
  return new PublishError("failed", `${JSON.stringify(path)} ${what} while it was followed`, {
    hint: "nothing of this version was kept; a followed file may only grow",
  });
}
