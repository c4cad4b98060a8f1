/**
 * All commands, as commander knows them. What a command does is loaded only when it runs, so that `sluice --help` and a
 * mistyped word are answered at once.
 */
import { Command, Option } from "commander";
import { programVersion } from "../platform/program-version.ts";
import { registerAgent } from "./commands/agent.ts";
import { registerAgentProgram } from "./commands/agent-program.ts";
import { registerCompletion } from "./commands/completion.ts";
import { registerConfig } from "./commands/config.ts";
import { registerController } from "./commands/controller.ts";
import { registerFileSet } from "./commands/fileset.ts";
import { registerPlan } from "./commands/plan.ts";
import { registerPublish } from "./commands/publish.ts";
import { registerResource } from "./commands/resource.ts";
import { registerSimulate } from "./commands/simulate.ts";
import { registerStatus } from "./commands/status.ts";
import { registerTopology } from "./commands/topology.ts";
import { registerVerify } from "./commands/verify.ts";
import { helpWithExamples } from "./help.ts";
import { helpPage } from "./help-page.ts";
import { commandsWithSettings } from "./settings/key-tree.ts";
import { configPartOf } from "./settings/setting-names.ts";
import { clearerChoices } from "./wrong-words.ts";

/** The command line, ready to parse. It throws CommanderError instead of ending the process. */
export function createProgram(): Command {
  const program = new Command("sluice");
  program
    .description("distributes large, versioned file sets to many servers, never above what each link may be used for")
    .version(programVersion(), "-V, --version", "show the version")
    .helpOption("-h, --help", "show help")
    .helpCommand(true)
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ formatHelp: helpPage })
    .configureOutput({
      outputError: (text, write) =>
        write(
          clearerChoices(text)
            .replace(/^error: /, "sluice: ")
            .replace(/\n\((.*)\)\n$/, "\n$1\n"),
        ),
    });
  helpWithExamples(program, [
    "sluice controller --data /var/lib/sluice/controller --listen 0.0.0.0:7400",
    "sluice agent --controller http://controller:7400 --data /var/lib/sluice/agent --name fra-0 --site fra --listen 0.0.0.0:7500",
    "sluice publish ./index --controller http://controller:7400 --fileset index --version 42 --wait",
    "sluice status --watch",
  ]);
  registerController(program);
  registerAgentProgram(registerAgent(program));
  registerPublish(program);
  registerFileSet(program);
  registerPlan(program);
  registerResource(program);
  registerTopology(program);
  registerStatus(program);
  registerVerify(program);
  registerSimulate(program);
  registerConfig(program);
  registerCompletion(program);
  for (const command of commandsWithSettings(program)) {
    const file = `/etc/sluice/${configPartOf(command)}.yaml`;
    command.addOption(new Option("--config <file>", `YAML file of options, instead of ${file}`));
  }
  return program;
}
