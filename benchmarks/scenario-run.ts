/** One run of `sluice simulate` in a process of its own, so that no run lives with the memory of the one before. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseYamlText, readTextFile } from "#src/platform/yaml-text.ts";
import type { SimulationResult } from "#src/simulator/result.ts";
import { parseScenario } from "#src/simulator/scenario-parser.ts";
import type { Scenario } from "#src/simulator/scenario.ts";
import { UserError } from "#src/std/errors.ts";
import { repositoryRoot } from "../demo/programs.ts";

export interface ScenarioRun {
  /** The file's name without its ending. */
  readonly name: string;
  readonly policy: string | undefined;
  readonly scenario: Scenario;
  readonly result: SimulationResult & { readonly elapsedSeconds: number };
}

/** A scenario file is read at most up to this size. */
const maximumScenarioBytes = 16 * 1024 * 1024;

/** A large fleet keeps so much alive for a moment that Node's own 16 MiB are copied to and fro. */
const youngSpace = "--max-semi-space-size=64";

/** @throws UserError when the scenario has mistakes or the run broke a rule */
export async function runScenario(name: string, path: string, policy?: string): Promise<ScenarioRun> {
  const scenario = parseYamlText(await readTextFile(path, "the scenario", maximumScenarioBytes), path, parseScenario);
  const words = ["simulate", path, "--json", ...(policy === undefined ? [] : ["--policy", policy])];
  const child = spawn(process.execPath, [youngSpace, join(repositoryRoot, "bin", "sluice"), ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new UserError(`${name} failed: ${error.trim().split("\n").at(-1) ?? `exit code ${code}`}`);
  return { name, policy, scenario, result: JSON.parse(out) as ScenarioRun["result"] };
}
