import assert from "node:assert/strict";
import { test } from "node:test";
import { RangeSet } from "../../std/ranges.ts";
import { probeBlock } from "./probe.ts";
import {
  Content,
  fileSet,
  pull,
  Source,
  sourceId,
  Target,
  targetId,
  ticket,
  unlimited,
  withPair,
} from "./streams.testing.ts";

const kibibyte = 1024;
const mebibyte = 1024 * 1024;
const many = (count: number, length: number): number[] => Array.from({ length: count }, () => length);
const wholly = (content: Content): number[] => [0, content.lengths.length];

test("blocks of every size come through unharmed, each once", async () => {
  const content = new Content([
    1,
    5,
    300 * kibibyte,
    16 * mebibyte,
    17,
    mebibyte,
    mebibyte + 1,
    ...many(300, 8 * kibibyte),
    3 * mebibyte,
  ]);
  for (const readsParts of [false, true]) {
    await withPair(
      { content, readsParts },
      async (source, target) => {
        pull(target, source, { ranges: wholly(content) });
        await target.until(() => target.stored.count === content.lengths.length, "all stored");
        assert.deepEqual(target.failures, []);
        const written = target.writes.reduce((sum, { start, end }) => sum + end - start, 0);
        assert.equal(written, content.lengths.length);
        await target.until(() => target.progress.get(1)?.receivedBytes === content.totalBytes, "all reported");
      },
      { poolBytes: 48 * mebibyte },
    );
  }
});

test("thousands of small blocks flow in few batches and few reads", async () => {
  const content = new Content(many(4_000, 8 * kibibyte));
  await withPair({ content }, async (source, target) => {
    pull(target, source, { ranges: wholly(content) });
    await target.until(() => target.stored.count === 4_000, "all stored");
    assert.ok(target.writes.length <= 64, `${target.writes.length} batches`);
    assert.ok(source.reads <= 64, `${source.reads} reads`);
  });
});

test("many lanes share one connection, and one target may have several sources", async () => {
  const content = new Content(many(400, 64 * kibibyte));
  const second = await new Source({ content }).start();
  await withPair({ content }, async (source, target) => {
    for (let lane = 0; lane < 40; lane += 1) {
      const from = lane % 2 === 0 ? source : second;
      pull(target, from, { laneId: lane, ranges: [lane * 10, lane * 10 + 10], rateBitsPerSecond: 200_000_000 });
    }
    await target.until(() => target.stored.count === 400, "all stored");
    assert.equal(source.server.connectionCount, 1);
    assert.equal(second.server.connectionCount, 1);
    assert.deepEqual(target.failures, []);
  });
  await second.stop();
});

test("short lanes, one after another and overlapping, need no further connection", async () => {
  const content = new Content(many(60, 64 * kibibyte));
  await withPair({ content }, async (source, target) => {
    for (let lane = 0; lane < 60; lane += 1) {
      // Opened, asked and answered while the one before still runs; ended as soon as its block is there.
      pull(target, source, { laneId: lane, ranges: [lane, lane + 1], rateBitsPerSecond: unlimited });
      if (lane % 3 !== 2) continue;
      await target.until(() => target.stored.count === lane + 1, `block ${lane} stored`);
      for (let ended = lane - 2; ended <= lane; ended += 1) target.client.closeLane(ended);
    }
    assert.equal(source.server.connectionCount, 1);
    // How far away the source is shows when it is dialled: once.
    assert.equal(target.roundTripsNanoseconds.length, 1);
    assert.ok((target.roundTripsNanoseconds[0] ?? 0) > 0);
    assert.deepEqual(target.failures, []);
  });
});

test("a lane that follows others is served when all that they are for has been sent, and its target knows that it waits", async () => {
  const content = new Content(many(4, 64 * kibibyte));
  await withPair({ content }, async (source, target) => {
    pull(target, source, { laneId: 3, ranges: [2, 3], after: [1, 2] });
    pull(target, source, { laneId: 1, ranges: [0, 1] });
    await target.until(() => target.stored.has(0), "the first stored");
    await target.until(() => target.progress.get(3)?.waiting === true, "the third waits");
    assert.ok(!target.stored.has(2));
    pull(target, source, { laneId: 2, ranges: [1, 2] });
    await target.until(() => target.stored.count === 3, "three stored");
    assert.deepEqual(target.failures, []);
  });
});

test("a lane that follows one that its source never hears of is served when another ticket says so", async () => {
  const content = new Content(many(2, 64 * kibibyte));
  await withPair({ content }, async (source, target) => {
    pull(target, source, { laneId: 2, ranges: [0, 1], after: [1] });
    await target.until(() => target.progress.get(2)?.waiting === true, "it waits");
    target.client.setRate(2, unlimited, ticket({ laneId: 2, revision: 2 }));
    await target.until(() => target.stored.has(0), "stored");
  });
});

