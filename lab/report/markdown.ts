/** The table of a race, for README and docs. Losses are shown like wins. */
import { formatBytes } from "#src/std/units.ts";
import { finishedRuns, hasFailed, median, type RaceReport, type RunFigures, type ToolReport } from "./race-report.ts";

/** One table, with what stands above and below it. */
export function raceMarkdown(report: RaceReport): string {
  const bound =
    report.boundSeconds === null ? "no bound" : `bound ${report.boundSeconds.toFixed(1)} s (${report.boundKind})`;
  const lines = [
    `**${report.race}**: ${formatBytes(report.payloadBytes)} to ${report.hosts} hosts, ${bound}`,
    "",
    "| tool | each run, s | median, s | x bound | median host, s | copies over uplinks | beyond declared in a second | CPU, s | largest program |",
    "|---|---|---|---|---|---|---|---|---|",
    ...report.tools.map(toolRow),
    "",
  ];
  for (const { tool, why } of report.leftOut) lines.push(`${tool} is left out: ${why}.`);
  for (const { tool, runs } of report.tools) {
    for (const run of runs) if (hasFailed(run)) lines.push(`A run of ${tool} failed: ${run.error}.`);
  }
  lines.push(...extraLines(report), `${report.machine}; ${report.startedAt.slice(0, 10)}.`);
  return `${lines.join("\n")}\n`;
}

function toolRow(report: ToolReport): string {
  const runs = finishedRuns(report);
  const each = report.runs.map((run) => (hasFailed(run) ? "failed" : run.makespanSeconds.toFixed(2))).join(", ");
  const middle = (of: (run: RunFigures) => number | null, digits: number): string => {
    const values = runs.map(of).filter((value) => value !== null);
    return values.length === 0 ? "-" : median(values).toFixed(digits);
  };
  const most = (of: (run: RunFigures) => number): string =>
    runs.length === 0 ? "-" : formatBytes(Math.max(...runs.map(of)));
  const cells = [
    report.tool,
    each,
    middle((run) => run.makespanSeconds, 2),
    middle((run) => run.ratio, 3),
    middle((run) => run.medianCompletionSeconds, 2),
    middle((run) => run.uplinkCopies, 2),
    most((run) => run.beyondDeclaredBytes),
    middle((run) => run.cpuSeconds, 1),
    most((run) => run.peakMemoryBytes),
  ];
  return `| ${cells.join(" | ")} |`;
}

/** What only some races have. */
function extraLines({ tools, boundSeconds }: RaceReport): string[] {
  const lines: string[] = [];
  for (const report of tools) {
    const runs = finishedRuns(report);
    const delays = runs.map((run) => run.afterProductionSeconds).filter((delay) => delay !== null);
    if (delays.length > 0) {
      lines.push(`${report.tool}: last block everywhere ${median(delays).toFixed(2)} s after its production.`);
    }
    const others = runs.map(({ competingBitsPerSecond: [first] }) => first).filter((rate) => rate !== undefined);
    const own = runs.map((run) => run.besideCompetingBitsPerSecond).filter((rate) => rate !== null);
    if (others.length > 0 && own.length > 0) {
      lines.push(`${report.tool} had ${mbps(median(own))}, the competing flow beside it ${mbps(median(others))}.`);
    }
    if (boundSeconds === null && runs.length > 0) {
      const rate = median(runs.map(({ deliveredBytesPerSecond }) => deliveredBytesPerSecond));
      const cpu = median(runs.map(({ cpuSecondsPerGigabyteDelivered }) => cpuSecondsPerGigabyteDelivered));
      lines.push(`${report.tool}: ${(rate / 1e9).toFixed(2)} GB/s, ${cpu.toFixed(2)} CPU seconds for each GB.`);
    }
  }
  return lines;
}

function mbps(bitsPerSecond: number): string {
  return `${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s`;
}
