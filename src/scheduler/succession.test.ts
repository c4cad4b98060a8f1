import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTopology } from "../model/topology.ts";
import { SeededRandom } from "../std/seeded-random.ts";
import { Decisions } from "./decisions.ts";
import type { Lane } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { defaultSchedulerSettings } from "./limits.ts";
import { addTo } from "./scheduler.testing.ts";
import { freeBetween } from "./succession.ts";
import { World, type Member } from "./world.ts";

const rate = 100_000_000;

interface Stage {
  readonly world: World;
  readonly lanes: Lanes;
  /** Two of a site a, two of a site b. */
  readonly members: readonly [Member, Member, Member, Member];
  readonly open: (source: Member, target: Member, bitsPerSecond?: number) => Lane;
  /** Fails when what is allocated is not what lanes are charged, or more than there is. */
  readonly check: () => void;
}

function stage(): Stage {
  const link = { uplink: rate, downlink: rate };
  const world = new World(parseTopology({ sites: { a: link, b: link }, defaults: { nic: { up: rate, down: rate } } }));
  const lanes = new Lanes(world, defaultSchedulerSettings, 1);
  const names = [
    ["a-0", "a"],
    ["a-1", "a"],
    ["b-0", "b"],
    ["b-1", "b"],
  ] as const;
  const [a0, a1, b0, b1] = names.map(([name, site]) => addTo(world, name, site));
  assert.ok(a0 && a1 && b0 && b1);
  const all = new Set<Lane>();
  return {
    world,
    lanes,
    members: [a0, a1, b0, b1],
    open: (source, target, bitsPerSecond = rate) => {
      const lane = lanes.open(source, target, bitsPerSecond, 0, new Decisions(), true);
      all.add(lane);
      return lane;
    },
    check: () => {
      for (const [index, entry] of world.ledger.entries().entries()) {
        let sum = lanes.heldBackOn(index);
        for (const lane of all) {
          const place = lane.path.indexOf(index);
          if (place >= 0 && !lane.isSettled) sum += lane.charges?.[place] ?? lane.rateBitsPerSecond;
        }
        assert.equal(entry.allocated, sum, entry.name);
        assert.ok(entry.allocated <= entry.capability, entry.name);
        assert.ok(world.ledger.offeredOn(index) >= 0, entry.name);
      }
    },
  };
}

test("what a lane offers before its end goes to others at the same source or target, and to nobody else", () => {
  const { world, lanes, members, open, check } = stage();
  const [a0, a1, b0, b1] = members;
  const middle = world.middle("a", "b");
  const first = open(a0, b0);
  assert.equal(freeBetween(a0, b1, middle, world.ledger), 0);
  lanes.foresee(first);
  assert.equal(freeBetween(a0, b1, middle, world.ledger), rate);
  assert.equal(freeBetween(a1, b0, middle, world.ledger), rate);
  // Neither of its ends would know when the first one is over.
  assert.equal(freeBetween(a1, b1, middle, world.ledger), 0);
  assert.throws(() => open(a1, b1), RangeError);
  check();
  const second = open(a0, b1);
  assert.deepEqual(second.predecessors, [first]);
  assert.equal(freeBetween(a0, b1, middle, world.ledger), 0);
  check();
});

test("what was claimed is charged to the earlier lane until its end, and then to the later one", () => {
  const { world, lanes, members, open, check } = stage();
  const [a0, , b0, b1] = members;
  const [uplink] = world.middle("a", "b");
  assert.ok(uplink !== undefined);
  const first = open(a0, b0);
  lanes.foresee(first);
  const second = open(a0, b1);
  const followed: Lane[] = [];
  lanes.onFollowed = (successor) => followed.push(successor);
  assert.equal(world.ledger.allocatedOn(uplink), rate);
  lanes.close(first, false);
  assert.deepEqual(followed, [second]);
  assert.equal(world.ledger.allocatedOn(uplink), rate);
  check();
  lanes.close(second, false);
  assert.equal(world.ledger.allocatedOn(uplink), 0);
  check();
});

test("news in another order than what happened changes nothing: the later lane's charge waits for the earlier one's end", () => {
  const { world, lanes, members, open, check } = stage();
  const [a0, , b0, b1] = members;
  const first = open(a0, b0);
  lanes.foresee(first);
  const second = open(a0, b1);
  lanes.foresee(second);
  const third = open(a0, b0);
  lanes.close(second, false);
  check();
  assert.equal(third.predecessors.length, 2);
  lanes.close(first, false);
  check();
  assert.equal(third.predecessors.length, 0);
  lanes.close(third, false);
  check();
  assert.ok(world.ledger.entries().every(({ allocated }) => allocated === 0));
});

test("whatever lanes do, no resource is charged more than it can carry, and nothing stays charged", () => {
  for (let seed = 1; seed <= 200; seed += 1) {
    const random = new SeededRandom(seed);
    const { world, lanes, members, open, check } = stage();
    const alive: Lane[] = [];
    for (let step = 0; step < 60; step += 1) {
      lanes.tick(step * 5_000_000);
      const lane = alive[random.nextBelow(Math.max(1, alive.length))];
      const what = random.nextBelow(6);
      if (what < 3) {
        const [source, target] = [members[random.nextBelow(4)], members[random.nextBelow(4)]];
        if (source === undefined || target === undefined || source === target) continue;
        try {
          alive.push(open(source, target, (1 + random.nextBelow(10)) * 10_000_000));
        } catch (error) {
          assert.ok(error instanceof RangeError);
        }
      } else if (lane !== undefined && what === 3) {
        if (!lane.isOffered) lanes.foresee(lane);
      } else if (lane !== undefined && what === 4) {
        lanes.setRate(lane, 1 + random.nextBelow(lane.rateBitsPerSecond), new Decisions());
      } else if (lane !== undefined) {
        alive.splice(alive.indexOf(lane), 1);
        lanes.close(lane, random.nextBelow(2) === 0);
      }
      check();
    }
    for (const lane of alive) lanes.close(lane, true);
    check();
    lanes.tick(1e12);
    check();
    assert.ok(world.ledger.entries().every(({ allocated }) => allocated === 0));
  }
});
