/** Reads parts of files for serving, and hashes what is held: the inner loop of the reading thread. */
import { fstatSync, lstatSync, readSync } from "node:fs";
import type { Stats } from "node:fs";
import { equalBytes } from "../../std/bytes.ts";
import { checksumLengthBytes } from "../../model/checksum-length.ts";
import { hash } from "../hashing.ts";
import { errorCode } from "./disk-errors.ts";
import { verdicts } from "./disk-jobs.ts";
import type { HashJob, HashResult, ReadJob, ReadResult } from "./disk-jobs.ts";
import { stampNumbers } from "./file-stamps.ts";
import type { OpenFiles } from "./open-files.ts";
import { putStamp } from "./open-files.ts";

/** Files up to this length are closed again at once: there may be very many of them. */
const shortFileBytes = 1024 * 1024;

/** These mean that the file is gone or something else is in its place; other errors are the disk's. */
const goneCodes: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EISDIR", "ENXIO"]);

/** Does a ReadJob. Throws the error of the file system where a file is there but cannot be read. */
export function readFiles(files: OpenFiles, job: ReadJob): ReadResult {
  const changed: number[] = [];
  const modifiedMilliseconds = new Float64Array(job.files.length);
  let position = 0;
  for (const [place, file] of job.files.entries()) {
    const into = job.into.subarray(position, position + file.lengthBytes);
    position += file.lengthBytes;
    const stats = readIfSame(files, file, into);
    if (stats === undefined) changed.push(place);
    else modifiedMilliseconds[place] = stats.mtimeMs;
  }
  return { changed, modifiedMilliseconds };
}

function readIfSame(files: OpenFiles, file: ReadJob["files"][number], into: Uint8Array): Stats | undefined {
  try {
    const descriptor = files.reading(file.path);
    const stats = fstatSync(descriptor);
    const sizeFits = file.grows ? stats.size >= file.sizeBytes : stats.size === file.sizeBytes;
    const inodeFits = file.inode === 0 || file.inode === stats.ino;
    // An open file that has lost its name was replaced by another one.
    const fits = stats.isFile() && sizeFits && inodeFits && stats.nlink > 0;
    const readBytes = fits ? readFully(descriptor, into, file.offsetBytes) : 0;
    if (!fits || stats.size <= shortFileBytes) files.forget(file.path);
    return fits && readBytes === into.length ? stats : undefined;
  } catch (error) {
    if (goneCodes.has(errorCode(error))) return undefined;
    throw error;
  }
}

/** Does a HashJob. A file that cannot be read has no good blocks and no stamp. */
export function hashFiles(files: OpenFiles, job: HashJob): HashResult {
  const found = new Uint8Array(job.lengths.length);
  const stamps = new Float64Array(job.parts.length * stampNumbers).fill(Number.NaN);
  const longest = job.lengths.reduce((most, length) => Math.max(most, length), 0);
  const scratch = new Uint8Array(longest);
  let block = 0;
  for (const [place, part] of job.parts.entries()) {
    const end = block + part.blockCount;
    try {
      const descriptor = files.reading(part.path);
      const before = fstatSync(descriptor);
      if (before.isFile()) hashPart(descriptor, job, { block, end, offsetBytes: part.offsetBytes, scratch, found });
      const after = fstatSync(descriptor);
      const still =
        before.size === after.size && before.mtimeMs === after.mtimeMs && before.isFile() && after.nlink > 0;
      if (still) putStamp(stamps, place, after);
      else found.fill(verdicts.bad, block, end);
      files.forget(part.path);
    } catch (error) {
      if (errorCode(error) === "") throw error;
      const mayNotRead = ["EACCES", "EPERM"].includes(errorCode(error));
      found.fill(mayNotRead ? verdicts.unreadable : verdicts.bad, block, end);
    }
    block = end;
  }
  return { verdicts: found, stamps };
}

interface PartWork {
  readonly block: number;
  readonly end: number;
  readonly offsetBytes: number;
  readonly scratch: Uint8Array;
  readonly found: Uint8Array;
}

function hashPart(descriptor: number, job: HashJob, work: PartWork): void {
  let position = work.offsetBytes;
  for (let block = work.block; block < work.end; block += 1) {
    const bytes = work.scratch.subarray(0, job.lengths[block]);
    const checksum = job.checksums.subarray(block * checksumLengthBytes, (block + 1) * checksumLengthBytes);
    if (readFully(descriptor, bytes, position) === bytes.length && equalBytes(hash(job.algorithm, bytes), checksum)) {
      work.found[block] = verdicts.good;
    }
    position += bytes.length;
  }
}

/** The stamps of paths: NaN where no plain file is, 0 where it cannot be told. */
export function statFiles(paths: readonly string[]): Float64Array {
  const stamps = new Float64Array(paths.length * stampNumbers);
  for (const [place, path] of paths.entries()) {
    try {
      const stats = lstatSync(path, { throwIfNoEntry: false });
      putStamp(stamps, place, stats?.isFile() === true ? stats : undefined);
    } catch (error) {
      if (goneCodes.has(errorCode(error))) putStamp(stamps, place, undefined);
    }
  }
  return stamps;
}

/** Reads until `into` is full or the file ends; says how much that is. */
export function readFully(descriptor: number, into: Uint8Array, position: number): number {
  let done = 0;
  while (done < into.length) {
    const count = readSync(descriptor, into, done, into.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
