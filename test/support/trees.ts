/** Directories to publish, with everything that makes them hard, and the comparison of what arrives with what was sent. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { contentOf, kibibyte, mebibyte } from "./content.ts";

export interface FileSpec {
  readonly kind: "file";
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly mode?: number;
  readonly modifiedMilliseconds?: number;
}

export interface DirectorySpec {
  readonly kind: "directory";
  readonly path: string;
  readonly mode?: number;
  readonly modifiedMilliseconds?: number;
}

export interface LinkSpec {
  readonly kind: "link";
  readonly path: string;
  readonly target: string;
}

export type EntrySpec = FileSpec | DirectorySpec | LinkSpec;

/** A time with milliseconds, long ago so that no program could have made it by chance. */
const baseMilliseconds = Date.UTC(2019, 4, 17, 11, 23, 45, 678);

/** Writes entries below `root`. Directories get their times last, since what is put into them changes those. */
export function writeTree(root: string, entries: readonly EntrySpec[]): void {
  mkdirSync(root, { recursive: true });
  for (const entry of entries) {
    const path = join(root, entry.path);
    mkdirSync(entry.kind === "directory" ? path : dirname(path), { recursive: true });
    if (entry.kind === "link") symlinkSync(entry.target, path);
    if (entry.kind === "file") {
      writeFileSync(path, entry.bytes);
      chmodSync(path, entry.mode ?? 0o644);
      setModified(path, entry.modifiedMilliseconds ?? baseMilliseconds);
    }
  }
  const directories = entries.filter((entry) => entry.kind === "directory");
  for (const directory of directories.sort((left, right) => right.path.length - left.path.length)) {
    chmodSync(join(root, directory.path), directory.mode ?? 0o755);
    setModified(join(root, directory.path), directory.modifiedMilliseconds ?? baseMilliseconds + 86_400_000);
  }
}

/** Sets a modification time to the millisecond. */
export function setModified(path: string, milliseconds: number): void {
  const date = new Date(milliseconds);
  utimesSync(path, date, date);
}

/** Names, kinds, modes, times and sizes that break careless programs; about 8 MiB. */
export function hardEntries(seed: string): EntrySpec[] {
  const file = (path: string, lengthBytes: number, mode = 0o644, lateMilliseconds = 0): FileSpec => ({
    kind: "file",
    path,
    bytes: contentOf(`${seed}/${path}`, lengthBytes),
    mode,
    modifiedMilliseconds: baseMilliseconds + lateMilliseconds,
  });
  const block = 256 * kibibyte;
  return [
    file("plain.txt", 1234),
    file("empty", 0, 0o600, 1),
    file("one byte", 1, 0o444, 999),
    file("just below a block", block - 1),
    file("a block", block, 0o755),
    file("just above a block", block + 1),
    file("several blocks", 5 * block, 0o640, 123),
    file("large.bin", 3 * mebibyte + 17),
    file("new\nline", 100),
    file("quote\"'`$(exit 1)\\.txt", 100),
    file("  spaces  at both ends  ", 100),
    file("tab\there", 100),
    file("control\u0007\u001b[2Jcharacters", 100),
    file("-rf", 100),
    file(".hidden", 100),
    file("...", 100),
    file("emoji 🦦 and 漢字", 100),
    // The same to the eye, two names to the system.
    file("caf\u00e9 NFC", 101),
    file("cafe\u0301 NFC", 102),
    file(`${"ä".repeat(127)}x`, 100),
    file("percent%20%2e%2e%2f", 100),
    file("current", 100),
    file("CURRENT", 103),
    file("C:\\windows\\name", 100),
    file("trailing dot.", 100),
    file("deep/er/and/deeper/a/b/c/d/e/f/g/file", 300 * kibibyte),
    file("deep/er/.sluice", 10),
    file("same content 1", 0),
    { ...file("same content 2", 0), bytes: contentOf(seed, 2 * block) },
    { ...file("same content 3", 0), bytes: contentOf(seed, 2 * block) },
    ...Array.from({ length: 40 }, (_, index) => file(`many/file ${index}`, index * 37, 0o644, index)),
    { kind: "directory", path: "empty directory", mode: 0o700 },
    { kind: "directory", path: "deep", modifiedMilliseconds: baseMilliseconds + 5 },
    { kind: "directory", path: "nested/empty", mode: 0o750 },
    { kind: "directory", path: "nested", mode: 0o755 },
    { kind: "link", path: "link to file", target: "large.bin" },
    { kind: "link", path: "deep/link up", target: "../plain.txt" },
    { kind: "link", path: "dangling link", target: "not there" },
    { kind: "link", path: "link to directory", target: "deep/er" },
    { kind: "link", path: "link\nwith newline", target: "new\nline" },
  ];
}

/** One line for each entry below `root`: its kind, permission bits, modification time, and its content's digest or target. */
export function describeTree(root: string): Map<string, string> {
  const described = new Map<string, string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    const absolute = join(entry.parentPath, entry.name);
    described.set(absolute.slice(root.length + 1), describeEntry(absolute));
  }
  return described;
}

function describeEntry(path: string): string {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return `link to ${JSON.stringify(readlinkSync(path))}`;
  const mode = (stats.mode & 0o7777).toString(8);
  const modified = `modified ${new Date(Math.floor(stats.mtimeMs)).toISOString()}`;
  if (stats.isDirectory()) return `directory ${mode} ${modified}`;
  if (!stats.isFile()) return "something else";
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
  return `file ${mode} ${modified} ${stats.size} bytes ${digest.slice(0, 32)}`;
}

/** How two trees differ, each difference a line; empty when they are equal. */
export function treeDifferences(actual: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): string[] {
  const differences: string[] = [];
  for (const [path, description] of expected) {
    const found = actual.get(path);
    if (found === description) continue;
    differences.push(`${JSON.stringify(path)} is ${found ?? "missing"}, should be ${description}`);
  }
  for (const [path, description] of actual) {
    if (!expected.has(path)) differences.push(`${JSON.stringify(path)} should not be there: ${description}`);
  }
  return differences;
}
