import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "../std/seeded-random.ts";
import { parseTopology } from "../model/topology.ts";
import { defaultSchedulerSettings } from "./limits.ts";
import { drawSource, drawTarget, Market } from "./market.ts";
import { addTo, testOrder } from "./scheduler.testing.ts";
import { World, type Member } from "./world.ts";

const topology = parseTopology({ sites: { a: {} }, defaults: { nic: { up: "100Mbps", down: "100Mbps" } } });

test("who could serve and who could take is listed, and nobody else, whatever changes", () => {
  const step = fc.record({
    member: fc.nat(5),
    what: fc.constantFrom("online", "drain", "stop", "fetches", "wants", "charge up", "charge down", "remove"),
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
    const hasFree = (nic: number): boolean => world.ledger.freeOn(nic) >= 50_000_000;
    assert.equal(sources.includes(member), isThere && member.serves !== "no" && hasFree(member.nicUp));
    assert.equal(
      targets.includes(member),
      isThere && member.fetches && member.needs.size > 0 && hasFree(member.nicDown),
    );
    assert.equal(sources[member.sourceAt] === member, sources.includes(member));
    assert.equal(targets[member.targetAt] === member, targets.includes(member));
  }
}

test("drawing with 0, 1, 2 ... gives each member once, and all stay in their lists", () => {
  const world = new World(topology);
  const members = [0, 1, 2, 3, 4].map((index) => addTo(world, `a-${index}`, "a"));
  const order = testOrder(8);
  const market = new Market(world, defaultSchedulerSettings);
  for (const member of members) {
    order.setWants(member, true);
    market.refresh(member);
  }
  const random = new SeededRandom(1);
  const { sources, targets } = world.place("a");
  for (const draw of [
    (from: number, index: number) => drawSource(sources, from, index),
    (from: number, index: number) => drawTarget(targets, from, index),
  ]) {
    const drawn = members.map((_, from) => draw(from, from + (from === 4 ? 0 : random.nextBelow(5 - from))));
    assert.deepEqual(new Set(drawn), new Set(members));
  }
  checkLists(world, members, new Set());
});
