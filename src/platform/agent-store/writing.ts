/**
 * Verifies blocks and writes the good ones: the inner loop of the writing thread. A block that is not what its checksum
 * says is never written, wherever it came from.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { equalBytes } from "../../std/bytes.ts";
import { checksumLengthBytes } from "../../model/checksum-length.ts";
import { hash } from "../hashing.ts";
import { errorCode } from "./disk-errors.ts";
import { isWrittenDirectly } from "./direct-files.ts";
import type { CopyJob, WriteJob, WriteResult, WriteTarget } from "./disk-jobs.ts";
import { stampNumbers } from "./file-stamps.ts";
import type { OpenFiles } from "./open-files.ts";
import { putStamp, setModified, stampOf } from "./open-files.ts";
import { readFully } from "./reading.ts";

const permissionBits = 0o7777;

/** Does a WriteJob. Throws the error of the file system; what was written by then is good, but not told. */
export function writeBlocks(files: OpenFiles, job: WriteJob): WriteResult {
  const bad = findBad(job);
  const stamps = new Float64Array(job.targets.length * stampNumbers).fill(Number.NaN);
  const before = stamps.slice();
  for (const [place, target] of job.targets.entries()) {
    const count = writableCount(target, bad);
    if (count > 0) writeTarget(files, job, target, { bad, count, stamps, before, place });
  }
  if (job.keep !== undefined) keepGood(job, job.keep, bad);
  return { bad: [...bad], stamps, before };
}

/** Does a CopyJob: reads the blocks, then as `writeBlocks`. A block whose source cannot be read counts as bad. */
export function copyBlocks(files: OpenFiles, sources: OpenFiles, job: CopyJob): WriteResult {
  const starts: number[] = [];
  let lengthBytes = 0;
  for (const length of job.lengths) {
    starts.push(lengthBytes);
    lengthBytes += length;
  }
  const bytes = new Uint8Array(lengthBytes);
  for (const [index, length] of job.lengths.entries()) {
    const start = starts[index] ?? 0;
    const path = job.paths[job.files[index] ?? 0] ?? "";
    try {
      const descriptor = sources.reading(path);
      if (fstatSync(descriptor).isFile()) {
        readFully(descriptor, bytes.subarray(start, start + length), job.offsets[index] ?? 0);
      }
    } catch (error) {
      if (errorCode(error) === "") throw error;
    }
  }
  for (const path of new Set(job.paths)) sources.forget(path);
  return writeBlocks(files, { ...job, bytes, starts, keep: undefined });
}

