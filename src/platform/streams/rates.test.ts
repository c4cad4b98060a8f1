import assert from "node:assert/strict";
import { createServer, connect } from "node:net";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { parseAddress } from "../address.ts";
import { Content, fileSet, pull, Source, Target, ticket, unlimited, withPair } from "./streams.testing.ts";

const kibibyte = 1024;
const content = new Content(Array.from({ length: 64 }, () => 256 * kibibyte));

interface Passed {
  readonly atMilliseconds: number;
  readonly bytes: number;
}

/** A relay that notes when how many bytes went from the source to the target. */
async function metered(source: Source, run: (address: string, passed: Passed[]) => Promise<void>): Promise<void> {
  const passed: Passed[] = [];
  const relay = createServer((socket) => {
    const upstream = connect(parseAddress(source.address));
    socket.on("error", () => upstream.destroy());
    upstream.on("error", () => socket.destroy());
    socket.pipe(upstream);
    upstream.on("data", (bytes) => {
      passed.push({ atMilliseconds: performance.now(), bytes: bytes.length });
      socket.write(bytes);
    });
    upstream.on("close", () => socket.destroy());
    socket.on("close", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => void relay.listen(0, "127.0.0.1", resolve));
  await run(`127.0.0.1:${(relay.address() as AddressInfo).port}`, passed);
  relay.close();
}

/**
 * No sliding window holds more than rate x window and a burst. The relay may itself be late and see two chunks as one
 * after a pause, so a window is only judged with that lateness allowed for.
 */
function assertWithin(
  passed: readonly Passed[],
  rateBitsPerSecond: number,
  windowMilliseconds: number,
  burstMilliseconds: number,
): void {
  for (let from = 0; from < passed.length; from += 1) {
    let bytes = 0;
    for (let to = from; to < passed.length; to += 1) {
      if (passed[to]!.atMilliseconds - passed[from]!.atMilliseconds > windowMilliseconds) break;
      bytes += passed[to]!.bytes;
    }
    const wireBits = (bytes * 8 * 1514) / 1448;
    const most = (rateBitsPerSecond * (windowMilliseconds + burstMilliseconds)) / 1000;
    assert.ok(wireBits <= most, `${Math.round(wireBits)} bits in ${windowMilliseconds} ms, at most ${most}`);
  }
}

test("no window of a lane holds more than its rate and a short burst, headers counted", async () => {
  const source = await new Source({ content }).start();
  await metered(source, async (address, passed) => {
    const target = new Target({ content });
    target.client.openLane({ laneId: 1, address, rateBitsPerSecond: 50_000_000 });
    const text = ticket({ ranges: [0, 64], rateBitsPerSecond: 50_000_000 });
    target.client.pull(1, { fileSet, order: "content", ranges: [0, 64], ticket: text });
    await target.until(() => target.stored.count >= 48, "two seconds' worth");
    target.client.close();
    // 20 ms of burst, and what the relay's own lateness may add on a busy machine.
    assertWithin(passed, 50_000_000, 1_000, 60);
    assertWithin(passed, 50_000_000, 200, 60);
  });
  await source.stop();
});

test("a rate that is lowered holds from then on, a raised one is used", async () => {
  await withPair({ content }, async (source, target) => {
    pull(target, source, { ranges: [0, 64], rateBitsPerSecond: 40_000_000 });
    await target.until(() => target.stored.count >= 4, "a beginning");
    target.client.setRate(1, 8_000_000, ticket({ revision: 2, rateBitsPerSecond: 8_000_000 }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = target.progress.get(1)?.receivedBytes ?? 0;
    const begun = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const bytes = (target.progress.get(1)?.receivedBytes ?? 0) - before;
    // Reports come every 250 ms.
    const most = (8_000_000 / 8) * ((performance.now() - begun + 350) / 1000);
    assert.ok(bytes <= most, `${bytes} bytes, at most ${most}`);
    // An older ticket changes nothing; a newer one does.
    target.client.setRate(1, unlimited, ticket({ revision: 3, rateBitsPerSecond: unlimited }));
    await target.until(() => target.stored.count === 64, "all");
  });
});

test("a rate of 0 pauses a lane, and other lanes of the connection go on", async () => {
  await withPair({ content }, async (source, target) => {
    pull(target, source, { laneId: 1, ranges: [0, 8], rateBitsPerSecond: 0 });
    pull(target, source, { laneId: 2, ranges: [8, 64] });
    await target.until(() => target.stored.hasRange(8, 64), "the other lane");
    assert.ok(!target.stored.overlaps(0, 8));
    target.client.setRate(1, unlimited, ticket({ laneId: 1, revision: 2, rateBitsPerSecond: unlimited }));
    await target.until(() => target.stored.count === 64, "all");
    assert.deepEqual(target.failures, []);
  });
});

test("a lane whose rate falls to next to nothing does not hold up others of its connection", async () => {
  await withPair({ content }, async (source, target) => {
    pull(target, source, { laneId: 1, ranges: [0, 16], rateBitsPerSecond: 200_000_000 });
    await target.until(() => target.stored.count >= 2, "a beginning");
    target.client.setRate(1, 64_000, ticket({ laneId: 1, revision: 2, rateBitsPerSecond: 64_000 }));
    const begun = performance.now();
    pull(target, source, { laneId: 2, ranges: [16, 64], rateBitsPerSecond: 200_000_000 });
    await target.until(() => target.stored.hasRange(16, 64), "the other lane");
    // At its rate it takes half a second; what was on its way of the first lane goes before it.
    const milliseconds = performance.now() - begun;
    assert.ok(milliseconds < 3_000, `it took ${milliseconds} ms`);
    assert.deepEqual(target.failures, []);
  });
});

test("a target keeps the rate by itself when its source does not", async () => {
  await withPair({ content }, async (source, target) => {
    // The ticket lets the source send at once; the target was told less.
    target.client.openLane({ laneId: 1, address: source.address, rateBitsPerSecond: 20_000_000 });
    const begun = performance.now();
    target.client.pull(1, { fileSet, order: "content", ranges: [0, 64], ticket: ticket({ ranges: [0, 64] }) });
    await target.until(() => (target.progress.get(1)?.receivedBytes ?? 0) >= 2_500_000, "a second's worth");
    const milliseconds = performance.now() - begun;
    assert.ok(milliseconds >= 800, `it took ${milliseconds} ms`);
    assert.deepEqual(target.failures, []);
  });
});

test("lanes of one connection each get their own rate", async () => {
  await withPair({ content }, async (source, target) => {
    pull(target, source, { laneId: 1, ranges: [0, 32], rateBitsPerSecond: 16_000_000 });
    pull(target, source, { laneId: 2, ranges: [32, 64], rateBitsPerSecond: 48_000_000 });
    await target.until(() => (target.progress.get(2)?.receivedBytes ?? 0) >= 6_000_000, "a second's worth");
    const slow = target.progress.get(1)?.receivedBytes ?? 0;
    const fast = target.progress.get(2)?.receivedBytes ?? 0;
    assert.ok(slow > fast / 6 && slow < fast / 1.5, `${slow} and ${fast} bytes`);
  });
});
