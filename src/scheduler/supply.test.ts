import assert from "node:assert/strict";
import { test } from "node:test";
import { RangeSet } from "../std/ranges.ts";
import { parseTopology } from "../model/topology.ts";
import type { BlockOrder } from "./block-order.ts";
import { addTo, testOrder } from "./scheduler.testing.ts";
import type { SiteView } from "./site-view.ts";
import { hasSomethingFor, Supply } from "./supply.ts";
import { World } from "./world.ts";

/** One agent in each site, holding the blocks given; that of `home` is the origin. */
function stage(held: Readonly<Record<string, [number, number]>>, home?: string): { world: World; order: BlockOrder } {
  const world = new World(parseTopology({}));
  const order = testOrder(12);
  for (const [site, [start, end]] of Object.entries(held)) {
    const member = addTo(world, `${site}-0`, site);
    order.holding(member, site !== home);
    if (end > start) order.addHeld(member, RangeSet.of(start, end));
  }
  return { world, order };
}

const viewOf = (order: BlockOrder, site: string): SiteView => order.views.get(site) as SiteView;

test("a site has something for another when it has what that lacks", () => {
  const { order } = stage({ a: [0, 6], b: [0, 8], c: [0, 0] });
  assert.ok(!hasSomethingFor(order, viewOf(order, "a"), viewOf(order, "b")));
  assert.ok(hasSomethingFor(order, viewOf(order, "b"), viewOf(order, "a")));
  assert.ok(hasSomethingFor(order, viewOf(order, "a"), viewOf(order, "c")));
  assert.ok(!hasSomethingFor(order, viewOf(order, "c"), viewOf(order, "a")));
});

test("a home gives out only what is nowhere else, until all is out", () => {
  const { order } = stage({ a: [0, 12], b: [0, 6], c: [6, 10] }, "a");
  // Blocks 10 and 11 are still only at home.
  assert.ok(hasSomethingFor(order, viewOf(order, "a"), viewOf(order, "b")));
  const { order: allOut } = stage({ a: [0, 12], b: [0, 6], c: [6, 12] }, "a");
  assert.ok(hasSomethingFor(allOut, viewOf(allOut, "a"), viewOf(allOut, "b")));
  const { order: copied } = stage({ a: [0, 11], b: [0, 11], c: [0, 0], d: [11, 12] }, "a");
  copied.onlyHome.set(11);
  assert.ok(!hasSomethingFor(copied, viewOf(copied, "a"), viewOf(copied, "c")));
});

test("who is the only one that can serve a site is depended on by all of it, by others less", () => {
  // Only b has what c lacks; both have what d lacks.
  const { world, order } = stage({ a: [0, 6], b: [0, 12], c: [0, 6], d: [0, 0] });
  const supply = new Supply(world);
  supply.refresh([order]);
  const [a, b] = [world.place("a"), world.place("b")];
  const d = viewOf(order, "d");
  assert.ok(supply.dependenceBeside(b, d) > supply.dependenceBeside(a, d));
  assert.equal(supply.dependenceBeside(a, d), 0);
});
