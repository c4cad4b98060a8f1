/**
 * How far every agent is with every file set, kept up to date by looking only at what a message was about.
 *
 * Promises: after `process` has said that nothing is left, the sums are what a look at everything would give. How much it
 * looks at in one go is bounded.
 */
import type { ControllerEvent } from "../controller-events.ts";
import type { ControllerState, FileSet } from "../state.ts";
import type { FileSetState } from "../../../protocol/agent-messages.ts";
import { maximumPairsPerTick } from "./limits.ts";
import { emptyAgentTally, type LiveAgent } from "./live-agent.ts";
import { LiveFileSet } from "./live-file-set.ts";

/** Who wants to know which agents and file sets are different. */
export interface ProgressListener {
  onPair?(fileSet: LiveFileSet, agent: LiveAgent): void;
  onAgent?(agent: LiveAgent): void;
  onFileSet?(fileSet: LiveFileSet): void;
}

interface Added {
  blocks: number;
  bytes: number;
}

/** What of an agent has to be looked at: all, or by file set what was added (undefined: not known). */
type Dirt = "all" | Map<string, Added | undefined>;

export class Progress {
  readonly #state: ControllerState;
  readonly agents = new Map<string, LiveAgent>();
  readonly fileSets = new Map<string, LiveFileSet>();
  readonly listeners = new Set<ProgressListener>();
  readonly #dirtyAgents = new Map<string, Dirt>();
  readonly #dirtyFileSets = new Set<LiveFileSet>();
  readonly #freeColumns: number[] = [];
  #columns = 0;

  constructor(state: ControllerState) {
    this.#state = state;
  }

  /** Takes note of what a message will change; to be called before it is handled. */
  before(event: ControllerEvent): void {
    if (event.type !== "agentMessage" || event.message.type !== "state") return;
    const agent = this.#state.connections.get(event.connectionId)?.agent;
    if (agent === undefined) return;
    const { agentId } = agent.row;
    if (event.message.whole) {
      this.#dirtyAgents.set(agentId, "all");
      return;
    }
    for (const entry of event.message.fileSets) this.#note(agentId, entry.fileSet, this.#addedBy(entry));
    for (const key of event.message.deleted) this.#note(agentId, key, undefined);
    for (const { name } of event.message.current) {
      for (const [key, { row }] of this.fileSets) {
        if (row.name === name) this.#note(agentId, key, { blocks: 0, bytes: 0 });
      }
    }
  }

  /** Looks at what is different. @returns whether all of it was looked at */
  process(): boolean {
    this.#matchAgents();
    this.#matchFileSets();
    let left = maximumPairsPerTick;
    for (const fileSet of this.#dirtyFileSets) {
      if (left <= 0) return false;
      this.#dirtyFileSets.delete(fileSet);
      for (const agent of this.agents.values()) this.#refresh(fileSet, agent, this.#takeAdded(agent, fileSet));
      this.tell(fileSet);
      left -= this.agents.size;
    }
    for (const [agentId, dirt] of this.#dirtyAgents) {
      if (left <= 0) return false;
      this.#dirtyAgents.delete(agentId);
      const agent = this.agents.get(agentId);
      if (agent !== undefined) left -= this.#refreshAgent(agent, dirt);
    }
    return true;
  }

