import assert from "node:assert/strict";
import { test } from "node:test";
import { Content, digest, fileSet, Publisher, settled, Source, ticket, unlimited } from "./streams.testing.ts";
import type { PushBatch } from "./push-lane.ts";
import type { PushedBatch, PushOutcome } from "./types.ts";

const kibibyte = 1024;
const mebibyte = 1024 * 1024;
const many = (count: number, length: number): number[] => Array.from({ length: count }, () => length);

/** Verifies as an agent does, and keeps what was good. */
class Keeper {
  readonly kept = new Map<number, { bytes: Uint8Array; final: boolean }>();
  batches = 0;
  flushes = 0;
  isKnown = true;

  readonly accept = (batch: PushedBatch): Promise<PushOutcome> => {
    this.batches += 1;
    if (!this.isKnown) return Promise.resolve({ type: "unknown" });
    const blocks: number[] = [];
    let offset = 0;
    for (const { block, lengthBytes, checksum, final } of batch.entries) {
      const bytes = batch.bytes.slice(offset, offset + lengthBytes);
      offset += lengthBytes;
      if (Buffer.compare(digest(bytes), checksum) === 0) this.kept.set(block, { bytes, final });
      else blocks.push(block);
    }
    return Promise.resolve(blocks.length === 0 ? { type: "taken" } : { type: "rejected", kind: "badChecksum", blocks });
  };
}

function batchOf(content: Content, start: number, end: number): PushBatch {
  const blocks = content.blocks.slice(start, end);
  return {
    fileSet,
    order: "content",
    entries: blocks.map((bytes, index) => ({
      block: start + index,
      lengthBytes: bytes.length,
      final: start + index === content.blocks.length - 1,
      checksum: digest(bytes),
    })),
    bytes: Buffer.concat(blocks),
  };
}

interface Setup {
  readonly keeper: Keeper;
  readonly receiver: Source;
  readonly publisher: Publisher;
}

async function withHandOver(
  content: Content,
  run: (setup: Setup) => Promise<void>,
  options: { unknownMilliseconds?: number; flush?: () => Promise<void> } = {},
): Promise<void> {
  const keeper = new Keeper();
  const receiver = await new Source({
    content,
    acceptPushed: keeper.accept,
    flush:
      options.flush ??
      (() => {
        keeper.flushes += 1;
        return Promise.resolve();
      }),
    ...(options.unknownMilliseconds === undefined ? {} : { unknownMilliseconds: options.unknownMilliseconds }),
  }).start();
  const publisher = new Publisher();
  try {
    await run({ keeper, receiver, publisher });
  } finally {
    publisher.client.close();
    await receiver.stop();
  }
  await settled(
    () => receiver.receivePool.usedBytes === 0,
    () => `${receiver.receivePool.usedBytes} bytes were not given back`,
  );
}

function openLane(
  { publisher, receiver }: Setup,
  ranges: readonly number[],
  rateBitsPerSecond: number = unlimited,
): void {
  publisher.client.openLane({ laneId: 1, address: receiver.address, rateBitsPerSecond });
  publisher.client.addTicket(1, ticket({ use: "handOver", ranges, rateBitsPerSecond }));
}

test("blocks of every size are handed over, verified, answered and flushed", async () => {
  const content = new Content([1, 16 * mebibyte, 300 * kibibyte, ...many(1_000, 8 * kibibyte), 5]);
  await withHandOver(content, async (setup) => {
    const { publisher, keeper } = setup;
    openLane(setup, [0, content.blocks.length]);
    const results = [];
    for (const [start, end] of [
      [0, 1],
      [1, 2],
      [2, 3],
    ] as const) {
      assert.ok(await publisher.client.room(1));
      results.push(publisher.client.push(1, batchOf(content, start, end)));
    }
    for (let start = 3; start < content.blocks.length; start += 100) {
      assert.ok(await publisher.client.room(1));
      results.push(publisher.client.push(1, batchOf(content, start, Math.min(start + 100, content.blocks.length))));
    }
    assert.deepEqual(await publisher.client.flush(1, fileSet), { accepted: true });
    assert.equal(keeper.flushes, 1);
    for (const result of await Promise.all(results)) assert.deepEqual(result, { accepted: true });
    assert.equal(keeper.kept.size, content.blocks.length);
    assert.ok(keeper.batches <= 14);
    for (const [block, { bytes, final }] of keeper.kept) {
      assert.equal(Buffer.compare(bytes, content.blocks[block]!), 0);
      assert.equal(final, block === content.blocks.length - 1);
    }
    assert.equal(publisher.client.acceptedBytes(1), content.totalBytes);
    assert.deepEqual(publisher.failures, []);
  });
});

