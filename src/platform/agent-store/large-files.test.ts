import { strict as assert } from "node:assert";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { SlotPool } from "../streams/slot-pool.ts";
import { begin, example, noise, withDirectory } from "./agent-store.testing.ts";
import { DirectFiles } from "./direct-files.ts";
import { DiskAgentStore } from "./disk-agent-store.ts";
import { smallestDirectFileBytes } from "./limits.ts";

const key = "demo@1";
const blockBytes = 1024 * 1024;

/** Memory as the streams have it: its beginning is that of a page. */
function aligned(lengthBytes: number): Uint8Array {
  const slot = new SlotPool(lengthBytes).allocate(lengthBytes);
  assert.ok(slot !== undefined);
  return slot.bytes;
}

it("a large file that comes in many pieces at once, some of them wrong, is what was published", async () => {
  await withDirectory(async (directory) => {
    const content = noise(smallestDirectFileBytes + 5 * 4096 + 123, 3);
    const published = example({ files: [{ path: "large", content, blockBytes }] });
    const store = new DiskAgentStore(join(directory, "data"));
    await store.open();
    try {
      await begin(store, key, published);
      const { blockCount } = published.manifest;
      // One memory for all, as the streams have it; the blocks stand in it in another order than in the file.
      const memory = aligned(blockCount * blockBytes);
      const slots = Array.from({ length: blockCount }, (_, block) => (block * 7) % blockCount);
      const wrong = new Set([3, 40, blockCount - 1]);
      const put = (block: number): Uint8Array => {
        const bytes = published.bytes(block, block + 1);
        const start = (slots[block] ?? 0) * blockBytes;
        memory.set(bytes, start);
        return memory.subarray(start, start + bytes.length);
      };
      const outcomes = await Promise.all(
        slots.map(async (_, block) => {
          const bytes = put(block);
          if (wrong.has(block)) bytes[0] = (bytes[0] ?? 0) ^ 1;
          return store.writeBlocks(key, block, block + 1, bytes);
        }),
      );
      assert.deepEqual(
        outcomes.flatMap(({ bad }) => bad),
        [...wrong],
      );
      for (const block of wrong) assert.deepEqual((await store.writeBlocks(key, block, block + 1, put(block))).bad, []);
      await store.finish(key);
      assert.ok(readFileSync(join(directory, "data/filesets/demo/1/large")).equals(content));
    } finally {
      await store.close();
    }
  });
});

it("who brings a wrong block hears of it, though another brings the right one at the same time", async () => {
  await withDirectory(async (directory) => {
    const published = example({ files: [{ path: "file", content: noise(8_000) }] });
    const store = new DiskAgentStore(join(directory, "data"));
    await store.open();
    try {
      await begin(store, key, published);
      const memory = new Uint8Array(new SharedArrayBuffer(3 * 8_000));
      const copies = [0, 1, 2].map((copy) => memory.subarray(copy * 8_000, (copy + 1) * 8_000));
      for (const copy of copies) copy.set(published.bytes(0, 8));
      copies[1]?.fill(0, 2_000, 3_000);
      const outcomes = await Promise.all(copies.map(async (bytes) => store.writeBlocks(key, 0, 8, bytes)));
      assert.deepEqual(
        outcomes.map(({ bad }) => bad),
        [[], [2], []],
      );
    } finally {
      await store.close();
    }
  });
});

it("what is not aligned is left to the usual way", async () => {
  await withDirectory(async (directory) => {
    const path = join(directory, "file");
    const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    const direct = new DirectFiles();
    try {
      const memory = aligned(1024 * 1024);
      const unaligned = new Uint8Array(new SharedArrayBuffer(512 * 1024 + 4096)).subarray(100, 512 * 1024);
      assert.equal(direct.write(descriptor, [unaligned], 0), 0, "memory that is not of the pool");
      assert.equal(direct.write(descriptor, [memory.subarray(1, 512 * 1024)], 0), 0, "memory");
      assert.equal(direct.write(descriptor, [memory.subarray(0, 512 * 1024)], 100), 0, "place in the file");
      assert.equal(direct.write(descriptor, [memory.subarray(0, 8192)], 0), 0, "too short to be worth it");
      const written = direct.write(descriptor, [memory.subarray(0, 512 * 1024), memory.subarray(0, 4096 + 7)], 0);
      // 0 where the file system, or the memory that the system gave, does not let it.
      assert.ok([0, 512 * 1024 + 4096].includes(written), `${written} bytes`);
    } finally {
      direct.forget(descriptor);
      closeSync(descriptor);
    }
  });
});
