/**
 * The committed figures that must not change unnoticed: the same scenario, seed and commit give the same on every machine,
 * so they are compared exactly.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../demo/programs.ts";
import type { ScenarioRun } from "./scenario-run.ts";
import { quickScenarios } from "./targets.ts";

const file = join(repositoryRoot, "benchmarks", "baseline.json");
const figures = ["ratio", "uplinkCopies", "transfers"] as const;

type Figures = Readonly<Record<(typeof figures)[number], number>>;
type Entry = Figures & { readonly quick?: boolean };
export type Baseline = Readonly<Record<string, Entry>>;

/** The name that a run has in the baseline. */
export function baselineKey({ name, policy }: Pick<ScenarioRun, "name" | "policy">): string {
  return policy === undefined ? name : `${name} ${policy}`;
}

export function readBaseline(): Baseline {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Baseline) : {};
}

/** What of a run is not as the baseline has it, in words; undefined: the baseline does not have it. */
export function differences(baseline: Baseline, run: ScenarioRun): string[] | undefined {
  const known = baseline[baselineKey(run)];
  if (known === undefined) return undefined;
  return figures
    .filter((name) => known[name] !== run.result[name])
    .map((name) => `${baselineKey(run)}: ${name} is ${run.result[name]}, and ${known[name]} in the baseline`);
}

/** Puts these runs into the baseline and leaves the others as they are. */
export function updateBaseline(baseline: Baseline, runs: readonly ScenarioRun[]): void {
  const entries = new Map<string, Entry>(Object.entries(baseline));
  for (const run of runs) {
    const { ratio, uplinkCopies, transfers } = run.result;
    const quick = run.policy === undefined && quickScenarios.includes(run.name);
    entries.set(baselineKey(run), { ratio, uplinkCopies, transfers, ...(quick && { quick }) });
  }
  const sorted = [...entries].sort(([one], [other]) => (one < other ? -1 : 1));
  const lines = sorted.map(
    ([key, entry]) =>
      `  ${JSON.stringify(key)}: ${JSON.stringify(entry).replaceAll(",", ", ").replaceAll(":", ": ").replace("{", "{ ").replace("}", " }")}`,
  );
  writeFileSync(file, `{\n${lines.join(",\n")}\n}\n`);
}
