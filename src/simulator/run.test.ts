import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../std/seeded-random.ts";
import { randomScenario } from "./random-scenario.testing.ts";
import type { SimulationResult } from "./result.ts";
import { simulate, type SimulationOptions } from "./run.ts";
import { parseScenario } from "./scenario-parser.ts";

const nic = { up: "100Mbps", down: "100Mbps" };
const payload = { name: "payload", version: "1", bytes: "8MiB", blockBytes: "256KiB", origins: ["a-0"] };

/** Two sites of three, uplinks half an interface; `more` beside and in place of that. */
function run(more: Readonly<Record<string, unknown>>, options: SimulationOptions = {}): SimulationResult {
  const link = { uplink: "50Mbps", downlink: "50Mbps" };
  const scenario = parseScenario({
    topology: { sites: { a: link, b: link }, defaults: { nic } },
    agents: [
      { site: "a", count: 3 },
      { site: "b", count: 3 },
    ],
    fileSets: [payload],
    ...more,
  });
  const result = simulate(scenario, { settleNanoseconds: 30e9, ...options });
  assert.deepEqual(result.violations, []);
  return result;
}

test("one file set reaches everybody, and its figures are those of the closed form", () => {
  const result = run({});
  assert.deepEqual(result.incomplete, []);
  assert.equal(result.boundKind, "into sites");
  assert.equal(result.boundSeconds, (8 * 1_048_576 * 8) / 50e6);
  assert.ok(result.ratio >= 1 && result.ratio < 1.5, `ratio ${String(result.ratio)}`);
  assert.equal(result.uplinkCopies, 1);
  assert.equal(result.deliveries, 5 * 32);
  assert.equal(result.completionSeconds.max, result.makespanSeconds);
  assert.equal(result.decideSeconds, 0);
  const uplink = result.resources.find(({ resource }) => resource === "sites.a.uplink");
  assert.equal(uplink?.bytes, 8 * 1_048_576);
});

test("the same scenario and seed give the same result, to the last nanosecond", () => {
  const more = { jitter: 0.1, data: { delay: "5ms" }, control: { delay: "20ms" } };
  const events = [
    { at: "300ms", stop: "b-1" },
    { at: "1s", start: "b-1" },
  ];
  const first = run({ ...more, events, seed: 7 });
  assert.deepEqual(run({ ...more, events, seed: 7 }), first);
  assert.notDeepEqual(run({ ...more, events, seed: 7 }, { seed: 8 }), first);
});

/** Two links lead from a, and both ends of the second are needed to use it: only who does not want the file set is there. */
function viaOthers(relays: string): { result: SimulationResult; held: Map<string, Set<string>>; activated: string[] } {
  const link = (capability: string): { capability: string } => ({ capability });
  const held = new Map<string, Set<string>>();
  const activated: string[] = [];
  const result = run(
    {
      topology: {
        sites: { a: {}, b: {}, c: {} },
        defaults: { nic: { up: "1Gbps", down: "1Gbps" } },
        resources: { direct: link("10Mbps"), first: link("50Mbps"), second: link("50Mbps") },
        paths: [
          { from: "a", to: "b", through: ["direct"] },
          { from: "a", to: "c", through: ["first"] },
          { from: "c", to: "b", through: ["second"] },
        ],
      },
      agents: ["a", "b", "c"].map((site) => ({ site, count: 1 })),
      fileSets: [{ ...payload, targets: "site=b" }],
      relays,
    },
    {
      inspect: {
        inspectAgentMessage: (agent, message) => {
          if (message.type !== "state") return;
          const of = held.get(agent) ?? new Set();
          held.set(agent, of);
          for (const { fileSet } of message.fileSets) of.add(fileSet);
          for (const fileSet of message.deleted) of.delete(fileSet);
          if (message.current.length > 0) activated.push(agent);
        },
      },
    },
  );
  return { result, held, activated };
}

test("where relays are allowed, who does not want a file set carries it, does not activate it, and deletes it", () => {
  const alone = viaOthers("targets");
  const together = viaOthers("all");
  assert.ok(together.result.makespanSeconds < alone.result.makespanSeconds / 3);
  assert.deepEqual(together.result.incomplete, []);
  assert.deepEqual([...(together.held.get("b-0") ?? [])], ["payload@1"]);
  assert.equal(together.held.get("c-0")?.size, 0);
  assert.equal(alone.held.get("c-0")?.size ?? 0, 0);
  assert.ok(together.activated.includes("b-0"));
  assert.ok(!together.activated.includes("c-0"));
});

