/** What `sluice simulate` does: reads the scenario, runs it, and says what came of it. */
import { closeSync, openSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseYamlText, readTextFile } from "../../platform/yaml-text.ts";
import type { SimulationResult } from "../../simulator/result.ts";
import { simulate } from "../../simulator/run.ts";
import { parseScenario } from "../../simulator/scenario-parser.ts";
import type { Scenario } from "../../simulator/scenario.ts";
import { fileProblem } from "../../platform/file-problem.ts";
import { UserError } from "../../std/errors.ts";
import type { ControllerSettings } from "../../control/controller/settings.ts";
import { schedulingSettings } from "../scheduling-options.ts";
import { print } from "../output.ts";
import { ProgressLine } from "../simulation/progress-line.ts";
import { drawSimulation } from "../simulation/plot.ts";
import { summarizeSimulation } from "../simulation/summary.ts";
import { TraceFile } from "../simulation/trace-file.ts";
import type { SimulateFlags } from "./simulate.ts";

/** The largest scenario that is read: one with a hundred thousand lines fits. */
export const maximumScenarioBytes = 16 * 1024 * 1024;

/** @throws UserError for mistakes in the scenario, files that cannot be read or written, and runs that broke a rule */
export async function runSimulation(path: string, flags: SimulateFlags): Promise<void> {
  const text = await readTextFile(path, "the scenario", maximumScenarioBytes);
  const scenario = parseYamlText(text, path, parseScenario);
  const settings = await schedulingSettings(flags, scenario.weights);
  // Opened before the run, which may take minutes.
  const plot = flags.plot === undefined ? undefined : openForWriting(flags.plot, "the plot");
  const trace = flags.trace === undefined ? undefined : new TraceFile(openForWriting(flags.trace, "the trace"));
  const startedAt = performance.now();
  const result = run(scenario, flags, settings, trace);
  const elapsedSeconds = (performance.now() - startedAt) / 1_000;
  trace?.close();
  const title = basename(path);
  if (plot !== undefined) {
    if (result.history !== undefined) writeFileSync(plot, drawSimulation(title, result, result.history));
    closeSync(plot);
  }
  print(flags.json, { ...result, history: undefined, elapsedSeconds }, () =>
    summarizeSimulation(title, scenario, flags, result),
  );
  failIfBroken(result);
}

function run(
  scenario: Scenario,
  flags: SimulateFlags,
  settings: Partial<ControllerSettings>,
  trace: TraceFile | undefined,
): SimulationResult {
  const progress = new ProgressLine(process.stderr);
  try {
    return simulate(scenario, {
      seed: flags.seed,
      settings,
      readSeconds: () => performance.now() / 1_000,
      onDecision: trace === undefined ? undefined : (record) => trace.write(record),
      keepsHistory: flags.plot !== undefined,
      onProgress: (storedBytes, wantedBytes) => progress.amount("simulating", storedBytes, wantedBytes),
    });
  } finally {
    progress.end();
  }
}

function openForWriting(path: string, what: string): number {
  try {
    return openSync(path, "w");
  } catch (error) {
    throw new UserError(`cannot write ${what} ${path}: ${fileProblem(error)}`, { cause: error });
  }
}

function failIfBroken({ violations }: SimulationResult): void {
  const [first] = violations;
  if (first === undefined) return;
  const count = violations.length === 1 ? "a rule was broken" : `${violations.length} rules were broken`;
  throw new UserError(`${count} in this run: ${first}`);
}
