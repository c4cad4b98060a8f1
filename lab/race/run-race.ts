/**
 * Runs a race: each tool in turn distributes the same payload, as often as asked for, each time in a lab of its own. A
 * tool's failure is a result; it does not keep the others from running.
 */
import { mkdirSync, rmSync, statfsSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { UserError } from "#src/std/errors.ts";
import { formatBytes } from "#src/std/units.ts";
import { ProcessWatch } from "../measure/process-watch.ts";
import { TrafficWatch } from "../measure/traffic-watch.ts";
import { Lab } from "../network/lab.ts";
import type { FailedRun, RaceReport, RunFigures, ToolReport } from "../report/race-report.ts";
import { LabPrograms } from "../tools/lab-programs.ts";
import type { RaceTool, ToolRun } from "../tools/tool.ts";
import { startCompeting } from "./competing.ts";
import { makePayload, payloadDifferences, type Payload } from "./payload.ts";
import { raceBound } from "./race-bound.ts";
import type { Race } from "./race.ts";
import { figuresOf } from "./run-figures.ts";

export interface RaceOptions {
  readonly race: Race;
  readonly tools: readonly RaceTool[];
  readonly runs: number;
  /** Empty; everything is put here. */
  readonly directory: string;
  /** Of the lab: two at once on one machine need two. */
  readonly labName: string;
  readonly timeoutMilliseconds: number;
  /** For profiles of our programs; undefined: none. */
  readonly profileDirectory?: string | undefined;
  readonly signal: AbortSignal;
  /** Told what is going on, for people. */
  readonly say: (line: string) => void;
}

/** @throws UserError when not even one tool can begin */
export async function runRace(options: RaceOptions): Promise<RaceReport> {
  const { race, runs, say, directory } = options;
  const leftOut: { tool: string; why: string }[] = [];
  const tools = options.tools.filter((tool) => {
    const why = tool.missing() ?? tool.unfit(race);
    if (why === undefined) return true;
    leftOut.push({ tool: tool.name, why });
    say(`${tool.name} is left out: ${why}`);
    return false;
  });
  if (tools.length === 0) throw new UserError("no tool is left to race");
  const bound = raceBound(race.scenario, race.scenario.topology);
  const declaredBound = race.declaresOther ? raceBound(race.scenario, race.declared) : undefined;
  const payloadBytes = race.scenario.fileSets.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
  checkRoom(directory, payloadBytes * (race.scenario.agents.length + 2));
  const payloads = race.scenario.fileSets.map((fileSet, index) =>
    makePayload(fileSet, join(directory, "payload", String(index))),
  );
  const startedAt = new Date().toISOString();
  const results = new Map<RaceTool, (RunFigures | FailedRun)[]>(tools.map((tool) => [tool, []]));
  for (let run = 1; run <= runs; run += 1) {
    for (const tool of tools) {
      const figures = await runTool(options, tool, run, payloads, bound.seconds);
      say(`${tool.name}, run ${run} of ${runs}: ${describe(figures)}`);
      results.get(tool)?.push(figures);
    }
  }
  return {
    race: race.name,
    startedAt,
    machine: `Node.js ${process.version}, ${process.platform}, ${cpus().length} cores`,
    boundSeconds: bound.seconds ?? null,
    boundKind: bound.kind,
    declaredBoundSeconds: declaredBound?.seconds ?? null,
    payloadBytes,
    hosts: race.scenario.agents.length,
    tools: [...results].map(([tool, figures]): ToolReport => ({ tool: tool.name, runs: figures })),
    leftOut,
  };
}

async function runTool(
  options: RaceOptions,
  tool: RaceTool,
  run: number,
  payloads: readonly Payload[],
  boundSeconds: number | undefined,
): Promise<RunFigures | FailedRun> {
  const { race, directory, labName, signal } = options;
  signal.throwIfAborted();
  const lab = await Lab.up(labName, race.name, race, false);
  const toolDirectory = join(directory, tool.name);
  const programs = new LabPrograms(join(directory, "logs", `${tool.name}-${run}`));
  mkdirSync(toolDirectory);
  const watched = lab.plan.devices.filter(({ resource }) => !resource.endsWith(".nic.up"));
  const traffic = new TrafficWatch(watched);
  const processes = new ProcessWatch(() => programs.counted());
  try {
    const competing = await startCompeting(race.competing, lab, programs, signal);
    const { timeoutMilliseconds, profileDirectory } = options;
    const ran = await tool.run({
      ...{ race, lab, payloads, programs, timeoutMilliseconds, profileDirectory, signal },
      directory: toolDirectory,
    });
    processes.stop();
    await traffic.stop();
    const endedAt = Math.max(...ran.completions.map(({ atMilliseconds }) => atMilliseconds));
    const figures = figuresOf({
      ...{ race, boundSeconds, run: ran },
      traffic: new Map(traffic.resources().map((resource) => [resource, traffic.samples(resource)])),
      processes: processes.figures(ran.startedAtMilliseconds),
      competingBitsPerSecond: competing.map((rateBetween) => rateBetween(ran.startedAtMilliseconds, endedAt)),
    });
    await programs.stopAll();
    return checkCopies(payloads, ran) ?? figures;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    return { error: error.message };
  } finally {
    processes.stop();
    traffic.close();
    await programs.stopAll();
    await lab.down();
    rmSync(toolDirectory, { recursive: true, force: true });
  }
}

/** Every copy, by digest. */
function checkCopies(payloads: readonly Payload[], run: ToolRun): FailedRun | undefined {
  for (const { fileSet, host, copy } of run.completions) {
    const payload = payloads[fileSet];
    const [first] = payload === undefined ? ["there is no such payload"] : payloadDifferences(payload, copy);
    if (first !== undefined) return { error: `what ${host} holds is not the payload: ${first}` };
  }
  return undefined;
}

function describe(result: RunFigures | FailedRun): string {
  if ("error" in result) return `failed: ${result.error}`;
  const ratio = result.ratio === null ? "" : `, ${result.ratio.toFixed(3)} x the bound`;
  const copies = result.uplinkCopies === null ? "" : `, ${result.uplinkCopies.toFixed(2)} copies over uplinks`;
  return `${result.makespanSeconds.toFixed(2)} s${ratio}${copies}, ${result.cpuSeconds.toFixed(1)} s of CPU`;
}

function checkRoom(directory: string, neededBytes: number): void {
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize >= neededBytes) return;
  throw new UserError(`the race needs ${formatBytes(neededBytes)} of disk in ${directory}`, {
    hint: "give another place with --directory",
  });
}
