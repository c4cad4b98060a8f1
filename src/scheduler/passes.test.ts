/** What the passes of a decision, taken together, promise: seen in whole distributions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RangeSet } from "../std/ranges.ts";
import { parseTopology } from "../model/topology.ts";
import type { BlockOrder } from "./block-order.ts";
import { Scheduler } from "./scheduler.ts";
import { addAgent, addContent, copiesIntoSite, LaneRunner, makeOrigin } from "./scheduler.testing.ts";
import type { Member } from "./world.ts";

const mebibyte = 1_048_576;
/** One block over a whole interface. */
const blockSeconds = (mebibyte * 8) / 1e9;

/** Sites with so many agents each, 1 Gbit/s interfaces; the first agent of the first site is the origin of all blocks. */
function stage(
  sizes: Readonly<Record<string, number>>,
  blocks: number,
  link?: unknown,
): { scheduler: Scheduler; order: BlockOrder; agents: Map<string, Member>; runner: LaneRunner } {
  const sites = Object.fromEntries(Object.keys(sizes).map((name) => [name, link ?? {}]));
  const topology = parseTopology({ sites, defaults: { nic: { up: "1Gbps", down: "1Gbps" } } });
  const scheduler = new Scheduler({ topology, seed: 1, firstLaneId: 1 });
  const order = addContent(scheduler, "payload@1", blocks, mebibyte);
  const agents = new Map<string, Member>();
  for (const [site, count] of Object.entries(sizes)) {
    for (let index = 0; index < count; index += 1) {
      const agent = addAgent(scheduler, `${site}-${index}`, site);
      agents.set(agent.name, agent);
    }
  }
  const [origin] = agents.values();
  assert.ok(origin);
  makeOrigin(scheduler, order, origin);
  for (const agent of agents.values()) scheduler.setWants(agent, order, true);
  return { scheduler, order, agents, runner: new LaneRunner(scheduler) };
}

const nothing = (): void => undefined;

test("within a site all interfaces are at work: near the optimum of M - 1 + log2(N + 1) block times", () => {
  const { order, runner } = stage({ a: 16 }, 128);
  const seconds = runner.run([order], nothing, 60);
  const optimum = (128 - 1 + Math.ceil(Math.log2(16))) * blockSeconds;
  assert.ok(seconds < optimum * 1.06, `${seconds / optimum} times the optimum`);
});

test("an origin gives what nobody has, until everything is with somebody", () => {
  const { order, runner } = stage({ a: 8 }, 64);
  runner.run([order], nothing, 60);
  const given = runner.deliveries.filter(({ lane }) => lane.source.name === "a-0").slice(0, 64);
  assert.equal(new Set(given.map(({ block }) => block)).size, 64);
});

test("an origin whose uplink is no exact half of its interface feeds its neighbours, and they the uplink", () => {
  const { order, runner } = stage({ a: 4, b: 4 }, 128, { uplink: "700Mbps", downlink: "700Mbps" });
  const seconds = runner.run([order], nothing, 60);
  const bound = (128 * mebibyte * 8) / 700e6;
  assert.ok(seconds < bound * 1.15, `${seconds / bound} times the bound`);
  const crossing = runner.deliveries.filter(({ lane }) => lane.target.site === "b" && lane.source.site === "a");
  assert.ok(crossing.filter(({ lane }) => lane.source.name !== "a-0").length > 64);
  assert.deepEqual([...new Set(copiesIntoSite(runner.deliveries, "b").values())], [1]);
});

test("over ways that do not bind a target that would idle is served from another site", () => {
  const { order, runner } = stage({ a: 2, b: 4 }, 64, { uplink: "20Gbps", downlink: "20Gbps" });
  const seconds = runner.run([order], nothing, 60);
  const optimum = (64 - 1 + Math.ceil(Math.log2(6))) * blockSeconds;
  assert.ok(seconds < optimum * 1.15, `${seconds / optimum} times the optimum`);
});

