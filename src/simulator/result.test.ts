import assert from "node:assert/strict";
import { test } from "node:test";
import type { DecisionRecord } from "../scheduler/decision-record.ts";
import { simulate, type SimulationOptions } from "./run.ts";
import type { SimulationResult } from "./result.ts";
import { parseScenario } from "./scenario-parser.ts";

const nic = { up: "100Mbps", down: "100Mbps" };
const link = { uplink: "50Mbps", downlink: "50Mbps" };
const payload = { name: "payload", version: "1", bytes: "8MiB", blockBytes: "256KiB", origins: ["a-0"] };
const small = {
  topology: { sites: { a: link, b: link }, defaults: { nic } },
  agents: [
    { site: "a", count: 3 },
    { site: "b", count: 3 },
  ],
  fileSets: [payload],
};

function run(more: Readonly<Record<string, unknown>>, options: SimulationOptions = {}): SimulationResult {
  const result = simulate(parseScenario({ ...small, ...more }), options);
  assert.deepEqual(result.violations, []);
  return result;
}

test("the makespan runs from the first `at`, completion from each file set's own", () => {
  const fileSets = [
    { ...payload, at: "2s" },
    { ...payload, name: "later", at: "5s" },
  ];
  const result = run({ fileSets });
  const [first, later] = result.fileSets;
  assert.equal(first?.targets, 5);
  assert.equal(result.makespanSeconds, 3 + (later?.completionSeconds.max ?? 0));
  assert.equal(
    result.completionSeconds.max,
    Math.max(first?.completionSeconds.max ?? 0, later?.completionSeconds.max ?? 0),
  );
  assert.ok(Math.abs(result.meanSeconds - ((first?.meanSeconds ?? 0) + (later?.meanSeconds ?? 0)) / 2) < 1e-9);
  for (const figures of [result, result.healthy, ...result.fileSets]) {
    assert.deepEqual(Object.keys(figures.completionSeconds), ["p50", "p99", "p999", "max"]);
  }
});

test("a target that is dead at the end is incomplete and counts nowhere, also when it had everything before it died", () => {
  const alive = run({});
  const result = run({ events: [{ at: "60s", stop: "b-2" }] });
  assert.deepEqual(result.incomplete, ["b-2"]);
  assert.ok(result.makespanSeconds <= alive.makespanSeconds);
  assert.equal(result.boundSeconds, alive.boundSeconds);
});

test("healthy ones are those that nothing happens to, beside the bound of what they want", () => {
  const agents = [
    { site: "a", count: 3 },
    { site: "b", count: 2 },
    { site: "b", count: 1, trueRate: 0.05 },
  ];
  const result = run({ agents });
  assert.ok(result.boundSeconds > 13, `bound ${String(result.boundSeconds)}`);
  assert.equal(result.healthy.boundSeconds, (8 * 1_048_576 * 8) / 50e6);
  assert.equal(result.healthy.ratio, result.healthy.completionSeconds.max / result.healthy.boundSeconds);
  assert.deepEqual(result.heldBackBy.resources, ["agents.b-2.nic.down"]);
});

test("bytes out of sites are told site by site, beside the least that they can be", () => {
  const result = run({});
  const bytes = 8 * 1_048_576;
  assert.deepEqual(result.uplinks, [
    { site: "a", bytes, leastBytes: bytes },
    { site: "b", bytes: 0, leastBytes: 0 },
  ]);
  assert.deepEqual([result.uplinkCopies, result.leastUplinkCopies], [1, 1]);
  const half = run({ fileSets: [{ ...payload, holders: [{ agents: "name=b-1", portion: 0.5 }] }] });
  assert.equal(half.leastUplinkCopies, 0.5);
  assert.equal(half.uplinks[0]?.leastBytes, bytes / 2);
});

test("what a block that was cut off had carried over an uplink is counted too", () => {
  const result = run({
    events: [
      { at: "400ms", stop: "b-0" },
      { at: "401ms", stop: "b-1" },
      { at: "402ms", stop: "b-2" },
      { at: "403ms", start: "b-2" },
    ],
  });
  assert.ok(result.uplinkCopies > 1 && result.uplinkCopies < 1.2, `copies ${String(result.uplinkCopies)}`);
});

test("links are busy for as long as anything goes over them, and the busiest come first", () => {
  const { resources, makespanSeconds } = run({});
  const uplink = resources.find(({ resource }) => resource === "sites.a.uplink");
  assert.ok(uplink !== undefined && uplink.useWhileBusy > 0.9 && uplink.useWhileBusy <= 1);
  assert.ok(uplink.busySeconds <= makespanSeconds + 0.01);
  assert.deepEqual(
    resources.map(({ use }) => use),
    resources.map(({ use }) => use).toSorted((one, other) => other - one),
  );
});

test("looking at it closely changes nothing", () => {
  const records: DecisionRecord[] = [];
  const { history, ...watched } = run({}, { keepsHistory: true, onDecision: (record) => records.push(record) });
  const { history: none, ...plain } = run({});
  assert.deepEqual(watched, plain);
  assert.equal(none, undefined);
  assert.equal(history?.completedSeconds.length, 5);
  assert.equal(history?.use.storedBytes.at(-1), history?.wantedBytes);
  for (const { use } of history?.use.series ?? []) {
    assert.equal(use.length, history?.use.endsAtNanoseconds.length);
    assert.ok(use.every((part) => part >= 0 && part <= 1));
  }
  assert.ok(records.length > 0);
});

test("the same scenario and seed give the same trace, byte for byte", () => {
  const more = {
    jitter: 0.1,
    control: { delay: "20ms" },
    events: [
      { at: "500ms", stop: "controller" },
      { at: "900ms", start: "controller" },
    ],
  };
  const traceOf = (seed: number): string => {
    const lines: string[] = [];
    run(more, { seed, onDecision: (record) => lines.push(JSON.stringify(record)) });
    return lines.join("\n");
  };
  const first = traceOf(3);
  assert.equal(traceOf(3), first);
  assert.notEqual(traceOf(4), first);
  const records = first.split("\n").map((line) => JSON.parse(line) as DecisionRecord);
  assert.ok(
    records.every(({ mode, reason, atNanoseconds }) => mode === "incremental" && reason !== "" && atNanoseconds >= 0),
  );
  assert.ok(records.some(({ runnersUp }) => runnersUp.length > 0));
});
