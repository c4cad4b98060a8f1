import assert from "node:assert/strict";
import { test } from "node:test";
import { RangeSet } from "../std/ranges.ts";
import { parseTopology } from "../model/topology.ts";
import { unlimitedBitsPerSecond } from "./limits.ts";
import { Scheduler } from "./scheduler.ts";
import { addAgent, addContent, copiesIntoSite, LaneRunner, makeOrigin } from "./scheduler.testing.ts";

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
      if (lane.path.some((index) => scheduler.world.ledger.entry(index).name === entry.name)) {
        sum += lane.rateBitsPerSecond;
      }
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
  makeOrigin(scheduler, order, origin);
  for (const agent of agents) scheduler.setWants(agent, order, true);
  const runner = new LaneRunner(scheduler);
  const seconds = runner.run([order], () => checkLedger(scheduler), 30);
  const bound = (64 * mebibyte * 8) / 500e6;
  assert.ok(seconds < bound * 1.25, `${seconds} s, bound ${bound} s`);
  for (const site of ["b", "c", "d"]) {
    const copies = copiesIntoSite(runner.deliveries, site);
    assert.equal(copies.size, 64);
    assert.deepEqual([...new Set(copies.values())], [1]);
  }
  assert.equal(copiesIntoSite(runner.deliveries, "a").size, 0);
  assert.equal(scheduler.lanes.size, 0);
});

test("two file sets for different targets share an origin: neither waits for the other to finish", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const first = addContent(scheduler, "first@1", 400, mebibyte);
  const second = addContent(scheduler, "second@1", 40, mebibyte);
  const origin = addAgent(scheduler, "a-0", "a");
  const [one, two] = [addAgent(scheduler, "a-1", "a"), addAgent(scheduler, "a-2", "a")];
  for (const order of [first, second]) makeOrigin(scheduler, order, origin);
  const runner = new LaneRunner(scheduler);
  scheduler.setWants(one, first, true);
  runner.run([first], () => checkLedger(scheduler), 0.5);
  scheduler.setWants(two, second, true);
  runner.run([second], () => checkLedger(scheduler), 5);
  assert.equal(second.hungry.size, 0);
  assert.equal(first.hungry.size, 1);
});

test("a source that never sends a byte is left to its target to find, and what it was to bring comes from another", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 64, mebibyte);
  const [dead, alive] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  const targets = [addAgent(scheduler, "a-2", "a"), addAgent(scheduler, "a-3", "a")];
  for (const holder of [dead, alive]) scheduler.addHeld(holder, order, RangeSet.of(0, 64), 0);
  for (const target of targets) scheduler.setWants(target, order, true);
  const runner = new LaneRunner(scheduler);
  runner.reallyDoes.set(dead, 1);
  const closed: string[] = [];
  const seconds = runner.run(
    [order],
    () => checkLedger(scheduler),
    60,
    ({ closed: ended }) => closed.push(...ended.map(({ source }) => source.name)),
  );
  assert.equal(order.hungry.size, 0);
  assert.ok(seconds < 2.5, `${seconds} s`);
  assert.ok(!closed.includes("a-0"));
  assert.ok([...scheduler.lanes.values()].some((lane) => lane.source === dead && lane.isGivenUp));
});

test("a more urgent file set goes first where they compete", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const slow = addContent(scheduler, "slow@1", 400, mebibyte);
  const urgent = addContent(scheduler, "urgent@1", 100, mebibyte, { priority: 10 });
  const origin = addAgent(scheduler, "a-0", "a");
  const target = addAgent(scheduler, "a-1", "a");
  for (const order of [slow, urgent]) {
    makeOrigin(scheduler, order, origin);
    scheduler.setWants(target, order, true);
  }
  new LaneRunner(scheduler).run([urgent], () => checkLedger(scheduler), 10);
  assert.equal(urgent.hungry.size, 0);
  const held = slow.holdings.get(target)?.held.count ?? 0;
  assert.ok(held < 5, `${held} blocks of the less urgent one came first`);
});

