/** Directories, links, modes, times and removal: what the writing thread does to a tree beside its blocks. */
import {
  chmodSync,
  closeSync,
  fdatasyncSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  constants,
} from "node:fs";
import type { Stats } from "node:fs";
import { dirname } from "node:path";
import { noFollow } from "../durable-file.ts";
import { errorCode } from "./disk-errors.ts";
import type { FinishFile } from "./disk-jobs.ts";
import { isSameStamp, stampAt } from "./file-stamps.ts";
import type { OpenFiles } from "./open-files.ts";
import { putStamp, timeInSeconds } from "./open-files.ts";
import { stampFile } from "./writing.ts";

/** How long one job removes before others get their turn. */
const removalMilliseconds = 50;
const ownerAll = 0o700;

/**
 * Makes directories whose parents are there. What is there and no directory (a link, say) is removed first.
 * @returns whether the first of them was not there
 */
export function makeDirectories(files: OpenFiles, directories: readonly { path: string; mode: number }[]): boolean {
  let madeFirst = false;
  for (const { path, mode } of directories) {
    let found = statIfAny(path);
    if (found !== undefined && !found.isDirectory()) {
      unlinkSync(path);
      found = undefined;
    }
    if (found === undefined) {
      mkdirSync(path, { mode: mode | ownerAll });
      files.changedDirectories.add(dirname(path));
      found = lstatSync(path);
      if (path === directories[0]?.path) madeFirst = true;
    }
    if ((found.mode & 0o777) !== (mode | ownerAll)) chmodSync(path, mode | ownerAll);
  }
  return madeFirst;
}

export function makeEmptyFiles(
  files: OpenFiles,
  empty: readonly { path: string; mode: number; modifiedMilliseconds: number }[],
): void {
  for (const file of empty) stampFile(files, { ...file, lengthBytes: 0 });
}

/**
 * Gives files their final modes and times. `changed`: those that do not look as their stamps say, which are left as
 * they are; a file without a stamp (inode 0) has no blocks, and is made what it should be.
 */
export function finishFiles(
  files: OpenFiles,
  job: { files: readonly FinishFile[]; stamps: Float64Array },
): { changed: number[]; stamps: Float64Array } {
  const stamps = Float64Array.from(job.stamps);
  const changed: number[] = [];
  for (const [place, file] of job.files.entries()) {
    files.forget(file.path);
    const found = statIfAny(file.path);
    const expected = stampAt(job.stamps, place);
    if (expected.inode === 0) {
      finishEmpty(files, file, found);
    } else if (found === undefined || !found.isFile() || !isSameStamp(expected, stampOfStats(found))) {
      changed.push(place);
    } else {
      const isOlder = Math.floor(found.mtimeMs) !== file.modifiedMilliseconds;
      if (isOlder) setPathModified(file.path, file.modifiedMilliseconds);
      if ((found.mode & 0o7777) !== file.mode) chmodSync(file.path, file.mode);
      putStamp(stamps, place, isOlder ? lstatSync(file.path) : found);
    }
  }
  return { changed, stamps };
}

function finishEmpty(files: OpenFiles, file: FinishFile, found: Stats | undefined): void {
  const isRight =
    found?.isFile() === true &&
    found.size === 0 &&
    (found.mode & 0o7777) === file.mode &&
    Math.floor(found.mtimeMs) === file.modifiedMilliseconds;
  if (!isRight) stampFile(files, { ...file, lengthBytes: 0 });
}

export function makeLinks(files: OpenFiles, links: readonly { path: string; target: string }[]): void {
  for (const { path, target } of links) {
    const found = statIfAny(path);
    if (found?.isSymbolicLink() === true && readlinkSync(path) === target) continue;
    if (found !== undefined) rmSync(path, { recursive: true, force: true });
    symlinkSync(target, path);
    files.changedDirectories.add(dirname(path));
  }
}

/** Removes what is in directories beside the names that belong there. */
export function removeOthers(directories: readonly { directory: string; names: readonly string[] }[]): void {
  for (const { directory, names } of directories) {
    const kept = new Set(names);
    // As bytes: a name that is no UTF-8 is none of ours, and must be found under its own name.
    for (const name of readdirSync(directory, { encoding: "buffer" })) {
      const text = name.toString("utf8");
      if (kept.has(text) && Buffer.from(text).equals(name)) continue;
      const path = Buffer.concat([Buffer.from(`${directory}/`), name]);
      makeRemovable(path);
      rmSync(path, { recursive: true, force: true });
    }
  }
}

/** Directories deepest first: a time set here is not changed by what is done after. `undefined`: the time is left. */
export function finishDirectories(
  directories: readonly { path: string; mode: number; modifiedMilliseconds: number | undefined }[],
): void {
  for (const { path, mode, modifiedMilliseconds } of directories) {
    if (modifiedMilliseconds !== undefined) setPathModified(path, modifiedMilliseconds);
    chmodSync(path, mode);
  }
}

/** Makes files and directories durable one by one. */
export function syncPaths(job: { data: readonly string[]; entries: readonly string[] }): void {
  for (const path of job.data) syncPath(path, fdatasyncSync);
  for (const path of job.entries) syncPath(path, fsyncSync);
}

function syncPath(path: string, sync: (descriptor: number) => void): void {
  let descriptor;
  try {
    descriptor = openSync(path, constants.O_RDONLY | noFollow | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    // Gone, or not readable any more as its final mode says: its bytes were flushed before that mode was set.
    if (["ENOENT", "ENOTDIR", "EACCES", "ELOOP"].includes(errorCode(error))) return;
    throw error;
  }
  try {
    sync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Removes files, and the directory of the last one if it is empty then. */
export function removeFiles(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { force: true });
}

/** Removes a tree, whatever the modes in it. False: there is more to do, call again. */
export function removeTree(path: string): boolean {
  const deadline = performance.now() + removalMilliseconds;
  return removeUntil(Buffer.from(path), deadline);
}

function removeUntil(path: Buffer, deadline: number): boolean {
  let found;
  try {
    found = lstatSync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return true;
    throw error;
  }
  if (!found.isDirectory()) {
    unlinkSync(path);
    return true;
  }
  if ((found.mode & ownerAll) !== ownerAll) chmodSync(path, ownerAll);
  for (const name of readdirSync(path, { encoding: "buffer" })) {
    if (performance.now() > deadline) return false;
    if (!removeUntil(Buffer.concat([path, Buffer.from("/"), name]), deadline)) return false;
  }
  rmdirSync(path);
  return true;
}

function makeRemovable(path: Buffer): void {
  const found = lstatSync(path);
  if (!found.isDirectory()) return;
  if ((found.mode & ownerAll) !== ownerAll) chmodSync(path, ownerAll);
  for (const name of readdirSync(path, { encoding: "buffer" })) {
    makeRemovable(Buffer.concat([path, Buffer.from("/"), name]));
  }
}

function setPathModified(path: string, milliseconds: number): void {
  const seconds = timeInSeconds(milliseconds);
  utimesSync(path, seconds, seconds);
}

function stampOfStats(stats: Stats): { sizeBytes: number; modifiedMilliseconds: number; inode: number } {
  return { sizeBytes: stats.size, modifiedMilliseconds: stats.mtimeMs, inode: stats.ino };
}

function statIfAny(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
