/** `sluice simulate`: what would happen if this were published over these links, worked out by the production code. */
import type { Command } from "commander";
import { helpWithExamples } from "../help.ts";
import { wholeNumberBetween } from "../option-values.ts";
import { addSchedulingOptions, type SchedulingFlags } from "../scheduling-options.ts";

export interface SimulateFlags extends SchedulingFlags {
  readonly seed?: number;
  readonly json?: boolean;
  readonly trace?: string;
  readonly plot?: string;
}

const highestSeed = 999_999_999_999_999;

export function registerSimulate(program: Command): void {
  const simulate = program
    .command("simulate")
    .description("tell, before anyone publishes, when a file set will have reached everyone and what holds it back")
    .argument("<scenario>", "YAML file: links, agents, file sets, and what goes wrong")
    .option("--seed <number>", "in place of the scenario's", wholeNumberBetween(0, highestSeed));
  addSchedulingOptions(simulate)
    .option("--json", "print one object for programs")
    .option("--trace <file>", "write each decision as a line of JSON: its mode, its reason, the runners-up")
    .option("--plot <file.svg>", "draw progress and the use of links over time")
    .action(async (scenario: string, flags: SimulateFlags) => {
      const { runSimulation } = await import("./simulate-actions.ts");
      await runSimulation(scenario, flags);
    });
  helpWithExamples(simulate, [
    "sluice simulate scenarios/four-sites.yaml",
    "sluice simulate scenarios/four-sites.yaml --plot progress.svg --trace decisions.jsonl",
    "sluice simulate scenarios/jitter.yaml --seed 7 --json",
  ]);
}