test("an urgent file set that comes later overtakes one that is under way", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const slow = addContent(scheduler, "slow@1", 400, mebibyte);
  const origin = addAgent(scheduler, "a-0", "a");
  const targets = [1, 2, 3].map((index) => addAgent(scheduler, `a-${index}`, "a"));
  makeOrigin(scheduler, slow, origin);
  for (const target of targets) scheduler.setWants(target, slow, true);
  const runner = new LaneRunner(scheduler);
  runner.run([slow], () => checkLedger(scheduler), 0.5);
  const urgent = addContent(scheduler, "urgent@1", 100, mebibyte, { priority: 10, sequence: 2 });
  makeOrigin(scheduler, urgent, origin);
  for (const target of targets) scheduler.setWants(target, urgent, true);
  const seconds = runner.run([urgent], () => checkLedger(scheduler), 10);
  assert.ok(seconds < ((100 * mebibyte * 8) / 1e9) * 1.3, `${seconds} s`);
  assert.equal(slow.hungry.size, 3);
});

test("manifests go before contents, whatever their priority is among equals", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const content = addContent(scheduler, "payload@1", 100, mebibyte);
  const manifest = addContent(scheduler, "payload@2", 4, 65_536, { key: "payload@2/manifest", kind: "manifest" });
  const origin = addAgent(scheduler, "a-0", "a");
  const target = addAgent(scheduler, "a-1", "a");
  for (const order of [content, manifest]) {
    makeOrigin(scheduler, order, origin);
    scheduler.setWants(target, order, true);
  }
  const runner = new LaneRunner(scheduler);
  runner.run([content, manifest], () => checkLedger(scheduler), 10);
  assert.deepEqual(
    runner.deliveries.slice(0, 4).map(({ order }) => order.description.kind),
    ["manifest", "manifest", "manifest", "manifest"],
  );
});

test("a lane whose source loses the blocks is ended, and its blocks come from another", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 16, mebibyte);
  const [one, two, target] = [
    addAgent(scheduler, "a-0", "a"),
    addAgent(scheduler, "a-1", "a"),
    addAgent(scheduler, "a-2", "a"),
  ];
  scheduler.addHeld(one, order, RangeSet.of(0, 16), 0);
  scheduler.setWants(target, order, true);
  scheduler.decide(0);
  assert.equal(scheduler.lanes.size, 1);
  scheduler.addHeld(two, order, RangeSet.of(0, 16), 0);
  scheduler.removeHeld(one, order, RangeSet.of(0, 16));
  const decisions = scheduler.decide(1);
  assert.equal(decisions.closed.length, 1);
  // Its ends must have heard of it before another lane gets what it had.
  assert.equal(scheduler.lanes.size, 0);
  const runner = new LaneRunner(scheduler);
  runner.now = 2;
  runner.run([order], () => checkLedger(scheduler), 5);
  assert.equal(order.hungry.size, 0);
  assert.deepEqual([...new Set(runner.deliveries.map(({ lane }) => lane.source.name))], ["a-1"]);
});

test("a lane is charged until its target ends it, though what it was to bring came another way", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 1, mebibyte);
  const [origin, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  scheduler.addHeld(origin, order, RangeSet.of(0, 1), 0);
  scheduler.setWants(target, order, true);
  const [lane] = scheduler.decide(0).opened;
  assert.ok(lane);
  scheduler.addHeld(target, order, RangeSet.of(0, 1), 1_000_000);
  scheduler.decide(1_000_000);
  assert.equal(scheduler.world.ledger.entry(target.nicDown).allocated, lane.rateBitsPerSecond);
  scheduler.laneEnded(lane.laneId, false, 2_000_000);
  scheduler.decide(2_000_000);
  assert.equal(scheduler.world.ledger.entry(target.nicDown).allocated, 0);
});

test("what came earlier than its lane's rate allows counts until it is due: lanes one after the other are no burst", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 1, mebibyte);
  const [origin, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  scheduler.addHeld(origin, order, RangeSet.of(0, 1), 0);
  scheduler.setWants(target, order, true);
  const [lane] = scheduler.decide(0).opened;
  assert.ok(lane);
  const allocated = (): number => scheduler.world.ledger.entry(target.nicDown).allocated;
  const due = Math.ceil((mebibyte * 8e9 * (1_514 / 1_448)) / lane.rateBitsPerSecond);
  const early = due - 3_000_000;
  scheduler.laneMeasured(lane.laneId, mebibyte, early);
  scheduler.addHeld(target, order, RangeSet.of(0, 1), early);
  scheduler.laneEnded(lane.laneId, false, early);
  scheduler.decide(early);
  assert.equal(allocated(), lane.rateBitsPerSecond);
  scheduler.decide(due + 1);
  assert.equal(allocated(), 0);
});

