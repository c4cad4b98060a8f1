/**
 * What stands in a directory, written down entry by entry, so that two directories can be compared: kind, permission
 * bits, modification time to the millisecond, length and SHA-256. It reads with nothing of the product's own.
 */
import { createHash } from "node:crypto";
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";

/** By path from the root: one line that is equal only for equal entries. */
export type Tree = ReadonlyMap<string, string>;

const chunk = Buffer.allocUnsafe(1024 * 1024);
/** Reads are synchronous, which is the quickest; others get their turn this often. */
const breathEveryMilliseconds = 50;

/** Reads everything below `root`. @param stopped asked often; when it says so, reading ends with an error */
export async function readTree(root: string, signal?: AbortSignal): Promise<Tree> {
  const tree = new Map<string, string>();
  let breathAt = performance.now() + breathEveryMilliseconds;
  const directories = [""];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const name of readdirSync(join(root, directory)).sort()) {
      const path = directory === "" ? name : `${directory}/${name}`;
      const line = describeEntry(join(root, path));
      tree.set(path, line);
      if (line.startsWith("directory")) directories.push(path);
      if (performance.now() < breathAt) continue;
      await breathe();
      signal?.throwIfAborted();
      breathAt = performance.now() + breathEveryMilliseconds;
    }
  }
  return tree;
}

/** The paths at which two trees differ, each with what is there and what should be. */
export function differences(actual: Tree, expected: Tree): string[] {
  const paths = new Set([...expected.keys(), ...actual.keys()]);
  return [...paths]
    .filter((path) => actual.get(path) !== expected.get(path))
    .map((path) => `${path}: ${actual.get(path) ?? "missing"}, should be ${expected.get(path) ?? "missing"}`);
}

function describeEntry(path: string): string {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return `link to ${readlinkSync(path)}`;
  const mode = (stats.mode & 0o7777).toString(8);
  const modified = new Date(Math.floor(stats.mtimeMs)).toISOString();
  if (stats.isDirectory()) return `directory ${mode} ${modified}`;
  if (!stats.isFile()) return "something else";
  return `file ${mode} ${modified} ${stats.size} bytes ${digestOf(path)}`;
}

function digestOf(path: string): string {
  const digest = createHash("sha256");
  const file = openSync(path, "r");
  try {
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      digest.update(chunk.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
  return digest.digest("hex");
}
