/**
 * The agent's metrics, from what passes by anyway: the events and commands of its state machine, and what its block streams
 * carry. It changes nothing.
 */
import type { AgentCoreView } from "../../control/agent/view.ts";
import type { AgentCommand, AgentEvent } from "../../control/agent/agent-events.ts";
import type { OpenLane } from "../../protocol/controller-messages.ts";
import type { Ticket } from "../../protocol/ticket.ts";
import { counter, createRegistry, gauge, timeHistogram } from "../../platform/metrics/gauges.ts";
import { maximumCountedLanes } from "./limits.ts";

/** What is shown of the agent when Prometheus asks. */
export interface AgentFigures {
  readonly view: AgentCoreView;
  readonly agentId: string;
  readonly name: string;
  readonly site: string;
  readonly peers: number;
}

export class AgentMetrics {
  readonly registry = createRegistry("agent");
  readonly #site: string;
  /** By lane: the site that its bytes come from, or go to. Kept when it is closed: what came last may still be written. */
  readonly #incoming = new Map<number, string>();
  readonly #outgoing = new Map<number, string>();
  readonly #open = new Set<number>();

  readonly #info = gauge(
    this.registry,
    "sluice_agent_self_info",
    "Which agent this is; always 1. Join with it on `instance`",
    ["agent", "agent_id", "site"],
  );
  readonly #connected = gauge(this.registry, "sluice_agent_connected", "1: the controller has welcomed this agent");
  readonly #peers = gauge(
    this.registry,
    "sluice_agent_peers",
    "Agents and publishers that are connected to this agent",
  );
  readonly #lanes = gauge(this.registry, "sluice_agent_lanes", "Lanes through which this agent fetches");
  readonly #received = counter(
    this.registry,
    "sluice_agent_received_bytes_total",
    "Bytes of blocks that came from other agents, verified and written, by their site",
    ["peer_site"],
  );
  readonly #sent = counter(
    this.registry,
    "sluice_agent_sent_bytes_total",
    "Bytes of blocks that went to other agents, by their site",
    ["peer_site"],
  );
  readonly #handedOver = counter(
    this.registry,
    "sluice_agent_handed_over_bytes_total",
    "Bytes of blocks that were taken over from publishers",
  );
  readonly #ended = counter(
    this.registry,
    "sluice_agent_lanes_ended_total",
    "Lanes that have ended, by outcome: closed, or the kind of failure",
    ["outcome"],
  );
  readonly #damaged = counter(
    this.registry,
    "sluice_agent_damaged_blocks_total",
    "Blocks that were held and were found damaged or changed underneath",
  );
  readonly #storeFailures = counter(
    this.registry,
    "sluice_agent_store_failures_total",
    "Failures of the disk: preparing, writing or finishing a file set",
  );
  readonly #writing = timeHistogram(
    this.registry,
    "sluice_agent_write_seconds",
    "How long a batch of blocks took to be verified and written",
  );
  readonly #disk = gauge(
    this.registry,
    "sluice_agent_usable_disk_bytes",
    "Free disk space beyond what the agent keeps free",
  );
  readonly #heldBlocks = gauge(
    this.registry,
    "sluice_agent_file_set_held_blocks",
    "Blocks of a version that this agent holds",
    ["file_set", "version"],
  );
  readonly #blocks = gauge(
    this.registry,
    "sluice_agent_file_set_blocks",
    "Blocks that a version has; absent until its manifest is there",
    ["file_set", "version"],
  );
  readonly #status = gauge(
    this.registry,
    "sluice_agent_file_set_info",
    "A version that this agent has to do with, and where it stands; always 1",
    ["file_set", "version", "status"],
  );

  /** @param site this agent's own */
  constructor(site: string) {
    this.#site = site;
  }

  /** An event is handed to the state machine. */
  event(event: AgentEvent): void {
    switch (event.type) {
      case "laneFailed":
        if (this.#open.delete(event.laneId)) this.#ended.inc({ outcome: event.kind });
        break;
      case "damaged":
        this.#damaged.inc(event.ranges.count);
        break;
      case "storeFailed":
        this.#storeFailures.inc();
        break;
      case "disk":
        this.#disk.set(event.freeBytes);
        break;
      default:
        break;
    }
  }

  /** The state machine has ordered something. */
  command(command: AgentCommand): void {
    if (command.type === "openLane") {
      remember(this.#incoming, command.lane.laneId, siteOf(command.lane, this.#site));
      this.#open.add(command.lane.laneId);
    } else if (command.type === "closeLane" && this.#open.delete(command.laneId)) {
      this.#ended.inc({ outcome: "closed" });
    }
  }

  /** A ticket was accepted: its lane may be served. */
  served({ laneId, peerSite }: Ticket): void {
    remember(this.#outgoing, laneId, peerSite ?? "");
  }

  /** Blocks that came through a lane are verified and written. */
  received(laneId: number, lengthBytes: number): void {
    this.#received.inc({ peer_site: this.#incoming.get(laneId) ?? this.#site }, lengthBytes);
  }

  sent(laneId: number, lengthBytes: number): void {
    this.#sent.inc({ peer_site: this.#outgoing.get(laneId) ?? "" }, lengthBytes);
  }

  handedOver(lengthBytes: number): void {
    this.#handedOver.inc(lengthBytes);
  }

  written(seconds: number): void {
    this.#writing.observe(seconds);
  }

  /** The metrics as text. */
  async collect({ view, agentId, name, site, peers }: AgentFigures): Promise<{ contentType: string; text: string }> {
    this.#info.set({ agent: name, agent_id: agentId, site }, 1);
    this.#connected.set(view.connection === "welcomed" ? 1 : 0);
    this.#peers.set(peers);
    this.#lanes.set(view.lanes);
    for (const metric of [this.#heldBlocks, this.#blocks, this.#status]) metric.reset();
    for (const { fileSet, status, heldBlocks, blocks } of view.fileSets) {
      const [fileSetName = "", version = ""] = fileSet.split("@");
      const labels = { file_set: fileSetName, version };
      this.#heldBlocks.set(labels, heldBlocks);
      if (blocks !== undefined) this.#blocks.set(labels, blocks);
      this.#status.set({ ...labels, status }, 1);
    }
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }
}

/** The site at the other end: whose uplink the path begins with, or else this agent's own. */
function siteOf({ path }: OpenLane, ownSite: string): string {
  for (const name of path) {
    const match = /^sites\.(.+)\.uplink$/.exec(name);
    if (match !== null) return match[1] ?? ownSite;
  }
  return ownSite;
}

function remember<Value>(map: Map<number, Value>, laneId: number, value: Value): void {
  map.set(laneId, value);
  if (map.size <= maximumCountedLanes) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}
