/**
 * The jobs of the store's threads, as data. Paths are absolute and were made from checked manifests; a thread follows
 * no link in the last component of any of them.
 */
import type { ChecksumAlgorithm } from "../../model/checksum.ts";

/** Blocks to be verified: block i has `lengths[i]` bytes and the i-th checksum of 32 bytes. */
export interface JobBlocks {
  readonly algorithm: ChecksumAlgorithm;
  readonly lengths: readonly number[];
  readonly checksums: Uint8Array;
}

/** A file that blocks go to. */
export interface WriteTarget {
  readonly path: string;
  /** Its final length, set aside at once; undefined: as long as what is written. */
  readonly lengthBytes: number | undefined;
  readonly modifiedMilliseconds: number;
  /** Permission bits while it is written. */
  readonly mode: number;
  /** All blocks of it are in this job: it is closed at once, and gets these permission bits. */
  readonly wholeMode: number | undefined;
  /** Blocks are appended in order: at a bad one, the rest is left out. */
  readonly sequential: boolean;
  /** Places of blocks in the job, rising, and where in the file each goes. */
  readonly blocks: readonly number[];
  readonly offsets: readonly number[];
}

export interface WriteJob extends JobBlocks {
  /** Holds the blocks; block i starts at `starts[i]`. */
  readonly bytes: Uint8Array;
  readonly starts: readonly number[];
  readonly targets: readonly WriteTarget[];
  /** Good blocks are also copied here (shared memory), block i to `offsets[i]` if that is not negative. */
  readonly keep: { readonly memory: Uint8Array; readonly offsets: readonly number[] } | undefined;
}

/** As a WriteJob, with the blocks read from files: block i from `paths[files[i]]` at `offsets[i]`. */
export interface CopyJob extends JobBlocks {
  readonly paths: readonly string[];
  readonly files: readonly number[];
  readonly offsets: readonly number[];
  readonly targets: readonly WriteTarget[];
}

export interface WriteResult {
  /** Places of the blocks that are not what their checksums say (or could not be read). */
  readonly bad: readonly number[];
  /** Three numbers (file-stamps.ts) a target; inode NaN where nothing was written. */
  readonly stamps: Float64Array;
  /** The same before the target was written to; inode NaN where it was made by this job. */
  readonly before: Float64Array;
}

export interface HashJob extends JobBlocks {
  /** Parts of files: `blocks` of the job each, contiguous in the file from `offsetBytes` on. */
  readonly parts: readonly { readonly path: string; readonly offsetBytes: number; readonly blockCount: number }[];
}

/** What a HashJob finds of a block; unreadable: this program may not read the file. */
export const verdicts = { bad: 0, good: 1, unreadable: 2 } as const;

export interface HashResult {
  /** By block: one of `verdicts`. */
  readonly verdicts: Uint8Array;
  /** By part; inode NaN: not a plain file that can be read, or it changed meanwhile. */
  readonly stamps: Float64Array;
}

export interface ReadJob {
  /** Shared memory; the files' parts come one after another. */
  readonly into: Uint8Array;
  readonly files: readonly {
    readonly path: string;
    readonly offsetBytes: number;
    readonly lengthBytes: number;
    /** What it must look like; the inode 0 stands for any. */
    readonly sizeBytes: number;
    readonly inode: number;
    /** Whether it may be longer. */
    readonly grows: boolean;
  }[];
}

export interface ReadResult {
  /** Places of the files that are not there or do not look so. */
  readonly changed: readonly number[];
  /** Modification time of each file, in milliseconds. */
  readonly modifiedMilliseconds: Float64Array;
}

/** A file that is to be finished: its stamp as expected (flat array), its final mode and time. */
export interface FinishFile {
  readonly path: string;
  readonly lengthBytes: number;
  readonly mode: number;
  readonly modifiedMilliseconds: number;
}

export type WriterJobs = {
  write: { job: WriteJob; result: WriteResult };
  copy: { job: CopyJob; result: WriteResult };
  /** A copy that shares its blocks with the source, if the file system can: the code of the error if not. */
  clone: { job: { source: string; target: string }; result: string | undefined };
  /** Sets mode and time of a file and says what it then looks like. */
  stamp: {
    job: { path: string; mode: number; modifiedMilliseconds: number; lengthBytes: number };
    result: Float64Array;
  };
  /** Makes the bytes of files durable; and files and directories with all that belongs to them. */
  sync: { job: { data: readonly string[]; entries: readonly string[] }; result: void };
  /** Directories in which names were made since this was asked last. */
  takeDirectories: { job: undefined; result: string[] };
  /** Makes directories that the owner can use, whatever was in their way; true: the first of them was not there. */
  makeDirectories: { job: { path: string; mode: number }[]; result: boolean };
  makeEmptyFiles: { job: { path: string; mode: number; modifiedMilliseconds: number }[]; result: void };
  finishFiles: {
    job: { files: FinishFile[]; stamps: Float64Array };
    result: { changed: number[]; stamps: Float64Array };
  };
  makeLinks: { job: { path: string; target: string }[]; result: void };
  /** Removes what is in each directory beside the names given. */
  removeOthers: { job: { directory: string; names: string[] }[]; result: void };
  finishDirectories: {
    job: { path: string; mode: number; modifiedMilliseconds: number | undefined }[];
    result: void;
  };
  removeFiles: { job: string[]; result: void };
  /** Removes for some milliseconds; true: all is gone. */
  removeTree: { job: string; result: boolean };
  truncate: { job: { path: string; lengthBytes: number; modifiedMilliseconds: number }; result: Float64Array };
  /** Closes what is open below a path. */
  forget: { job: string; result: void };
};

export type ReaderJobs = {
  read: { job: ReadJob; result: ReadResult };
  hash: { job: HashJob; result: HashResult };
  /** Stamps of paths; inode NaN where there is no plain file, 0 where it cannot be told. */
  stat: { job: readonly string[]; result: Float64Array };
  forget: { job: string; result: void };
};
