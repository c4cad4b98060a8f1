/** What the verbs of `sluice agent` do. */
import { setTimeout as pause } from "node:timers/promises";
import { checkAgentName } from "../../model/names.ts";
import { UserError } from "../../std/errors.ts";
import { formatBytes } from "../../std/units.ts";
import type { AgentView } from "../../protocol/views.ts";
import { asUsage } from "../as-usage.ts";
import { connectController } from "../controller-options.ts";
import type { ControllerOptions } from "../controller-options.ts";
import { exitCodes } from "../exit-codes.ts";
import { print } from "../output.ts";
import { formatTable } from "../table.ts";
import type { VerifyAgentOptions, WaitForAgentsOptions } from "./agent.ts";

/** How often it is looked whether agents are online. */
const waitPollMilliseconds = 250;

export async function listAgents(options: ControllerOptions): Promise<void> {
  const agents = await (await connectController(options)).agents();
  print(options.json, agents, () =>
    formatTable<AgentView>(
      [
        { title: "AGENT", cell: ({ name }) => name },
        { title: "SITE", cell: ({ site }) => site },
        { title: "STATE", cell: agentState },
        { title: "FILE SETS HELD", align: "right", cell: heldCount },
        { title: "LANES IN/OUT", align: "right", cell: ({ lanesIn, lanesOut }) => `${lanesIn}/${lanesOut}` },
        { title: "FREE DISK", align: "right", cell: freeDisk },
        { title: "FAILURES", align: "right", cell: ({ failures }) => String(failures) },
        { title: "ADDRESS", cell: ({ address }) => address },
        {
          title: "LABELS",
          cell: ({ labels }) =>
            Object.entries(labels)
              .map((label) => label.join("="))
              .join(","),
        },
        {
          title: "PROBLEM",
          cell: ({ fileSets }) => fileSets.find(({ problem }) => problem !== undefined)?.problem ?? "",
        },
      ],
      agents,
      "no agents",
    ),
  );
}

/** @throws UserError with the exit code of a time that is over, naming those that are missing */
export async function waitForAgents(names: readonly string[], options: WaitForAgentsOptions): Promise<void> {
  for (const name of names) asUsage(() => checkAgentName(name));
  const giveUpAt = performance.now() + options.timeout;
  const client = await connectController({ ...options, connectTimeout: options.timeout });
  for (;;) {
    const agents = (await client.agents()).filter(({ name, online }) => online && names.includes(name));
    const missing = names.filter((name) => !agents.some((agent) => agent.name === name));
    if (missing.length === 0) {
      print(options.json, agents, () => `${names.join(", ")} ${names.length === 1 ? "is" : "are"} online\n`);
      return;
    }
    if (performance.now() + waitPollMilliseconds > giveUpAt) {
      throw new UserError(`not online when the time was over: ${missing.join(", ")}`, {
        hint: "the log of each says why: is its controller the right one, its site in the topology, its name its own?",
        exitCode: exitCodes.timedOut,
      });
    }
    await pause(waitPollMilliseconds);
  }
}

export async function orderAgent(
  name: string,
  order: "drain" | "undrain" | "block" | "unblock",
  options: ControllerOptions,
): Promise<void> {
  const view = await (await connectController(options)).orderAgent(name, order);
  print(options.json, view, () => `${view.done}\n`);
}

/** Damage that was found makes the command fail, so that scripts notice. */
export async function verifyAgent(name: string, options: VerifyAgentOptions): Promise<void> {
  const view = await (await connectController(options)).verifyAgent(name, options.blocks);
  print(options.json, view, () => {
    const head = `${view.agent}: ${view.checkedBlocks} blocks (${formatBytes(view.checkedBytes)}) checked`;
    if (view.damaged.length === 0) return `${head}, all of them right\n`;
    const table = formatTable<(typeof view.damaged)[number]>(
      [
        { title: "FILE SET", cell: ({ fileSet }) => fileSet },
        { title: "BLOCK", align: "right", cell: ({ block }) => String(block) },
        { title: "PROBLEM", cell: ({ problem }) => problem },
        { title: "PATH", cell: ({ path }) => path },
      ],
      view.damaged,
      "",
    );
    return `${head}, ${view.damaged.length} damaged (the agent fetches them again)\n${table}`;
  });
  if (view.damaged.length > 0) process.exitCode = exitCodes.failure;
}

function agentState(agent: AgentView): string {
  const words: string[] = [agent.online ? "online" : "offline"];
  if (agent.drained) words.push("drained");
  if (agent.blocked) words.push("blocked");
  if (agent.outOfUse) words.push("out of use");
  return words.join(", ");
}

function heldCount({ fileSets }: AgentView): string {
  return `${fileSets.filter(({ status }) => status === "held").length}/${fileSets.length}`;
}

function freeDisk({ freeDiskBytes }: AgentView): string {
  return freeDiskBytes === null ? "" : formatBytes(freeDiskBytes);
}
