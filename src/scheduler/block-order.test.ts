import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import { testMember, testOrder } from "./scheduler.testing.ts";
import type { Member } from "./world.ts";

/** What a member holds and is being sent, kept in the plainest way. */
interface Model {
  readonly held: Set<number>;
  readonly coming: Set<number>;
  wants: boolean;
  counts: boolean;
}

const emptyModel = (): Model => ({ held: new Set(), coming: new Set(), wants: false, counts: true });

test("who holds everything from the start is an origin, and its copy is not counted; who was sent it is none", () => {
  const order = testOrder(4);
  const [whole, sent] = [testMember("whole", "a"), testMember("sent", "b")];
  order.becomeOrigin(order.holding(whole));
  order.addHeld(whole, RangeSet.of(0, 4));
  assert.equal(order.freshBlocks.count, 4);
  assert.deepEqual(order.origins, [whole]);
  order.addComing(sent, RangeSet.of(0, 4));
  order.becomeOrigin(order.holding(sent));
  assert.deepEqual(order.origins, [whole]);
  assert.equal(order.freshBlocks.count, 0);
});

/** Checks everything that the order counts against what the models say. */
function compare(order: BlockOrder, models: ReadonlyMap<Member, Model>, homes: ReadonlySet<string>): void {
  const having = (block: number): Member[] =>
    [...models].filter(([, { held, coming }]) => held.has(block) || coming.has(block)).map(([member]) => member);
  for (let block = 0; block < order.blockCount; block += 1) {
    if (order.duplicates.has(block)) continue;
    const members = having(block);
    const sites = new Set(members.map(({ site }) => site));
    const outside = [...sites].filter((site) => !homes.has(site ?? ""));
    const counted = members.filter((member) => models.get(member)?.counts);
    assert.equal(order.presence(block), counted.length);
    assert.equal(order.freshBlocks.has(block), counted.length === 0);
    assert.equal(order.siteCounts[block], sites.size);
    assert.equal(order.outsideCounts[block], outside.length);
    assert.equal(order.onlyHome.has(block), outside.length === 0);
    for (const { site, counts, absent } of order.views.values()) {
      assert.equal(counts.at(block), members.filter((member) => member.site === site).length);
      assert.equal(absent.has(block), !sites.has(site));
    }
    assert.equal(order.unheard(RangeSet.of(block, block + 1)).isEmpty, members.length > 0);
  }
  for (const [member, { held, coming, wants }] of models) {
    const known = order.holdings.get(member);
    if (known === undefined) continue;
    for (let block = 0; block < order.blockCount; block += 1) {
      assert.equal(known.held.has(block), held.has(block));
      const has = held.has(block) || coming.has(block) || order.duplicates.has(block);
      assert.equal(known.have.has(block), has);
      assert.equal(order.missing(member).has(block), !has);
    }
    assert.equal(order.hungry.has(member), wants && held.size < order.blockCount);
    assert.equal(member.needs.has(order), wants && !order.missing(member).isEmpty);
  }
}

test("counts of rarity, of sites and of hunger follow every change exactly", () => {
  const step = fc.record({
    member: fc.nat(4),
    start: fc.nat(29),
    length: fc.integer({ min: 1, max: 8 }),
    what: fc.constantFrom("addHeld", "removeHeld", "addComing", "removeComing", "drop", "want", "origin", "grow"),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const members = ["a-0", "a-1", "b-0", "b-1", "c-0"].map((name) => testMember(name, name.slice(0, 1)));
      const models = new Map(members.map((member) => [member, emptyModel()]));
      const homes = new Set<string>();
      const order = testOrder(20);
      for (const { member: index, start, length, what } of steps) {
        const member = members[index] as Member;
        const model = models.get(member) as Model;
        const blocks = RangeSet.of(Math.min(start, order.blockCount - 1), Math.min(order.blockCount, start + length));
        apply(order, member, model, blocks, what, homes);
        compare(order, models, homes);
      }
    }),
    { numRuns: 100 },
  );
});

function apply(
  order: BlockOrder,
  member: Member,
  model: Model,
  blocks: RangeSet,
  what: string,
  homes: Set<string>,
): void {
  switch (what) {
    case "grow": {
      const before = order.blockCount;
      order.grow(before + blocks.count, blocks.count > 3 ? RangeSet.of(before, before + 1) : new RangeSet());
      return;
    }
    case "want":
      model.wants = !model.wants;
      order.setWants(member, model.wants);
      return;
    case "origin":
      if (order.holdings.has(member)) return;
      order.holding(member, false);
      model.counts = false;
      homes.add(member.site ?? "");
      return;
    case "drop":
      order.drop(member);
      model.held.clear();
      model.coming.clear();
      model.wants = false;
      model.counts = true;
      return;
    default:
      order[what as "addHeld" | "removeHeld" | "addComing" | "removeComing"](member, blocks);
  }
  blocks.forEach((start, end) => {
    for (let block = start; block < end; block += 1) {
      if (what === "addHeld") {
        model.held.add(block);
        model.coming.delete(block);
      } else if (what === "removeHeld") model.held.delete(block);
      else if (what === "removeComing") model.coming.delete(block);
      else if (!model.held.has(block) && !order.duplicates.has(block)) model.coming.add(block);
    }
  });
}

test("an origin's copy makes its site have a block, but the block no less fresh", () => {
  const order = testOrder(4);
  const origin = testMember("a-0", "a");
  order.holding(origin, false);
  order.addHeld(origin, RangeSet.of(0, 4));
  assert.equal(order.freshBlocks.count, 4);
  assert.equal(order.onlyHome.count, 4);
  assert.equal(order.views.get("a")?.absent.count, 0);
  assert.equal(order.unheard(RangeSet.of(0, 4)).count, 0);
});

test("the site that first has a block of a home's is noted, once", () => {
  const order = testOrder(4);
  const [origin, first, second] = [testMember("a-0", "a"), testMember("b-0", "b"), testMember("c-0", "c")];
  order.holding(origin, false);
  order.addHeld(origin, RangeSet.of(0, 4));
  order.addComing(first, RangeSet.of(0, 3));
  order.addComing(second, RangeSet.of(2, 4));
  assert.equal(order.views.get("b")?.firstCopies, 3);
  assert.equal(order.views.get("c")?.firstCopies, 1);
});

test("duplicates within the file set are never missing, and nobody has to have them", () => {
  const order = testOrder(4);
  const target = testMember("a-0", "a");
  order.setWants(target, true);
  order.grow(6, RangeSet.of(4, 6));
  assert.deepEqual(order.missing(target).toFlat(), [0, 4]);
  order.addComing(target, RangeSet.of(0, 4));
  assert.ok(order.hungry.has(target));
  assert.ok(!target.needs.has(order));
  assert.equal(order.freshBlocks.count, 0);
});

test("an order never shrinks", () => {
  assert.throws(() => testOrder(4).grow(3, new RangeSet()), RangeError);
});
