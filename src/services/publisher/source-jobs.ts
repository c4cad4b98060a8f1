/** What the publisher's reading thread (source-worker.ts) is asked to do. Bytes in shared memory are passed, not copied. */
import type { ChecksumAlgorithm } from "../../model/checksum.ts";
import type { FileStamp } from "../../platform/hash-worker-pool.ts";

/** A stretch of one file. */
export interface SourceStretch {
  readonly path: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** What the file must still be: all of it, or, while it grows, only the same file. */
  readonly stamp: FileStamp;
  readonly growing: boolean;
}

export interface ReadVerifiedJob {
  readonly algorithm: ChecksumAlgorithm;
  readonly stretches: readonly SourceStretch[];
  /** How the stretches, one behind the other, are cut into blocks. */
  readonly blockLengths: readonly number[];
  /** Of these blocks, 32 bytes each. */
  readonly checksums: Uint8Array;
  readonly into: Uint8Array;
}

export interface HashStretchJob {
  readonly algorithm: ChecksumAlgorithm;
  readonly stretch: SourceStretch;
  readonly blockLengths: readonly number[];
}

export interface HashBytesJob {
  readonly algorithm: ChecksumAlgorithm;
  readonly bytes: Uint8Array;
}

export type SourceJobs = {
  /** undefined: read, and as it was; otherwise the path of the file that changed. */
  readVerified: { job: ReadVerifiedJob; result: string | undefined };
  /** undefined: the file is not what it was. */
  hashStretch: { job: HashStretchJob; result: Uint8Array | undefined };
  hashBytes: { job: HashBytesJob; result: Uint8Array };
};