test("blocks asked for twice come once, and a lane takes more work while it runs", async () => {
  const content = new Content(many(30, 100 * kibibyte));
  await withPair({ content }, async (source, target) => {
    pull(target, source, { ranges: [0, 10] });
    target.client.pull(1, {
      fileSet,
      order: "content",
      ranges: [5, 20],
      ticket: ticket({ revision: 2, ranges: [5, 20] }),
    });
    target.client.pull(1, {
      fileSet,
      order: "content",
      ranges: [20, 30],
      ticket: ticket({ revision: 3, ranges: [20, 30] }),
    });
    await target.until(() => target.stored.count === 30, "all stored");
    assert.equal(
      target.writes.reduce((sum, { start, end }) => sum + end - start, 0),
      30,
    );
    assert.deepEqual(target.failures, []);
  });
});

test("blocks that are coming are sent as soon as they are stored, others before them", async () => {
  const content = new Content(many(10, 50 * kibibyte));
  await withPair({ content, held: RangeSet.of(5, 10), coming: RangeSet.of(0, 5) }, async (source, target) => {
    pull(target, source, { ranges: wholly(content) });
    await target.until(() => target.stored.hasRange(5, 10), "what is held");
    await target.until(() => target.progress.get(1)?.waiting === true, "it is known to wait");
    source.store(2, 4);
    await target.until(() => target.stored.hasRange(2, 4), "what came");
    await target.until(() => target.progress.get(1)?.waiting === true, "it waits again");
    // Also what nobody told of is found.
    source.held.add(0, 2);
    source.held.add(4, 5);
    await target.until(() => target.stored.count === 10, "the rest");
    assert.deepEqual(target.failures, []);
  });
});

test("pieces of a manifest come with their bytes, and only as far as the target knows them", async () => {
  const content = new Content([1000, 2000]);
  await withPair(
    { content },
    async (source, target) => {
      pull(target, source, { order: "manifest", ranges: [0, 2] });
      await target.until(() => target.pieces.size === 2, "both pieces");
      assert.deepEqual(Buffer.from(target.pieces.get(0)!), Buffer.from(content.blocks[0]!));
      assert.deepEqual(Buffer.from(target.pieces.get(1)!), Buffer.from(content.blocks[1]!.subarray(0, 1500)));
    },
    { lengths: [1000, 1500] },
  );
});

test("a block that a source does not hold is refused after a moment of grace", async () => {
  const content = new Content(many(4, kibibyte));
  await withPair({ content, held: RangeSet.of(0, 2) }, async (source, target) => {
    pull(target, source, { ranges: wholly(content) });
    await target.until(() => target.failures.length === 1, "the refusal");
    assert.equal(target.failures[0]?.kind, "notHeld");
    assert.ok(target.stored.hasRange(0, 2));
  });
});

test("wrong bytes are found, good ones beside them kept, and other lanes go on", async () => {
  const content = new Content(many(20, 20 * kibibyte));
  await withPair({ content, corrupt: new Set([0]) }, async (source, target) => {
    pull(target, source, { laneId: 1, ranges: [0, 10] });
    pull(target, source, { laneId: 2, ranges: [10, 20] });
    await target.until(() => target.failures.length === 1 && target.stored.hasRange(1, 20), "failure and the rest");
    assert.equal(target.failures[0]?.kind, "badChecksum");
    assert.equal(target.failures[0]?.laneId, 1);
    assert.ok(!target.stored.has(0));
  });
});

test("tickets: of another agent, of another peer, for other blocks, expired", async () => {
  const content = new Content(many(200, 64 * kibibyte));
  const wishes = [
    { holderId: targetId, ranges: [0, 1] },
    { peerId: sourceId, ranges: [0, 1] },
    { ranges: [0, 1], durationMilliseconds: 0 },
  ];
  for (const wish of wishes) {
    await withPair({ content }, async (source, target) => {
      pull(target, source, wish);
      await target.until(() => target.failures.length === 1, "the refusal");
      assert.equal(target.failures[0]?.kind, "ticketRefused");
      assert.equal(target.stored.count, 0);
    });
  }
  await withPair({ content }, async (source, target) => {
    target.client.openLane({ laneId: 1, address: source.address, rateBitsPerSecond: unlimited });
    target.client.pull(1, { fileSet, order: "content", ranges: [0, 3], ticket: ticket({ ranges: [0, 2] }) });
    await target.until(() => target.failures.length === 1, "the refusal");
    assert.equal(target.failures[0]?.kind, "ticketRefused");
    assert.match(target.failures[0]?.detail ?? "", /no ticket allows/);
  });
});

test("a ticket ends while its lane runs, and showing it again does not help", async () => {
  const content = new Content(many(200, 64 * kibibyte));
  await withPair({ content }, async (source, target) => {
    const wish = { ranges: wholly(content), rateBitsPerSecond: 20_000_000, durationMilliseconds: 400 };
    pull(target, source, wish);
    await target.until(() => target.failures.length === 1, "the end");
    assert.equal(target.failures[0]?.kind, "ticketRefused");
    assert.ok(target.stored.count > 0 && target.stored.count < 100);
    pull(target, source, wish);
    await target.until(() => target.failures.length === 2, "the refusal");
    assert.match(target.failures[1]?.detail ?? "", /expired/);
    pull(target, source, { ...wish, revision: 2, ranges: [199, 200], durationMilliseconds: 10_000 });
    await target.until(() => target.stored.has(199), "a newer ticket");
  });
});

