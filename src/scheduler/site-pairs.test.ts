import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import { testMember, testOrder } from "./scheduler.testing.ts";
import type { SiteView } from "./site-view.ts";
import type { Member } from "./world.ts";

const blocks = 40;
const sites = ["a", "b", "c"];

/** Of how many blocks that a counted agent of one site holds the other has none: by looking at all. */
function givenByAll(order: BlockOrder, members: readonly Member[], from: SiteView, to: SiteView): number {
  let count = 0;
  for (let block = 0; block < order.blockCount; block += 1) {
    const isHeld = members.some((member) => {
      const holding = order.holdings.get(member);
      return member.site === from.site && holding?.counts === true && holding.held.has(block);
    });
    if (isHeld && to.absent.has(block)) count += 1;
  }
  return count;
}

test("how much sites could give each other is known exactly, whatever comes and goes", () => {
  const step = fc.record({
    member: fc.nat(5),
    what: fc.constantFrom("hold", "hold", "coming", "not coming", "lose", "drop"),
    start: fc.nat(blocks - 1),
    length: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 0, max: 6 }), (steps, originAt) => {
      const order = testOrder(blocks);
      const members = [0, 1, 2, 3, 4, 5].map((index) => testMember(`m-${index}`, sites[index % 3] as string));
      const origin = members[originAt];
      if (origin !== undefined) order.holding(origin, false);
      for (const { member: index, what, start, length } of steps) {
        const member = members[index] as Member;
        const ranges = RangeSet.of(start, Math.min(blocks, start + length));
        if (what === "hold") order.addHeld(member, ranges);
        else if (what === "coming") order.addComing(member, ranges);
        else if (what === "not coming") order.removeComing(member, ranges);
        else if (what === "lose") order.removeHeld(member, ranges);
        else order.drop(member);
      }
      for (const from of order.pairs.views) {
        for (let block = 0; block < blocks; block += 1) order.noteGone(from, block);
        for (const to of order.pairs.views) {
          if (from !== to) assert.equal(order.pairs.given(from, to), givenByAll(order, members, from, to));
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("a site that comes later could be given all that others hold", () => {
  const order = testOrder(blocks);
  order.addHeld(testMember("m-0", "a"), RangeSet.of(3, 9));
  for (let index = 0; index < 40; index += 1) order.holding(testMember(`n-${index}`, `site-${index}`));
  const [first, ...others] = order.pairs.views;
  assert.ok(first !== undefined);
  for (const other of others) assert.equal(order.pairs.given(first, other), 6);
});
