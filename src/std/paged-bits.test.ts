import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BitPages, pageBits } from "./bit-pages.ts";
import { PagedBits } from "./paged-bits.ts";

test("does what a set of numbers does, also while it grows", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom("add", "remove"), start: fc.nat(10_000), length: fc.nat(6_000) }),
    fc.record({ kind: fc.constant("grow"), start: fc.nat(9_000), length: fc.nat(1) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      // Beside others of the same pool, which must not notice.
      const pages = new BitPages();
      const beside = new PagedBits(pages);
      beside.grow(5_000, false);
      beside.add(100, 4_500);
      const bits = new PagedBits(pages);
      const model = new Set<number>();
      for (const { kind, start, length } of steps) {
        const [from, to] = [Math.min(start, bits.size), Math.min(start + length, bits.size)];
        if (kind === "grow") {
          if (length === 1) for (let index = bits.size; index < start; index += 1) model.add(index);
          bits.grow(start, length === 1);
        } else if (kind === "add") {
          bits.add(from, to);
          for (let index = from; index < to; index += 1) model.add(index);
        } else {
          bits.remove(from, to);
          for (let index = from; index < to; index += 1) model.delete(index);
        }
        assert.equal(bits.count, model.size);
      }
      const seen: number[] = [];
      bits.forEachRange((start, end) => {
        assert.ok(start < end);
        for (let index = start; index < end; index += 1) seen.push(index);
      });
      assert.deepEqual(
        seen,
        [...model].sort((a, b) => a - b),
      );
      for (let index = 0; index < bits.size + 40; index += 7) assert.equal(bits.has(index), model.has(index));
      assertFilled(bits);
      assert.deepEqual(beside.toRangeSet().toFlat(), [100, 4_500]);
      bits.release();
      assert.equal(bits.count, 0);
      const next = new PagedBits(pages);
      next.grow(9_000, false);
      next.set(8_999);
      assert.deepEqual(next.toRangeSet().toFlat(), [8_999, 9_000]);
      assertFilled(next);
    }),
    { numRuns: 150 },
  );
});

test("pages that are empty or full are shared, and pages that are given back are used again", () => {
  const bits = new PagedBits();
  const pageAt = (page: number): number => bits.pages.table[bits.row + 2 * page] ?? -1;
  bits.grow(3 * pageBits, false);
  assert.equal(pageAt(0), pageAt(1));
  bits.set(5);
  const own = pageAt(0);
  assert.notEqual(own, pageAt(1));
  bits.clear(5);
  assert.equal(pageAt(0), pageAt(1));
  bits.set(pageBits);
  assert.equal(pageAt(1), own);
  bits.add(0, 2 * pageBits);
  assert.equal(pageAt(0), pageAt(1));
  assert.equal(bits.isFull, false);
  assert.throws(() => bits.set(3 * pageBits), RangeError);
});

/** Behind a page's words, one bit for each says whether there is anything in it. */
function assertFilled({ pages, row, size }: PagedBits): void {
  for (let page = 0; page * pageBits < size; page += 1) {
    const at = pages.table[row + 2 * page] ?? 0;
    const count = (Math.min(pageBits, size - page * pageBits) + 31) >>> 5;
    for (let word = 0; word < count; word += 1) {
      const isFilled = (((pages.words[at + count + (word >>> 5)] ?? 0) >>> (word & 31)) & 1) === 1;
      assert.equal(isFilled, pages.words[at + word] !== 0);
    }
  }
}
