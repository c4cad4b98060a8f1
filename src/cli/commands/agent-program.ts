/** `sluice agent` with options: runs an agent. The verbs of the same noun are in agent.ts. */
import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import type { HostAndPort } from "../../platform/address.ts";
import { UserError } from "../../std/errors.ts";
import { parseBytes } from "../../std/units.ts";
import { helpWithExamples } from "../help.ts";
import { hostAndPort, wholeNumberBetween } from "../option-values.ts";

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
}

/** Commander's own `requiredOption` would ask them of `sluice agent ls` too. */
const required = [
  ["controller", "--controller <url>"],
  ["data", "--data <dir>"],
  ["name", "--name <name>"],
  ["site", "--site <site>"],
  ["listen", "--listen <host:port>"],
] as const;

/** Left free on the disk when nobody says how much. */
const defaultKeepFree = "256MiB";

/** Adds running an agent to the `agent` command. */
export function registerAgentProgram(agent: Command): void {
  agent
    .addOption(new Option("--controller <url>", "the controller, http://HOST:PORT").env("SLUICE_CONTROLLER"))
    .option("--data <dir>", "directory of what it holds and remembers")
    .option("--name <name>", "its name, of which there is only one")
    .option("--site <site>", "the site it stands in")
    .option("--listen <host:port>", "where other agents and publishers reach it; port 0: any", hostAndPort)
    .option("--advertise <host:port>", "what others are told to dial, where that is another address", hostAndPort)
    .option("--label <key=value>", "a label for selectors; may be given several times", collect)
    .addOption(
      new Option("--keep-free <size>", "disk space that it leaves free")
        .argParser(size)
        .default(parseBytes(defaultKeepFree), defaultKeepFree),
    )
    .option(
      "--keep-versions <count>",
      "versions that it keeps of a file set, the active one included; else as the controller says",
      wholeNumberBetween(1, 1000),
    )
    .action(async () => {
      const flags = agent.opts<Partial<AgentProgramFlags>>();
      for (const [name, option] of required) {
        if (flags[name] !== undefined && flags[name] !== "") continue;
        agent.error(`error: required option '${option}' not specified`, {
          code: "commander.missingMandatoryOptionValue",
        });
      }
      await (await import("./agent-runner.ts")).runAgent(flags as AgentProgramFlags);
    });
  helpWithExamples(agent, [
    "sluice agent --controller http://controller:7400 --data /var/lib/sluice/agent --name fra-0 --site fra --listen 0.0.0.0:7500 --advertise fra-0.example.net:7500 --label tier=web",
  ]);
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function size(text: string): number {
  try {
    return parseBytes(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new InvalidArgumentError([error.message, error.hint].filter((part) => part !== undefined).join("; "));
  }
}
