import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTopology } from "../model/topology.ts";
import { extendAt, foreseeAt } from "./ahead.ts";
import { newLane, type Lane } from "./lane.ts";
import { FleetLag, lateAt } from "./pace.ts";
import { addTo } from "./scheduler.testing.ts";
import { comingUpNanoseconds } from "./way-shares.ts";
import { World, type Member } from "./world.ts";

const millisecond = 1_000_000;
const rate = 1_000_000_000;

function stage(): { world: World; near: Member; beside: Member; far: Member } {
  const world = new World(parseTopology({ sites: { a: {}, b: {} } }));
  return { world, near: addTo(world, "a-0", "a"), beside: addTo(world, "a-1", "a"), far: addTo(world, "b-0", "b") };
}

function laneOver({ world, near, far }: ReturnType<typeof stage>): Lane {
  const way = world.ways.roundTripNanoseconds(far, near);
  return newLane(1, far, near, [], rate, 0, true, way);
}

test("of the last findings on a way the quickest is believed, in both directions, and for all agents of the two sites", () => {
  const { world, near, beside, far } = stage();
  assert.equal(world.ways.roundTripNanoseconds(far, near), 0);
  world.ways.reached(far, near, 300 * millisecond);
  world.ways.reached(near, far, 100 * millisecond);
  assert.equal(world.ways.roundTripNanoseconds(beside, far), 100 * millisecond);
  for (let time = 0; time < 8; time += 1) world.ways.reached(far, near, 150 * millisecond);
  assert.equal(world.ways.roundTripNanoseconds(far, near), 150 * millisecond);
});

test("a way that nobody has gone yet is as long as the shortest one from the nearer of its two sites", () => {
  const world = new World(parseTopology({ sites: { a: {}, b: {}, c: {}, d: {} } }));
  const [a, b, c, d] = ["a", "b", "c", "d"].map((site) => addTo(world, `${site}-0`, site)) as [
    Member,
    Member,
    Member,
    Member,
  ];
  world.ways.reached(a, b, 50 * millisecond);
  assert.equal(world.ways.roundTripNanoseconds(a, c), 0);
  world.ways.reached(a, d, 20 * millisecond);
  world.ways.reached(c, b, 30 * millisecond);
  assert.equal(world.ways.roundTripNanoseconds(a, c), 20 * millisecond);
  assert.equal(world.ways.roundTripNanoseconds(c, d), 20 * millisecond);
});

test("within a site nothing is far, however busy it was when it was reached", () => {
  const { world, near, beside } = stage();
  world.ways.reached(near, beside, 500 * millisecond);
  assert.equal(world.ways.roundTripNanoseconds(near, beside), 0);
});

test("a lane over a long way is filled again before it is empty, wherever the controller is, and not foreseen", () => {
  const parts = stage();
  assert.equal(extendAt(laneOver(parts), 40 * millisecond, 0), undefined);
  parts.world.ways.reached(parts.far, parts.near, 40 * millisecond);
  for (const roundTrip of [0, 200 * millisecond]) {
    parts.near.delay.roundTripNanoseconds = roundTrip;
    const lane = laneOver(parts);
    const at = extendAt(lane, 100 * millisecond, 0) ?? Infinity;
    assert.ok(at > 0 && at < 100 * millisecond, String(at));
    assert.equal(foreseeAt(lane, 0), undefined);
    // It is matched anew now and then.
    assert.equal(extendAt(lane, 5_000 * millisecond, 0), undefined);
  }
});

test("who is far away is not late for it", () => {
  const parts = stage();
  const lag = new FleetLag();
  const before = lateAt(0, laneOver(parts), 12_500_000, lag);
  parts.world.ways.reached(parts.far, parts.near, 80 * millisecond);
  const later = lateAt(0, laneOver(parts), 12_500_000, lag) - before;
  assert.equal(later, 160 * millisecond + comingUpNanoseconds(80 * millisecond, rate));
});
