/**
 * Whether what is to be published is what a version holds already, whichever way that version was cut into blocks.
 * Modification times do not count.
 */
import { equalBytes } from "../../std/bytes.ts";
import { checksumLengthBytes } from "../../model/checksum.ts";
import type { FileEntry, Manifest } from "../../model/manifest.ts";
import { fileBlockLengths, fileChecksums, filesByPath, firstDifference } from "../../control/publisher/content-plan.ts";
import type { HashWorkerPool } from "../../platform/hash-worker-pool.ts";
import type { WorkerThread } from "../../platform/worker-thread.ts";
import type { UserError } from "../../std/errors.ts";
import type { GrowingSource } from "./growing-source.ts";
import { hashTree, type HashTreeOptions } from "./hash-tree.ts";
import { compareReadBytes, unacknowledgedBytes } from "./limits.ts";
import { changedError } from "./publish-error.ts";
import type { Scan, ScannedFile } from "./scan.ts";
import type { SourceJobs } from "./source-jobs.ts";

export interface CompareTools {
  readonly pool: HashWorkerPool;
  readonly thread: WorkerThread<SourceJobs>;
  readonly onProgress?: HashTreeOptions["onProgress"];
  readonly signal?: AbortSignal;
}

/** The first path at which a scan differs from a whole manifest; undefined: they are the same. @throws UserError */
export async function differenceFrom(
  scan: Scan,
  manifest: Manifest,
  { pool, thread, onProgress, signal }: CompareTools,
): Promise<string | undefined> {
  const outside = firstDifference(scan.entries, manifest);
  if (outside !== undefined) return outside;
  const existing = filesByPath(manifest);
  const entryOf = (file: ScannedFile): FileEntry => {
    const entry = existing.get(file.path);
    if (entry === undefined) throw new RangeError(`${file.path} was there a moment ago`);
    return entry;
  };
  // First what is compared against blocks of one size, in many threads; files that grew have blocks of any length.
  const fixed = scan.files.filter((file) => !entryOf(file).growing);
  const checksums = await hashTree(pool, fixed, {
    algorithm: manifest.algorithm,
    blockBytesOf: (file) => entryOf(file).blockBytes,
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  for (const [path, actual] of checksums) {
    const entry = existing.get(path);
    if (entry === undefined || !equalBytes(actual, fileChecksums(manifest, entry))) return path;
  }
  for (const file of scan.files) {
    const entry = entryOf(file);
    if (!entry.growing) continue;
    signal?.throwIfAborted();
    if (!(await isGrownContent(file, manifest, entry, thread))) return file.path;
    onProgress?.(file.lengthBytes);
  }
  return undefined;
}

async function isGrownContent(
  file: ScannedFile,
  manifest: Manifest,
  entry: FileEntry,
  thread: WorkerThread<SourceJobs>,
): Promise<boolean> {
  const expected = fileChecksums(manifest, entry);
  const lengths = fileBlockLengths(manifest, entry);
  let offsetBytes = 0;
  for (let first = 0; first < lengths.length;) {
    let lengthBytes = 0;
    let end = first;
    while (end < lengths.length && (end === first || lengthBytes + (lengths[end] ?? 0) <= compareReadBytes)) {
      lengthBytes += lengths[end] ?? 0;
      end += 1;
    }
    const actual = await thread.run("hashStretch", {
      algorithm: manifest.algorithm,
      stretch: { path: file.source, offsetBytes, lengthBytes, stamp: file.stamp, growing: false },
      blockLengths: lengths.slice(first, end),
    });
    if (actual === undefined) throw changedError(file.source);
    if (!equalBytes(actual, expected.subarray(first * checksumLengthBytes, end * checksumLengthBytes))) return false;
    offsetBytes += lengthBytes;
    first = end;
  }
  return true;
}

/** Reads a growing source to its end, or to the first byte that differs, and says whether it is what `file` holds. */
export async function isExistingContent(source: GrowingSource, manifest: Manifest, file: FileEntry): Promise<boolean> {
  const lengths = fileBlockLengths(manifest, file);
  return new Promise((resolve, reject) => {
    let next = 0;
    let availableBytes = 0;
    let hashingBytes = 0;
    let isOver = false;
    const settle = (act: () => void): void => {
      if (isOver) return;
      isOver = true;
      source.close();
      act();
    };
    const fail = (error: UserError): void => settle(() => reject(error));
    const differ = (): void => settle(() => resolve(false));
    let compared: Promise<void> = Promise.resolve();
    const compare = async (block: number, lengthBytes: number): Promise<void> => {
      const { checksum } = await source.next(lengthBytes);
      hashingBytes -= lengthBytes;
      source.setPaused(hashingBytes >= unacknowledgedBytes);
      if (!equalBytes(checksum, manifest.blockChecksum(block))) differ();
    };
    source.start({
      onGrowth: (lengthBytes) => {
        availableBytes += lengthBytes;
        for (let needed = lengths[next]; needed !== undefined && availableBytes >= needed; needed = lengths[next]) {
          const comparing = compare(file.firstBlock + next, needed);
          comparing.catch(fail);
          compared = comparing;
          hashingBytes += needed;
          availableBytes -= needed;
          next += 1;
        }
        if (next === lengths.length && availableBytes > 0) differ();
        else if (!isOver) source.setPaused(hashingBytes >= unacknowledgedBytes);
      },
      onEnd: () => {
        if (next < lengths.length || availableBytes > 0) differ();
        // Blocks are hashed in order: when the last one is done, all are.
        else compared.then(() => settle(() => resolve(true)), fail);
      },
      onProblem: fail,
    });
  });
}
