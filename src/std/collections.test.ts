import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bitset } from "./bitset.ts";
import { BinaryHeap } from "./heap.ts";
import { nearestSpelling } from "./nearest.ts";

test("a heap gives its items out in order", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer())), (steps) => {
      const heap = new BinaryHeap<number>((left, right) => left < right);
      let model: number[] = [];
      for (const step of steps) {
        if (step === null) {
          assert.equal(heap.pop(), model[0]);
          model = model.slice(1);
        } else {
          heap.push(step);
          model = [...model, step].sort((left, right) => left - right);
        }
        assert.equal(heap.peek(), model[0]);
        assert.equal(heap.size, model.length);
      }
      heap.clear();
      assert.equal(heap.pop(), undefined);
    }),
  );
});

test("a bitset agrees with a plain set", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.tuple(fc.boolean(), fc.nat(99)), { maxLength: 150 }),
      fc.nat(99),
      (size, steps, from) => {
        const bits = new Bitset(size);
        const model = new Set<number>();
        for (const [sets, place] of steps) {
          const index = place % size;
          if (sets) {
            bits.set(index);
            model.add(index);
          } else {
            bits.clear(index);
            model.delete(index);
          }
        }
        const all = Array.from({ length: size }, (_, index) => index);
        assert.equal(bits.count, model.size);
        assert.deepEqual(
          all.filter((index) => bits.has(index)),
          all.filter((index) => model.has(index)),
        );
        const set = all.find((index) => index >= from && model.has(index)) ?? -1;
        const clear = all.find((index) => index >= from && !model.has(index)) ?? -1;
        assert.equal(bits.nextSet(from), set);
        assert.equal(bits.nextClear(from), clear);
      },
    ),
    { numRuns: 500 },
  );
  assert.throws(() => new Bitset(-1), RangeError);
  assert.throws(() => new Bitset(3).has(3), RangeError);
});

test("a mistyped word is recognised, an unknown one is not", () => {
  const words = ["uplink", "downlink", "nic", "up", "down"];
  assert.equal(nearestSpelling("uplnk", words), "uplink");
  assert.equal(nearestSpelling("Downlink", words), "downlink");
  assert.equal(nearestSpelling("dwon", words), "down");
  assert.equal(nearestSpelling("dwno", words), undefined);
  assert.equal(nearestSpelling("nics", words), "nic");
  assert.equal(nearestSpelling("colour", words), undefined);
  assert.equal(nearestSpelling("x".repeat(1000), words), undefined);
});