test("a closed lane brings nothing more, and the connection stays of use", async () => {
  const content = new Content(many(100, 256 * kibibyte));
  await withPair({ content }, async (source, target) => {
    pull(target, source, { ranges: [0, 50], rateBitsPerSecond: 100_000_000 });
    await target.until(() => target.stored.count >= 2, "something");
    target.client.closeLane(1);
    pull(target, source, { laneId: 2, ranges: [50, 100] });
    await target.until(() => target.stored.hasRange(50, 100), "the other lane");
    assert.ok(!target.stored.hasRange(0, 50));
    assert.equal(source.server.connectionCount, 1);
    assert.deepEqual(target.failures, []);
  });
});

test("a source that nobody listens at, one that dies, and one whose name does not exist", async () => {
  const content = new Content(many(100, 256 * kibibyte));
  const dead = await new Source({ content }).start();
  const target = new Target({ content });
  pull(target, dead, { ranges: [0, 100], rateBitsPerSecond: 100_000_000 });
  await target.until(() => target.stored.count >= 1, "something");
  await dead.stop();
  await target.until(() => target.failures.length === 1, "the break");
  assert.equal(target.failures[0]?.kind, "reset");
  pull(target, dead, { laneId: 2, ranges: [0, 100] });
  await target.until(() => target.failures.length === 2, "the refusal");
  assert.equal(target.failures[1]?.kind, "refused");
  target.client.openLane({ laneId: 3, address: "no-such-host.invalid:80", rateBitsPerSecond: unlimited });
  target.client.pull(3, { fileSet, order: "content", ranges: [0, 1], ticket: ticket({ laneId: 3, ranges: [0, 1] }) });
  await target.until(() => target.failures.length === 3, "the name");
  assert.equal(target.failures[2]?.kind, "refused");
  assert.equal(target.pool.usedBytes, 0);
  target.client.close();
});

test("a disk that fails ends the lane as a failure of the disk", async () => {
  const content = new Content(many(4, kibibyte));
  await withPair(
    { content },
    async (source, target) => {
      pull(target, source, { ranges: wholly(content) });
      await target.until(() => target.failures.length === 1, "the failure");
      assert.equal(target.failures[0]?.kind, "disk");
    },
    { write: () => Promise.reject(new Error("no space left")) },
  );
});

test("a slow disk bounds memory and does not lose a byte", async () => {
  const content = new Content(many(60, mebibyte));
  await withPair(
    { content },
    async (source, target) => {
      for (let lane = 0; lane < 6; lane += 1) {
        pull(target, source, { laneId: lane, ranges: [lane * 10, lane * 10 + 10] });
      }
      await target.until(() => target.stored.count === 60, "all stored");
      assert.ok(target.pool.peakBytes <= 4 * mebibyte, `${target.pool.peakBytes} bytes`);
      assert.ok(source.sendPool.peakBytes <= 16 * mebibyte);
      assert.deepEqual(target.failures, []);
    },
    { poolBytes: 4 * mebibyte, write: () => new Promise((resolve) => setTimeout(resolve, 10)) },
  );
});

test("lanes whose blocks do not fit into memory together still all get theirs", async () => {
  const content = new Content(many(12, 2 * mebibyte));
  await withPair(
    { content, readsParts: true },
    async (source, target) => {
      for (let lane = 0; lane < 6; lane += 1) {
        pull(target, source, { laneId: lane, ranges: [lane * 2, lane * 2 + 2], rateBitsPerSecond: 200_000_000 });
      }
      await target.until(() => target.stored.count === 12, "all stored");
      assert.deepEqual(target.failures, []);
    },
    { poolBytes: 2 * mebibyte },
  );
});

test("probes: good, wrong, not held, refused", async () => {
  const content = new Content(many(3, 100 * kibibyte));
  const source = await new Source({ content, held: RangeSet.of(0, 2), corrupt: new Set([1]) }).start();
  const probe = (block: number, address: string = source.address): ReturnType<typeof probeBlock> =>
    probeBlock({
      peerId: targetId,
      laneId: block,
      address,
      rateBitsPerSecond: 50_000_000,
      ticket: ticket({ laneId: block, use: "probe", ranges: [block, block + 1] }),
      fileSet,
      order: "content",
      block,
      lengthBytes: 100 * kibibyte,
      verify: (bytes) => Buffer.compare(bytes, content.blocks[block]!) === 0,
      timeoutMilliseconds: 5_000,
    });
  assert.equal(await probe(0), undefined);
  assert.equal(await probe(1), "badChecksum");
  assert.equal(await probe(2), "notHeld");
  await source.stop();
  assert.equal(await probe(0), "refused");
});
