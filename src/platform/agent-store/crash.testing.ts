/**
 * For crash.test.ts: a program that works on a store without end and says what it has done, until it is killed.
 * Started with the data directory and a seed.
 */
import { writeSync } from "node:fs";
import { SeededRandom } from "../../std/seeded-random.ts";
import { ManifestBuilder } from "../../model/manifest-builder.ts";
import { Manifest } from "../../model/manifest.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import { hash } from "../hashing.ts";
import { example, exampleMilliseconds, noise, shared } from "./agent-store.testing.ts";
import type { Example } from "./agent-store.testing.ts";
import { DiskAgentStore } from "./disk-agent-store.ts";

export const liveKey = "live@1";
const versions = 4;
const streamBlocks = 60;
const streamBlockBytes = 3000;

/** Versions of one file set, which have much in common. */
export function crashExample(version: number): Example {
  const own = version * 1000;
  return example({
    directories: [{ path: "d", mode: 0o555 }, { path: "d/e" }],
    files: [
      { path: "large", content: Buffer.concat([noise(100_000, 1), noise(60_000, own)]), blockBytes: 4096 },
      { path: "d/moved", content: noise(300_000, 2), blockBytes: 4096 + version },
      { path: "twice", content: Buffer.concat([noise(4096, own + 1), noise(4096, own + 1)]), blockBytes: 4096 },
      ...Array.from({ length: 60 }, (_, index) => ({
        path: `d/e/${index}`,
        content: noise(index * 50, index % 3 === 0 ? own + index : index + 2),
      })),
    ],
    links: [{ path: "link", target: "large" }],
  });
}

/** A file that grew, and has ended. */
export function crashStream(): Example {
  const builder = new ManifestBuilder("blake3");
  const growing = { path: "log", mode: 0o644, modifiedMilliseconds: exampleMilliseconds, version: 1 };
  builder.beginGrowingFile({ ...growing, blockBytes: streamBlockBytes });
  const content = noise(streamBlocks * streamBlockBytes, 77);
  for (let block = 0; block < streamBlocks; block += 1) {
    const bytes = content.subarray(block * streamBlockBytes, (block + 1) * streamBlockBytes);
    const final = block === streamBlocks - 1;
    builder.addGrownBlock({ lengthBytes: bytes.length, checksum: hash("blake3", bytes), final });
  }
  builder.endGrowingFile({ modifiedMilliseconds: exampleMilliseconds + 1 });
  builder.end();
  const log = builder.toBytes();
  const bytes = (start: number, end: number): Uint8Array =>
    content.subarray(start * streamBlockBytes, end * streamBlockBytes);
  return { log, manifest: Manifest.decode(log), bytes };
}

function say(...words: (string | number)[]): void {
  writeSync(1, `${words.join(" ")}\n`);
}

class Worker {
  readonly #store: DiskAgentStore;
  readonly #random: SeededRandom;
  #term: number;

  constructor(store: DiskAgentStore, random: SeededRandom, term: number) {
    this.#store = store;
    this.#random = random;
    this.#term = term;
  }

  async obtain(key: FileSetKey, from: Example, stored: boolean): Promise<void> {
    const store = this.#store;
    if (!stored) {
      const half = Math.floor(from.log.length / 2);
      await store.storeManifest(key, 0, from.log.subarray(0, half));
      await store.storeManifest(key, half, from.log.subarray(half));
    }
    const held = await store.prepare(key, from.manifest);
    say("prepared", key, ...held.toFlat());
    const runs: [number, number][] = [];
    for (const [start, end] of held.complement(0, from.manifest.blockCount).ranges()) {
      for (let block = start; block < end; block += 3) runs.push([block, Math.min(end, block + 3)]);
    }
    this.#random.shuffle(runs);
    for (const [start, end] of runs) {
      await store.writeBlocks(key, start, end, shared(from.bytes(start, end)));
      say("stored", key, start, end);
      if (this.#random.nextBelow(20) === 0) await store.flush(key);
    }
    await store.finish(key);
    say("finished", key);
    this.#term += 1;
    const document = { format: 1, term: this.#term, keepVersions: 2, fileSets: [], active: [], failures: [] } as const;
    await store.saveDocument({ ...document, fileSets: [], active: [], failures: [], nextFailureId: 1 });
    say("saved", this.#term);
  }

  async remove(key: FileSetKey): Promise<void> {
    say("deleting", key);
    await this.#store.delete(key);
  }
}

async function work(data: string, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const store = new DiskAgentStore(data);
  const { document, stored, current } = await store.open();
  say("open", store.identity.agentId);
  const known = new Set(stored.filter(({ manifestBytes }) => manifestBytes.length > 0).map(({ fileSet }) => fileSet));
  // A manifest may have been cut off in its middle: it is sent anew.
  for (const { fileSet, manifestBytes } of stored) {
    const whole = fileSet === liveKey ? crashStream() : crashExample(Number(fileSet.slice(-1)));
    if (manifestBytes.length !== whole.log.length) known.delete(fileSet);
  }
  const worker = new Worker(store, random, document?.term ?? 0);
  let version = Number(current.find(({ name }) => name === "demo")?.version ?? 0);
  for (;;) {
    const next = (version % versions) + 1;
    const key: FileSetKey = `demo@${next}`;
    await worker.obtain(key, crashExample(next), known.has(key));
    await store.activate("demo", String(next));
    say("active", next);
    if (version > 0) {
      await worker.remove(`demo@${version}`);
      known.delete(`demo@${version}`);
    }
    version = next;
    await worker.obtain(liveKey, crashStream(), known.has(liveKey));
    await worker.remove(liveKey);
    known.delete(liveKey);
  }
}

const [, script, data, seed] = process.argv;
if (script === import.meta.filename && data !== undefined) await work(data, Number(seed));
