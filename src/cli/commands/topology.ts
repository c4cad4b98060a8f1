/** `sluice topology show|apply`: the links' capabilities that are in force, and putting others into force. */
import type { Command } from "commander";
import { withControllerOptions } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { helpWithExamples } from "../help.ts";

export function registerTopology(program: Command): void {
  const topology = program.command("topology").description("show or replace the topology");

  const show = withControllerOptions(topology.command("show"))
    .description("print the topology in force, as YAML")
    .action(async (options: ControllerOptions) => (await actions()).showTopology(options));
  helpWithExamples(show, ["sluice topology show > links.yaml"]);

  const apply = withControllerOptions(topology.command("apply"))
    .description("put a topology into force, on running transfers too; one with a mistake is refused")
    .argument("<file>", "YAML file, or - for standard input")
    .action(async (file: string, options: ControllerOptions) => (await actions()).applyTopology(file, options));
  helpWithExamples(apply, ["sluice topology apply links.yaml", "sluice topology show | sluice topology apply -"]);
}

const actions = async () => import("./topology-actions.ts");
