/** `sluice plan`: has a schedule worked out beforehand and stored, and shows it. */
import { Option, type Command } from "commander";
import { withControllerOptions } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { helpWithExamples } from "../help.ts";
import { needed } from "../option-values.ts";

export interface PlanOptions extends ControllerOptions {
  readonly fileset?: string;
  readonly version?: string;
}

export interface ShowPlanOptions extends PlanOptions {
  readonly agent?: string;
}

export function registerPlan(program: Command): void {
  const plan = withVersionOptions(withControllerOptions(program.command("plan")))
    .description("work out a schedule from the resources of the whole system, and store it in the controller")
    .action(async (options: PlanOptions) => (await actions()).makePlan(options));
  helpWithExamples(
    plan,
    ["sluice plan --fileset index --version 42"],
    "Agents are instructed from it while reality agrees with it; whoever it does not fit is decided on as if there were none.",
  );
  const show = withVersionOptions(withControllerOptions(plan.command("show")))
    .description("show a stored schedule, and how far it is followed")
    .option("--agent <name>", "list the transfers to this agent too")
    .action(async (options: ShowPlanOptions) => (await actions()).showPlan(options));
  helpWithExamples(show, ["sluice plan show --fileset index --version 42 --agent fra-0"]);
}

function withVersionOptions(command: Command): Command {
  return command
    .addOption(needed(new Option("--fileset <name>", "name of the file set")))
    .addOption(needed(new Option("--version <version>", "its version")));
}

const actions = async () => import("./plan-actions.ts");
