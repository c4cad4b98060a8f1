/**
 * Whatever the topology, the file sets and the order of events: no resource is ever over its capability, no block is
 * served by an agent that lacks it, and everything ends complete. The production controller, agents and publishers run in the
 * simulated world.
 *
 * A failure names its seed: SLUICE_PROPERTY_SEED=<seed> runs just that one, with a log of what happened.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { agentMessageSchema } from "../protocol/agent-messages.ts";
import { controllerMessageSchema } from "../protocol/controller-messages.ts";
import { maximumMessageBytes } from "../protocol/limits.ts";
import { SeededRandom } from "../std/seeded-random.ts";
import { randomScenario, scheduleTrouble } from "./random-scenario.testing.ts";
import { simulate } from "./run.ts";
import type { VirtualWorld } from "./virtual-world.ts";

const firstSeed = 1;
const runs = Number(process.env["SLUICE_PROPERTY_RUNS"] ?? 400);
const given = process.env["SLUICE_PROPERTY_SEED"];
/** No run is begun after this, whatever the machine. */
const longestMilliseconds = 20_000;

function check(seed: number, log: (line: string) => void): readonly string[] {
  const random = new SeededRandom(seed);
  const scenario = randomScenario(random);
  log(JSON.stringify(scenario));
  let world: VirtualWorld | undefined;
  const say = (line: string): void => log(`${String((world?.clock.nowNanoseconds ?? 0) / 1e9)} ${line}`);
  const result = simulate(scenario, {
    settleNanoseconds: 40e9,
    // What is superseded is still to be had here.
    settings: { keepVersions: 10 },
    prepare: (prepared) => {
      world = prepared;
      scheduleTrouble(prepared, random, say);
    },
    inspect: {
      // What is said must be what the other end accepts.
      inspectAgentMessage: (_agent, message) =>
        assert.deepEqual(agentMessageSchema.parse(throughJson(message)), throughJson(message)),
      inspectControllerMessage: (_agent, message) =>
        assert.deepEqual(controllerMessageSchema.parse(throughJson(message)), throughJson(message)),
      noted: (who, level, text) => say(`${who} ${level}: ${text}`),
    },
  });
  return result.violations;
}

function throughJson(message: unknown): unknown {
  const text = JSON.stringify(message);
  assert.ok(text.length <= maximumMessageBytes);
  return JSON.parse(text);
}

if (given === undefined) {
  test("random worlds keep to their links, serve only what is verified, and end complete", () => {
    const begun = performance.now();
    for (let seed = firstSeed; seed < firstSeed + runs && performance.now() - begun < longestMilliseconds; seed += 1) {
      let violations: readonly string[];
      try {
        violations = check(seed, () => undefined);
      } catch (error) {
        throw new Error(`SLUICE_PROPERTY_SEED=${String(seed)} throws`, { cause: error });
      }
      assert.deepEqual(violations, [], `SLUICE_PROPERTY_SEED=${String(seed)}`);
    }
  });
} else {
  test(`seed ${given}`, (context) => {
    const violations = check(Number(given), (line) => context.diagnostic(line));
    assert.deepEqual(violations, []);
  });
}
