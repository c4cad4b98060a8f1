/** For tests: small file sets, made from a description, and what carries them into a store. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RangeSet } from "../../std/ranges.ts";
import { checksumLengthBytes } from "../../model/checksum.ts";
import { ManifestBuilder } from "../../model/manifest-builder.ts";
import { Manifest } from "../../model/manifest.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import { hash } from "../hashing.ts";
import type { AgentStore } from "./agent-store.ts";

export const exampleMilliseconds = 1_700_000_000_123;
export const smallBlockBytes = 1000;

export interface ExampleFile {
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode?: number;
  readonly modifiedMilliseconds?: number;
  readonly blockBytes?: number;
}

export interface ExampleTree {
  readonly files?: readonly ExampleFile[];
  readonly directories?: readonly { path: string; mode?: number; modifiedMilliseconds?: number }[];
  readonly links?: readonly { path: string; target: string }[];
}

/** A file set with all of its bytes. */
export interface Example {
  readonly log: Uint8Array;
  readonly manifest: Manifest;
  /** The bytes of the blocks start..end - 1. */
  bytes(start: number, end: number): Uint8Array;
}

/** Bytes that look random, the same for the same seed. */
export function noise(lengthBytes: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  let state = (seed * 2_654_435_761) >>> 0;
  for (let index = 0; index < lengthBytes; index += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

export function example(tree: ExampleTree): Example {
  const builder = new ManifestBuilder("blake3");
  const time = { modifiedMilliseconds: exampleMilliseconds };
  for (const directory of tree.directories ?? []) builder.addDirectory({ mode: 0o755, ...time, ...directory });
  const contents: Uint8Array[] = [];
  for (const { content, ...file } of tree.files ?? []) {
    const blockBytes = file.blockBytes ?? smallBlockBytes;
    const count = Math.ceil(content.length / blockBytes);
    const checksums = new Uint8Array(count * checksumLengthBytes);
    for (let block = 0; block < count; block += 1) {
      const bytes = content.subarray(block * blockBytes, (block + 1) * blockBytes);
      checksums.set(hash("blake3", bytes), block * checksumLengthBytes);
    }
    builder.addFile({ mode: 0o644, ...time, version: 1, ...file, blockBytes, lengthBytes: content.length, checksums });
    contents.push(content);
  }
  for (const link of tree.links ?? []) builder.addLink(link);
  builder.end();
  const whole = new Uint8Array(Buffer.concat(contents));
  const log = builder.toBytes();
  const manifest = Manifest.decode(log);
  const before = (block: number): number => manifest.bytesInRange(0, block);
  return { log, manifest, bytes: (start, end) => whole.subarray(before(start), before(end)) };
}

/** A view on shared memory with these bytes. */
export function shared(bytes: Uint8Array): Uint8Array {
  const view = new Uint8Array(new SharedArrayBuffer(bytes.length));
  view.set(bytes);
  return view;
}

export async function begin(store: AgentStore, fileSet: FileSetKey, { log, manifest }: Example): Promise<RangeSet> {
  await store.storeManifest(fileSet, 0, log);
  return store.prepare(fileSet, manifest);
}

/** Writes every block that is not held, some at a time. */
export async function fill(
  store: AgentStore,
  fileSet: FileSetKey,
  from: Example,
  held = new RangeSet(),
): Promise<void> {
  const missing = held.complement(0, from.manifest.blockCount);
  for (const [start, end] of missing.ranges()) {
    for (let block = start; block < end; block += 7) {
      const stop = Math.min(end, block + 7);
      const { bad } = await store.writeBlocks(fileSet, block, stop, shared(from.bytes(block, stop)));
      if (bad.length > 0) throw new Error(`bad blocks ${bad.join(" ")}`);
    }
  }
}

/** All of it: manifest, blocks, finished. */
export async function storeWhole(store: AgentStore, fileSet: FileSetKey, from: Example): Promise<void> {
  await fill(store, fileSet, from, await begin(store, fileSet, from));
  await store.finish(fileSet);
}

export async function readBack(
  store: AgentStore,
  fileSet: FileSetKey,
  from: Example,
  start: number,
  end: number,
): Promise<Uint8Array | "changed" | "absent"> {
  const into = new Uint8Array(new SharedArrayBuffer(from.manifest.bytesInRange(start, end)));
  const outcome = await store.readBlocks(fileSet, start, end, into);
  return outcome === "read" ? into.slice() : outcome;
}

/** Runs `work` with a directory that is gone afterwards. */
export async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-store-"));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