test("wrong bytes are rejected and end the lane; what is good beside them is kept", async () => {
  const content = new Content(many(10, kibibyte));
  await withHandOver(content, async (setup) => {
    const { publisher, keeper } = setup;
    openLane(setup, [0, 10]);
    const batch = batchOf(content, 0, 10);
    batch.bytes[3 * kibibyte] = (batch.bytes[3 * kibibyte] ?? 0) ^ 1;
    const result = await publisher.client.push(1, batch);
    assert.equal(result.accepted ? "" : result.kind, "badChecksum");
    assert.equal(keeper.kept.size, 9);
    assert.ok(!keeper.kept.has(3));
    assert.deepEqual(
      publisher.failures.map(({ kind }) => kind),
      ["badChecksum"],
    );
    assert.equal(await publisher.client.room(1), false);
  });
});

test("nothing without a ticket for it", async () => {
  const content = new Content(many(10, kibibyte));
  await withHandOver(content, async (setup) => {
    const { publisher, keeper } = setup;
    openLane(setup, [0, 5]);
    const result = await publisher.client.push(1, batchOf(content, 0, 6));
    assert.equal(result.accepted ? "" : result.kind, "ticketRefused");
    assert.equal(keeper.batches, 0);
    assert.equal(publisher.failures[0]?.kind, "ticketRefused");
  });
});

test("a receiver that was not told yet waits for it, and gives up in the end", async () => {
  const content = new Content(many(10, kibibyte));
  await withHandOver(
    content,
    async (setup) => {
      const { publisher, keeper, receiver } = setup;
      keeper.isKnown = false;
      openLane(setup, [0, 10]);
      const first = publisher.client.push(1, batchOf(content, 0, 5));
      await settled(
        () => keeper.batches > 0,
        () => "nothing came",
      );
      keeper.isKnown = true;
      receiver.server.notifyAssigned();
      assert.deepEqual(await first, { accepted: true });
      keeper.isKnown = false;
      const second = await publisher.client.push(1, batchOf(content, 5, 10));
      assert.equal(second.accepted ? "" : second.kind, "notHeld");
    },
    { unknownMilliseconds: 500 },
  );
});

test("a flush that fails is the receiver's disk, and a receiver that is not there is refused", async () => {
  const content = new Content(many(2, kibibyte));
  let address = "";
  await withHandOver(
    content,
    async (setup) => {
      openLane(setup, [0, 2]);
      address = setup.receiver.address;
      assert.deepEqual(await setup.publisher.client.push(1, batchOf(content, 0, 2)), { accepted: true });
      const result = await setup.publisher.client.flush(1, fileSet);
      assert.equal(result.accepted ? "" : result.kind, "disk");
    },
    { flush: () => Promise.reject(new Error("input/output error")) },
  );
  const publisher = new Publisher();
  publisher.client.openLane({ laneId: 1, address, rateBitsPerSecond: unlimited });
  publisher.client.addTicket(1, ticket({ use: "handOver", ranges: [0, 2] }));
  const result = await publisher.client.push(1, batchOf(content, 0, 2));
  assert.equal(result.accepted ? "" : result.kind, "refused");
  assert.equal(publisher.failures.length, 1);
  publisher.client.close();
});

test("a hand-over keeps its rate, and what is not answered is bounded", async () => {
  const content = new Content(many(40, 256 * kibibyte));
  await withHandOver(content, async (setup) => {
    const { publisher } = setup;
    openLane(setup, [0, 40], 40_000_000);
    const begun = performance.now();
    const results = [];
    for (let block = 0; block < 40; block += 1) {
      assert.ok(await publisher.client.room(1));
      results.push(publisher.client.push(1, batchOf(content, block, block + 1)));
    }
    await Promise.all(results);
    const milliseconds = performance.now() - begun;
    // 10 MiB at 40 Mbit/s with headers are 2.19 s; it may take longer, and not be shorter by more than a burst.
    assert.ok(milliseconds > 2_100, `${milliseconds} ms`);
    assert.ok(setup.receiver.receivePool.peakBytes <= 4 * mebibyte);
  });
});

test("a receiver that dies ends every batch with a reset", async () => {
  const content = new Content(many(20, mebibyte));
  await withHandOver(content, async (setup) => {
    openLane(setup, [0, 20], 50_000_000);
    const results = Array.from({ length: 20 }, (_, block) =>
      setup.publisher.client.push(1, batchOf(content, block, block + 1)),
    );
    await results[0];
    await setup.receiver.stop();
    const kinds = (await Promise.all(results)).map((result) => (result.accepted ? "accepted" : result.kind));
    assert.ok(kinds.includes("reset"));
    assert.ok(kinds.every((kind) => kind === "accepted" || kind === "reset"));
    assert.deepEqual(
      setup.publisher.failures.map(({ kind }) => kind),
      ["reset"],
    );
  });
});
