/** What came of a simulation, for people: figures first, then file sets, uplinks and links, the most telling of each. */
import pc from "picocolors";
import type { FileSetFigures, SimulationResult } from "../../simulator/result.ts";
import type { Percentiles } from "../../simulator/figures.ts";
import type { Scenario } from "../../simulator/scenario.ts";
import { formatBytes } from "../../std/units.ts";
import type { SimulateFlags } from "../commands/simulate.ts";
import { formatFields, formatTable, type Column } from "../table.ts";

/** Lines of each table; a fleet has hundreds of sites and file sets. */
const maximumRows = 8;
/** Names and violations that are listed. */
const maximumListed = 10;
/** A ratio up to this is shown as good, and up to the second one as fair. */
const goodRatio = 1.05;
const fairRatio = 1.2;

/** The whole text, each line ended. @param title the scenario's name */
export function summarizeSimulation(
  title: string,
  scenario: Scenario,
  flags: Pick<SimulateFlags, "mode" | "policy" | "seed">,
  result: SimulationResult,
): string {
  const parts = [
    `${pc.bold(title)}  ${describeScenario(scenario)}\n`,
    formatFields(fields(scenario, flags, result)),
    result.fileSets.length > 1 ? fileSetTable(result) : "",
    result.uplinks.length > 1 ? uplinkTable(result) : "",
    resourceTable(result),
    violationLines(result),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function describeScenario({ agents, fileSets }: Scenario): string {
  const sites = new Set(agents.map(({ site }) => site)).size;
  const bytes = fileSets.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
  return `${counted(agents.length, "agent")} in ${counted(sites, "site")}, ${counted(fileSets.length, "file set")} of ${formatBytes(bytes)}`;
}

function fields(
  scenario: Scenario,
  { mode = "incremental", policy = "cost", seed }: Pick<SimulateFlags, "mode" | "policy" | "seed">,
  result: SimulationResult,
): [string, string][] {
  const { heldBackBy, healthy } = result;
  const lines: [string, string][] = [
    ["makespan", seconds(result.makespanSeconds)],
    ["bound", `${seconds(result.boundSeconds)} (${result.boundKind})`],
    ["ratio", rated(result.ratio)],
    ["held back by", [heldBackBy.explanation, named(heldBackBy.resources)].filter((part) => part !== "").join(": ")],
    ["completion", `${percentiles(result.completionSeconds)}, mean ${seconds(result.meanSeconds)}`],
  ];
  if (healthy.meanSeconds !== result.meanSeconds) {
    const share = `${percentiles(healthy.completionSeconds)}, mean ${seconds(healthy.meanSeconds)}`;
    lines.push(["healthy ones", `${share}; ${rated(healthy.ratio)} x their bound of ${seconds(healthy.boundSeconds)}`]);
  }
  if (result.uplinks.length > 1) {
    const { uplinkCopies, leastUplinkCopies } = result;
    lines.push(["copies", `${uplinkCopies.toFixed(2)} over site uplinks, at least ${leastUplinkCopies.toFixed(2)}`]);
  }
  const deciding = `${result.decideSeconds.toFixed(2)} s to decide`;
  lines.push([
    "decisions",
    `${grouped(result.transfers)} transfers of ${grouped(result.deliveries)} blocks, ${deciding} (${mode}, ${policy}, seed ${seed ?? scenario.seed})`,
  ]);
  if (result.incomplete.length > 0) {
    lines.push(["incomplete", `${counted(result.incomplete.length, "target")}: ${named(result.incomplete)}`]);
  }
  return lines;
}

function fileSetTable({ fileSets }: SimulationResult): string {
  const overBound = (figures: FileSetFigures): number =>
    figures.boundSeconds === 0 ? 1 : figures.completionSeconds.max / figures.boundSeconds;
  const columns: Column<FileSetFigures>[] = [
    { title: "FILE SET", cell: ({ name, version }) => `${name}@${version}` },
    { title: "TARGETS", align: "right", cell: ({ targets }) => grouped(targets) },
    { title: "P50", align: "right", cell: ({ completionSeconds }) => seconds(completionSeconds.p50) },
    { title: "P99", align: "right", cell: ({ completionSeconds }) => seconds(completionSeconds.p99) },
    { title: "MAX", align: "right", cell: ({ completionSeconds }) => seconds(completionSeconds.max) },
    { title: "MEAN", align: "right", cell: ({ meanSeconds }) => seconds(meanSeconds) },
    { title: "BOUND ALONE", align: "right", cell: ({ boundSeconds }) => seconds(boundSeconds) },
    { title: "MAX / BOUND", align: "right", cell: (figures) => overBound(figures).toFixed(3) },
  ];
  return topOf(fileSets, (one, other) => overBound(other) - overBound(one), columns, "file sets");
}

function uplinkTable({ uplinks, resources }: SimulationResult): string {
  const useOf = (site: string): string => {
    const found = resources.find(({ resource }) => resource === `sites.${site}.uplink`);
    return found === undefined ? "no limit" : percent(found.useWhileBusy);
  };
  const columns: Column<(typeof uplinks)[number]>[] = [
    { title: "OUT OF SITE", cell: ({ site }) => site },
    { title: "BYTES", align: "right", cell: ({ bytes }) => formatBytes(bytes) },
    { title: "AT LEAST", align: "right", cell: ({ leastBytes }) => formatBytes(leastBytes) },
    { title: "USE WHILE BUSY", align: "right", cell: ({ site }) => useOf(site) },
  ];
  return topOf(uplinks, (one, other) => other.bytes - one.bytes, columns, "sites");
}

function resourceTable({ resources }: SimulationResult): string {
  const columns: Column<(typeof resources)[number]>[] = [
    { title: "BUSIEST RESOURCES", cell: ({ resource }) => resource },
    { title: "BYTES", align: "right", cell: ({ bytes }) => formatBytes(bytes) },
    { title: "BUSY", align: "right", cell: ({ busySeconds }) => seconds(busySeconds) },
    { title: "USE WHILE BUSY", align: "right", cell: ({ useWhileBusy }) => percent(useWhileBusy) },
    { title: "OF MAKESPAN", align: "right", cell: ({ use }) => percent(use) },
  ];
  if (resources.length === 0) return "";
  return topOf(resources, (one, other) => other.use - one.use, columns, undefined);
}

/** The first rows of a table in this order, and how many there are beside. */
function topOf<Row>(
  rows: readonly Row[],
  order: (one: Row, other: Row) => number,
  columns: readonly Column<Row>[],
  what: string | undefined,
): string {
  const shown = rows.toSorted(order).slice(0, maximumRows);
  const rest = rows.length - shown.length;
  const more = what === undefined || rest === 0 ? "" : `${pc.dim(`and ${grouped(rest)} ${what} more`)}\n`;
  return formatTable(columns, shown, "") + more;
}

function violationLines({ violations }: SimulationResult): string {
  const shown = violations.slice(0, maximumListed).map((text) => `${pc.red("violation")}  ${text}\n`);
  const rest = violations.length - shown.length;
  return shown.join("") + (rest > 0 ? `and ${rest} more\n` : "");
}

function percentiles({ p50, p99, p999, max }: Percentiles): string {
  return `p50 ${seconds(p50)}, p99 ${seconds(p99)}, p99.9 ${seconds(p999)}, max ${seconds(max)}`;
}

function rated(ratio: number): string {
  const text = ratio.toFixed(3);
  if (ratio <= goodRatio) return pc.green(text);
  return ratio <= fairRatio ? pc.yellow(text) : pc.red(text);
}

function seconds(value: number): string {
  return `${value.toFixed(value < 100 ? 3 : 1)} s`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, maximumListed).join(", ");
  return names.length > maximumListed ? `${shown} and ${grouped(names.length - maximumListed)} more` : shown;
}

function counted(count: number, what: string): string {
  return `${grouped(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** 12,345 */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}
