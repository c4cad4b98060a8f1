/** `sluice agent VERB`: what an operator sees of agents and tells them to do. `sluice agent` with options runs one. */
import { Option } from "commander";
import type { Command } from "commander";
import { withControllerOptions } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { helpWithExamples } from "../help.ts";
import { durationMilliseconds, wholeNumberBetween } from "../option-values.ts";

export interface WaitForAgentsOptions extends ControllerOptions {
  readonly timeout: number;
}

export interface VerifyAgentOptions extends ControllerOptions {
  readonly blocks: number;
}

/** Blocks that an agent is challenged with when nobody says how many. */
const defaultVerifiedBlocks = 16;

/** How long agents are waited for when nobody says. */
const defaultWait = "1m";

/** The `agent` command with its verbs; running an agent is added to it by its own module. */
export function registerAgent(program: Command): Command {
  // Positional: `--controller` behind a verb is the verb's, not that of the agent's program.
  const agent = program
    .command("agent")
    .description("run an agent, or look after those there are")
    .enablePositionalOptions();

  const list = withControllerOptions(agent.command("ls"))
    .description("list agents: state, lanes, free disk, failures, labels, problem")
    .action(async (options: ControllerOptions) => (await actions()).listAgents(options));
  helpWithExamples(list, ["sluice agent ls", "sluice agent ls --json | jq -r '.[] | select(.online | not) | .name'"]);

  const wait = withControllerOptions(agent.command("wait"))
    .description("wait until agents are online, for scripts that start them")
    .argument("<name...>", "names of agents")
    .addOption(
      new Option("--timeout <duration>", "how long to wait; exit code 4 when the time is over")
        .argParser(durationMilliseconds)
        .default(durationMilliseconds(defaultWait), defaultWait),
    )
    .action(async (names: string[], options: WaitForAgentsOptions) => (await actions()).waitForAgents(names, options));
  helpWithExamples(wait, ["sluice agent wait fra-0 iad-0 iad-1 --timeout 5m"]);

  const orders = [
    ["drain", "take an agent out of service gently: what it serves is finished, nothing new is asked of it"],
    ["undrain", "put a drained agent back into service"],
    ["block", "shut an agent out: it is disconnected, and refused until it is unblocked"],
    ["unblock", "let a blocked agent in again"],
  ] as const;
  for (const [order, description] of orders) {
    const command = withControllerOptions(agent.command(order))
      .description(description)
      .argument("<name>", "name of an agent")
      .action(async (name: string, options: ControllerOptions) => (await actions()).orderAgent(name, order, options));
    helpWithExamples(command, [`sluice agent ${order} fra-0`]);
  }

  const verify = withControllerOptions(agent.command("verify"))
    .description("challenge an agent with random blocks, which the controller checks itself")
    .argument("<name>", "name of an agent")
    .option("--blocks <count>", "how many blocks", wholeNumberBetween(1, 1000), defaultVerifiedBlocks)
    .action(async (name: string, options: VerifyAgentOptions) => (await actions()).verifyAgent(name, options));
  helpWithExamples(verify, ["sluice agent verify fra-0 --blocks 100"]);
  return agent;
}

const actions = async () => import("./agent-actions.ts");
