/** The topics `agents`, `resources` and `transfers`: long lists, of which only rows that moved are made anew. */
import type { LiveAgent } from "./live-agent.ts";
import { maximumListedFlows, quickTopicMilliseconds, slowTopicMilliseconds } from "./limits.ts";
import type { LiveState, LiveTopic } from "./live-state.ts";
import { agentRow, componentRow, flowRow, nicRates, resourceRow } from "./rows.ts";
import { ChangeGate, TopicParts } from "./topic-parts.ts";
import type { Flow } from "./traffic.ts";

export class AgentsTopic implements LiveTopic {
  readonly parts = new TopicParts(["agents"]);
  readonly periodMilliseconds = slowTopicMilliseconds;
  readonly #live: LiveState;
  readonly #dirty = new Set<LiveAgent>();
  readonly #gate = new ChangeGate<LiveAgent>();

  constructor(live: LiveState) {
    this.#live = live;
  }

  onAgent(agent: LiveAgent): void {
    this.#dirty.add(agent);
  }

  onPair(_fileSet: unknown, agent: LiveAgent): void {
    this.#dirty.add(agent);
  }

  refresh(): void {
    const { state, progress } = this.#live;
    const names = new Set<string>();
    for (const live of progress.agents.values()) {
      const { agent, row } = live;
      names.add(row.name);
      const component = state.failures.get(`agents.${row.name}`);
      const rates = nicRates(this.#live, live);
      const moved = this.#gate.moved(live, [
        agent.member?.lanesIn.length ?? 0,
        agent.member?.lanesOut.length ?? 0,
        rates.in,
        rates.out,
        agent.freeDiskBytes ?? -1,
        component?.count ?? 0,
        component?.outOfUse === true ? 1 : 0,
      ]);
      if (moved || this.#dirty.has(live)) this.parts.set("agents", row.name, agentRow(this.#live, live));
    }
    this.#dirty.clear();
    this.parts.keep("agents", names);
  }
}

export class ResourcesTopic implements LiveTopic {
  readonly parts = new TopicParts(["resources"]);
  readonly periodMilliseconds = slowTopicMilliseconds;
  readonly #live: LiveState;
  readonly #gate = new ChangeGate<string>();

  constructor(live: LiveState) {
    this.#live = live;
  }

  refresh(): void {
    const { state, usage } = this.#live;
    const { ledger } = state.scheduler.world;
    const entries = ledger.entries();
    for (const [index, entry] of entries.entries()) {
      const { allocatedBitsPerSecond, measuredBitsPerSecond } = usage.of(index);
      const numbers = [entry.capability, allocatedBitsPerSecond, measuredBitsPerSecond, entry.carriedBytes];
      const failed = state.failures.get(entry.name);
      if (failed !== undefined) numbers.push(failed.count, failed.outOfUse ? 1 : 0, state.now);
      if (!this.#gate.moved(entry.name, numbers)) continue;
      this.parts.set("resources", entry.name, resourceRow(this.#live, entry, index));
    }
    const components = new Set<string>();
    for (const { name } of state.failures.all()) {
      if (ledger.find(name) !== undefined) continue;
      components.add(name);
      this.parts.set("resources", name, componentRow(this.#live, name));
    }
    for (const name of this.#components) {
      if (components.has(name)) continue;
      const index = ledger.find(name);
      if (index === undefined) this.parts.delete("resources", name);
    }
    this.#components = components;
  }

  /** Shown because they have failed. */
  #components: ReadonlySet<string> = new Set();
}

export class TransfersTopic implements LiveTopic {
  readonly parts = new TopicParts(["flows", "failures"]);
  readonly periodMilliseconds = quickTopicMilliseconds;
  readonly #live: LiveState;
  #reported = -1;

  constructor(live: LiveState) {
    this.#live = live;
  }

  refresh(): void {
    const { traffic, failures, state } = this.#live;
    const flows = [...traffic.flows.values()];
    const cut = flows.length > maximumListedFlows;
    this.parts.setValue("totals", { lanes: state.scheduler.lanes.size, flows: flows.length, cut });
    setFlows(this.parts, cut ? largest(flows) : flows);
    if (failures.reported === this.#reported) return;
    this.#reported = failures.reported;
    for (const row of failures.rows) this.parts.set("failures", row.failure, row);
    this.parts.keep("failures", new Set(failures.rows.map(({ failure }) => failure)));
  }
}

/** Makes a topic's flows these. */
export function setFlows(parts: TopicParts, flows: readonly Flow[]): void {
  for (const flow of flows) parts.set("flows", flow.key, flowRow(flow));
  parts.keep("flows", new Set(flows.map(({ key }) => key)));
}

function largest(flows: readonly Flow[]): Flow[] {
  const weight = ({ allocatedMeter, meter }: Flow): number =>
    Math.max(allocatedMeter.bitsPerSecond, meter.bitsPerSecond);
  return flows.toSorted((one, other) => weight(other) - weight(one)).slice(0, maximumListedFlows);
}
