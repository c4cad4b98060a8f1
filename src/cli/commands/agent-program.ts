/** `sluice agent` with options: runs an agent. The verbs of the same noun are in agent.ts. */
import { Option } from "commander";
import type { Command } from "commander";
import type { HostAndPort } from "../../platform/address.ts";
import { parseBytes } from "../../std/units.ts";
import { logLevelOption } from "../controller-options.ts";
import { helpWithExamples } from "../help.ts";
import { collectList, hostAndPort, isNeeded, needed, sizeBytes, wholeNumberBetween } from "../option-values.ts";

export interface AgentProgramFlags {
  readonly controller: string;
  readonly data: string;
  readonly name: string;
  readonly site: string;
  readonly listen: HostAndPort;
  readonly advertise?: HostAndPort;
  readonly label?: readonly string[];
  readonly keepFree: number;
  readonly keepVersions?: number;
  readonly logLevel?: string;
}

/** Left free on the disk when nobody says how much. */
const defaultKeepFree = "256MiB";

/** Adds running an agent to the `agent` command. */
export function registerAgentProgram(agent: Command): void {
  agent
    .addOption(needed(new Option("--controller <url>", "the controller, http://HOST:PORT")))
    .addOption(needed(new Option("--data <dir>", "directory of what it holds and remembers")))
    .addOption(needed(new Option("--name <name>", "its name, of which there is only one")))
    .addOption(needed(new Option("--site <site>", "the site it stands in")))
    .addOption(
      needed(new Option("--listen <host:port>", "where other agents and publishers reach it; port 0: any")).argParser(
        hostAndPort,
      ),
    )
    .option("--advertise <host:port>", "what others are told to dial, where that is another address", hostAndPort)
    .option("--label <key=value>", "a label for selectors; may be given several times", collectList)
    .addOption(
      new Option("--keep-free <size>", "disk space that it leaves free")
        .argParser(sizeBytes)
        .default(parseBytes(defaultKeepFree), defaultKeepFree),
    )
    .option(
      "--keep-versions <count>",
      "versions that it keeps of a file set, the active one included; else as the controller says",
      wholeNumberBetween(1, 1000),
    )
    .addOption(logLevelOption())
    .action(async () => {
      // Commander's own `requiredOption` would ask them of `sluice agent ls` too.
      for (const option of agent.options.filter((candidate) => isNeeded(candidate))) {
        const value: unknown = agent.getOptionValue(option.attributeName());
        if (value !== undefined && value !== "") continue;
        agent.error(`error: required option '${option.flags}' not specified`, {
          code: "commander.missingMandatoryOptionValue",
        });
      }
      await (await import("./agent-runner.ts")).runAgent(agent.opts<AgentProgramFlags>());
    });
  helpWithExamples(
    agent,
    [
      "sluice agent --controller http://controller:7400 --data /var/lib/sluice/agent --name fra-0 --site fra --listen 0.0.0.0:7500 --advertise fra-0.example.net:7500 --label tier=web",
      "sluice agent --config /etc/sluice/agent.yaml",
      "sluice agent ls",
    ],
    'With options it runs an agent, which prints "listening on http://HOST:PORT" on standard output when it is ready, logs to standard error, and stops in good order on SIGTERM and SIGINT. With a verb it looks after the agents there are.',
    "Where it listens on every address and --advertise is not given, others are told to dial the host's name.",
  );
}
