/**
 * Looks through what is to be published: one file, or a folder and everything in it.
 *
 * It promises: what it returns can be a file set (names are valid UTF-8, links stay inside, nothing but folders, files and
 * links), in an order that does not depend on the machine, each file with a stamp that tells later whether it changed.
 * Contents are not read.
 */
import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync, type Stats } from "node:fs";
import { basename, join, resolve } from "node:path";
import { decodeUtf8 } from "../../std/utf8.ts";
import { UserError } from "../../std/errors.ts";
import { maximumEntries } from "../../model/limits.ts";
import { checkLinkTarget, checkTreePath, linkStaysInside } from "../../model/tree-path.ts";
import type { TreeEntry, TreeFile } from "../../control/publisher/content-plan.ts";
import type { FileStamp } from "../../platform/hash-worker-pool.ts";
import { entriesPerTurn } from "./limits.ts";

export interface ScannedFile extends TreeFile {
  /** Where it is read. */
  readonly source: string;
  readonly stamp: FileStamp;
}

export type ScannedEntry = Exclude<TreeEntry, TreeFile> | ScannedFile;

export interface Scan {
  readonly entries: readonly ScannedEntry[];
  readonly files: readonly ScannedFile[];
  readonly totalBytes: number;
}

const permissionBits = 0o777;

/**
 * Scans `path`, which may itself be a link to a file or folder.
 * @param signal ends it early, with the signal's reason
 * @throws UserError naming what cannot be published, or cannot be read
 */
export async function scanTree(path: string, signal?: AbortSignal): Promise<Scan> {
  const stats = statOf(() => statSync(path), path);
  // Whatever links lead here, it is this file or folder from now on.
  const top = statOf(() => realpathSync(path), path);
  if (stats.isFile()) return scanOf([fileEntry(checkTreePath(basename(resolve(path))), top, stats)]);
  if (!stats.isDirectory()) {
    throw new UserError(`${JSON.stringify(path)} is ${kindOf(stats)}: only a file or a folder can be published`, {
      hint: "publish a stream with - as the path",
    });
  }
  const entries: ScannedEntry[] = [];
  const folders: { readonly source: string; readonly prefix: string }[] = [{ source: top, prefix: "" }];
  let looked = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of namesIn(folder.source)) {
      looked += 1;
      if (looked % entriesPerTurn === 0) await nextTurn(signal);
      const source = join(folder.source, name);
      const entry = entryOf(checkTreePath(folder.prefix + name), source);
      entries.push(entry);
      if (entries.length > maximumEntries) {
        throw new UserError(`${JSON.stringify(path)} holds more than ${maximumEntries} files and folders`);
      }
      if (entry.kind === "directory") folders.push({ source, prefix: `${entry.path}/` });
    }
  }
  checkLinks(entries);
  return scanOf(entries);
}

/** What tells whether a file changed, from its stats. */
export function stampOf({ size, mtimeMs, ctimeMs, ino, dev, mode }: Stats): FileStamp {
  return { size, mtimeMs, ctimeMs, ino, dev, mode };
}

/** Whether two stamps are of one file that did not change in between. Modes count: what is published has one. */
export function isSameStamp(one: FileStamp, other: FileStamp): boolean {
  return (
    one.size === other.size &&
    one.mtimeMs === other.mtimeMs &&
    one.ctimeMs === other.ctimeMs &&
    one.ino === other.ino &&
    one.dev === other.dev &&
    one.mode === other.mode
  );
}

/** A failure to reach or read a path, as one line for people. */
export function readError(path: string, error: unknown): UserError {
  const { code, message } = error as NodeJS.ErrnoException;
  const shown = JSON.stringify(path);
  const options = { cause: error };
  if (code === "ENOENT") return new UserError(`${shown} does not exist`, options);
  if (code === "EACCES" || code === "EPERM") return new UserError(`no permission to read ${shown}`, options);
  if (code === "ENOTDIR") return new UserError(`${shown} is not inside a folder`, options);
  if (code === "ELOOP") return new UserError(`${shown} is a link that leads in a circle`, options);
  return new UserError(`cannot read ${shown}: ${message ?? String(error)}`, options);
}

function scanOf(entries: ScannedEntry[]): Scan {
  entries.sort((left, right) => (left.path < right.path ? -1 : 1));
  const files = entries.filter((entry) => entry.kind === "file");
  return { entries, files, totalBytes: files.reduce((sum, file) => sum + file.lengthBytes, 0) };
}

/** The names in a folder, refusing those that are not UTF-8: they have no name on other machines. */
function namesIn(folder: string): string[] {
  return statOf(() => readdirSync(folder, { encoding: "buffer" }), folder).map((bytes) => {
    try {
      return decodeUtf8(bytes);
    } catch (error) {
      throw new UserError(`a name in ${JSON.stringify(folder)} is not valid UTF-8: "${escapeBytes(bytes)}"`, {
        hint: "rename it",
        cause: error,
      });
    }
  });
}

function entryOf(path: string, source: string): ScannedEntry {
  const stats = statOf(() => lstatSync(source), source);
  if (stats.isFile()) return fileEntry(path, source, stats);
  if (stats.isDirectory()) {
    return { kind: "directory", path, mode: stats.mode & permissionBits, modifiedMilliseconds: modifiedAt(stats) };
  }
  if (!stats.isSymbolicLink()) {
    throw new UserError(
      `${JSON.stringify(source)} is ${kindOf(stats)}: only files, folders and links can be published`,
      {
        hint: "remove it, or publish a folder without it",
      },
    );
  }
  const target = statOf(() => readlinkSync(source, { encoding: "buffer" }), source);
  try {
    return { kind: "link", path, target: checkLinkTarget(path, decodeUtf8(target)) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`the link ${JSON.stringify(source)} points to what is not valid UTF-8`, { cause: error });
  }
}

function fileEntry(path: string, source: string, stats: Stats): ScannedFile {
  return {
    kind: "file",
    path,
    source,
    // Set-user-id and its like would be dangerous on the machines that get the file.
    mode: stats.mode & permissionBits,
    modifiedMilliseconds: modifiedAt(stats),
    lengthBytes: stats.size,
    stamp: stampOf(stats),
  };
}

function checkLinks(entries: readonly TreeEntry[]): void {
  const targets = new Map<string, string>();
  for (const entry of entries) if (entry.kind === "link") targets.set(entry.path, entry.target);
  for (const [path, target] of targets) {
    if (linkStaysInside(path, target, (at) => targets.get(at))) continue;
    throw new UserError(
      `the link ${JSON.stringify(path)} points to ${JSON.stringify(target)}, out of what is published`,
      {
        hint: "make it relative and let it point inside, or remove it",
      },
    );
  }
}

function modifiedAt(stats: Stats): number {
  return Math.floor(stats.mtimeMs);
}

function statOf<Result>(call: () => Result, path: string): Result {
  try {
    return call();
  } catch (error) {
    throw readError(path, error);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return "a named pipe";
  if (stats.isSocket()) return "a socket";
  if (stats.isCharacterDevice() || stats.isBlockDevice()) return "a device";
  return "of a kind that is not known";
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
  ).join("");
}

async function nextTurn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolveTurn) => {
    setImmediate(resolveTurn);
  });
  signal?.throwIfAborted();
}