test("a lane whose end is never heard of is closed when it is late, and what it had is held back for a moment", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 1, mebibyte);
  const [origin, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  scheduler.addHeld(origin, order, RangeSet.of(0, 1), 0);
  scheduler.setWants(target, order, true);
  const [lane] = scheduler.decide(0).opened;
  scheduler.addHeld(target, order, RangeSet.of(0, 1), 1_000_000);
  const late = scheduler.nextLookNanoseconds;
  assert.ok(late !== undefined && late > 8_000_000 && late < 200_000_000, String(late));
  assert.deepEqual(scheduler.decide(late).closed, [lane]);
  checkLedger(scheduler);
  assert.ok(scheduler.world.ledger.entry(target.nicDown).allocated > 0);
  scheduler.decide(late + 150_000_000);
  assert.equal(scheduler.world.ledger.entry(target.nicDown).allocated, 0);
});

test("lanes over a link that is lowered are taken down within it", () => {
  const topology = parseTopology(sites(["a", "b"], "500Mbps"));
  const scheduler = new Scheduler({ topology, seed: 1, firstLaneId: 1 });
  const order = addContent(scheduler, "payload@1", 400, mebibyte);
  const origin = addAgent(scheduler, "a-0", "a");
  const targets = [addAgent(scheduler, "b-0", "b"), addAgent(scheduler, "b-1", "b")];
  scheduler.addHeld(origin, order, RangeSet.of(0, 400), 0);
  for (const target of targets) scheduler.setWants(target, order, true);
  scheduler.decide(0);
  assert.ok(scheduler.lanes.size > 0);
  scheduler.setTopology(topology.withCapability("sites.a.uplink", 30_000_000));
  const { rerated } = scheduler.decide(1);
  assert.ok(rerated.size > 0);
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
  scheduler.addHeld(origin, order, RangeSet.of(0, 400), 0);
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
  for (const holder of [far, near]) scheduler.addHeld(holder, order, RangeSet.of(0, 40), 0);
  scheduler.world.setOutOfUse("agents.b-0", true);
  scheduler.setWants(addAgent(scheduler, "b-1", "b"), order, true);
  const seconds = new LaneRunner(scheduler).run([order], () => checkLedger(scheduler), 20);
  assert.equal(order.hungry.size, 0);
  const bound = (40 * mebibyte * 8) / 100e6;
  assert.ok(
    seconds > 2 && seconds < 2 + bound * 1.2,
    `${seconds} s: it waits a moment for the near one, bound ${bound} s`,
  );
});

test("on the agent's own host a publisher hands over three times as fast as the agent can pass on", () => {
  for (const [up, rate] of [
    ["100Mbps", 300_000_000],
    [undefined, unlimitedBitsPerSecond],
  ] as const) {
    const nic = up === undefined ? {} : { defaults: { nic: { up, down: up } } };
    const scheduler = newScheduler({ sites: { a: {} }, ...nic });
    const order = addContent(scheduler, "payload@1", 4, mebibyte);
    const receiver = addAgent(scheduler, "a-0", "a");
    const publisher = scheduler.addMember({
      ...{ id: "publisher", name: "publisher of payload@1", site: "a", kind: "publisher", receivers: new Set(["a-0"]) },
      ...{ sameHost: true, online: true, serves: "yes", fetches: false },
    });
    scheduler.addHeld(publisher, order, RangeSet.of(0, 4), 0);
    scheduler.setWants(receiver, order, true);
    const [lane] = scheduler.decide(0).opened;
    assert.equal(lane?.rateBitsPerSecond, rate);
  }
});

