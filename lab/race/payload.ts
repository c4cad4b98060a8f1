/** What a race carries: files of random bytes, which no program can make less of, and their digests. */
import { createHash, randomFillSync } from "node:crypto";
import { closeSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { ScenarioFileSet } from "#src/simulator/scenario.ts";

/** Written or read at once. */
const chunkBytes = 4 * 1024 * 1024;
const filesPerDirectory = 500;

export interface PayloadFile {
  /** From the payload's root. */
  readonly path: string;
  readonly bytes: number;
  /** SHA-256. */
  readonly digest: string;
}

export interface Payload {
  readonly fileSet: ScenarioFileSet;
  readonly directory: string;
  readonly files: readonly PayloadFile[];
}

/** Writes the files of a file set below a directory. */
export function makePayload(fileSet: ScenarioFileSet, directory: string): Payload {
  mkdirSync(directory, { recursive: true });
  const { fileCount, totalBytes } = fileSet;
  const files = Array.from({ length: fileCount }, (_, index) => {
    const folder = `part-${Math.floor(index / filesPerDirectory)}`;
    if (fileCount > filesPerDirectory && index % filesPerDirectory === 0) mkdirSync(join(directory, folder));
    const path = fileCount > filesPerDirectory ? `${folder}/file-${index}.bin` : `file-${index}.bin`;
    // Of equal size, the first ones one byte longer.
    const bytes = Math.floor(totalBytes / fileCount) + (index < totalBytes % fileCount ? 1 : 0);
    return { path, bytes, digest: writeRandom(join(directory, path), bytes) };
  });
  return { fileSet, directory, files };
}

/** In which files a copy differs from the payload: a line for each, for people. */
export function payloadDifferences(payload: Payload, copy: string): string[] {
  return payload.files.flatMap(({ path, digest }) => {
    const found = digestOf(join(copy, path));
    if (found === digest) return [];
    return [found === undefined ? `${path} is missing` : `${path} differs`];
  });
}

function writeRandom(path: string, lengthBytes: number): string {
  const chunk = new Uint8Array(Math.min(chunkBytes, Math.max(1, lengthBytes)));
  const digest = createHash("sha256");
  const file = openSync(path, "wx");
  for (let left = lengthBytes; left > 0;) {
    const part = randomFillSync(chunk).subarray(0, Math.min(left, chunk.length));
    digest.update(part);
    for (let written = 0; written < part.length;) written += writeSync(file, part, written);
    left -= part.length;
  }
  closeSync(file);
  return digest.digest("hex");
}

/** undefined: it cannot be read. */
function digestOf(path: string): string | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    const digest = createHash("sha256");
    const chunk = new Uint8Array(chunkBytes);
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk)) {
      digest.update(chunk.subarray(0, length));
    }
    return digest.digest("hex");
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
