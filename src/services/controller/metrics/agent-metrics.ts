/** Metrics of agents, as the controller sees them. */
import type { LiveFigures } from "../../../control/controller/live/figures.ts";
import { gauge, type Registry } from "../../../platform/metrics/gauges.ts";

export class AgentMetrics {
  readonly #info;
  readonly #online;
  readonly #held;
  readonly #wanted;
  readonly #disk;
  readonly #sites;

  constructor(registry: Registry) {
    const agent = ["agent"] as const;
    this.#info = gauge(registry, "sluice_agent_info", "An agent; always 1. Join with it on `agent`", [
      "agent",
      "agent_id",
      "site",
      "address",
    ]);
    this.#online = gauge(registry, "sluice_agent_online", "1: the agent is connected; 0: it is not", agent);
    this.#held = gauge(registry, "sluice_agent_held_bytes", "Bytes that an agent holds of what it should hold", agent);
    this.#wanted = gauge(registry, "sluice_agent_wanted_bytes", "Bytes that an agent should hold", agent);
    this.#disk = gauge(registry, "sluice_agent_free_disk_bytes", "What an agent last said of its free disk", agent);
    this.#sites = gauge(registry, "sluice_site_agents", "Agents of a site", ["site", "state"]);
  }

  take({ agents }: LiveFigures): void {
    for (const metric of [this.#info, this.#online, this.#held, this.#wanted, this.#disk, this.#sites]) metric.reset();
    for (const { name, agentId, site, address, online, heldBytes, wantedBytes, freeDiskBytes } of agents) {
      this.#info.set({ agent: name, agent_id: agentId, site, address }, 1);
      this.#online.set({ agent: name }, online ? 1 : 0);
      this.#held.set({ agent: name }, heldBytes);
      this.#wanted.set({ agent: name }, wantedBytes);
      if (freeDiskBytes !== undefined) this.#disk.set({ agent: name }, freeDiskBytes);
      this.#sites.inc({ site, state: online ? "online" : "offline" });
    }
  }
}
