import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../std/errors.ts";
import { parseScenario } from "./scenario-parser.ts";
import { ScenarioError } from "./scenario-reader.ts";

const small = {
  topology: { sites: { a: { uplink: "500Mbps" }, b: {} }, defaults: { nic: { up: "1Gbps", down: "1Gbps" } } },
  agents: [
    { site: "a", count: 2 },
    { site: "b", count: 1, labels: { tier: "web" }, trueRate: 0.5 },
    { site: "a", count: 1, nic: { up: "2Gbps" } },
  ],
  fileSets: [{ name: "index", version: "7", bytes: "10MiB", blockBytes: "1MiB", origins: ["a-2"], at: "1.5s" }],
  events: [
    { at: "3s", set: "sites.a.uplink", to: "50Mbps" },
    { at: "2s", stop: "controller" },
  ],
};

test("members are numbered in the order of appearance in their site, and what is left out has its default", () => {
  const scenario = parseScenario(small);
  assert.deepEqual(
    scenario.agents.map(({ name }) => name),
    ["a-0", "a-1", "b-0", "a-2"],
  );
  assert.deepEqual(scenario.agents[2]?.labels, { tier: "web" });
  assert.equal(scenario.agents[3]?.nic.upBitsPerSecond, 2e9);
  assert.deepEqual(scenario.fileSets[0], {
    name: "index",
    version: "7",
    fileCount: 1,
    totalBytes: 10_485_760,
    blockBytes: 1_048_576,
    origins: ["a-2"],
    targets: "all",
    atNanoseconds: 1.5e9,
    priority: 0,
    holders: [],
    growthBitsPerSecond: undefined,
  });
  assert.deepEqual(
    scenario.events.map(({ type, atNanoseconds }) => [type, atNanoseconds]),
    [
      ["stop", 2e9],
      ["set", 3e9],
    ],
  );
  assert.equal(scenario.seed, 1);
});

test("all mistakes are named, each with its place", () => {
  const broken = {
    ...small,
    topology: { ...small.topology, sites: { a: { uplnk: "5Mbps" }, b: {} } },
    agents: [...small.agents, { site: "c", count: -1 }],
    fileSets: [
      { name: "index", version: 7, bytes: "10", blockBytes: "1MiB", origins: ["a-9"], targets: "site ~ 3", growth: {} },
    ],
    events: [{ at: "1", start: "a-0" }, { at: "1s", set: "resources.x", to: "1Mbps" }, { at: "1s" }],
    jiter: 0.1,
  };
  assert.throws(
    () => parseScenario(broken),
    (error) => {
      assert.ok(error instanceof ScenarioError && error instanceof UserError);
      const places = error.mistakes.map(({ path }) => path.join("."));
      assert.deepEqual(
        places.toSorted(),
        [
          "agents.3.count",
          "events.0.at",
          "events.2",
          "fileSets.0.growth",
          "fileSets.0.origins.0",
          "fileSets.0.targets",
          "fileSets.0.version",
          "jiter",
          "topology.sites.a.uplnk",
        ].toSorted(),
      );
      return true;
    },
  );
});

test("a block larger than agents take stands for several equal ones", () => {
  const fileSets = [{ ...small.fileSets[0], blockBytes: "64MB" }];
  assert.equal(parseScenario({ ...small, fileSets }).fileSets[0]?.blockBytes, 16_000_000);
});

test("a resource, site or agent that is not there is a mistake, with the nearest name", () => {
  const event = { at: "1s", set: "sites.aa.uplink", to: "1Mbps" };
  assert.throws(() => parseScenario({ ...small, events: [event] }), /events\[0\]\.set: there is no resource/);
  assert.throws(() => parseScenario({ ...small, events: [{ at: "1s", lose: "a-7" }] }), /there is no agent "a-7"/);
  assert.throws(
    () => parseScenario({ ...small, agents: [{ site: "x", count: 1 }] }),
    /agents\[0\]\.site: there is no site "x"/,
  );
});
