import assert from "node:assert/strict";
import { test } from "node:test";
import { RangeSet } from "../std/ranges.ts";
import { parseTopology } from "../model/topology.ts";
import { Scheduler } from "./scheduler.ts";
import { addAgent, addContent, runToEnd } from "./scheduler.testing.ts";

const mebibyte = 1_048_576;

function sites(names: readonly string[], uplink: string): unknown {
  return {
    sites: Object.fromEntries(names.map((name) => [name, { uplink, downlink: uplink }])),
    defaults: { nic: { up: "1Gbps", down: "1Gbps" } },
  };
}

function newScheduler(topology: unknown): Scheduler {
  return new Scheduler({ topology: parseTopology(topology), seed: 1, firstLaneId: 1 });
}

function checkLedger(scheduler: Scheduler): void {
  for (const entry of scheduler.world.ledger.entries()) {
    assert.ok(entry.allocated <= entry.capability, `${entry.name}: ${entry.allocated} of ${entry.capability}`);
    let sum = scheduler.heldBackOn(scheduler.world.ledger.resource(entry.name));
    for (const lane of scheduler.lanes.values()) {
      if (lane.path.some((index) => scheduler.world.ledger.entry(index) === entry)) sum += lane.rateBitsPerSecond;
    }
    assert.equal(entry.allocated, sum, entry.name);
  }
}

test("one origin feeds four sites: every block crosses into each other site once, within the links", () => {
  const scheduler = newScheduler(sites(["a", "b", "c", "d"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 64, mebibyte);
  const agents = ["a", "b", "c", "d"].flatMap((site) =>
    [0, 1, 2].map((index) => addAgent(scheduler, `${site}-${index}`, site)),
  );
  const [origin] = agents;
  assert.ok(origin);
  order.holding(origin, false);
  scheduler.addHeld(origin, order, RangeSet.of(0, 64));
  for (const agent of agents) scheduler.setWants(agent, order, true);
  let crossings = 0;
  const seen = new Set<unknown>();
  const seconds = runToEnd(
    scheduler,
    [order],
    () => {
      checkLedger(scheduler);
      for (const lane of scheduler.lanes.values()) {
        if (lane.source.site === lane.target.site) continue;
        for (const pending of lane.pending.values()) {
          for (const [start, end] of pending.ranges()) {
            for (let block = start; block < end; block += 1) {
              const key = `${lane.target.site}/${block}`;
              if (!seen.has(key)) crossings += 1;
              seen.add(key);
            }
          }
        }
      }
    },
    30,
  );
  const bound = (64 * mebibyte * 8) / 500e6;
  assert.ok(seconds < bound * 1.6, `${seconds} s, bound ${bound} s`);
  assert.equal(crossings, 3 * 64);
});

test("two file sets for different targets share an origin: neither waits for the other to finish", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const first = addContent(scheduler, "first@1", 400, mebibyte);
  const second = addContent(scheduler, "second@1", 40, mebibyte);
  const origin = addAgent(scheduler, "a-0", "a");
  const [one, two] = [addAgent(scheduler, "a-1", "a"), addAgent(scheduler, "a-2", "a")];
  for (const order of [first, second]) {
    order.holding(origin, false);
    scheduler.addHeld(origin, order, RangeSet.of(0, order.blockCount));
  }
  scheduler.setWants(one, first, true);
  runToEnd(scheduler, [first], () => checkLedger(scheduler), 0.5);
  scheduler.setWants(two, second, true);
  runToEnd(scheduler, [second], () => checkLedger(scheduler), 5);
  assert.equal(second.hungry.size, 0);
  assert.equal(first.hungry.size, 1);
});

test("a more urgent file set goes first where they compete", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const slow = addContent(scheduler, "slow@1", 400, mebibyte);
  const urgent = addContent(scheduler, "urgent@1", 100, mebibyte, 10);
  const origin = addAgent(scheduler, "a-0", "a");
  const target = addAgent(scheduler, "a-1", "a");
  for (const order of [slow, urgent]) {
    order.holding(origin, false);
    scheduler.addHeld(origin, order, RangeSet.of(0, order.blockCount));
    scheduler.setWants(target, order, true);
  }
  runToEnd(scheduler, [urgent], () => checkLedger(scheduler), 10);
  assert.equal(urgent.hungry.size, 0);
  const held = slow.holdings.get(target)?.held.count ?? 0;
  assert.ok(held < 100, `${held} blocks of the less urgent one came first`);
});

test("a lane whose source loses the blocks is ended, and its blocks come from another", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 16, mebibyte);
  const [one, two, target] = [
    addAgent(scheduler, "a-0", "a"),
    addAgent(scheduler, "a-1", "a"),
    addAgent(scheduler, "a-2", "a"),
  ];
  scheduler.addHeld(one, order, RangeSet.of(0, 16));
  scheduler.setWants(target, order, true);
  scheduler.decide(0);
  assert.equal(scheduler.lanes.size, 1);
  scheduler.addHeld(two, order, RangeSet.of(0, 16));
  scheduler.removeHeld(one, order, RangeSet.of(0, 16));
  const decisions = scheduler.decide(1);
  assert.equal(decisions.closed.length, 1);
  // Its ends must have heard of it before another lane gets what it had.
  assert.equal(scheduler.lanes.size, 0);
  scheduler.decide(200_000_000);
  assert.deepEqual(
    [...scheduler.lanes.values()].map((lane) => lane.source.name),
    ["a-1"],
  );
  runToEnd(scheduler, [order], () => checkLedger(scheduler), 5);
  assert.equal(order.hungry.size, 0);
});

