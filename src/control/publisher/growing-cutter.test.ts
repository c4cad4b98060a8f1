import test from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { GrowingCutter } from "./growing-cutter.ts";

const options = { blockBytes: 100, cutNanoseconds: 200, holdBackNanoseconds: 1_000 };

test("blocks are cut by size, and a full one waits to learn whether it is the last", () => {
  const cutter = new GrowingCutter(options);
  assert.deepEqual(cutter.add(100, 0), []);
  assert.deepEqual(cutter.add(1, 10), [100]);
  assert.deepEqual(cutter.add(250, 20), [100, 100]);
  assert.equal(cutter.pendingBytes, 51);
  assert.equal(cutter.end(), 51);
  const exact = new GrowingCutter(options);
  assert.deepEqual(exact.add(200, 0), [100]);
  assert.equal(exact.end(), 100);
});

test("blocks are cut by time, all but the newest byte", () => {
  const cutter = new GrowingCutter(options);
  assert.equal(cutter.wakeAtNanoseconds, undefined);
  cutter.add(10, 1_000);
  cutter.add(10, 1_150);
  assert.equal(cutter.wakeAtNanoseconds, 1_200);
  assert.deepEqual(cutter.tick(1_199), []);
  assert.deepEqual(cutter.tick(1_200), [19]);
  assert.equal(cutter.wakeAtNanoseconds, 2_150);
  assert.deepEqual(cutter.tick(2_149), []);
  assert.equal(cutter.end(), 1);
});

test("after a long pause the newest byte goes too, and the end needs no block", () => {
  const cutter = new GrowingCutter(options);
  cutter.add(10, 0);
  assert.deepEqual(cutter.tick(200), [9]);
  assert.deepEqual(cutter.tick(1_000), [1]);
  assert.equal(cutter.wakeAtNanoseconds, undefined);
  assert.equal(cutter.end(), undefined);
  cutter.add(10, 5_000);
  assert.deepEqual(cutter.tick(7_000), [10]);
});

test("a held byte's wait does not shorten the next block's", () => {
  const cutter = new GrowingCutter(options);
  cutter.add(10, 0);
  cutter.tick(200);
  cutter.add(10, 900);
  assert.equal(cutter.wakeAtNanoseconds, 1_100);
  assert.deepEqual(cutter.tick(1_100), [10]);
  assert.equal(cutter.pendingBytes, 1);
});

test("an empty file has no block", () => {
  const cutter = new GrowingCutter(options);
  assert.deepEqual(cutter.add(0, 5), []);
  assert.equal(cutter.end(), undefined);
});

test("property: lengths add up, bounds hold, nothing but the newest byte waits beyond the cut time", () => {
  const step = fc.record({ bytes: fc.integer({ min: 0, max: 350 }), pause: fc.integer({ min: 0, max: 1_500 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cutter = new GrowingCutter(options);
      let now = 0;
      let came = 0;
      let cut = 0;
      let lastCameAt = 0;
      const take = (lengths: number[]): void => {
        for (const length of lengths) {
          assert.ok(length >= 1 && length <= options.blockBytes);
          cut += length;
        }
        assert.equal(came - cut, cutter.pendingBytes);
        assert.ok(cutter.pendingBytes <= options.blockBytes);
      };
      for (const { bytes, pause } of steps) {
        const until = now + pause;
        for (
          let wake = cutter.wakeAtNanoseconds;
          wake !== undefined && wake <= until;
          wake = cutter.wakeAtNanoseconds
        ) {
          assert.ok(wake >= now);
          now = wake;
          const lengths = cutter.tick(now);
          assert.ok(lengths.length === 1, "a wake-up has something to do");
          take(lengths);
        }
        now = until;
        if (came - cut > 1) assert.ok(now - lastCameAt < options.cutNanoseconds);
        came += bytes;
        if (bytes > 0) lastCameAt = now;
        take(cutter.add(bytes, now));
      }
      cut += cutter.end() ?? 0;
      assert.equal(cut, came);
    }),
  );
});