  #refreshAgent(agent: LiveAgent, dirt: Dirt): number {
    const keys = dirt === "all" ? this.fileSets.keys() : dirt.keys();
    let looked = 0;
    for (const key of keys) {
      looked += 1;
      const fileSet = this.fileSets.get(key);
      if (fileSet === undefined) continue;
      this.#refresh(fileSet, agent, dirt === "all" ? undefined : dirt.get(key));
      this.tell(fileSet);
    }
    for (const listener of this.listeners) listener.onAgent?.(agent);
    return looked;
  }

  #refresh(fileSet: LiveFileSet, agent: LiveAgent, added: Added | undefined): void {
    fileSet.refresh(this.#state, agent, added);
    for (const listener of this.listeners) listener.onPair?.(fileSet, agent);
  }

  /** Something of the file set is different: whoever listens hears of it. */
  tell(fileSet: LiveFileSet): void {
    for (const listener of this.listeners) listener.onFileSet?.(fileSet);
  }

  #note(agentId: string, key: string, added: Added | undefined): void {
    let dirt = this.#dirtyAgents.get(agentId);
    if (dirt === "all") return;
    if (dirt === undefined) {
      dirt = new Map();
      this.#dirtyAgents.set(agentId, dirt);
    }
    const before = dirt.get(key);
    if (!dirt.has(key)) dirt.set(key, added);
    else if (before !== undefined && added !== undefined) {
      before.blocks += added.blocks;
      before.bytes += added.bytes;
    } else dirt.set(key, undefined);
  }

  /** While all agents of a file set are looked at, what was noted of this pair is done with. */
  #takeAdded(agent: LiveAgent, { fileSet: { key } }: LiveFileSet): Added | undefined {
    const dirt = this.#dirtyAgents.get(agent.agentId);
    if (dirt === "all") return undefined;
    if (dirt === undefined || !dirt.has(key)) return { blocks: 0, bytes: 0 };
    const added = dirt.get(key);
    dirt.delete(key);
    return added;
  }

  /** What a report adds, by its word; the count of blocks afterwards shows whether it was so. */
  #addedBy(entry: FileSetState): Added | undefined {
    const manifest = this.#state.fileSets.get(entry.fileSet)?.manifest;
    if (manifest === undefined || entry.lost.length > 0) return undefined;
    const added = { blocks: 0, bytes: 0 };
    for (let index = 0; index < entry.content.length; index += 2) {
      const start = entry.content[index] ?? 0;
      const end = entry.content[index + 1] ?? 0;
      if (end > manifest.blockCount) return undefined;
      added.blocks += end - start;
      added.bytes += manifest.bytesInRange(start, end);
    }
    return added;
  }

  /** Agents that are new, gone, another's row, or online or not: seen by a look at each. */
  #matchAgents(): void {
    const { agents } = this.#state;
    for (const [agentId, live] of this.agents) {
      const agent = agents.get(agentId);
      // Its rows and sums stand under its name and its site: with another one it is another agent.
      const isSame = agent === live.agent && agent.row.name === live.row.name && agent.row.site === live.row.site;
      if (!isSame) this.#dropAgent(live);
    }
    for (const [agentId, agent] of agents) {
      const online = agent.connectionId !== undefined;
      const live = this.agents.get(agentId);
      if (live === undefined) {
        const column = this.#freeColumns.pop() ?? this.#columns++;
        this.agents.set(agentId, {
          agentId,
          column,
          agent,
          row: agent.row,
          online,
          tally: emptyAgentTally(),
          nicUp: undefined,
          nicDown: undefined,
        });
      } else if (live.row !== agent.row || live.online !== online) {
        live.row = agent.row;
        live.online = online;
      } else continue;
      this.#dirtyAgents.set(agentId, "all");
    }
  }

  #dropAgent(live: LiveAgent): void {
    this.agents.delete(live.agentId);
    for (const fileSet of this.fileSets.values()) {
      fileSet.drop(live);
      for (const listener of this.listeners) listener.onPair?.(fileSet, live);
      this.tell(fileSet);
    }
    this.#dirtyAgents.delete(live.agentId);
    this.#freeColumns.push(live.column);
  }

  /** The same for file sets. */
  #matchFileSets(): void {
    const { fileSets } = this.#state;
    for (const [key, live] of this.fileSets) {
      if (fileSets.get(key) === live.fileSet) continue;
      for (const agent of this.agents.values()) live.drop(agent);
      this.fileSets.delete(key);
      this.#dirtyFileSets.delete(live);
      this.tell(live);
    }
    for (const [key, fileSet] of fileSets) {
      const active = this.#state.active.get(fileSet.row.name) === fileSet.row.version;
      const { totalBytes } = fileSet.manifest;
      let live = this.fileSets.get(key);
      if (live === undefined) {
        live = new LiveFileSet(fileSet);
        this.fileSets.set(key, live);
      } else if (live.row === fileSet.row && live.totalBytes === totalBytes && live.active === active) continue;
      // Which version is active says who has to hold the others of its name.
      if (live.active !== active) this.#dirtyName(fileSet);
      live.row = fileSet.row;
      live.totalBytes = totalBytes;
      live.active = active;
      this.#dirtyFileSets.add(live);
    }
  }

  #dirtyName({ row: { name } }: FileSet): void {
    for (const live of this.fileSets.values()) if (live.row.name === name) this.#dirtyFileSets.add(live);
  }
}