/** Makes `target` a copy that shares the blocks of `source`: undefined if that was done, else why not. */
export function cloneFile(files: OpenFiles, source: string, target: string): string | undefined {
  try {
    unlinkSync(target);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") return errorCode(error);
  }
  try {
    copyFileSync(source, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
    files.changedDirectories.add(dirname(target));
    const { descriptor } = files.writing(target, 0o600);
    fchmodSync(descriptor, 0o600);
    closeSync(descriptor);
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}

function findBad(job: WriteJob): Set<number> {
  const bad = new Set<number>();
  const verdicts = new Map<number, boolean>();
  for (const [index, length] of job.lengths.entries()) {
    const start = job.starts[index] ?? 0;
    // Blocks that start at the same place are the same block, wanted in several places of the file set.
    let good = verdicts.get(start);
    if (good === undefined) {
      const checksum = job.checksums.subarray(index * checksumLengthBytes, (index + 1) * checksumLengthBytes);
      good = equalBytes(hash(job.algorithm, job.bytes.subarray(start, start + length)), checksum);
      verdicts.set(start, good);
    }
    if (!good) bad.add(index);
  }
  return bad;
}

/** How many blocks of a target come into question: all, or those before the first bad one. */
function writableCount(target: WriteTarget, bad: ReadonlySet<number>): number {
  if (target.sequential) {
    const firstBad = target.blocks.findIndex((block) => bad.has(block));
    return firstBad < 0 ? target.blocks.length : firstBad;
  }
  return target.blocks.some((block) => !bad.has(block)) ? target.blocks.length : 0;
}

interface TargetWork {
  readonly bad: ReadonlySet<number>;
  readonly count: number;
  readonly stamps: Float64Array;
  readonly before: Float64Array;
  readonly place: number;
}

function writeTarget(files: OpenFiles, job: WriteJob, target: WriteTarget, work: TargetWork): void {
  // What is written as a whole is closed at once; its mode from the beginning is the last one, where that will do.
  const { wholeMode } = target;
  const whole = wholeMode !== undefined && !target.blocks.some((block) => work.bad.has(block));
  const { descriptor, created, cached } = files.writing(target.path, whole ? wholeMode | target.mode : target.mode);
  if (wholeMode === undefined) {
    fillTarget(files, { descriptor, created }, job, target, work);
    return;
  }
  try {
    fillTarget(files, { descriptor, created }, job, target, work);
  } finally {
    if (cached) files.forget(target.path);
    else files.close(descriptor);
  }
}

function fillTarget(
  files: OpenFiles,
  { descriptor, created }: { descriptor: number; created: boolean },
  job: WriteJob,
  target: WriteTarget,
  work: TargetWork,
): void {
  const whole = target.wholeMode !== undefined && !target.blocks.some((block) => work.bad.has(block));
  // What is not closed here must be forgotten on an error, or its descriptor would stay open for ever.
  if (target.wholeMode === undefined) files.keep(target.path, descriptor);
  const found = created ? undefined : fstatSync(descriptor);
  putStamp(work.before, work.place, found);
  const foundBytes = found?.size ?? (whole ? target.lengthBytes : 0);
  if (target.lengthBytes !== undefined && foundBytes !== target.lengthBytes) {
    ftruncateSync(descriptor, target.lengthBytes);
  }
  if (created && target.lengthBytes === undefined) fchmodSync(descriptor, target.mode);
  try {
    writeRuns(files, descriptor, job, target, work);
  } finally {
    // On an error too: what was held before is not to look as if others had changed it.
    setModified(descriptor, target.modifiedMilliseconds);
  }
  const stats = fstatSync(descriptor);
  if (whole && (stats.mode & permissionBits) !== target.wholeMode) fchmodSync(descriptor, target.wholeMode);
  putStamp(work.stamps, work.place, stats);
}

/** Writes the good blocks, those that stand together in the file with one call. */
function writeRuns(
  files: OpenFiles,
  descriptor: number,
  job: WriteJob,
  target: WriteTarget,
  { bad, count }: TargetWork,
): void {
  const isDirect = !target.sequential && isWrittenDirectly(target.lengthBytes);
  for (const { offset, ranges } of runsInFile(job, target, bad, count)) {
    const pieces = ranges.map(([start, end]) => job.bytes.subarray(start, end));
    const done = isDirect ? files.direct.write(descriptor, pieces, offset) : 0;
    writeFully(descriptor, pieces, offset, done);
  }
}

interface FileRun {
  readonly offset: number;
  /** Where its bytes stand in memory, one range after another. */
  readonly ranges: [start: number, end: number][];
}

function runsInFile(job: WriteJob, target: WriteTarget, bad: ReadonlySet<number>, count: number): FileRun[] {
  const runs: FileRun[] = [];
  let fileEnd = -1;
  for (let place = 0; place < count; place += 1) {
    const block = target.blocks[place] ?? 0;
    if (bad.has(block)) continue;
    const start = job.starts[block] ?? 0;
    const offset = target.offsets[place] ?? 0;
    const length = job.lengths[block] ?? 0;
    const run = offset === fileEnd ? runs.at(-1) : undefined;
    const range = run?.ranges.at(-1);
    if (run === undefined) runs.push({ offset, ranges: [[start, start + length]] });
    else if (range?.[1] === start) range[1] += length;
    else run.ranges.push([start, start + length]);
    fileEnd = offset + length;
  }
  return runs;
}

/** Writes pieces one after another, but for the first `done` bytes. */
function writeFully(descriptor: number, pieces: readonly Uint8Array[], offset: number, done: number): void {
  let position = 0;
  for (const piece of pieces) {
    for (let from = Math.max(0, done - position); from < piece.length;) {
      from += writeSync(descriptor, piece, from, piece.length - from, offset + position + from);
    }
    position += piece.length;
  }
}

function keepGood(job: WriteJob, keep: NonNullable<WriteJob["keep"]>, bad: ReadonlySet<number>): void {
  for (const [index, length] of job.lengths.entries()) {
    const offset = keep.offsets[index] ?? -1;
    const start = job.starts[index] ?? 0;
    if (offset >= 0 && !bad.has(index)) keep.memory.set(job.bytes.subarray(start, start + length), offset);
  }
}

/** Sets the length, mode and time of a file that is there, and says how it then looks. */
export function stampFile(
  files: OpenFiles,
  job: { path: string; lengthBytes: number; modifiedMilliseconds: number; mode?: number },
): Float64Array {
  files.forget(job.path);
  const { descriptor } = files.writing(job.path, job.mode ?? 0o600);
  try {
    if (fstatSync(descriptor).size !== job.lengthBytes) ftruncateSync(descriptor, job.lengthBytes);
    if (job.mode !== undefined) fchmodSync(descriptor, job.mode);
    setModified(descriptor, job.modifiedMilliseconds);
    return stampOf(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
