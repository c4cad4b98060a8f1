/**
 * One file set as the live views know it: for every agent how far it is, and the sums over those that should hold it,
 * in all and by site. A change of one agent costs the difference, not a look at all of them.
 */
import type { RangeSet } from "../../../std/ranges.ts";
import type { FileSetStatus } from "../../../protocol/agent-messages.ts";
import type { AtBest, HeldBackBy, ProgressSample } from "../../../protocol/api/rows.ts";
import { isTarget } from "../assignments.ts";
import type { AgentFileSet, ControllerState, FileSet } from "../state.ts";
import type { LiveAgent } from "./live-agent.ts";
import { RateMeter } from "./rate-meter.ts";
import { Samples } from "./samples.ts";

export interface Tally {
  targets: number;
  held: number;
  offline: number;
  stalled: number;
  heldBytes: number;
  wantedBytes: number;
}

/** What a cell says, as bits. */
const flags = { target: 1, held: 2, offline: 4, stalled: 8 } as const;

export class LiveFileSet {
  readonly fileSet: FileSet;
  /** As they were looked at last. */
  row: FileSet["row"];
  totalBytes: number;
  active: boolean;
  readonly tally = emptyTally();
  readonly sites = new Map<string, Tally>();
  readonly meter = new RateMeter();
  readonly history = new Samples<ProgressSample>("thin");
  heldBackBy: HeldBackBy | null = null;
  /** As it was when it began, once its size was known. */
  atBest: AtBest | undefined;
  #flags = new Uint8Array(64);
  #heldBytes = new Float64Array(64);
  #heldBlocks = new Float64Array(64);
  #wantedBytes = new Float64Array(64);

  constructor(fileSet: FileSet) {
    this.fileSet = fileSet;
    this.row = fileSet.row;
    this.totalBytes = fileSet.manifest.totalBytes;
    this.active = false;
  }

  heldBytes(agent: LiveAgent): number {
    return this.#heldBytes[agent.column] ?? 0;
  }

  /** It should hold it and does not, whole. */
  lacks(agent: LiveAgent): boolean {
    const cell = this.#flags[agent.column] ?? 0;
    return (cell & flags.target) !== 0 && (cell & flags.held) === 0;
  }

  isTarget(agent: LiveAgent): boolean {
    return ((this.#flags[agent.column] ?? 0) & flags.target) !== 0;
  }

  /** Targets that lack something and can get it. */
  get fetching(): number {
    const { targets, held, offline, stalled } = this.tally;
    return targets - held - offline - stalled;
  }

  /**
   * Looks at one agent anew.
   * @param added blocks and bytes that are known to have been added since, so that they need not be counted
   */
  refresh(state: ControllerState, agent: LiveAgent, added: { blocks: number; bytes: number } | undefined): void {
    const known = agent.agent.fileSets.get(this.fileSet.key);
    const heldBytes = this.#count(agent.column, known?.held, added);
    let cell = 0;
    if (isTarget(state, agent.agent, this.fileSet)) {
      cell = flags.target;
      if (isHeld(known, this.fileSet)) cell |= flags.held;
      else if (!agent.online) cell |= flags.offline;
      else if (known?.status === "stalled") cell |= flags.stalled;
    }
    this.#put(agent, cell, heldBytes);
  }

  /** Takes the agent out of all sums. */
  drop(agent: LiveAgent): void {
    this.#put(agent, 0, 0);
    this.#heldBlocks[agent.column] = 0;
  }

  /** Bytes that the agent holds; counted range by range only where what was added does not explain them. */
  #count(column: number, held: RangeSet | undefined, added: { blocks: number; bytes: number } | undefined): number {
    this.#grow(column);
    const blocksBefore = this.#heldBlocks[column] ?? 0;
    const bytesBefore = this.#heldBytes[column] ?? 0;
    const blocks = held?.count ?? 0;
    this.#heldBlocks[column] = blocks;
    if (held === undefined || blocks === 0) return 0;
    if (added !== undefined && blocks === blocksBefore + added.blocks) return bytesBefore + added.bytes;
    return this.fileSet.manifest.bytesInRanges(held);
  }

  #put(agent: LiveAgent, cell: number, heldBytes: number): void {
    const { column } = agent;
    this.#grow(column);
    this.#add(agent, -1);
    this.#flags[column] = cell;
    this.#heldBytes[column] = heldBytes;
    this.#wantedBytes[column] = this.fileSet.manifest.totalBytes;
    this.#add(agent, 1);
  }

  #add(agent: LiveAgent, change: 1 | -1): void {
    const cell = this.#flags[agent.column] ?? 0;
    if ((cell & flags.target) === 0) return;
    const heldBytes = change * (this.#heldBytes[agent.column] ?? 0);
    const wantedBytes = change * (this.#wantedBytes[agent.column] ?? 0);
    const held = (cell & flags.held) === 0 ? 0 : change;
    const stalled = (cell & flags.stalled) === 0 ? 0 : change;
    for (const tally of [this.tally, this.#site(agent.row.site)]) {
      tally.targets += change;
      tally.held += held;
      tally.stalled += stalled;
      tally.offline += (cell & flags.offline) === 0 ? 0 : change;
      tally.heldBytes += heldBytes;
      tally.wantedBytes += wantedBytes;
    }
    agent.tally.wanted += change;
    agent.tally.held += held;
    agent.tally.stalled += stalled;
    agent.tally.heldBytes += heldBytes;
    agent.tally.wantedBytes += wantedBytes;
  }

  #site(site: string): Tally {
    let tally = this.sites.get(site);
    if (tally === undefined) {
      tally = emptyTally();
      this.sites.set(site, tally);
    }
    return tally;
  }

  #grow(column: number): void {
    if (column < this.#flags.length) return;
    const length = Math.max(column + 1, 2 * this.#flags.length);
    this.#flags = enlarged(new Uint8Array(length), this.#flags);
    this.#heldBytes = enlarged(new Float64Array(length), this.#heldBytes);
    this.#heldBlocks = enlarged(new Float64Array(length), this.#heldBlocks);
    this.#wantedBytes = enlarged(new Float64Array(length), this.#wantedBytes);
  }
}

/** Whether an agent holds the whole of it as it is now. */
function isHeld(known: AgentFileSet | undefined, { row }: FileSet): boolean {
  return known?.status === "held" && known.root === row.root;
}

/** What is shown of where an agent stands: what was held before the file set grew is being fetched. */
export function shownStatus(known: AgentFileSet | undefined, fileSet: FileSet): FileSetStatus | "unknown" {
  if (known === undefined) return "unknown";
  return known.status === "held" && !isHeld(known, fileSet) ? "fetching" : known.status;
}

function emptyTally(): Tally {
  return { targets: 0, held: 0, offline: 0, stalled: 0, heldBytes: 0, wantedBytes: 0 };
}

function enlarged<Table extends Uint8Array | Float64Array>(larger: Table, table: Table): Table {
  larger.set(table);
  return larger;
}
