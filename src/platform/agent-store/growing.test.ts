import { strict as assert } from "node:assert";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { appendFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { RangeSet } from "../../std/ranges.ts";
import { SeededRandom } from "../../std/seeded-random.ts";
import { ManifestBuilder } from "../../model/manifest-builder.ts";
import { Manifest } from "../../model/manifest.ts";
import { hash } from "../hashing.ts";
import { exampleMilliseconds, noise, shared, withDirectory } from "./agent-store.testing.ts";
import { DiskAgentStore } from "./disk-agent-store.ts";

const key = "live@1";
const blockLengths = [1000, 300, 1000, 1, 700, 1000, 1000, 20];
const content = noise(
  blockLengths.reduce((sum, length) => sum + length, 0),
  4,
);
const starts = blockLengths.map((_, index) => blockLengths.slice(0, index).reduce((sum, length) => sum + length, 0));
const blockOf = (block: number): Uint8Array =>
  content.subarray(starts[block] ?? 0, (starts[block] ?? 0) + (blockLengths[block] ?? 0));

/** A growing file after an ordinary one, written down step by step. */
class Stream {
  readonly builder = new ManifestBuilder("blake3");
  manifest = new Manifest();
  #sentBytes = 0;

  constructor() {
    const before = noise(500, 1);
    this.builder.addFile({
      path: "before",
      mode: 0o644,
      modifiedMilliseconds: exampleMilliseconds,
      version: 1,
      blockBytes: 1000,
      lengthBytes: 500,
      checksums: hash("blake3", before),
    });
    const growing = { path: "dir/grows", mode: 0o640, modifiedMilliseconds: exampleMilliseconds, version: 1 };
    this.builder.beginGrowingFile({ ...growing, blockBytes: 1000 });
  }

  grow(from: number, to: number): void {
    for (let block = from; block < to; block += 1) {
      const bytes = blockOf(block);
      const final = block === blockLengths.length - 1;
      this.builder.addGrownBlock({ lengthBytes: bytes.length, checksum: hash("blake3", bytes), final });
    }
  }

  end(): void {
    this.builder.endGrowingFile({ modifiedMilliseconds: exampleMilliseconds + 5000 });
    this.builder.end();
  }

  /** Carries what is new of the manifest into the store. */
  async send(store: DiskAgentStore): Promise<RangeSet> {
    const bytes = this.builder.takeAppended();
    await store.storeManifest(key, this.#sentBytes, bytes);
    this.#sentBytes += bytes.length;
    this.manifest.append(bytes);
    return store.prepare(key, this.manifest);
  }
}

async function put(store: DiskAgentStore, ...blocks: number[]): Promise<void> {
  // One ordinary block comes first in the order of the file set.
  for (const block of blocks) {
    const { bad } = await store.writeBlocks(key, block + 1, block + 2, shared(blockOf(block)));
    assert.deepEqual(bad, []);
  }
}

async function withStream(
  work: (store: DiskAgentStore, stream: Stream, path: string, data: string) => Promise<void>,
): Promise<void> {
  await withDirectory(async (directory) => {
    const data = join(directory, "data");
    const store = new DiskAgentStore(data);
    await store.open();
    try {
      await work(store, new Stream(), join(data, "filesets/live/1/dir/grows"), data);
    } finally {
      await store.close();
    }
  });
}

describe("a growing file", () => {
  it("is as long as what is verified without a gap, whatever the order in which blocks come", async () => {
    const random = new SeededRandom(7);
    for (let round = 0; round < 4; round += 1) {
      await withStream(async (store, stream, path, data) => {
        stream.grow(0, 5);
        await stream.send(store);
        assert.equal(statSync(path).size, 0);
        assert.equal(statSync(path).mode & 0o777, 0o640);
        const watching = { goesOn: true };
        const watcher = (async () => {
          while (watching.goesOn) {
            const seen = readFileSync(path);
            assert.ok(seen.equals(content.subarray(0, seen.length)));
            await new Promise((resolve) => {
              setImmediate(resolve);
            });
          }
        })();
        const held = new RangeSet();
        const order = [0, 1, 2, 3, 4];
        random.shuffle(order);
        const last = [5, 6, 7];
        random.shuffle(last);
        for (const block of [...order, -1, ...last]) {
          if (block < 0) {
            stream.grow(5, 8);
            stream.end();
            await stream.send(store);
            continue;
          }
          await put(store, block);
          held.add(block, block + 1);
          const next = held.contiguousEnd(0);
          assert.equal(statSync(path).size, starts[next] ?? content.length);
          // Also what waits can be read by others.
          const into = shared(new Uint8Array(blockOf(block).length));
          assert.equal(await store.readBlocks(key, block + 1, block + 2, into), "read");
          assert.deepEqual(into.slice(), blockOf(block).slice());
        }
        watching.goesOn = false;
        await watcher;
        await store.writeBlocks(key, 0, 1, noise(500, 1));
        await store.finish(key);
        assert.ok(readFileSync(path).equals(content));
        assert.equal(Math.floor(statSync(path).mtimeMs), exampleMilliseconds + 5000);
        await store.flush(key);
        assert.deepEqual(
          existsSync(join(data, "staging/growing/live/1")) ? readdirSync(join(data, "staging/growing/live/1")) : [],
          [],
        );
        assert.equal((await store.verifyAll())[0]?.damaged.count, 0);
      });
    }
  });

  it("takes runs of blocks up to a bad one, and what follows when that has come", async () => {
    await withStream(async (store, stream, path) => {
      stream.grow(0, 8);
      stream.end();
      await stream.send(store);
      const run = shared(content.subarray(0, starts[5]));
      run[(starts[2] ?? 0) + 3] = 255 - (run[(starts[2] ?? 0) + 3] ?? 0);
      const { bad } = await store.writeBlocks(key, 1, 6, run);
      assert.deepEqual(bad, [3]);
      assert.equal(statSync(path).size, starts[2]);
      await put(store, 2);
      assert.equal(statSync(path).size, starts[5]);
      await store.writeBlocks(key, 6, 9, shared(content.subarray(starts[5])));
      assert.ok(readFileSync(path).equals(content));
    });
  });

  it("goes on after a restart, with what was waiting and what was not recorded", async () => {
    await withStream(async (store, stream, path, data) => {
      stream.grow(0, 8);
      await stream.send(store);
      await put(store, 0, 1, 4, 6);
      await store.close();
      // Not verified by anyone, as after a crash in the middle of a write.
      await appendFile(path, "garbage");
      const again = new DiskAgentStore(data);
      const { stored } = await again.open();
      const manifest = Manifest.decode(stored[0]?.manifestBytes ?? new Uint8Array());
      const held = await again.prepare(key, manifest);
      assert.deepEqual(held.toFlat(), [1, 3, 5, 6, 7, 8]);
      assert.equal(statSync(path).size, starts[2]);
      await put(again, 2, 3);
      assert.equal(statSync(path).size, starts[5]);
      await again.close();
      await again.open();
      assert.deepEqual((await again.prepare(key, manifest)).toFlat(), [1, 6, 7, 8]);
      assert.equal(statSync(path).size, starts[5]);
      await again.close();
      await store.open();
    });
  });

  it("is cut back when somebody touches it, and appended to again", async () => {
    await withStream(async (store, stream, path) => {
      stream.grow(0, 8);
      stream.end();
      await stream.send(store);
      await put(store, 0, 1, 2, 3, 5);
      await store.flush(key);
      await truncate(path, 1500);
      const into = shared(new Uint8Array(1000));
      assert.equal(await store.readBlocks(key, 1, 2, into), "changed");
      assert.deepEqual((await store.prepare(key, stream.manifest)).toFlat(), [1, 3, 6, 7]);
      assert.equal(statSync(path).size, starts[2]);
      await rm(path);
      assert.equal(await store.readBlocks(key, 1, 2, into), "changed");
      assert.deepEqual((await store.prepare(key, stream.manifest)).toFlat(), [6, 7]);
      await put(store, 4, 3, 2, 1, 0, 6, 7);
      assert.ok(readFileSync(path).equals(content));
    });
  });
});
