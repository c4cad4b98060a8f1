import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseTopology } from "../model/topology-parser.ts";
import { RangeSet } from "../std/ranges.ts";
import { equalBlocks, type BoundAgent, type BoundFileSet, type BoundInput } from "./bound-input.ts";
import { cutBound } from "./cut-bound.ts";

const megabyte = 1_000_000;

function agentsOf(sites: Readonly<Record<string, number>>): BoundAgent[] {
  return Object.entries(sites).flatMap(([site, count]) =>
    Array.from({ length: count }, (_, member) => ({ name: `${site}-${String(member)}`, site })),
  );
}

function input(topology: unknown, sites: Readonly<Record<string, number>>, fileSet: Partial<BoundFileSet>): BoundInput {
  const agents = agentsOf(sites);
  const full: BoundFileSet = {
    startSeconds: 0,
    blocks: equalBlocks(100 * megabyte, megabyte),
    origins: ["a-0"],
    targets: agents.map(({ name }) => name),
    relays: "targets",
    ...fileSet,
  };
  return { agents, epochs: [{ fromSeconds: 0, topology: parseTopology(topology) }], fileSets: [full] };
}

function isNear(actual: number, expected: number): void {
  assert.ok(
    Math.abs(actual - expected) <= 1e-9 * Math.max(1, expected),
    `${String(actual)} is not ${String(expected)}`,
  );
}

test("equal peers: (F / u)(1 + floor(log2 N) / M), as Mundinger, Weber and Weiss have it", () => {
  const topology = { sites: { a: {} }, defaults: { nic: { up: "1Gbps", down: "1Gbps" } } };
  for (const [peers, log] of [
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [16, 4],
    [100, 6],
    [1_000, 9],
  ] as const) {
    const bound = cutBound(input(topology, { a: peers + 1 }, { blocks: equalBlocks(256 * megabyte, megabyte) }));
    isNear(bound.seconds, (256 + log) * 0.008);
  }
});

test("unequal peers: max(F / u of the source, F / least d, N F / (u of the source + sum of u)), as Kumar and Ross have it", () => {
  const megabits = fc.integer({ min: 1, max: 100 });
  const peer = fc.record({ up: megabits, down: megabits });
  fc.assert(
    fc.property(megabits, fc.array(peer, { minLength: 1, maxLength: 6 }), (sourceUp, peers) => {
      const agents = Object.fromEntries([
        ["a-0", { nic: { up: `${String(sourceUp)}Mbps` } }],
        ...peers.map(({ up, down }, index) => [
          `a-${String(index + 1)}`,
          { nic: { up: `${String(up)}Mbps`, down: `${String(down)}Mbps` } },
        ]),
      ]);
      const fine = { blocks: equalBlocks(100 * megabyte, 1) };
      const bound = cutBound(input({ sites: { a: {} }, agents }, { a: peers.length + 1 }, fine));
      const bits = 800;
      const uploads = peers.reduce((sum, { up }) => sum + up, sourceUp);
      const formula = Math.max(
        bits / sourceUp,
        bits / Math.min(...peers.map(({ down }) => down)),
        (peers.length * bits) / uploads,
      );
      assert.ok(bound.seconds >= formula * (1 - 1e-9));
      // What the last byte's way adds is nothing.
      assert.ok(bound.seconds <= formula * (1 + 1e-6));
    }),
    { seed: 1, numRuns: 100 },
  );
});

const twoSites = {
  sites: { a: { uplink: "100Mbps" }, b: { downlink: "50Mbps" }, c: { uplink: "10Mbps" } },
  defaults: { nic: { up: "1Gbps", down: "1Gbps" } },
};

test("sites: what must leave the origin's, what must enter each, and all of it over all ways out", () => {
  const intoB = cutBound(input(twoSites, { a: 1, b: 2 }, {}));
  isNear(intoB.seconds, 16);
  assert.deepEqual([intoB.kind, intoB.where], ["into sites", "b"]);
  // From a and c only 110 Mbit/s can leave together, and two sites need it: b has no limit on its way out.
  const topology = {
    ...twoSites,
    sites: { a: { uplink: "100Mbps" }, b: { uplink: "20Mbps" }, c: { uplink: "10Mbps" } },
  };
  const between = cutBound(input(topology, { a: 1, b: 1, c: 1 }, {}));
  isNear(between.seconds, 1_600 / 130);
  assert.equal(between.kind, "between sites");
});

test("links by name: every group of sites is a cut", () => {
  const topology = {
    sites: { a: {}, b: {}, c: {} },
    resources: { sea: { capability: "10Mbps" } },
    paths: [
      { from: "a", to: "b", through: ["sea"] },
      { from: "a", to: "c", through: ["sea"] },
    ],
  };
  // b and c can help each other, so that all of it crosses the sea once.
  isNear(cutBound(input(topology, { a: 1, b: 3, c: 3 }, {})).seconds, 80);
});