test("a source that is far slower than it declares is asked for little while another holds the same", () => {
  const { scheduler, order, agents, runner } = stage({ a: 4 }, 96);
  const [slow] = [agents.get("a-1")];
  assert.ok(slow);
  scheduler.addHeld(slow, order, RangeSet.of(0, 96), 0);
  runner.reallyDoes.set(slow, 20_000_000);
  const seconds = runner.run([order], nothing, 60);
  const fromSlow = runner.deliveries.filter(({ lane }) => lane.source === slow).length;
  assert.ok(fromSlow < 12, `${fromSlow} of ${runner.deliveries.length}`);
  assert.ok(seconds < 96 * blockSeconds * 2, `${seconds} s`);
});

test("a drained agent serves only what nobody else holds", () => {
  const { scheduler, order, agents, runner } = stage({ a: 3 }, 32);
  const [origin, drained, target] = [agents.get("a-0"), agents.get("a-1"), agents.get("a-2")];
  assert.ok(origin !== undefined && drained !== undefined && target !== undefined);
  scheduler.addHeld(drained, order, RangeSet.of(0, 32), 0);
  scheduler.removeHeld(origin, order, RangeSet.of(30, 32));
  scheduler.setWants(origin, order, false);
  drained.serves = "lastResort";
  scheduler.touchAll();
  runner.run([order], nothing, 60);
  assert.equal(order.hungry.size, 0);
  const lastResort = runner.deliveries.filter(({ lane }) => lane.source === drained).map(({ block }) => block);
  assert.deepEqual(
    lastResort.sort((a, b) => a - b),
    [30, 31],
  );
});

test("what only a drained agent of a site holds there comes from another site that holds it too", () => {
  const { scheduler, order, agents, runner } = stage({ a: 1, b: 2 }, 8, { uplink: "500Mbps", downlink: "500Mbps" });
  const [elsewhere, drained] = [agents.get("a-0"), agents.get("b-0")];
  assert.ok(elsewhere !== undefined && drained !== undefined);
  scheduler.addHeld(drained, order, RangeSet.of(0, 8), 0);
  drained.serves = "lastResort";
  scheduler.touchAll();
  runner.run([order], nothing, 60);
  assert.deepEqual(new Set(runner.deliveries.map(({ lane }) => lane.source)), new Set([elsewhere]));
});

test("nobody starves: who waits gets a share of an interface that one long transfer holds", () => {
  const topology = parseTopology({ sites: { a: {} }, defaults: { nic: { up: "1Gbps", down: "1Gbps" } } });
  const scheduler = new Scheduler({ topology, seed: 1, firstLaneId: 1 });
  const order = addContent(scheduler, "payload@1", 4, 1_024 * mebibyte);
  const origin = addAgent(scheduler, "a-0", "a");
  const [first, second] = [addAgent(scheduler, "a-1", "a"), addAgent(scheduler, "a-2", "a")];
  makeOrigin(scheduler, order, origin);
  scheduler.setWants(first, order, true);
  const runner = new LaneRunner(scheduler);
  runner.run([order], nothing, 0.1);
  assert.equal(first.lanesIn.length, 1);
  scheduler.setWants(second, order, true);
  runner.run([order], nothing, 1.5);
  assert.ok([...second.lanesIn].some((lane) => lane.rateBitsPerSecond >= 200_000_000));
});

test("of two file sets of one priority neither holds the other up in any site", () => {
  const { scheduler, order, agents, runner } = stage({ a: 3, b: 3 }, 64, { uplink: "500Mbps", downlink: "500Mbps" });
  const other = addContent(scheduler, "other@1", 64, mebibyte, { sequence: 2 });
  const [origin] = agents.values();
  assert.ok(origin);
  makeOrigin(scheduler, other, origin);
  for (const agent of agents.values()) scheduler.setWants(agent, other, true);
  const seconds = runner.run([order, other], nothing, 60);
  const bound = (2 * 64 * mebibyte * 8) / 500e6;
  assert.ok(seconds < bound * 1.2, `${seconds / bound} times the bound`);
});
