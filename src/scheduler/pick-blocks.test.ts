import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PagedBits } from "../std/paged-bits.ts";
import { RangeSet } from "../std/ranges.ts";
import { SeededRandom } from "../std/seeded-random.ts";
import type { BlockOrder } from "./block-order.ts";
import { maximumPortionRanges } from "./limits.ts";
import { pickBlock, portionAround, type PickRule } from "./pick-blocks.ts";
import { testMember, testOrder } from "./scheduler.testing.ts";
import type { Member } from "./world.ts";

const inSite: PickRule = { rarity: "inSite" };

function pick(order: BlockOrder, source: Member, target: Member, rule: PickRule, seed = 1): number | undefined {
  const picked = { block: -1, copies: 0 };
  const random = new SeededRandom(seed);
  return pickBlock(order, order.holding(source).held, order.holding(target), rule, random, picked)
    ? picked.block
    : undefined;
}

function bitsOf(size: number, blocks: readonly number[]): PagedBits {
  const bits = new PagedBits();
  bits.grow(size, false);
  for (const block of blocks) bits.set(block);
  return bits;
}

test("the block of which the site has the fewest copies, of those that the one holds and the other lacks", () => {
  const blocks = fc.uniqueArray(fc.nat(99));
  fc.assert(
    fc.property(blocks, blocks, blocks, fc.nat(1_000), (held, had, others, seed) => {
      const order = testOrder(100);
      const [source, target] = [testMember("a-0", "a"), testMember("a-1", "a")];
      const third = testMember("a-2", "a");
      const sets: [Member, number[]][] = [
        [source, held],
        [target, had],
        [third, others],
      ];
      for (const [member, list] of sets) for (const block of list) order.addHeld(member, RangeSet.of(block, block + 1));
      const possible = held.filter((block) => !had.includes(block));
      const fewest = Math.min(...possible.map((block) => order.sitePresence("a", block)));
      const picked = pick(order, source, target, inSite, seed);
      if (possible.length === 0) assert.equal(picked, undefined);
      else {
        assert.ok(picked !== undefined && possible.includes(picked));
        assert.equal(order.sitePresence("a", picked), fewest);
      }
    }),
    { numRuns: 200 },
  );
});

test("between sites the block that the fewest sites have", () => {
  const order = testOrder(3);
  const [source, target] = [testMember("a-0", "a"), testMember("d-0", "d")];
  order.addHeld(source, RangeSet.of(0, 3));
  order.addHeld(testMember("b-0", "b"), RangeSet.of(0, 2));
  // Many copies in one site do not count here.
  for (let index = 1; index < 6; index += 1) order.addHeld(testMember(`a-${index}`, "a"), RangeSet.of(2, 3));
  assert.equal(pick(order, source, target, { rarity: "sites" }), 2);
});

test("only what the rule allows", () => {
  const order = testOrder(10_000);
  const [source, target] = [testMember("a-0", "a"), testMember("a-1", "a")];
  order.addHeld(source, RangeSet.of(0, 10_000));
  for (let seed = 0; seed < 20; seed += 1) {
    assert.equal(pick(order, source, target, { ...inSite, only: bitsOf(10_000, [7_777]) }, seed), 7_777);
  }
  assert.equal(pick(order, source, target, { ...inSite, only: bitsOf(10_000, []) }), undefined);
});

test("among equals any, so that targets do not all want the same", () => {
  const order = testOrder(4_096);
  const [source, target] = [testMember("a-0", "a"), testMember("a-1", "a")];
  order.addHeld(source, RangeSet.of(0, 4_096));
  const seen = new Set<number | undefined>();
  for (let seed = 0; seed < 50; seed += 1) seen.add(pick(order, source, target, inSite, seed));
  assert.ok(seen.size > 25, String(seen.size));
});

test("from the front where a reader follows", () => {
  const order = testOrder(4_096, { fromTheFront: true });
  const [source, target] = [testMember("a-0", "a"), testMember("a-1", "a")];
  order.addHeld(source, RangeSet.of(0, 4_096));
  order.addHeld(target, RangeSet.of(0, 1_000));
  // It is rarer behind, and that does not matter.
  order.addHeld(testMember("a-2", "a"), RangeSet.of(0, 4_000));
  assert.equal(pick(order, source, target, inSite), 1_000);
});

test("a portion is what is there of an aligned group", () => {
  const order = testOrder(100);
  const [source, target] = [testMember("a-0", "a"), testMember("a-1", "a")];
  order.addHeld(source, RangeSet.of(10, 90));
  order.addHeld(target, RangeSet.of(44, 46));
  const portion = (block: number, blocks: number, only?: PagedBits): number[] =>
    portionAround(order, order.holding(source), order.holding(target), block, blocks, only).toFlat();
  assert.deepEqual(portion(42, 1), [42, 43]);
  assert.deepEqual(portion(42, 8), [40, 44, 46, 48]);
  assert.deepEqual(portion(12, 8), [10, 16]);
  assert.deepEqual(portion(42, 8, bitsOf(100, [41, 42])), [41, 43]);
});

test("what is left of small groups behind comes along, where they are whole then", () => {
  const order = testOrder(4_096);
  const [source, target] = [testMember("a-0", "a"), testMember("a-1", "a")];
  order.addHeld(source, RangeSet.of(0, 4_096));
  order.removeHeld(source, RangeSet.of(9, 10));
  order.addHeld(target, RangeSet.of(0, 4_096));
  for (const lacking of [2, 8, 9, 21, 40, 41, 42, 61, 4_095]) {
    order.removeHeld(target, RangeSet.of(lacking, lacking + 1));
  }
  const portion = (only?: PagedBits): number[] =>
    portionAround(order, order.holding(source), order.holding(target), 2, 4, only).toFlat();
  // Not 8, since its source lacks 9, nor those of the group of 40, of which there are too many.
  assert.deepEqual(portion(), [2, 3, 21, 22, 61, 62]);
  assert.deepEqual(portion(bitsOf(4_096, [2, 61])), [2, 3, 61, 62]);
});

test("a portion of what is scattered has the picked block, and no more ranges than a ticket holds", () => {
  const order = testOrder(20_000);
  const [source, target] = [testMember("a-0", "a"), testMember("a-1", "a")];
  for (let block = 1; block < 20_000; block += 2) order.addHeld(source, RangeSet.of(block, block + 1));
  const portion = portionAround(order, order.holding(source), order.holding(target), 19_001, 20_000, undefined);
  assert.equal(portion.rangeCount, maximumPortionRanges);
  assert.ok(portion.has(19_001));
});
