import assert from "node:assert/strict";
import { test } from "node:test";
import { RangeSet } from "../std/ranges.ts";
import { parseTopology } from "../model/topology.ts";
import { addTo, testOrder } from "./scheduler.testing.ts";
import { waysShare } from "./what-binds.ts";
import { World } from "./world.ts";

/** Sites a, b, ... of two agents each, with 1 Gbit/s interfaces; the first agent of a is the origin. */
function shareWith(sites: number, uplink: string, downlink = uplink): number {
  const names = ["a", "b", "c", "d", "e"].slice(0, sites);
  const world = new World(
    parseTopology({
      sites: Object.fromEntries(names.map((name) => [name, { uplink, downlink }])),
      defaults: { nic: { up: "1Gbps", down: "1Gbps" } },
    }),
  );
  const order = testOrder(16);
  for (const name of names) {
    for (const index of [0, 1]) {
      const member = addTo(world, `${name}-${index}`, name);
      order.holding(member, name !== "a" || index !== 0);
      order.setWants(member, true);
      if (name === "a" && index === 0) order.addHeld(member, RangeSet.of(0, 16));
    }
  }
  return waysShare(order, world);
}

test("a way half as wide as an interface takes twice as long", () => {
  assert.equal(shareWith(2, "500Mbps"), 2);
});

test("wide ways do not bind", () => {
  assert.ok(Math.abs(shareWith(3, "10Gbps") - 0.1) < 1e-9);
});

test("the narrowest cut counts: into each site, or out of all of them together", () => {
  assert.equal(shareWith(2, "10Gbps", "250Mbps"), 4);
  // Four sites more need a copy each; all five uplinks can send five at once.
  assert.equal(shareWith(5, "500Mbps", "10Gbps"), 2);
});

test("where there is but one site no way is used", () => {
  assert.equal(shareWith(1, "1Mbps"), 0);
});
