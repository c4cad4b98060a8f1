import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RangeSet } from "./ranges.ts";

const top = 40;
const range = fc
  .tuple(fc.integer({ min: 0, max: top }), fc.integer({ min: 0, max: top }))
  .map(([left, right]): [number, number] => [Math.min(left, right), Math.max(left, right)]);
const operations = fc.array(fc.record({ adds: fc.boolean(), range }), { maxLength: 30 });

type Operations = readonly { adds: boolean; range: [number, number] }[];

function build(list: Operations): { set: RangeSet; model: Set<number> } {
  const set = new RangeSet();
  const model = new Set<number>();
  for (const { adds, range } of list) {
    const [start, end] = range;
    if (adds) set.add(start, end);
    else set.remove(start, end);
    for (let index = start; index < end; index += 1) {
      if (adds) model.add(index);
      else model.delete(index);
    }
  }
  return { set, model };
}

function members(set: RangeSet): number[] {
  const list: number[] = [];
  for (const [start, end] of set.ranges()) {
    for (let index = start; index < end; index += 1) list.push(index);
  }
  return list;
}

function sorted(model: Iterable<number>): number[] {
  return [...model].sort((left, right) => left - right);
}

/** What must hold of every set. */
function checkInvariants(set: RangeSet): void {
  const flat = set.toFlat();
  flat.reduce((previous, boundary) => {
    assert.ok(boundary > previous, `boundaries rise: ${flat.join(" ")}`);
    return boundary;
  }, -1);
  assert.equal(set.count, members(set).length);
  assert.equal(set.rangeCount, flat.length / 2);
  assert.equal(set.isEmpty, flat.length === 0);
}

test("additions and removals agree with a plain set", () => {
  fc.assert(
    fc.property(operations, (list) => {
      const { set, model } = build(list);
      checkInvariants(set);
      assert.deepEqual(members(set), sorted(model));
      assert.ok(RangeSet.fromFlat(set.toFlat()).equals(set));
      assert.ok(set.clone().equals(set));
    }),
    { numRuns: 500 },
  );
});

test("questions agree with a plain set", () => {
  fc.assert(
    fc.property(operations, range, (list, [start, end]) => {
      const { set, model } = build(list);
      const within = Array.from({ length: end - start }, (_, index) => start + index);
      assert.equal(set.has(start), model.has(start));
      assert.equal(
        set.hasRange(start, end),
        within.every((index) => model.has(index)),
      );
      assert.equal(
        set.overlaps(start, end),
        within.some((index) => model.has(index)),
      );
      const all = sorted(model);
      assert.equal(set.nextIn(start), all.find((index) => index >= start) ?? -1);
      let free = start;
      while (model.has(free)) free += 1;
      assert.equal(set.contiguousEnd(start), free);
      assert.equal(set.nextNotIn(start), free);
      assert.equal(set.first(), all[0] ?? -1);
      assert.equal(set.last(), all.at(-1) ?? -1);
      assert.deepEqual(members(set.take(start)), all.slice(0, start));
      all.forEach((index, k) => {
        assert.equal(set.nth(k), index);
      });
      const missing = set.complement(start, end);
      checkInvariants(missing);
      assert.deepEqual(
        members(missing),
        within.filter((index) => !model.has(index)),
      );
    }),
    { numRuns: 500 },
  );
});

test("operations on two sets agree with plain sets", () => {
  fc.assert(
    fc.property(operations, operations, (leftList, rightList) => {
      const left = build(leftList);
      const right = build(rightList);
      const union = sorted(new Set([...left.model, ...right.model]));
      const difference = sorted(left.model).filter((index) => !right.model.has(index));
      const intersection = sorted(left.model).filter((index) => right.model.has(index));
      const added = left.set.clone();
      added.addAll(right.set);
      const removed = left.set.clone();
      removed.removeAll(right.set);
      for (const [set, expected] of [
        [left.set.union(right.set), union],
        [added, union],
        [left.set.difference(right.set), difference],
        [removed, difference],
        [left.set.intersection(right.set), intersection],
      ] as const) {
        checkInvariants(set);
        assert.deepEqual(members(set), expected);
      }
    }),
    { numRuns: 500 },
  );
});

test("sets of many ranges merge as a whole", () => {
  const even = new RangeSet();
  const odd = new RangeSet();
  for (let index = 0; index < 1000; index += 2) {
    even.add(index, index + 1);
    odd.add(index + 1, index + 2);
  }
  const all = even.clone();
  all.addAll(odd);
  assert.deepEqual(all.toFlat(), [0, 1000]);
  all.removeAll(odd);
  assert.ok(all.equals(even));
  all.removeAll(all);
  assert.equal(all.count, 0);
});

test("what is no range is refused", () => {
  const set = new RangeSet();
  for (const [start, end] of [
    [-1, 2],
    [3, 2],
    [0.5, 2],
    [0, Number.NaN],
    [0, 2 ** 53],
  ] as const) {
    assert.throws(() => {
      set.add(start, end);
    }, RangeError);
  }
  for (const flat of [[1], [2, 1], [1, 1], [0, 4, 2, 6], [4, 6, 0, 1], [-2, 1]]) {
    assert.throws(() => RangeSet.fromFlat(flat), RangeError);
  }
  assert.throws(() => set.nth(0), RangeError);
});
