/** `sluice resource ls`: every link's capability, what is allocated on it, and what was measured. */
import type { Command } from "commander";
import { withControllerOptions } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { helpWithExamples } from "../help.ts";

export function registerResource(program: Command): void {
  const resource = program.command("resource").description("show links and interfaces, and how they are used");
  const list = withControllerOptions(resource.command("ls"))
    .description("list resources: capability, allocated, measured, failures")
    .action(async (options: ControllerOptions) => (await import("./resource-actions.ts")).listResources(options));
  helpWithExamples(list, ["sluice resource ls", "sluice resource ls --json | jq '.[] | select(.outOfUse)'"]);
}
