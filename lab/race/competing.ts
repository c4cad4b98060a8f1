/** Flows of others in a race: they run beside every tool, and what they get is counted. */
import { join } from "node:path";
import { printedBy, repositoryRoot, type Program } from "../../demo/programs.ts";
import type { Lab } from "../network/lab.ts";
import type { LabPrograms } from "../tools/lab-programs.ts";
import { startLookMilliseconds, toolStartMilliseconds } from "../tools/limits.ts";
import { competingPort } from "../tools/ports.ts";
import { frameBytes, headerBytes } from "./race-bound.ts";
import type { CompetingFlow } from "./race.ts";

const flowProgram = join(repositoryRoot, "dist", "lab", "race", "competing-main.js");

/** Starts the flows. @returns for each, what says its average rate on the wire between two times */
export async function startCompeting(
  flows: readonly CompetingFlow[],
  lab: Lab,
  programs: LabPrograms,
  signal: AbortSignal,
): Promise<((fromMilliseconds: number, untilMilliseconds: number) => number)[]> {
  const started: Program[] = [];
  for (const [index, { from, to }] of flows.entries()) {
    const target = lab.host(to);
    const port = String(competingPort + index);
    const words = (role: string): string[] => [process.execPath, flowProgram, role, target.address, port];
    const receiver = programs.start(target, `competing-${index}-to`, words("receive"), { uncounted: true });
    await programs.until("that a competing flow is received", () => printedBy(receiver).includes("listening"), {
      milliseconds: toolStartMilliseconds,
      everyMilliseconds: startLookMilliseconds,
      signal,
      mustRun: () => [receiver],
    });
    programs.start(lab.host(from), `competing-${index}-from`, words("send"), { uncounted: true });
    started.push(receiver);
  }
  return started.map((receiver) => (from, until) => averageRate(printedBy(receiver), from, until));
}

/** Bits per second on the wire: content with the headers of full frames. */
function averageRate(printed: string, fromMilliseconds: number, untilMilliseconds: number): number {
  const counts = [...printed.matchAll(/^([\d.]+) (\d+)$/gm)].map(([, at, bytes]) => ({
    at: Number(at),
    bytes: Number(bytes),
  }));
  const first = counts.find(({ at }) => at >= fromMilliseconds);
  const last = counts.findLast(({ at }) => at <= untilMilliseconds);
  if (first === undefined || last === undefined || last.at <= first.at) return 0;
  const content = ((last.bytes - first.bytes) * 8_000) / (last.at - first.at);
  return (content * frameBytes) / (frameBytes - headerBytes);
}
