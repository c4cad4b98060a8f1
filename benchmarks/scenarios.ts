/** npm run bench -- --scenarios: runs scenarios one after the other, and puts them beside their targets and the baseline. */
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { schedulingPolicies } from "#src/scheduler/modes.ts";
import { UserError } from "#src/std/errors.ts";
import { repositoryRoot } from "../demo/programs.ts";
import { differences, readBaseline, updateBaseline } from "./baseline.ts";
import { comparedPolicies, figureOf, figureTitles, type FigureName } from "./figures.ts";
import { runScenario, type ScenarioRun } from "./scenario-run.ts";
import { targets, type Target } from "./targets.ts";

const folder = join(repositoryRoot, "scenarios");
const ending = ".yaml";

export interface Verdict {
  readonly scenario: string;
  readonly figure: FigureName;
  readonly target: number;
  /** Undefined: it could not be worked out, since what it compares with was not run. */
  readonly value: number | undefined;
  readonly isReached: boolean | undefined;
}

export interface ScenarioOutcome {
  readonly runs: readonly ScenarioRun[];
  readonly verdicts: readonly Verdict[];
  /** Figures that are not as the baseline has them, and runs that failed. */
  readonly problems: readonly string[];
}

interface Asked {
  readonly name: string;
  readonly path: string;
  /** Files from elsewhere have no place in the baseline. */
  readonly isOurs: boolean;
}

/** @param names scenarios of scenarios/, or paths of others; none: all of scenarios/ */
export async function runScenarios(names: readonly string[], update: boolean): Promise<ScenarioOutcome> {
  const asked = names.length === 0 ? allOurs() : names.map(find);
  const baseline = readBaseline();
  const runs: ScenarioRun[] = [];
  const ours: ScenarioRun[] = [];
  const problems: string[] = [];
  process.stdout.write(heading);
  for (const { name, path, isOurs } of asked) {
    for (const policy of [undefined, ...policiesFor(name)]) {
      try {
        const run = await runScenario(name, path, policy);
        runs.push(run);
        if (isOurs) ours.push(run);
        process.stdout.write(row(run));
        if (isOurs && !update) problems.push(...(differences(baseline, run) ?? []));
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        problems.push(error.message);
      }
    }
  }
  const verdicts = targets.flatMap((target) => verdictOn(target, runs) ?? []);
  process.stdout.write(verdicts.length === 0 ? "" : `\n${verdictTable(verdicts)}`);
  const unknown = ours.filter((run) => differences(baseline, run) === undefined);
  if (update) updateBaseline(baseline, ours);
  else if (unknown.length > 0) process.stdout.write(`\n${unknown.length} runs are not in the baseline: see --update\n`);
  return { runs, verdicts, problems };
}

function allOurs(): Asked[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => find(name.slice(0, -ending.length)));
}

function find(name: string): Asked {
  const path = join(folder, `${name}${ending}`);
  if (existsSync(path)) return { name, path, isOurs: true };
  if (existsSync(name)) return { name: basename(name).replace(/\.ya?ml$/, ""), path: name, isOurs: false };
  throw new UserError(`there is no scenario ${name}, neither in scenarios/ nor as a file`);
}

/** Policies that a target compares this scenario with, as far as there are such. */
function policiesFor(name: string): string[] {
  const compared = targets.flatMap(({ scenario, figure }) =>
    scenario === name ? (comparedPolicies[figure] ?? []) : [],
  );
  const known: readonly string[] = schedulingPolicies;
  return [...new Set(compared)].filter((policy) => known.includes(policy));
}

function verdictOn(target: Target, runs: readonly ScenarioRun[]): Verdict | undefined {
  const { scenario, figure, atMost, exactly } = target;
  const find = (name: string, policy?: string): ScenarioRun | undefined =>
    runs.find((run) => run.name === name && run.policy === policy);
  const run = find(scenario);
  if (run === undefined) return undefined;
  const value = figureOf(figure, run, find);
  const isReached =
    value === undefined
      ? undefined
      : exactly === undefined
        ? value <= (atMost ?? 0)
        : value.toFixed(2) === exactly.toFixed(2);
  return { scenario, figure, target: exactly ?? atMost ?? 0, value, isReached };
}

const columns = [
  { title: "scenario", width: 24 },
  { title: "ratio", width: 8 },
  { title: "copies", width: 8 },
  { title: "transfers", width: 11 },
  { title: "decide, s", width: 10 },
  { title: "deliveries/s", width: 13 },
  { title: "run, s", width: 8 },
];

/** The first column, or the first few, are aligned to the left. */
function lineOf(cells: readonly string[], widths: readonly number[], leftColumns = 1): string {
  const padded = cells.map((cell, index) => {
    const width = widths[index] ?? 0;
    return index < leftColumns ? cell.padEnd(width) : cell.padStart(width);
  });
  return `${padded.join("").trimEnd()}\n`;
}

const widths = columns.map(({ width }) => width);
const heading = lineOf(
  columns.map(({ title }) => title),
  widths,
);

function row({ name, policy, result }: ScenarioRun): string {
  const { ratio, uplinkCopies, transfers, decideSeconds, deliveries, elapsedSeconds } = result;
  const title = policy === undefined ? name : `${name} (${policy})`;
  const perSecond = Math.round(deliveries / Math.max(elapsedSeconds, 1e-3));
  const cells = [title, ratio.toFixed(4), uplinkCopies.toFixed(2), String(transfers), decideSeconds.toFixed(2)];
  return lineOf([...cells, String(perSecond), elapsedSeconds.toFixed(1)], widths);
}

function verdictTable(verdicts: readonly Verdict[]): string {
  const verdictWidths = [24, 24, 10, 10, 4];
  const lines = verdicts.map(({ scenario, figure, target, value, isReached }) => {
    const shown = value === undefined ? "-" : value.toFixed(3);
    const word = isReached === undefined ? "not run" : isReached ? "reached" : missedBy(value ?? 0, target);
    return (
      lineOf([scenario, figureTitles[figure], target.toFixed(3), shown], verdictWidths, 2).trimEnd() + `  ${word}\n`
    );
  });
  const reached = verdicts.filter(({ isReached }) => isReached === true).length;
  const head = lineOf(["scenario", "figure", "target", "value"], verdictWidths, 2);
  return `${head}${lines.join("")}\n${reached} of ${verdicts.length} targets reached\n`;
}

function missedBy(value: number, target: number): string {
  return `missed by ${(((value - target) / target) * 100).toFixed(1)} %`;
}
