import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { UserError } from "../std/errors.ts";
import { formatResourceName, parseResourceName } from "./resources.ts";
import {
  TopologyError,
  emptyTopology,
  formatMistakePath,
  formatTopology,
  parseNic,
  parseTopology,
} from "./topology.ts";

const sample = `
resources:
  transatlantic: { capability: 2Gbps }
  cable.v2: { capability: 400Mbps }
sites:
  fra: { uplink: 10Gbps, downlink: 10Gbps }
  iad: { uplink: 5Gbps }
  ams:
  sin.1: {}
defaults:
  nic: { up: 1Gbps, down: 1Gbps }
agents:
  fra-0: { nic: { up: 10Gbps } }
paths:
  - { from: fra, to: iad, through: [transatlantic, cable.v2] }
`;

/** The mistakes of a topology, as "place: message". */
function mistakesOf(text: string): string[] {
  try {
    parseTopology(parse(text));
  } catch (error) {
    assert.ok(error instanceof TopologyError);
    return error.mistakes.map(({ path, message }) => `${formatMistakePath(path)}: ${message}`);
  }
  return [];
}

test("capabilities of every resource: own, group's and default interfaces, each direction by itself", () => {
  const topology = parseTopology(parse(sample));
  const agents = [
    { name: "fra-0", site: "fra", nic: { downBitsPerSecond: 7 } },
    { name: "iad-0", site: "iad", nic: { upBitsPerSecond: 5 } },
    { name: "ams.0", site: "ams" },
  ];
  assert.deepEqual(Object.fromEntries(topology.capabilities(agents)), {
    "resources.transatlantic": 2_000_000_000,
    "resources.cable.v2": 400_000_000,
    "sites.fra.uplink": 10_000_000_000,
    "sites.fra.downlink": 10_000_000_000,
    "sites.iad.uplink": 5_000_000_000,
    "agents.fra-0.nic.up": 10_000_000_000,
    "agents.fra-0.nic.down": 7,
    "agents.iad-0.nic.up": 5,
    "agents.iad-0.nic.down": 1_000_000_000,
    "agents.ams.0.nic.up": 1_000_000_000,
    "agents.ams.0.nic.down": 1_000_000_000,
  });
});

test("a path uses what is limited between its ends", () => {
  const topology = parseTopology(parse(sample));
  const place = (site: string, index: number): { name: string; site: string } => ({
    name: `${site}-${String(index)}`,
    site,
  });
  assert.deepEqual(topology.pathResources(place("fra", 0), place("iad", 0)), [
    "agents.fra-0.nic.up",
    "sites.fra.uplink",
    "resources.transatlantic",
    "resources.cable.v2",
    "agents.iad-0.nic.down",
  ]);
  assert.deepEqual(topology.pathResources(place("iad", 0), place("fra", 1)), [
    "agents.iad-0.nic.up",
    "sites.iad.uplink",
    "sites.fra.downlink",
    "agents.fra-1.nic.down",
  ]);
  assert.deepEqual(topology.pathResources(place("fra", 0), place("fra", 1)), [
    "agents.fra-0.nic.up",
    "agents.fra-1.nic.down",
  ]);
});

test("sites of a file are the only ones; without a file any is accepted", () => {
  const topology = parseTopology(parse(sample));
  assert.equal(topology.isUnlimited, false);
  assert.equal(topology.acceptsSite("ams"), true);
  assert.equal(topology.acceptsSite("nowhere"), false);
  const free = emptyTopology();
  assert.equal(free.isUnlimited, true);
  assert.equal(free.acceptsSite("nowhere"), true);
  assert.deepEqual(free.pathResources({ name: "a", site: "x" }, { name: "b", site: "y" }), []);
  assert.equal(free.capabilities([{ name: "a", site: "x" }]).size, 0);
  assert.deepEqual(formatTopology(free), {});
});

