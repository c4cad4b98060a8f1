/** What only agents that are away hold comes into their site again, and counts once more when they are back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTopology } from "../model/topology.ts";
import { RangeSet } from "../std/ranges.ts";
import { countedNanoseconds } from "./absences.ts";
import type { BlockOrder } from "./block-order.ts";
import { addAgent, addContent, copiesIntoSite, LaneRunner, makeOrigin } from "./scheduler.testing.ts";
import { Scheduler } from "./scheduler.ts";
import type { Member } from "./world.ts";

const mebibyte = 1_048_576;
const blocks = 64;
/** What only the one that goes away has. */
const sole = 7;

interface Fleet {
  readonly scheduler: Scheduler;
  readonly order: BlockOrder;
  readonly leaving: Member;
  readonly runner: LaneRunner;
}

/** An origin in one site; of two agents in the other one holds a few blocks, and the rest is to come to both. */
function newFleet(): Fleet {
  const uplink = "100Mbps";
  const scheduler = new Scheduler({
    topology: parseTopology({
      sites: { a: { uplink, downlink: uplink }, b: { uplink, downlink: uplink } },
      defaults: { nic: { up: "400Mbps", down: "400Mbps" } },
    }),
    seed: 1,
    firstLaneId: 1,
  });
  const order = addContent(scheduler, "payload@1", blocks, mebibyte);
  makeOrigin(scheduler, order, addAgent(scheduler, "a-0", "a"));
  const [leaving, staying] = [addAgent(scheduler, "b-0", "b"), addAgent(scheduler, "b-1", "b")];
  scheduler.addHeld(leaving, order, RangeSet.of(0, sole), 0);
  scheduler.setOnline(leaving, false, 0);
  scheduler.setWants(staying, order, true);
  return { scheduler, order, leaving, runner: new LaneRunner(scheduler) };
}

test("what only an agent that is away holds comes with the rest, not after it", () => {
  const { order, runner } = newFleet();
  const seconds = runner.run([order], () => undefined, 60);
  assert.equal(order.hungry.size, 0);
  // 64 MiB over an uplink of 100 Mbit/s.
  assert.ok(seconds < 1.05 * 5.37, `${seconds} s`);
});

test("what it holds counts again when it is back, and leaves with it when it is forgotten", () => {
  const { scheduler, order, leaving, runner } = newFleet();
  const isThere = (): boolean => order.views.get("b")?.has(0) === true && order.siteCounts[0] === 2;
  runner.run([order], () => undefined, countedNanoseconds / 2e9);
  assert.ok(isThere(), "it may be back in a moment");
  // Until then the other one has brought nothing of that.
  const before = copiesIntoSite(runner.deliveries, "b");
  for (let block = 0; block < sole; block += 1) assert.ok(!before.has(block));
  scheduler.decide(runner.now + countedNanoseconds);
  scheduler.setOnline(leaving, true, runner.now + countedNanoseconds);
  assert.ok(isThere());
  assert.equal(order.presence(0), 1);
  scheduler.setOnline(leaving, false, runner.now + countedNanoseconds);
  scheduler.decide(runner.now + 2 * countedNanoseconds);
  assert.equal(order.presence(0), 0);
  assert.ok(!isThere());
  scheduler.removeMember(leaving);
  assert.equal(order.presence(0), 0);
  assert.equal(order.siteCounts[0], 1);
});
