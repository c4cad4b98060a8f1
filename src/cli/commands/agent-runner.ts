/** What `sluice agent` with options does: starts the agent, says where it listens, and stops it when told to. */
import { DiskAgentStore } from "../../platform/agent-store/disk-agent-store.ts";
import { compileLate } from "../../platform/compile-late.ts";
import { createLogger } from "../../platform/log.ts";
import { parseLabels } from "../../model/labels.ts";
import { checkAgentName, checkSiteName } from "../../model/names.ts";
import { startAgent } from "../../services/agent/run-agent.ts";
import { asUsage } from "../as-usage.ts";
import type { AgentProgramFlags } from "./agent-program.ts";

/** Runs until it is stopped. @throws UserError when it cannot start or has to stop */
export async function runAgent(flags: AgentProgramFlags): Promise<void> {
  const labels = asUsage(() => {
    checkAgentName(flags.name);
    checkSiteName(flags.site);
    return parseLabels(flags.label ?? []);
  });
  compileLate();
  const agent = await startAgent({
    controllerUrl: flags.controller,
    name: flags.name,
    site: flags.site,
    labels,
    listen: flags.listen,
    advertise: flags.advertise,
    keepFreeBytes: flags.keepFree,
    keepVersions: flags.keepVersions,
    store: new DiskAgentStore(flags.data),
    logger: createLogger({ program: "agent", level: flags.logLevel }),
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void agent.stop());
  process.stdout.write(`listening on ${agent.url}\n`);
  await agent.stopped;
}
