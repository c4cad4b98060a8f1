import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTopology } from "../model/topology.ts";
import type { Lane } from "./lane.ts";
import { blame, clear, downFree, FleetLag, isSlowSource, isSlowTarget, lateAt, upCapability } from "./pace.ts";
import { addAgent } from "./scheduler.testing.ts";
import { Scheduler } from "./scheduler.ts";
import type { Member } from "./world.ts";

const rate = 100_000_000;
/** What an interface brings in one second. */
const secondBytes = rate / 8;

function stage(): { scheduler: Scheduler; members: Member[]; lane: (source: number, target: number) => Lane } {
  const topology = parseTopology({ sites: { a: {} }, defaults: { nic: { up: "100Mbps", down: "100Mbps" } } });
  const scheduler = new Scheduler({ topology, seed: 1, firstLaneId: 1 });
  const members = [0, 1, 2, 3].map((index) => addAgent(scheduler, `a-${index}`, "a"));
  const lane = (source: number, target: number): Lane =>
    ({
      source: members[source],
      target: members[target],
      rateBitsPerSecond: rate,
      openedNanoseconds: 0,
      wayNanoseconds: 0,
    }) as Lane;
  return { scheduler, members, lane };
}

test("late with two who were on time with others: it is the one that both have in common", () => {
  const { scheduler, members, lane } = stage();
  const { ledger } = scheduler.world;
  const [slow, one, two] = members;
  assert.ok(slow !== undefined && one !== undefined && two !== undefined);
  for (const [source, target] of [
    [3, 1],
    [3, 2],
  ] as const) {
    clear(lane(source, target), ledger);
  }
  blame(lane(0, 1), secondBytes / 10, 1e9, ledger);
  assert.ok(isSlowSource(slow));
  assert.ok(!isSlowTarget(one) && !isSlowTarget(two));
  // A tenth of what it declares, and a quarter more to show that it can do better.
  assert.equal(upCapability(slow, ledger), rate / 8);
});

test("who had always been on time is not slow for being late once", () => {
  const { scheduler, members, lane } = stage();
  const { ledger } = scheduler.world;
  for (const target of [1, 2]) clear(lane(0, target), ledger);
  for (const target of [1, 2]) clear(lane(3, target), ledger);
  blame(lane(0, 1), secondBytes / 10, 1e9, ledger);
  assert.ok(members.every((member) => !isSlowSource(member) && !isSlowTarget(member)));
});

test("where either may be slow both are suspected, until one is on time with somebody else", () => {
  const { scheduler, members, lane } = stage();
  const { ledger } = scheduler.world;
  const [source, target] = members;
  assert.ok(source !== undefined && target !== undefined);
  for (let time = 0; time < 2; time += 1) blame(lane(0, 1), secondBytes / 10, 1e9, ledger);
  assert.ok(isSlowSource(source) && isSlowTarget(target));
  clear(lane(3, 1), ledger);
  assert.ok(isSlowSource(source) && !isSlowTarget(target));
});

test("a slow member is given more after each transfer that it does on time at all it may have, up to what it declares", () => {
  const { scheduler, members, lane } = stage();
  const { ledger } = scheduler.world;
  const [slow] = members;
  assert.ok(slow);
  clear(lane(3, 1), ledger);
  blame(lane(0, 1), secondBytes / 10, 1e9, ledger);
  const before = upCapability(slow, ledger);
  clear({ ...lane(0, 1), rateBitsPerSecond: before / 2 }, ledger);
  assert.equal(upCapability(slow, ledger), before);
  for (let transfers = 0; transfers < 12; transfers += 1) {
    clear({ ...lane(0, 1), rateBitsPerSecond: upCapability(slow, ledger) }, ledger);
  }
  assert.ok(!isSlowSource(slow));
});

test("however slow it was, a member keeps enough to show that it recovers, and what it has is counted", () => {
  const { scheduler, members, lane } = stage();
  const { ledger } = scheduler.world;
  const [, target] = members;
  assert.ok(target);
  clear(lane(0, 2), ledger);
  blame(lane(0, 1), 1, 1e12, ledger);
  assert.equal(downFree(target, ledger), rate / 50);
  ledger.allocate([target.nicDown], rate / 50);
  assert.equal(downFree(target, ledger), 0);
});

test("nobody is late for what the whole fleet takes: the lag follows most, not a few", () => {
  const { members, lane } = stage();
  const [, target] = members;
  assert.ok(target);
  const lag = new FleetLag();
  const quiet = lateAt(0, lane(0, 1), secondBytes, lag);
  for (let transfers = 0; transfers < 400; transfers += 1) lag.learn(50_000_000);
  assert.equal(lag.nanoseconds, 50_000_000);
  assert.equal(lateAt(0, lane(0, 1), secondBytes, lag), quiet + 150_000_000);
  for (let transfers = 0; transfers < 400; transfers += 1) lag.learn(transfers % 20 === 0 ? 900_000_000 : 5_000_000);
  assert.ok(lag.nanoseconds < 30_000_000, String(lag.nanoseconds));
  target.delay.roundTripNanoseconds = 10_000_000;
  assert.equal(lateAt(0, lane(0, 1), secondBytes, new FleetLag()), quiet + 20_000_000);
});

test("a short transfer is not late for what passes beside it: it tells nothing of rates", () => {
  const { lane } = stage();
  const short = { ...lane(0, 1), rateBitsPerSecond: rate } as Lane;
  short.target.delay.roundTripNanoseconds = 10_000_000;
  const lag = new FleetLag();
  // 32 KiB at 100 Mbit/s take 3 ms; a connection that is made, and a program that has just started, a tenth of a second.
  assert.ok(lateAt(0, short, 32_768, lag) > 500_000_000);
  assert.ok(lateAt(0, short, secondBytes / 10, lag) < 250_000_000);
});
