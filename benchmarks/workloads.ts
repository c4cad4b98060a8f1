/** What is carried: one large file, and many small ones, of bytes that no program can make less of. */
import { randomFillSync } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { formatBytes } from "#src/std/units.ts";
import { readTree } from "../demo/trees.ts";
import type { Tree } from "../demo/trees.ts";

export interface Workload {
  /** A name for file sets and directories. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly directory: string;
  readonly bytes: number;
  readonly tree: Tree;
}

const smallFileBytes = 8 * 1024;
const filesPerDirectory = 100;
const writeBytes = 16 * 1024 * 1024;

export function payloadBytes(sizeBytes: number, files: number): number {
  return sizeBytes + files * smallFileBytes;
}

/** Makes both below `parent`. */
export async function makeWorkloads(parent: string, sizeBytes: number, files: number): Promise<Workload[]> {
  const large = join(parent, "large");
  const small = join(parent, "small");
  mkdirSync(large, { recursive: true });
  mkdirSync(small);
  writeLarge(join(large, "large.bin"), sizeBytes);
  writeSmall(small, files);
  const directories = Math.ceil(files / filesPerDirectory);
  return [
    {
      name: "large",
      title: `${formatBytes(sizeBytes)} in one file`,
      directory: large,
      bytes: sizeBytes,
      tree: await readTree(large),
    },
    {
      name: "small",
      title: `${files} files of 8 KiB in ${directories} directories`,
      directory: small,
      bytes: files * smallFileBytes,
      tree: await readTree(small),
    },
  ];
}

function writeLarge(path: string, lengthBytes: number): void {
  const chunk = new Uint8Array(writeBytes);
  const file = openSync(path, "wx");
  for (let left = lengthBytes; left > 0;) left -= writeSync(file, randomFillSync(chunk), 0, Math.min(left, writeBytes));
  closeSync(file);
}

function writeSmall(directory: string, files: number): void {
  const bytes = new Uint8Array(smallFileBytes);
  for (let index = 0; index < files; index += 1) {
    const folder = join(directory, `directory-${Math.floor(index / filesPerDirectory)}`);
    if (index % filesPerDirectory === 0) mkdirSync(folder);
    writeFileSync(join(folder, `file-${index}`), randomFillSync(bytes));
  }
}
