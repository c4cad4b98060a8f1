import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RangeSet } from "../std/ranges.ts";
import { BlockOrder } from "./block-order.ts";
import { testMember } from "./scheduler.testing.ts";

function order(blocks: number): BlockOrder {
  const made = new BlockOrder({
    key: "index@1/content",
    fileSet: "index@1",
    kind: "content",
    priority: 0,
    sequence: 1,
    fromTheFront: false,
    bytesInRange: (start, end) => (end - start) * 1_000,
  });
  made.grow(blocks, new RangeSet());
  return made;
}

test("counts of rarity follow every change exactly", () => {
  const members = [testMember("a-0", "a"), testMember("a-1", "a"), testMember("b-0", "b")];
  const step = fc.record({
    member: fc.nat(2),
    start: fc.nat(19),
    length: fc.integer({ min: 1, max: 6 }),
    what: fc.constantFrom("addHeld", "removeHeld", "addComing", "removeComing", "drop"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const tested = order(20);
      for (const { member: index, start, length, what } of steps) {
        const member = members[index];
        if (member === undefined) continue;
        const ranges = RangeSet.of(start, Math.min(20, start + length));
        if (what === "drop") tested.drop(member);
        else tested[what](member, ranges);
        for (let block = 0; block < 20; block += 1) {
          const having = members.filter((candidate) => {
            const holding = tested.holdings.get(candidate);
            assert.ok(
              !(holding?.held.has(block) === true && holding.coming.has(block)),
              "held and coming are disjoint",
            );
            return holding?.held.has(block) === true || holding?.coming.has(block) === true;
          });
          assert.equal(tested.presence(block), having.length);
          assert.equal(tested.sitePresence("a", block), having.filter((candidate) => candidate.site === "a").length);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("an origin's copy makes its site have a block, but the block no less fresh", () => {
  const tested = order(4);
  const origin = testMember("a-0", "a");
  tested.holding(origin, false);
  tested.addHeld(origin, RangeSet.of(0, 4));
  assert.equal(tested.fresh(RangeSet.of(0, 4)).count, 4);
  assert.equal(tested.absentIn("a", RangeSet.of(0, 4)).count, 0);
  assert.equal(tested.unheard(RangeSet.of(0, 4)).count, 0);
});

test("duplicates within the file set are never missing", () => {
  const tested = order(4);
  tested.grow(6, RangeSet.of(4, 6));
  assert.deepEqual(tested.missing(testMember("a-0", "a")).toFlat(), [0, 4]);
});