test("lanes over a link that is lowered are taken down within it", () => {
  const topology = parseTopology(sites(["a", "b"], "500Mbps"));
  const scheduler = new Scheduler({ topology, seed: 1, firstLaneId: 1 });
  const order = addContent(scheduler, "payload@1", 400, mebibyte);
  const origin = addAgent(scheduler, "a-0", "a");
  const targets = [addAgent(scheduler, "b-0", "b"), addAgent(scheduler, "b-1", "b")];
  scheduler.addHeld(origin, order, RangeSet.of(0, 400));
  for (const target of targets) scheduler.setWants(target, order, true);
  scheduler.decide(0);
  scheduler.setTopology(topology.withCapability("sites.a.uplink", 30_000_000));
  scheduler.decide(1);
  checkLedger(scheduler);
});

test("a lane that another topology leads another way is charged there", () => {
  const plain = sites(["a", "b"], "500Mbps") as Record<string, unknown>;
  const link = {
    ...plain,
    resources: { ocean: { capability: "40Mbps" } },
    paths: [{ from: "a", to: "b", through: ["ocean"] }],
  };
  const scheduler = newScheduler(plain);
  const order = addContent(scheduler, "payload@1", 400, mebibyte);
  const origin = addAgent(scheduler, "a-0", "a");
  scheduler.addHeld(origin, order, RangeSet.of(0, 400));
  scheduler.setWants(addAgent(scheduler, "b-0", "b"), order, true);
  scheduler.decide(0);
  scheduler.setTopology(parseTopology(link));
  scheduler.decide(1);
  checkLedger(scheduler);
  assert.equal(
    scheduler.world.ledger.entries().find((entry) => entry.name === "resources.ocean")?.allocated,
    40_000_000,
  );
});

test("what a site's own holder cannot serve is brought into the site once more, over a scarce link too", () => {
  const scheduler = newScheduler(sites(["a", "b"], "100Mbps"));
  const order = addContent(scheduler, "payload@1", 40, mebibyte);
  const [far, near] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "b-0", "b")];
  for (const holder of [far, near]) scheduler.addHeld(holder, order, RangeSet.of(0, 40));
  scheduler.world.setOutOfUse("agents.b-0", true);
  scheduler.setWants(addAgent(scheduler, "b-1", "b"), order, true);
  const seconds = runToEnd(scheduler, [order], () => checkLedger(scheduler), 20);
  assert.equal(order.hungry.size, 0);
  const bound = (40 * mebibyte * 8) / 100e6;
  assert.ok(
    seconds > 2 && seconds < 2 + bound * 1.2,
    `${seconds} s: it waits a moment for the near one, bound ${bound} s`,
  );
});

test("a publisher hands over again what only an agent has that is out of use", () => {
  const scheduler = newScheduler(sites(["a"], "100Mbps"));
  const order = addContent(scheduler, "payload@1", 4, mebibyte);
  const [failing, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  scheduler.addHeld(failing, order, RangeSet.of(0, 4));
  scheduler.world.setOutOfUse("agents.a-0", true);
  const publisher = scheduler.addMember({
    id: "publisher",
    name: "publisher of payload@1",
    site: undefined,
    kind: "publisher",
    receivers: new Set(["a-0", "a-1"]),
    sameHost: false,
    online: true,
    serves: "yes",
    fetches: false,
  });
  scheduler.addHeld(publisher, order, RangeSet.of(0, 4));
  scheduler.setWants(target, order, true);
  runToEnd(scheduler, [order], () => checkLedger(scheduler), 5);
  assert.equal(order.hungry.size, 0);
});

test("a lane that brings nothing for far too long is ended, and its work given anew", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 4, mebibyte);
  const [origin, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  scheduler.addHeld(origin, order, RangeSet.of(0, 4));
  scheduler.setWants(target, order, true);
  const [first] = scheduler.decide(0).opened;
  assert.ok(first);
  scheduler.decide(15_000_000_000);
  assert.ok(scheduler.lanes.has(first.laneId));
  assert.deepEqual(scheduler.decide(25_000_000_000).closed, [first]);
  scheduler.decide(26_000_000_000);
  assert.deepEqual(
    [...scheduler.lanes.values()].map((lane) => lane.source.name),
    ["a-0"],
  );
});

test("what is scattered is queued in a bounded number of ranges", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 20_000, 64);
  const [origin, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  scheduler.addHeld(origin, order, RangeSet.of(0, 20_000));
  const everySecond = new RangeSet();
  for (let block = 0; block < 20_000; block += 2) everySecond.add(block, block + 1);
  scheduler.addHeld(target, order, everySecond);
  scheduler.setWants(target, order, true);
  const { queued } = scheduler.decide(0);
  assert.deepEqual(
    queued.map(({ ranges }) => ranges.rangeCount),
    [1_000],
  );
});