test("a publisher hands over again what only an agent has that is out of use", () => {
  const scheduler = newScheduler(sites(["a"], "100Mbps"));
  const order = addContent(scheduler, "payload@1", 4, mebibyte);
  const [failing, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  scheduler.addHeld(failing, order, RangeSet.of(0, 4), 0);
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
  scheduler.addHeld(publisher, order, RangeSet.of(0, 4), 0);
  scheduler.setWants(target, order, true);
  new LaneRunner(scheduler).run([order], () => checkLedger(scheduler), 5);
  assert.equal(order.hungry.size, 0);
});

test("a lane that brings nothing for far too long is ended, and its work given anew", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 4, mebibyte);
  const [origin, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  scheduler.addHeld(origin, order, RangeSet.of(0, 4), 0);
  scheduler.setWants(target, order, true);
  const [first] = scheduler.decide(0).opened;
  assert.ok(first);
  scheduler.decide(15_000_000_000);
  assert.ok(scheduler.lanes.has(first.laneId));
  assert.ok(scheduler.decide(25_000_000_000).closed.includes(first));
  scheduler.decide(26_000_000_000);
  assert.deepEqual([...new Set([...scheduler.lanes.values()].map((lane) => lane.source.name))], ["a-0"]);
});

test("what is scattered is queued in a bounded number of ranges", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 200_000, 64);
  const [origin, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  scheduler.addHeld(origin, order, RangeSet.of(0, 200_000), 0);
  const everySecond = new RangeSet();
  for (let block = 0; block < 200_000; block += 2) everySecond.add(block, block + 1);
  scheduler.addHeld(target, order, everySecond, 0);
  scheduler.setWants(target, order, true);
  const { queued } = scheduler.decide(0);
  assert.ok(queued.length > 0);
  for (const { ranges } of queued) assert.ok(ranges.rangeCount <= 1_000, String(ranges.rangeCount));
  assert.equal(Math.max(...queued.map(({ ranges }) => ranges.rangeCount)), 1_000);
});

test("an agent that is away is given nothing, and again when it is back", () => {
  const scheduler = newScheduler(sites(["a"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 4, mebibyte);
  const [origin, target] = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "a-1", "a")];
  makeOrigin(scheduler, order, origin);
  scheduler.setWants(target, order, true);
  target.online = false;
  scheduler.touch(target);
  assert.equal(scheduler.decide(0).opened.length, 0);
  target.online = true;
  scheduler.touch(target);
  assert.equal(scheduler.decide(1).opened.length, 1);
});

test("the same events and seed give the same decisions", () => {
  const run = (): string[] => {
    const scheduler = newScheduler(sites(["a", "b", "c"], "300Mbps"));
    const order = addContent(scheduler, "payload@1", 40, mebibyte);
    const agents = ["a-0", "a-1", "b-0", "b-1", "c-0", "c-1"].map((name) =>
      addAgent(scheduler, name, name.slice(0, 1)),
    );
    const [origin] = agents;
    assert.ok(origin);
    makeOrigin(scheduler, order, origin);
    for (const agent of agents) scheduler.setWants(agent, order, true);
    const runner = new LaneRunner(scheduler);
    runner.run([order], () => undefined, 30);
    return runner.deliveries.map(({ lane, block }) => `${lane.source.name} ${lane.target.name} ${String(block)}`);
  };
  assert.deepEqual(run(), run());
});

test("who waits for a file set that is paused is not rescued", () => {
  const scheduler = newScheduler(sites(["a", "b"], "500Mbps"));
  const order = addContent(scheduler, "payload@1", 8, mebibyte);
  const holders = [addAgent(scheduler, "a-0", "a"), addAgent(scheduler, "b-0", "b")];
  for (const holder of holders) scheduler.addHeld(holder, order, RangeSet.of(0, 8), 0);
  const target = addAgent(scheduler, "a-1", "a");
  // Its site has everything, and cannot give it: it would be brought there again.
  if (holders[0] !== undefined) holders[0].serves = "no";
  order.paused = true;
  scheduler.setWants(target, order, true);
  scheduler.touchAll();
  for (let now = 0; now <= 6e9; now += 50_000_000) assert.ok(scheduler.decide(now).isEmpty, `at ${now}`);
  order.paused = false;
  scheduler.touchAll();
  let opened = 0;
  for (let now = 6e9; now <= 12e9; now += 50_000_000) opened += scheduler.decide(now).opened.length;
  assert.ok(opened > 0, "it is brought there when the pause is over");
});
