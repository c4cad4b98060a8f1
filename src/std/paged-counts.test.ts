import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pageBits } from "./bit-pages.ts";
import { PagedCounts } from "./paged-counts.ts";

test("counts as a list of numbers does", () => {
  const step = fc.record({ index: fc.nat(3 * pageBits - 1), up: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const counts = new PagedCounts();
      counts.grow(3 * pageBits);
      const model = new Map<number, number>();
      for (const { index, up } of steps) {
        const before = model.get(index) ?? 0;
        if (!up && before === 0) continue;
        model.set(index, before + (up ? 1 : -1));
        assert.equal(counts.change(index, up ? 1 : -1), model.get(index));
      }
      for (const [index, count] of model) {
        assert.equal(counts.at(index), count);
        assert.equal(counts.at(index + 1), model.get(index + 1) ?? 0);
      }
    }),
  );
});

test("what was never counted is nought and stored nowhere; beyond the size there is nothing", () => {
  const counts = new PagedCounts();
  counts.grow(2 * pageBits);
  assert.equal(counts.pages[0], counts.pages[1]);
  counts.change(1, 1);
  assert.notEqual(counts.pages[0], counts.pages[1]);
  assert.equal(counts.at(5 * pageBits), 0);
  assert.throws(() => counts.change(2 * pageBits, 1), RangeError);
  const other = new PagedCounts();
  other.grow(pageBits);
  assert.equal(other.at(1), 0);
});