test("mistakes are collected, each with its place and the nearest correct spelling", () => {
  assert.deepEqual(
    mistakesOf(`
sites:
  fra: { uplnk: 10Gbps, downlink: fast }
  iad: { uplink: 0 }
  "b d": {}
resource: {}
resources:
  transatlantic: {}
agents:
  fra-0: { nic: { up: [1] } }
paths:
  - { from: fra, to: frra, through: [transatlantik] }
  - { from: fra, to: fra, through: [] }
  - { from: fra, to: iad, through: transatlantic }
  - { from: fra, to: iad, through: [transatlantic, transatlantic], via: x }
`).map((line) => line.replace(/: write .*/, "")),
    [
      'resource: unknown key, did you mean "resources"?; known are resources, sites, defaults, agents, paths',
      "resources.transatlantic: a resource needs a capability, such as { capability: 2Gbps }",
      'sites.fra.uplnk: unknown key, did you mean "uplink"?; known are uplink, downlink',
      'sites.fra.downlink: "fast" is not a rate',
      "sites.iad.uplink: a capability is at least 1 bit per second; leave it out for no limit",
      "sites.b d: not a name: use 1 to 128 letters, digits, dots, hyphens or underscores, the first a letter or digit",
      "agents.fra-0.nic.up: expected a rate such as 10Gbps, found a list",
      'paths[0].to: unknown site "frra", did you mean "fra"?',
      'paths[0].through[0]: unknown resource "transatlantik", did you mean "transatlantic"?',
      "paths[1]: a path leads to another site: within a site only NICs count",
      'paths[2].through: expected a list of resources, found "transatlantic"',
      "paths[3].via: unknown key; known are from, to, through",
      "paths[3].through[1]: transatlantic is there twice",
      "paths[3]: there are two paths from fra to iad: put all resources into one",
    ],
  );
});

test("values of the wrong kind are mistakes, never crashes", () => {
  for (const text of ["", "[]", "7", "sites: []", "sites: { a: 1 }", "paths: {}", "paths: [1]", "agents: x"]) {
    assert.equal(mistakesOf(text).length > 0, true, text);
  }
  assert.equal(
    mistakesOf(`sites: { ${Array.from({ length: 500 }, (_, index) => `a${String(index)}: 1`).join(", ")} }`).length,
    100,
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        parseTopology({ sites: value, paths: value, agents: value, defaults: value, resources: value });
      } catch (error) {
        assert.ok(error instanceof TopologyError, String(error));
      }
    }),
  );
});

test("a topology's object gives the same topology", () => {
  const topology = parseTopology(parse(sample));
  const object = formatTopology(topology);
  assert.equal(object.sites?.["iad"]?.uplink, "5Gbps");
  assert.deepEqual(formatTopology(parseTopology(object)), object);
  assert.deepEqual(parseTopology(object).capabilities([]), topology.capabilities([]));
});

test("one capability is changed in a copy", () => {
  const topology = parseTopology(parse(sample));
  const agents = [{ name: "iad-0", site: "iad" }];
  for (const name of [
    "sites.ams.uplink",
    "sites.fra.downlink",
    "agents.iad-0.nic.up",
    "agents.iad-0.nic.down",
    "resources.cable.v2",
  ]) {
    assert.equal(topology.withCapability(name, 42).capabilities(agents).get(name), 42);
  }
  assert.equal(topology.capabilities(agents).get("sites.fra.downlink"), 10_000_000_000);
  assert.throws(
    () => topology.withCapability("sites.frb.uplink", 1),
    (error) => error instanceof UserError && error.hint === "did you mean fra?",
  );
  assert.throws(() => topology.withCapability("resources.x", 1), UserError);
  assert.throws(() => topology.withCapability("sites.fra.uplink", 0), RangeError);
});

test("names of resources may hold dots in the middle", () => {
  for (const text of [
    "sites.fra.uplink",
    "sites.a.uplink.b.downlink",
    "agents.fra-0.nic.up",
    "agents.a.nic.down.nic.down",
    "resources.cable.v2",
  ]) {
    assert.equal(formatResourceName(parseResourceName(text)), text);
  }
  for (const text of ["", "sites.fra", "sites..uplink", "agents.a.nic", "resources.", "links.a", "resources.a b"]) {
    assert.throws(() => parseResourceName(text), UserError, text);
  }
});

test("an interface by itself, for groups of agents", () => {
  assert.deepEqual(parseNic({ up: "1Gbps" }), { upBitsPerSecond: 1_000_000_000, downBitsPerSecond: undefined });
  assert.throws(() => parseNic({ upp: 1 }, ["agents", 0, "nic"]), /agents\[0\]\.nic\.upp/);
});