test("what is held already need not come, and what nobody near holds must", () => {
  const held = new Map([
    ["b-0", RangeSet.of(0, 50)],
    ["b-1", RangeSet.of(25, 75)],
  ]);
  isNear(cutBound(input(twoSites, { a: 1, b: 2 }, { held })).seconds, 4);
  const all = new Map([["b-0", RangeSet.of(0, 100)]]);
  const bound = cutBound(input(twoSites, { a: 1, b: 2 }, { held: all }));
  isNear(bound.seconds, 0.8);
});

test("a file that grows is not complete before its last block has been made and passed on", () => {
  const topology = { sites: { a: {} }, defaults: { nic: { up: "800Mbps" } } };
  const bound = cutBound(input(topology, { a: 4 }, { growthBitsPerSecond: 40_000_000 }));
  isNear(bound.seconds, 20 + 2 * 0.01);
  assert.equal(bound.kind, "production and the last block");
});

test("capabilities that change count from then on", () => {
  const before = parseTopology({ sites: { a: { uplink: "100Mbps" }, b: {} } });
  const agents = agentsOf({ a: 1, b: 1 });
  const fileSet: BoundFileSet = {
    startSeconds: 1,
    blocks: equalBlocks(100 * megabyte, megabyte),
    origins: ["a-0"],
    targets: ["b-0"],
    relays: "targets",
  };
  const epochs = [
    { fromSeconds: 0, topology: before },
    { fromSeconds: 5, topology: before.withCapability("sites.a.uplink", 10_000_000) },
    { fromSeconds: 15, topology: before.withCapability("sites.a.uplink", 1_000_000_000) },
  ];
  isNear(cutBound({ agents, epochs, fileSets: [fileSet] }).seconds, 14 + 0.3);
});

test("file sets that share a way count together, from the later one's start on or from the first's", () => {
  const base = input({ sites: { a: { uplink: "100Mbps" }, b: {} } }, { a: 1, b: 1 }, {});
  const [first] = base.fileSets;
  assert.ok(first !== undefined);
  isNear(cutBound({ ...base, fileSets: [first, { ...first, startSeconds: 3 }] }).seconds, 16);
  isNear(cutBound({ ...base, fileSets: [first, { ...first, startSeconds: 30 }] }).seconds, 38);
});

test("agents that do less than they declare bound by what they do", () => {
  const base = input({ sites: { a: {} }, defaults: { nic: { up: "1Gbps", down: "1Gbps" } } }, { a: 3 }, {});
  const agents = base.agents.map((agent) => (agent.name === "a-2" ? { ...agent, trueRate: 0.1 } : agent));
  isNear(cutBound({ ...base, agents }).seconds, 8);
});

/** The least number of steps in which one origin brings M blocks to N peers, each sending and receiving one block a step. */
function leastSteps(peers: number, blocks: number): number {
  const all = 2 ** blocks - 1;
  let states = new Set([Array.from({ length: peers }, () => 0).join()]);
  for (let steps = 0; ; steps += 1) {
    if ([...states].some((state) => state.split(",").every((held) => Number(held) === all))) return steps;
    const next = new Set<string>();
    for (const state of states) {
      for (const after of stepsFrom([all, ...state.split(",").map(Number)], blocks)) next.add(after);
    }
    states = next;
  }
}

/** Every way in which each agent sends at most one block and receives at most one; peers are interchangeable. */
function stepsFrom(held: readonly number[], blocks: number): Set<string> {
  const results = new Set<string>();
  const send = (sender: number, after: readonly number[], received: number): void => {
    if (sender === held.length) {
      results.add(
        after
          .slice(1)
          .toSorted((one, other) => one - other)
          .join(),
      );
      return;
    }
    send(sender + 1, after, received);
    for (let target = 1; target < held.length; target += 1) {
      if (target === sender || (received >> target) % 2 === 1) continue;
      for (let block = 0; block < blocks; block += 1) {
        const mask = 2 ** block;
        if (((held[sender] ?? 0) & mask) === 0 || ((held[target] ?? 0) & mask) !== 0) continue;
        send(
          sender + 1,
          after.map((value, index) => (index === target ? value | mask : value)),
          received | (1 << target),
        );
      }
    }
  };
  send(0, held, 0);
  return results;
}

test("never above what a search of all schedules finds on tiny cases", () => {
  const topology = { sites: { a: {} }, defaults: { nic: { up: "8Mbps", down: "8Mbps" } } };
  for (const [peers, blocks] of [
    [1, 1],
    [2, 1],
    [2, 2],
    [2, 3],
    [3, 1],
    [3, 2],
    [4, 2],
  ] as const) {
    const bound = cutBound(input(topology, { a: peers + 1 }, { blocks: equalBlocks(blocks * megabyte, megabyte) }));
    const steps = leastSteps(peers, blocks);
    assert.ok(bound.seconds <= steps + 1e-9, `${String(peers)} peers, ${String(blocks)} blocks`);
    assert.ok(bound.seconds >= steps - 1e-9, "and here it is met");
  }
});
