/** The topics `fileSet:NAME@VERSION`, `agent:NAME` and `resource:NAME`: one thing, with all that belongs to it. */
import type { LiveAgent } from "./live-agent.ts";
import type { LiveFileSet } from "./live-file-set.ts";
import { quickTopicMilliseconds, rarityMilliseconds } from "./limits.ts";
import { setFlows } from "./list-topics.ts";
import type { LiveState, LiveTopic } from "./live-state.ts";
import { rarityRows } from "./rarity.ts";
import { agentFileSetRow, agentRow, componentRow, fileSetRow, resourceRow, targetRow } from "./rows.ts";
import { TopicParts } from "./topic-parts.ts";
import { nanosecondsPerMillisecond } from "../../../std/units.ts";

export class FileSetTopic implements LiveTopic {
  readonly parts = new TopicParts(["sites", "agents", "history"]);
  readonly periodMilliseconds = quickTopicMilliseconds;
  readonly #live: LiveState;
  readonly #key: string;
  /** What the rows are about; another one when the version was published anew. */
  #shown: LiveFileSet | undefined;
  readonly #dirty = new Set<LiveAgent>();
  #samples = -1;
  #rarityAtNanoseconds = -Infinity;

  constructor(live: LiveState, key: string) {
    this.#live = live;
    this.#key = key;
  }

  onPair(fileSet: LiveFileSet, agent: LiveAgent): void {
    if (fileSet === this.#shown) this.#dirty.add(agent);
  }

  refresh(nowNanoseconds: number): void {
    const fileSet = this.#live.progress.fileSets.get(this.#key);
    this.parts.setValue("summary", fileSet === undefined ? null : fileSetRow(fileSet));
    if (fileSet !== this.#shown || fileSet === undefined) this.#begin(fileSet);
    if (fileSet === undefined) return;
    this.#refreshAgents(fileSet);
    for (const [site, { targets, held, heldBytes, wantedBytes }] of fileSet.sites) {
      if (targets === 0) this.parts.delete("sites", site);
      else this.parts.set("sites", site, { site, targets, held, heldBytes, wantedBytes });
    }
    this.parts.setValue("atBest", fileSet.atBest ?? null);
    this.#refreshHistory(fileSet);
    if (nowNanoseconds - this.#rarityAtNanoseconds < rarityMilliseconds * nanosecondsPerMillisecond) return;
    this.#rarityAtNanoseconds = nowNanoseconds;
    this.parts.setValue("rarity", rarityRows(fileSet.fileSet));
  }

  #begin(fileSet: LiveFileSet | undefined): void {
    this.#shown = fileSet;
    this.#samples = -1;
    this.#rarityAtNanoseconds = -Infinity;
    for (const collection of ["sites", "agents", "history"]) this.parts.keep(collection, new Set());
    this.#dirty.clear();
    this.parts.setValue("atBest", null);
    if (fileSet === undefined) this.parts.setValue("rarity", []);
    else for (const agent of this.#live.progress.agents.values()) this.#dirty.add(agent);
  }

  /** Agents that should hold it, or have any of it. */
  #refreshAgents(fileSet: LiveFileSet): void {
    for (const live of this.#dirty) {
      const { name } = live.row;
      const isKnown = this.#live.progress.agents.get(live.agentId) === live;
      if (isKnown && (fileSet.isTarget(live) || live.agent.fileSets.has(this.#key))) {
        this.parts.set("agents", name, targetRow(fileSet, live));
      } else this.parts.delete("agents", name);
    }
    this.#dirty.clear();
  }

  #refreshHistory({ history }: LiveFileSet): void {
    const { all } = history;
    const last = all.at(-1)?.atMilliseconds ?? 0;
    if (last === this.#samples) return;
    this.#samples = last;
    for (const sample of all) this.parts.set("history", sample.sample, sample);
    this.parts.keep("history", new Set(all.map(({ sample }) => sample)));
  }
}

export class AgentTopic implements LiveTopic {
  readonly parts = new TopicParts(["fileSets", "flows"]);
  readonly periodMilliseconds = quickTopicMilliseconds;
  readonly #live: LiveState;
  readonly #name: string;

  constructor(live: LiveState, name: string) {
    this.#live = live;
    this.#name = name;
  }

  refresh(): void {
    const { state, progress, traffic } = this.#live;
    const agentId = state.agentsByName.get(this.#name)?.row.agentId;
    const agent = agentId === undefined ? undefined : progress.agents.get(agentId);
    this.parts.setValue("summary", agent === undefined ? null : agentRow(this.#live, agent));
    const shown = new Set<string>();
    for (const [key, fileSet] of agent === undefined ? [] : progress.fileSets) {
      if (agent === undefined || (!fileSet.isTarget(agent) && !agent.agent.fileSets.has(key))) continue;
      shown.add(key);
      this.parts.set("fileSets", key, agentFileSetRow(fileSet, agent));
    }
    this.parts.keep("fileSets", shown);
    const member = agent?.agent.member;
    setFlows(
      this.parts,
      [...traffic.flows.values()].filter(
        ({ source, target }) => member !== undefined && (source === member || target === member),
      ),
    );
  }
}

export class ResourceTopic implements LiveTopic {
  readonly parts = new TopicParts(["flows", "history"]);
  readonly periodMilliseconds = quickTopicMilliseconds;
  readonly #live: LiveState;
  readonly #name: string;

  constructor(live: LiveState, name: string) {
    this.#live = live;
    this.#name = name;
    live.usage.watch(name);
  }

  close(): void {
    this.#live.usage.unwatch(this.#name);
  }

  refresh(): void {
    const { state, traffic, usage } = this.#live;
    const { world } = state.scheduler;
    const index = world.ledger.find(this.#name);
    const component = state.failures.get(this.#name) === undefined ? null : componentRow(this.#live, this.#name);
    this.parts.setValue(
      "summary",
      index === undefined ? component : resourceRow(this.#live, world.ledger.entry(index), index),
    );
    const flows = [...traffic.flows.values()].filter(
      ({ source, target }) => index !== undefined && world.path(source, target).includes(index),
    );
    setFlows(this.parts, flows);
    const samples = usage.samples(this.#name);
    for (const sample of samples) this.parts.set("history", sample.sample, sample);
    this.parts.keep("history", new Set(samples.map(({ sample }) => sample)));
  }
}
