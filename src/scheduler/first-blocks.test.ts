/** What keeps the start of a distribution from stalling: who takes over is not blamed, and an idling way out goes first. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTopology } from "../model/topology.ts";
import { RangeSet } from "../std/ranges.ts";
import { isSlowSource } from "./pace.ts";
import { addAgent, addContent, LaneRunner } from "./scheduler.testing.ts";
import { Scheduler } from "./scheduler.ts";

const mebibyte = 1_048_576;
const nic = { up: "100Mbps", down: "100Mbps" };

/** An agent that passes on at a tenth of what it declares. @param takesOver from a publisher that hands over slowly */
function slowSource(takesOver: boolean): boolean {
  const scheduler = new Scheduler({
    topology: parseTopology({ sites: { a: {} }, defaults: { nic } }),
    seed: 1,
    firstLaneId: 1,
  });
  const order = addContent(scheduler, "payload@1", 64, mebibyte);
  const [source, ...targets] = ["a-0", "a-1", "a-2"].map((name) => addAgent(scheduler, name, "a"));
  assert.ok(source !== undefined);
  const runner = new LaneRunner(scheduler);
  scheduler.addHeld(source, order, RangeSet.of(0, takesOver ? 16 : 64), 0);
  scheduler.setWants(source, order, true);
  if (takesOver) {
    const publisher = scheduler.addMember({
      ...{ id: "publisher", name: "publisher of payload@1", site: "a", kind: "publisher", receivers: new Set(["a-0"]) },
      ...{ sameHost: true, online: true, serves: "yes", fetches: false },
    });
    scheduler.addHeld(publisher, order, RangeSet.of(0, 64), 0);
    runner.reallyDoes.set(publisher, 1_000_000);
  }
  for (const target of targets) scheduler.setWants(target, order, true);
  runner.reallyDoes.set(source, 10_000_000);
  runner.run([order], () => undefined, 4);
  return isSlowSource(source);
}

test("who takes over from a publisher is late with all else meanwhile, and not slow", () => {
  assert.equal(slowSource(true), false);
  assert.equal(slowSource(false), true);
});

test("a lane within a site is not filled again while a way out of it idles for what it carries", () => {
  const uplink = "50Mbps";
  const scheduler = new Scheduler({
    topology: parseTopology({
      sites: { a: { uplink, downlink: uplink }, b: { uplink, downlink: uplink } },
      defaults: { nic },
    }),
    seed: 1,
    firstLaneId: 1,
  });
  const order = addContent(scheduler, "payload@1", 512, mebibyte / 8);
  const [source, beside, far] = [
    ["a-0", "a"],
    ["a-1", "a"],
    ["b-0", "b"],
  ].map(([name = "", site = ""]) => addAgent(scheduler, name, site));
  assert.ok(source !== undefined && beside !== undefined && far !== undefined);
  // Words take so long that lanes are filled again, and last half a second.
  for (const member of [source, beside, far]) member.delay.roundTripNanoseconds = 50_000_000;
  // Only the source can give.
  beside.serves = "no";
  scheduler.addHeld(source, order, RangeSet.of(0, 512), 0);
  scheduler.setWants(beside, order, true);
  const runner = new LaneRunner(scheduler);
  runner.run([order], () => undefined, 0.005);
  assert.ok([...scheduler.lanes.values()].some(({ target }) => target === beside));
  scheduler.setWants(far, order, true);
  runner.run([order], () => undefined, 0.2);
  assert.ok([...scheduler.lanes.values()].some(({ target }) => target === far));
});
