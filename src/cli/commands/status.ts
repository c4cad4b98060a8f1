/** `sluice status [--watch]`: the fleet at a glance. */
import { Option } from "commander";
import type { Command } from "commander";
import { withControllerOptions } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { helpWithExamples } from "../help.ts";
import { durationBetween } from "../option-values.ts";

export interface StatusOptions extends ControllerOptions {
  readonly watch?: boolean;
  readonly interval: number;
}

export function registerStatus(program: Command): void {
  const status = withControllerOptions(program.command("status"))
    .description("show agents, file sets, progress, the busiest links and what is out of use")
    .option("-w, --watch", "go on showing it until interrupted; plain lines where there is no terminal")
    .addOption(
      new Option("--interval <duration>", "how often to look")
        .argParser(durationBetween(100, 3_600_000))
        .default(1_000, "1s"),
    )
    .action(async (options: StatusOptions) => {
      const actions = await import("./status-actions.ts");
      await (options.watch ? actions.watchStatus(options) : actions.showStatus(options));
    });
  helpWithExamples(status, ["sluice status --watch", "sluice status --json"]);
}
