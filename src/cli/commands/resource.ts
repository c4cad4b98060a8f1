/** `sluice resource ls|put-back`: every link's capability, what is allocated on it, and what was measured. */
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

  const putBack = withControllerOptions(resource.command("put-back"))
    .description("put a resource or component that is out of use back into use, and forget its failures")
    .argument("<name>", "as resource ls and the log name it")
    .action(async (name: string, options: ControllerOptions) =>
      (await import("./resource-actions.ts")).putBackResource(name, options),
    );
  helpWithExamples(putBack, ["sluice resource put-back sites.fra.uplink", "sluice resource put-back agents.fra-0"]);
}