test("nothing is faster than the bound", () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = randomScenario(new SeededRandom(seed));
    // Each by itself: nothing to be copied on the spot, and none that another supersedes.
    const fileSets = random.fileSets.map((spec, index) => ({
      ...spec,
      name: `by-itself-${String(index)}`,
      content: undefined,
      distinctBlocks: undefined,
    }));
    const result = simulate({ ...random, fileSets, jitter: 0 });
    assert.deepEqual(result.violations, [], `seed ${String(seed)}`);
    assert.ok(
      result.ratio >= 1,
      `seed ${String(seed)}: ${String(result.makespanSeconds)} s, ${result.boundKind} says ${String(result.boundSeconds)} s`,
    );
    for (const { completionSeconds, boundSeconds, name } of result.fileSets) {
      const isSlower = completionSeconds.max === 0 || completionSeconds.max >= boundSeconds * (1 - 1e-9);
      assert.ok(
        isSlower,
        `seed ${String(seed)}, ${name}: ${String(completionSeconds.max)} s, bound ${String(boundSeconds)} s`,
      );
    }
  }
});

test("a delay on the way, and one for verifying, come on top of the transmission", () => {
  const fileSets = [{ ...payload, bytes: "256KiB" }];
  const agents = [
    { site: "a", count: 1 },
    { site: "b", count: 1 },
  ];
  const transmission = (262_144 * 8) / 50e6;
  // The manifest is within the assignment: nothing else takes time.
  assert.equal(run({ fileSets, agents }).makespanSeconds, transmission);
  const delayed = run({ fileSets, agents, data: { delay: "10ms" }, verification: { rate: "1Gbps" } });
  // The request goes there, the block comes back.
  const expected = transmission + 0.02 + (262_144 * 8) / 1e9;
  assert.ok(Math.abs(delayed.makespanSeconds - expected) < 1e-8, String(delayed.makespanSeconds));
  // The assignment to the agent, its state back, the instruction to it.
  const distant = run({ fileSets, agents, control: { delay: "100ms" } });
  assert.ok(Math.abs(distant.makespanSeconds - transmission - 0.3) < 1e-8, String(distant.makespanSeconds));
});

test("an agent that does less than it declares is as slow as it is, and the others are not counted with it", () => {
  const agents = [
    { site: "a", count: 3 },
    { site: "a", count: 1, trueRate: 0.1 },
  ];
  const result = run({ agents });
  assert.ok(result.makespanSeconds > result.healthy.completionSeconds.max);
  assert.ok(result.healthy.ratio < 3);
});

test("who is killed and comes back has what it had; who is dead at the end is listed and not counted", () => {
  const events = [
    { at: "400ms", stop: "b-0" },
    { at: "900ms", start: "b-0" },
    { at: "500ms", stop: "b-2" },
    { at: "600ms", lose: "a-2" },
    { at: "1200ms", start: "a-2" },
  ];
  const result = run({ events });
  assert.deepEqual(result.incomplete, ["b-2"]);
});

test("a controller that is killed loses nothing", () => {
  const events = [
    { at: "300ms", stop: "controller" },
    { at: "800ms", start: "controller" },
  ];
  assert.deepEqual(run({ events }).incomplete, []);
});

test("wrong bytes are found, and everybody is complete from others", () => {
  const result = run({ events: [{ at: "200ms", corrupt: "a-1" }] });
  assert.deepEqual(result.incomplete, []);
});

test("a link that gets narrower holds everybody back as the bound says", () => {
  const narrow = run({ events: [{ at: "300ms", set: "sites.b.downlink", to: "10Mbps" }] });
  assert.ok(narrow.boundSeconds > 4 && narrow.ratio < 1.6, `ratio ${String(narrow.ratio)}`);
});

test("a file is followed while it grows", () => {
  const result = run({ fileSets: [{ ...payload, growth: { rate: "40Mbps" } }] });
  assert.equal(result.boundKind, "production and the last block");
  assert.ok(result.ratio < 1.3, `ratio ${String(result.ratio)}`);
});

test("what agents hold at the start does not come again", () => {
  const fileSets = [{ ...payload, holders: [{ agents: "site=b", portion: 0.5 }] }];
  const result = run({ fileSets });
  assert.ok(result.uplinkCopies <= 0.5, `copies ${String(result.uplinkCopies)}`);
  assert.ok(result.deliveries <= 2 * 32 + 3 * 16);
});

test("a file set that is missing somewhere for ever is a violation, not a hang", () => {
  const scenario = parseScenario({
    topology: { sites: { a: {} }, defaults: { nic } },
    agents: [{ site: "a", count: 2 }],
    fileSets: [payload],
    events: [{ at: "100ms", stop: "a-0" }],
  });
  const result = simulate(scenario, { starvedAfterNanoseconds: 60e9 });
  assert.equal(result.violations.length, 1);
  assert.match(result.violations[0] ?? "", /a-1 is starved: of payload@1 it lacks/);
});
