/**
 * Hashes the files of a scan, off the main thread.
 *
 * It promises: the checksums are of the very files that were scanned; one that changed since, or while it was read, or
 * that cannot be read, is a UserError, and then none is returned.
 */
import type { ChecksumAlgorithm } from "../../model/checksum.ts";
import type { HashWorkerPool } from "../../platform/hash-worker-pool.ts";
import { changedError } from "./publish-error.ts";
import { hashJobsAhead, smallFilesJobBytes, smallFilesPerJob } from "./limits.ts";
import { isSameStamp, readError, type ScannedFile } from "./scan.ts";

export interface HashTreeOptions {
  readonly algorithm: ChecksumAlgorithm;
  /** How large the blocks of a file are to be. */
  readonly blockBytesOf: (file: ScannedFile) => number;
  /** Hears of each further stretch of bytes that is done. */
  readonly onProgress?: (bytes: number) => void;
  /** Ends it early, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The checksums of all blocks of each file, by its path. @throws UserError, see above */
export async function hashTree(
  pool: HashWorkerPool,
  files: readonly ScannedFile[],
  options: HashTreeOptions,
): Promise<Map<string, Uint8Array>> {
  const checksums = new Map<string, Uint8Array>();
  const jobs = jobsOf(files, options.blockBytesOf);
  let failure: Error | undefined;
  const work = async (): Promise<void> => {
    for (let job = jobs.next(); !job.done && failure === undefined; job = jobs.next()) {
      try {
        options.signal?.throwIfAborted();
        await hashJob(pool, job.value, options, checksums);
      } catch (error) {
        failure ??= error instanceof Error ? error : new Error(String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: hashJobsAhead }, work));
  if (failure !== undefined) throw failure;
  return checksums;
}

/** Files hashed in one go: one of several blocks, or many of one block each. */
interface HashJob {
  readonly blockBytes: number;
  readonly files: readonly ScannedFile[];
}

/** Neighbours of one block each, and of one block size, go together. */
function* jobsOf(files: readonly ScannedFile[], blockBytesOf: HashTreeOptions["blockBytesOf"]): Generator<HashJob> {
  let batch: ScannedFile[] = [];
  let batchBytes = 0;
  let batchBlockBytes = 0;
  for (const file of files) {
    const blockBytes = blockBytesOf(file);
    if (file.lengthBytes > blockBytes) {
      yield { blockBytes, files: [file] };
      continue;
    }
    const isFull = batch.length >= smallFilesPerJob || batchBytes >= smallFilesJobBytes;
    if (batch.length > 0 && (isFull || blockBytes !== batchBlockBytes)) {
      yield { blockBytes: batchBlockBytes, files: batch };
      batch = [];
      batchBytes = 0;
    }
    batch.push(file);
    batchBytes += file.lengthBytes;
    batchBlockBytes = blockBytes;
  }
  if (batch.length > 0) yield { blockBytes: batchBlockBytes, files: batch };
}

async function hashJob(
  pool: HashWorkerPool,
  job: HashJob,
  options: HashTreeOptions,
  checksums: Map<string, Uint8Array>,
): Promise<void> {
  const { algorithm, onProgress } = options;
  const { blockBytes, files } = job;
  const [first] = files;
  if (files.length === 1 && first !== undefined && first.lengthBytes > blockBytes) {
    const result = await pool.hashFile(first.source, first.lengthBytes, {
      algorithm,
      blockBytes,
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    if (!isSameStamp(result.stamp, first.stamp)) throw changedError(first.source);
    checksums.set(first.path, result.checksums);
    return;
  }
  const results = await pool.hashSmallFiles({ algorithm, blockBytes, paths: files.map((file) => file.source) });
  for (const [index, file] of files.entries()) {
    const result = results[index];
    if (result === undefined || "code" in result) throw unreadable(file, result);
    if (!result.unchanged || !isSameStamp(result.stamp, file.stamp)) throw changedError(file.source);
    checksums.set(file.path, result.checksums);
    onProgress?.(file.lengthBytes);
  }
}

function unreadable(file: ScannedFile, problem: unknown): Error {
  // It was there when the folder was scanned.
  const isGone = problem !== undefined && (problem as NodeJS.ErrnoException).code === "ENOENT";
  return isGone ? changedError(file.source) : readError(file.source, problem);
}
