import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RangeSet } from "../std/ranges.ts";
import { parseTopology } from "../model/topology.ts";
import type { BlockOrder } from "./block-order.ts";
import { defaultSchedulerSettings } from "./limits.ts";
import { Market } from "./market.ts";
import { addTo, testOrder } from "./scheduler.testing.ts";
import { World, type Member } from "./world.ts";

const topology = parseTopology({ sites: { a: {} }, defaults: { nic: { up: "100Mbps", down: "100Mbps" } } });

test("who could serve and who could take is listed, and nobody else, whatever changes", () => {
  const step = fc.record({
    member: fc.nat(5),
    what: fc.constantFrom("online", "drain", "stop", "fetches", "wants", "holds", "charge up", "charge down", "remove"),
    rate: fc.integer({ min: 1, max: 100_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const world = new World(topology);
      const market = new Market(world, defaultSchedulerSettings);
      const order = testOrder(8);
      const members = [0, 1, 2, 3, 4, 5].map((index) => addTo(world, `a-${index}`, "a"));
      for (const member of members) market.refresh(member);
      const gone = new Set<Member>();
      for (const { member: index, what, rate } of steps) {
        const member = members[index] as Member;
        if (gone.has(member)) continue;
        if (what === "online") member.online = !member.online;
        else if (what === "drain") member.serves = member.serves === "lastResort" ? "yes" : "lastResort";
        else if (what === "stop") member.serves = member.serves === "no" ? "yes" : "no";
        else if (what === "fetches") member.fetches = !member.fetches;
        else if (what === "wants") order.setWants(member, !member.needs.has(order));
        else if (what === "holds") toggleHeld(order, member);
        else if (what === "remove") gone.add(member);
        else {
          const nic = what === "charge up" ? member.nicUp : member.nicDown;
          world.ledger.release([nic], world.ledger.entry(nic).allocated);
          world.ledger.allocate([nic], rate);
        }
        if (what === "remove") market.remove(member);
        else market.refresh(member);
        checkLists(world, members, gone);
      }
    }),
    { numRuns: 100 },
  );
});

function checkLists(world: World, members: readonly Member[], gone: ReadonlySet<Member>): void {
  const { sources, targets } = world.place("a");
  for (const member of members) {
    const isThere = !gone.has(member) && member.online;
    const serves = isThere && member.serves !== "no" && member.supplies > 0;
    const hasFree = (nic: number): boolean => world.ledger.freeOn(nic) >= 50_000_000;
    assert.equal(sources.includes(member), serves && hasFree(member.nicUp));
    assert.equal(
      targets.includes(member),
      isThere && member.fetches && member.needs.size > 0 && hasFree(member.nicDown),
    );
    assert.equal(sources[member.sourceAt] === member, sources.includes(member));
    assert.equal(targets[member.targetAt] === member, targets.includes(member));
  }
}

/** Lets the member hold a block, or nothing any more. */
function toggleHeld(order: BlockOrder, member: Member): void {
  const block = RangeSet.of(0, 1);
  if (order.holding(member).held.isEmpty) order.addHeld(member, block);
  else order.removeHeld(member, block);
}
