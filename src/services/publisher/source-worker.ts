/**
 * The thread that reads a publisher's source a second time, to hand it over, and that hashes what grows. What it reads is
 * compared with the checksums made before, so that a file which changed in between is noticed here and not at a receiver.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { equalBytes } from "../../std/bytes.ts";
import { checksumLengthBytes } from "../../model/checksum.ts";
import { hash } from "../../platform/hashing.ts";
import { serveJobs } from "../../platform/worker-thread.ts";
import { isSameStamp, stampOf } from "./scan.ts";
import type { HashStretchJob, ReadVerifiedJob, SourceJobs, SourceStretch } from "./source-jobs.ts";

// Neither flag is there on every system.
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

function readVerified(job: ReadVerifiedJob): string | undefined {
  let filled = 0;
  for (const stretch of job.stretches) {
    const bytes = job.into.subarray(filled, filled + stretch.lengthBytes);
    if (!readStretch(stretch, bytes)) return stretch.path;
    filled += stretch.lengthBytes;
  }
  let start = 0;
  for (const [index, lengthBytes] of job.blockLengths.entries()) {
    const expected = job.checksums.subarray(index * checksumLengthBytes, (index + 1) * checksumLengthBytes);
    const actual = hash(job.algorithm, job.into.subarray(start, start + lengthBytes));
    if (!equalBytes(actual, expected)) return pathAt(job, start);
    start += lengthBytes;
  }
  return undefined;
}

function hashStretch({ algorithm, stretch, blockLengths }: HashStretchJob): Uint8Array | undefined {
  const bytes = new Uint8Array(stretch.lengthBytes);
  if (!readStretch(stretch, bytes)) return undefined;
  const checksums = new Uint8Array(blockLengths.length * checksumLengthBytes);
  let start = 0;
  for (const [index, lengthBytes] of blockLengths.entries()) {
    checksums.set(hash(algorithm, bytes.subarray(start, start + lengthBytes)), index * checksumLengthBytes);
    start += lengthBytes;
  }
  return checksums;
}

/** Fills `into`; false: the file is not what it was. */
function readStretch(stretch: SourceStretch, into: Uint8Array): boolean {
  let descriptor: number;
  try {
    descriptor = openSync(stretch.path, openFlags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ELOOP" || code === "ENOTDIR" || code === "EACCES") return false;
    throw error;
  }
  try {
    if (!isStill(stretch, descriptor)) return false;
    let done = 0;
    while (done < into.length) {
      const count = readSync(descriptor, into, done, into.length - done, stretch.offsetBytes + done);
      if (count === 0) return false;
      done += count;
    }
    return isStill(stretch, descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function isStill({ stamp, growing }: SourceStretch, descriptor: number): boolean {
  const now = stampOf(fstatSync(descriptor));
  return growing ? now.ino === stamp.ino && now.dev === stamp.dev : isSameStamp(now, stamp);
}

/** The file that the byte at `position` of all stretches belongs to. */
function pathAt({ stretches }: ReadVerifiedJob, position: number): string {
  let end = 0;
  for (const { path, lengthBytes } of stretches) {
    end += lengthBytes;
    if (position < end) return path;
  }
  return "";
}

serveJobs<SourceJobs>({
  readVerified,
  hashStretch,
  hashBytes: ({ algorithm, bytes }) => hash(algorithm, bytes),
});
