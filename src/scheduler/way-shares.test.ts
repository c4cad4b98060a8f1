import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTopology } from "../model/topology.ts";
import { behindUntil } from "./ahead.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Lane } from "./lane.ts";
import { addAgent, addContent, LaneRunner, makeOrigin } from "./scheduler.testing.ts";
import { Scheduler } from "./scheduler.ts";
import { comingUpNanoseconds } from "./way-shares.ts";
import type { Member } from "./world.ts";

const millisecond = 1_000_000;
const way = 100 * millisecond;
const kibibyte = 1_024;

interface Stage {
  readonly scheduler: Scheduler;
  readonly order: BlockOrder;
  readonly members: ReadonlyMap<string, Member>;
}

/** Sites of four agents each with 90 Mbit/s in and out; the origin is in the first. */
function stage(sites: readonly string[], blocks: number, isFar: boolean): Stage {
  const link = { uplink: "90Mbps", downlink: "90Mbps" };
  const topology = parseTopology({
    sites: Object.fromEntries(sites.map((site) => [site, link])),
    defaults: { nic: { up: "200Mbps", down: "200Mbps" } },
  });
  const scheduler = new Scheduler({ topology, seed: 1, firstLaneId: 1 });
  const order = addContent(scheduler, "payload@1", blocks, 256 * kibibyte);
  const names = sites.flatMap((site) => [0, 1, 2, 3].map((index) => ({ site, name: `${site}-${index}` })));
  const members = new Map(names.map(({ site, name }) => [name, addAgent(scheduler, name, site)]));
  const origin = members.get(`${sites[0]}-0`) as Member;
  makeOrigin(scheduler, order, origin);
  for (const member of members.values()) if (member !== origin) scheduler.setWants(member, order, true);
  // Of all other ways nobody knows anything yet.
  for (const site of isFar ? sites.slice(1) : []) {
    scheduler.world.ways.reached(members.get(`${site}-0`) as Member, origin, way);
  }
  return { scheduler, order, members };
}

function waysOf({ scheduler }: Stage): Map<string, number> {
  const rates = new Map<string, number>();
  for (const { source, target, rateBitsPerSecond } of scheduler.lanes.values()) {
    if (source.site === target.site) continue;
    const key = `${source.site}>${target.site}`;
    rates.set(key, (rates.get(key) ?? 0) + rateBitsPerSecond);
  }
  return rates;
}

test("what an origin's uplink can do is shared by the sites that are far away; one that is near has all of it", () => {
  const far = stage(["a", "b", "c", "d"], 64, true);
  far.scheduler.decide(0);
  // The origin does not feed the ways itself while it has neighbours to feed: one lane, with its third.
  new LaneRunner(far.scheduler).run([far.order], () => undefined, 0.2);
  const shares = [...waysOf(far)].filter(([key]) => key.startsWith("a>"));
  assert.equal(shares.length, 3, JSON.stringify([...waysOf(far)]));
  for (const [key, rate] of shares) assert.ok(rate <= 30_000_000, `${key} has ${rate} bit/s`);

  const near = stage(["a", "b", "c", "d"], 64, false);
  near.scheduler.decide(0);
  assert.deepEqual(
    [...waysOf(near)].map(([, rate]) => rate),
    [90_000_000],
  );
});

test("every way between far sites is kept at its share: all links are full from the first blocks to the last", () => {
  const far = stage(["a", "b", "c", "d"], 512, true);
  const runner = new LaneRunner(far.scheduler);
  runner.run([far.order], () => undefined, 2);
  for (const [key, rate] of waysOf(far)) assert.ok(Math.abs(rate - 30_000_000) < 6_000_001, `${key} has ${rate} bit/s`);
  assert.equal(waysOf(far).size, 9);
  const seconds = 2 + runner.run([far.order], () => undefined, 60);
  const bound = (512 * 256 * kibibyte * 8 * (1_514 / 1_448)) / 90e6;
  assert.ok(seconds < bound * 1.1, `${seconds} s, where the links allow ${bound}`);
});

test("a lane over a long way gets what becomes free on it, and what it has brought counts at the new rate", () => {
  const far = stage(["a", "b", "c"], 512, true);
  const runner = new LaneRunner(far.scheduler);
  runner.run([far.order], () => undefined, 1.5);
  const [lane] = [...far.scheduler.lanes.values()].filter(
    ({ source, target }) => source.site === "a" && target.site === "b",
  );
  assert.ok(lane !== undefined);
  const before = lane.rateBitsPerSecond;
  assert.ok(before <= 45_000_000, String(before));
  // Nobody in the third site wants it any more.
  for (const member of far.members.values()) if (member.site === "c") far.scheduler.setWants(member, far.order, false);
  runner.run([far.order], () => undefined, 1);
  const rates = waysOf(far);
  assert.ok((rates.get("a>b") ?? 0) > 80_000_000, JSON.stringify([...rates]));
  for (const { openedNanoseconds } of far.scheduler.lanes.values()) assert.ok(openedNanoseconds <= runner.now);
});

test("a new connection is given the time that it takes to come up to its rate", () => {
  assert.equal(comingUpNanoseconds(1 * millisecond, 1_000_000_000), 0);
  // 100 Mbit/s over 100 ms are 1.25 MB under way: seven doublings of ten segments.
  assert.equal(comingUpNanoseconds(way, 100_000_000), 7 * way);
  assert.equal(comingUpNanoseconds(way, 100_000), 0);
});

test("a lane that is behind is not filled again before it has caught up", () => {
  const far = stage(["a", "b"], 64, true);
  new LaneRunner(far.scheduler).run([far.order], () => undefined, 0.3);
  const lane = [...far.scheduler.lanes.values()].find(({ source, target }) => source.site !== target.site) as Lane;
  assert.equal(behindUntil(lane, 0, 0, 300 * millisecond), undefined);
  const until = behindUntil(lane, 0, 0, 2_000 * millisecond) ?? 0;
  assert.ok(until > 1_000 * millisecond && until < 2_000 * millisecond, String(until));
});

test("a lane between sites that is slower than its rate is not ended for it: what is on its way is not sent again", () => {
  const far = stage(["a", "b"], 512, true);
  const runner = new LaneRunner(far.scheduler);
  runner.run([far.order], () => undefined, 1);
  const lane = [...far.scheduler.lanes.values()].find(({ source, target }) => source.site !== target.site) as Lane;
  const received = lane.receivedBytes;
  for (const seconds of [1, 2, 3, 4, 5]) {
    far.scheduler.laneMeasured(lane.laneId, received + seconds * 10_000, runner.now + seconds * 1e9);
  }
  assert.equal(far.scheduler.lanes.get(lane.laneId), lane);
  assert.ok(lane.rateBitsPerSecond < 90_000_000);
});
