/**
 * Every mode and every policy, in the same random worlds with the same trouble as the property test: no rule is broken, and
 * everything ends complete. And what each is for: how it compares with the others where nothing goes wrong.
 *
 * A failure names its seed: SLUICE_MODES_SEED=<seed> runs just that one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultControllerSettings, type ControllerSettings } from "../control/controller/settings.ts";
import type { DecisionRecord } from "../scheduler/decision-record.ts";
import { SeededRandom } from "../std/seeded-random.ts";
import { randomScenario, scheduleTrouble } from "./random-scenario.testing.ts";
import type { SimulationResult } from "./result.ts";
import { simulate, type SimulationOptions } from "./run.ts";
import { parseScenario } from "./scenario-parser.ts";

const parts = new Map([
  ["s0", "first"],
  ["s1", "first"],
]);
const choices: readonly Partial<ControllerSettings>[] = [
  { mode: "overall" },
  { mode: "partition" },
  { mode: "partition", partitions: parts },
  { mode: "precomputed" },
  { policy: "direct" },
  { policy: "random" },
  { mode: "overall", policy: "random" },
  { mode: "precomputed", policy: "random" },
];
const given = process.env["SLUICE_MODES_SEED"];
const runs = Number(process.env["SLUICE_MODES_RUNS"] ?? 12);
const seeds = given === undefined ? Array.from({ length: runs }, (_, index) => index + 1) : [Number(given)];

for (const choice of choices) {
  const name = [choice.mode, choice.policy, choice.partitions && "named parts"].filter(Boolean).join(", ");
  test(`${name}: whatever happens, no rule is broken and everything ends complete`, () => {
    for (const seed of seeds) {
      const random = new SeededRandom(seed);
      const { violations } = simulate(randomScenario(random), {
        settleNanoseconds: 40e9,
        settings: { ...choice, keepVersions: 10 },
        prepare: (world) => scheduleTrouble(world, random, () => undefined),
      });
      assert.deepEqual(violations, [], `SLUICE_MODES_SEED=${String(seed)}`);
    }
  });
}

const nic = { up: "1Gbps", down: "1Gbps" };

/** Four sites of four, uplinks half an interface: uplinks are what binds. */
function run(
  settings: Partial<ControllerSettings>,
  options: SimulationOptions = {},
  more: object = {},
): SimulationResult {
  const link = { uplink: "500Mbps", downlink: "500Mbps" };
  const scenario = parseScenario({
    topology: { sites: { a: link, b: link, c: link, d: link }, defaults: { nic } },
    agents: ["a", "b", "c", "d"].map((site) => ({ site, count: 4 })),
    fileSets: [{ name: "payload", version: "1", bytes: "128MiB", blockBytes: "1MiB", origins: ["a-0"] }],
    ...more,
  });
  const result = simulate(scenario, { settings, ...options });
  assert.deepEqual(result.violations, []);
  assert.deepEqual(result.incomplete, []);
  return result;
}

test("overall and partition lose nothing where transfers end together; a plan loses a step or two", () => {
  const incremental = run({}).ratio;
  assert.ok(run({ mode: "overall" }).ratio <= incremental + 0.02);
  assert.ok(run({ mode: "partition" }).ratio <= incremental + 0.02);
  assert.ok(run({ mode: "precomputed" }).ratio <= incremental + 0.03);
});

test("a plan is followed: all but the first instant's transfers are as planned, also where durations vary", () => {
  for (const jitter of [0, 0.05]) {
    const reasons = new Map<string, number>();
    const onDecision = ({ reason }: DecisionRecord): void => void reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const { ratio } = run({ mode: "precomputed" }, { onDecision }, { jitter });
    const planned = reasons.get("asPlanned") ?? 0;
    const all = [...reasons.values()].reduce((sum, count) => sum + count, 0);
    assert.ok(planned > all * 0.95, `${String(planned)} of ${String(all)} with jitter ${String(jitter)}`);
    assert.ok(ratio < 1.08, `ratio ${String(ratio)} with jitter ${String(jitter)}`);
  }
});

test("who is slower than it declares leaves the plan by itself, and the others are hardly held up", () => {
  const agents = [
    { site: "a", count: 20 },
    { site: "a", count: 1, trueRate: 0.1 },
  ];
  const { healthy } = run({ mode: "precomputed" }, {}, { agents });
  assert.ok(healthy.ratio < 1.5, `ratio ${String(healthy.ratio)}`);
});

test("direct brings every copy out of the origin, random knows nothing of sites, ours brings each site one", () => {
  assert.equal(run({ policy: "direct" }).uplinkCopies, 12);
  const { uplinkCopies, ratio } = run({ policy: "random" });
  assert.ok(uplinkCopies > 3.5 && ratio > 1.1, `${String(uplinkCopies)} copies, ratio ${String(ratio)}`);
  assert.equal(run({}).uplinkCopies, 3);
});

test("direct shares an origin fairly among those that pull from it", () => {
  const result = run({ policy: "direct" }, {}, { agents: [{ site: "a", count: 9 }] });
  const least = (8 * 128 * 1_048_576 * 8) / 1e9;
  assert.ok(result.makespanSeconds < least * 1.05, `${String(result.makespanSeconds)} s of ${String(least)} s`);
  assert.ok(result.completionSeconds.p50 > result.makespanSeconds * 0.9);
});

test("a swarm's agent serves four at once, each with a quarter of its interface", () => {
  const rates = new Set<number>();
  run(
    { policy: "random" },
    { onDecision: ({ rateBitsPerSecond }) => void rates.add(rateBitsPerSecond) },
    {
      agents: [{ site: "a", count: 9 }],
    },
  );
  assert.deepEqual([...rates], [250_000_000]);
});

test("the same seed gives the same decisions in every mode and policy", () => {
  for (const choice of choices) {
    const once = run(choice, {}, { jitter: 0.05 });
    assert.deepEqual(run(choice, {}, { jitter: 0.05 }), once);
  }
});

test("a weight that is given changes what is decided", () => {
  const weights = { ...defaultControllerSettings.weights, rarity: 0, fresh: 0 };
  assert.notEqual(run({ weights }).meanSeconds, run({}).meanSeconds);
});
