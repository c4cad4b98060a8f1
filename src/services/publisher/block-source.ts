/**
 * Where the blocks of a publish are read when they are handed over: from files that are read again, or from memory.
 *
 * It promises: what it gives out has been compared with the manifest's checksums. What changed in between is told once,
 * through `onChanged`, and never given out.
 */
import { concatenateBytes } from "../../std/bytes.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { RetainedBlocks } from "../../control/publisher/retained-blocks.ts";
import type { FileStamp } from "../../platform/hash-worker-pool.ts";
import type { WorkerThread } from "../../platform/worker-thread.ts";
import { changedError, PublishError } from "./publish-error.ts";
import type { SourceJobs, SourceStretch } from "./source-jobs.ts";

export interface BlockSource {
  /**
   * Reads the whole blocks start .. end - 1 into shared memory.
   * @param into exactly as long as these blocks
   * @returns changed: the source is not what it was; absent: it was let go, since agents have it
   */
  readBlocks(start: number, end: number, into: Uint8Array): Promise<"read" | "changed" | "absent">;
}

/** A file of the manifest, where it is read. */
export interface SourceFile {
  readonly source: string;
  readonly stamp: FileStamp;
}

export interface FileBlockSourceOptions {
  readonly manifest: Manifest;
  readonly thread: WorkerThread<SourceJobs>;
  readonly fileAt: (path: string) => SourceFile;
  /** The files may still get longer. */
  readonly growing: boolean;
  readonly onChanged: (error: PublishError) => void;
}

/** Reads files again. */
export class FileBlockSource implements BlockSource {
  readonly #options: FileBlockSourceOptions;

  constructor(options: FileBlockSourceOptions) {
    this.#options = options;
  }

  async readBlocks(start: number, end: number, into: Uint8Array): Promise<"read" | "changed"> {
    const { manifest, thread } = this.#options;
    const checksums: Uint8Array[] = [];
    const blockLengths: number[] = [];
    for (let block = start; block < end; block += 1) {
      checksums.push(manifest.blockChecksum(block));
      blockLengths.push(manifest.blockLengthBytes(block));
    }
    try {
      const changed = await thread.run("readVerified", {
        algorithm: manifest.algorithm,
        stretches: this.#stretches(start, end),
        blockLengths,
        checksums: concatenateBytes(checksums),
        into,
      });
      if (changed === undefined) return "read";
      this.#options.onChanged(changedError(changed));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#options.onChanged(new PublishError("failed", `cannot read what is being published: ${message}`));
    }
    return "changed";
  }

  #stretches(start: number, end: number): SourceStretch[] {
    const { manifest, fileAt, growing } = this.#options;
    const stretches: SourceStretch[] = [];
    let block = start;
    while (block < end) {
      const file = manifest.files[manifest.blockFile(block)];
      if (file === undefined) throw new RangeError(`there is no block ${block}`);
      const next = Math.min(end, file.firstBlock + file.blockCount);
      const { source, stamp } = fileAt(file.path);
      const offsetBytes = manifest.blockOffsetBytes(block);
      stretches.push({ path: source, offsetBytes, lengthBytes: manifest.bytesInRange(block, next), stamp, growing });
      block = next;
    }
    return stretches;
  }
}

/** Gives out what a stream's reader has kept. */
export class RetainedBlockSource implements BlockSource {
  readonly #manifest: Manifest;
  readonly #retained: RetainedBlocks;

  constructor(manifest: Manifest, retained: RetainedBlocks) {
    this.#manifest = manifest;
    this.#retained = retained;
  }

  async readBlocks(start: number, end: number, into: Uint8Array): Promise<"read" | "absent"> {
    let filled = 0;
    for (let block = start; block < end; block += 1) {
      const first = this.#manifest.duplicateOf(block);
      const bytes = this.#retained.get(first < 0 ? block : first);
      if (bytes === undefined) return "absent";
      into.set(bytes, filled);
      filled += bytes.length;
    }
    return "read";
  }
}
