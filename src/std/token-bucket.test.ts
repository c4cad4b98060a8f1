import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { forever, TokenBucket, wireBytes } from "./token-bucket.ts";

const millisecond = 1_000_000;

test("the first chunk goes at once, the next when it has passed", () => {
  const bucket = new TokenBucket({ rateBitsPerSecond: 8_000_000, creditNanoseconds: 0, nowNanoseconds: 5 });
  assert.equal(bucket.delayNanoseconds(5), 0);
  bucket.charge(1_000, 5);
  assert.equal(bucket.delayNanoseconds(5), millisecond);
  assert.equal(bucket.delayNanoseconds(5 + millisecond), 0);
});

test("a rate of 0 is closed, and what was owed is owed afterwards", () => {
  const bucket = new TokenBucket({ rateBitsPerSecond: 8_000_000, creditNanoseconds: 0, nowNanoseconds: 0 });
  bucket.charge(1_000, 0);
  bucket.setRate(0, 0);
  assert.equal(bucket.delayNanoseconds(10 ** 12), forever);
  bucket.setRate(4_000_000, 10 ** 12);
  assert.equal(bucket.delayNanoseconds(10 ** 12), 2 * millisecond);
});

test("headers are counted", () => {
  assert.equal(wireBytes(1448), 1514);
  assert.equal(wireBytes(0), 0);
  assert.equal(wireBytes(1), 2);
});

test("no window holds more than rate x (window + credit) and a chunk, and a steady reader loses nothing", () => {
  const creditNanoseconds = 10 * millisecond;
  fc.assert(
    fc.property(
      fc.integer({ min: 100_000, max: 10_000_000_000 }),
      fc.array(
        fc.record({ wait: fc.integer({ min: 0, max: 50 * millisecond }), bytes: fc.integer({ min: 1, max: 100_000 }) }),
        {
          maxLength: 60,
        },
      ),
      (rateBitsPerSecond, steps) => {
        let now = 0;
        const bucket = new TokenBucket({ rateBitsPerSecond, creditNanoseconds, nowNanoseconds: now });
        const sent: { at: number; bytes: number }[] = [];
        for (const { wait, bytes } of steps) {
          now += wait;
          now += bucket.delayNanoseconds(now);
          bucket.charge(bytes, now);
          sent.push({ at: now, bytes });
        }
        for (let from = 0; from < sent.length; from += 1) {
          let total = 0;
          for (let to = from; to < sent.length; to += 1) {
            // All but the last chunk must fit into the window and the credit.
            const window = (sent[to]?.at ?? 0) - (sent[from]?.at ?? 0);
            assert.ok((total * 8 * 1e9) / rateBitsPerSecond <= window + creditNanoseconds + 1_000);
            total += sent[to]?.bytes ?? 0;
          }
        }
      },
    ),
  );
});

test("what begins has no credit for the time before", () => {
  const bucket = new TokenBucket({ rateBitsPerSecond: 8_000_000, creditNanoseconds: 1e9, nowNanoseconds: 0 });
  bucket.begin(500 * millisecond);
  bucket.charge(1_000, 500 * millisecond);
  assert.equal(bucket.delayNanoseconds(500 * millisecond), millisecond);
});
