/** What `sluice plan` and `sluice plan show` do. */
import type { PlanView } from "../../protocol/plan-views.ts";
import { UserError } from "../../std/errors.ts";
import { formatBitsPerSecond, formatBytes } from "../../std/units.ts";
import { connectController } from "../controller-options.ts";
import { exitCodes } from "../exit-codes.ts";
import { formatDate, print } from "../output.ts";
import { formatFields, formatTable } from "../table.ts";
import type { Column } from "../table.ts";
import type { PlanOptions, ShowPlanOptions } from "./plan.ts";

type PlannedAgent = PlanView["agents"][number];
type PlanStep = NonNullable<PlanView["steps"]>[number];

const agentColumns: readonly Column<PlannedAgent>[] = [
  { title: "AGENT", cell: ({ agent }) => agent },
  { title: "STATE", cell: ({ state }) => state },
  { title: "TRANSFERS", align: "right", cell: ({ transfers }) => String(transfers) },
  { title: "FIRST", align: "right", cell: ({ firstSeconds }) => seconds(firstSeconds) },
  { title: "LAST", align: "right", cell: ({ lastSeconds }) => seconds(lastSeconds) },
];

const stepColumns: readonly Column<PlanStep>[] = [
  { title: "AT", align: "right", cell: ({ startSeconds }) => seconds(startSeconds) },
  { title: "FROM", cell: ({ source }) => source },
  {
    title: "BLOCKS",
    align: "right",
    cell: ({ start, end }) => (end === start + 1 ? String(start) : `${start}-${end - 1}`),
  },
  { title: "RATE", align: "right", cell: ({ rateBitsPerSecond }) => formatBitsPerSecond(rateBitsPerSecond) },
];

export async function makePlan(options: PlanOptions): Promise<void> {
  const { name, version } = versionOf(options);
  const view = await (await connectController(options)).plan(name, version);
  print(options.json, view, () => describe(view));
}

export async function showPlan(options: ShowPlanOptions): Promise<void> {
  const { name, version } = versionOf(options);
  const view = await (await connectController(options)).planOf(name, version, options.agent);
  print(options.json, view, () => {
    const steps =
      options.agent === undefined ? "" : `\n${formatTable(stepColumns, view.steps ?? [], "no transfers to it")}`;
    return `${describe(view)}\n${formatTable(agentColumns, view.agents, "no agents")}${steps}`;
  });
}

function versionOf({ fileset, version }: PlanOptions): { name: string; version: string } {
  if (fileset !== undefined && version !== undefined) return { name: fileset, version };
  throw new UserError("a plan is for one version: --fileset NAME --version VERSION", { exitCode: exitCodes.usage });
}

function describe(view: PlanView): string {
  const { following, left, done } = view.counts;
  return formatFields([
    ["plan", `${view.fileSet}, made ${formatDate(view.madeAtMilliseconds)}`],
    [
      "predicted",
      `${seconds(view.predictedSeconds)}${view.isWhole ? "" : ", and the rest is decided on when it is due"}`,
    ],
    [
      "transfers",
      `${view.transfers} to ${view.agents.length} agents (${formatBytes(view.storedBytes)} stored), ${view.begun} of them begun as planned`,
    ],
    ["agents", `${following} follow it, ${left} have left it, ${done} are done`],
  ]);
}

function seconds(value: number): string {
  return `${value.toFixed(2)} s`;
}
