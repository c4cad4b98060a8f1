/**
 * The lanes that this agent pulls through (claim 13): what is due on each, what came, and when one has stalled.
 * A lane's end is reported, and what it had yet to bring is from then on the controller's to give anew.
 */
import type { OpenLane } from "../../protocol/controller-messages.ts";
import type { LaneReport } from "../../protocol/agent-messages.ts";
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import { RangeSet } from "../../std/ranges.ts";
import { nanosecondsPerSecond } from "../../std/units.ts";
import type { AgentCommand } from "./agent-events.ts";
import type { AgentContext } from "./context.ts";
import { dryAheadNanoseconds, maximumDueRangesPerLane, maximumLanes } from "./limits.ts";
import type { Reports } from "./reports.ts";

/** Blocks of one order that are due on a lane. */
interface Due {
  readonly fileSet: FileSetKey;
  readonly order: BlockOrderName;
  readonly blocks: RangeSet;
}

/** Asking for blocks, or showing a ticket, that waits until the lane may begin. */
type Step = Extract<AgentCommand, { type: "pull" | "setRate" }>;

export interface Lane {
  open: OpenLane;
  /** Other lanes here whose place it takes: until they have ended it asks for nothing. */
  readonly after: Set<number>;
  readonly steps: Step[];
  /** The term of the controller that last said something of it. */
  term: number;
  rateBitsPerSecond: number;
  receivedBytes: number;
  /** Bytes of all blocks that were asked for. */
  askedBytes: number;
  /** Bytes of the blocks that are not stored yet. */
  dueBytes: number;
  readonly due: Due[];
  /** When the last byte came; undefined before the first. */
  lastByteAtNanoseconds: number | undefined;
  /** Since when a block is due and no byte came. */
  quietSinceNanoseconds: number;
  /** Nobody's fault: the source has yet to receive what comes next, or this agent's own disk is behind. */
  waiting: boolean;
  /** The controller was told that it runs dry; once for each refill. */
  lowReported: boolean;
  emptyReported: boolean;
}

/** The size of blocks, which only the file sets know. */
export type BlockBytes = (fileSet: FileSetKey, order: BlockOrderName, start: number, end: number) => number;

export class Lanes {
  readonly #context: AgentContext;
  readonly #reports: Reports;
  readonly #blockBytes: BlockBytes;
  readonly #lanes = new Map<number, Lane>();
  /** Lanes that ended before anything came through them, the latest ones: what follows them does not begin either. */
  readonly #neverBegun = new Set<number>();

  constructor(context: AgentContext, reports: Reports, blockBytes: BlockBytes) {
    this.#context = context;
    this.#reports = reports;
    this.#blockBytes = blockBytes;
  }

  get count(): number {
    return this.#lanes.size;
  }

  get(laneId: number): Lane | undefined {
    return this.#lanes.get(laneId);
  }

  all(): Iterable<Lane> {
    return this.#lanes.values();
  }

  /** Opens a lane, or takes a known one of the same holder for opened. */
  open(open: OpenLane, term: number): void {
    const known = this.#lanes.get(open.laneId);
    if (known?.open.holderId === open.holderId) {
      known.open = open;
      known.term = term;
      known.rateBitsPerSecond = open.rateBitsPerSecond;
      return;
    }
    if (known !== undefined) this.#drop(known);
    if (open.after?.some((laneId) => this.#neverBegun.has(laneId)) === true) {
      this.#rememberAsNeverBegun(open.laneId);
      this.#reports.laneEnded({ laneId: open.laneId, receivedBytes: 0, ended: "closed" });
      return;
    }
    this.#lanes.set(open.laneId, {
      open,
      after: new Set(open.after?.filter((laneId) => this.#lanes.has(laneId))),
      steps: [],
      term,
      rateBitsPerSecond: open.rateBitsPerSecond,
      receivedBytes: 0,
      askedBytes: 0,
      dueBytes: 0,
      due: [],
      lastByteAtNanoseconds: undefined,
      quietSinceNanoseconds: this.#context.nowNanoseconds,
      waiting: false,
      lowReported: false,
      emptyReported: false,
    });
    this.#context.order({ type: "openLane", lane: open });
  }

  /** Which of these blocks are due on this lane. */
  dueOn(lane: Lane, fileSet: FileSetKey, order: BlockOrderName): RangeSet | undefined {
    return lane.due.find((entry) => entry.fileSet === fileSet && entry.order === order)?.blocks;
  }

  /** Queues blocks behind what is due. @returns false when the lane has too many ranges */
  pull(lane: Lane, fileSet: FileSetKey, order: BlockOrderName, blocks: RangeSet, ticket: string): boolean {
    const dueRanges = lane.due.reduce((sum, entry) => sum + entry.blocks.rangeCount, 0);
    if (dueRanges + blocks.rangeCount > maximumDueRangesPerLane) return false;
    if (lane.due.length === 0) lane.quietSinceNanoseconds = this.#context.nowNanoseconds;
    let due = this.dueOn(lane, fileSet, order);
    if (due === undefined) {
      due = new RangeSet();
      lane.due.push({ fileSet, order, blocks: due });
    }
    due.addAll(blocks);
    blocks.forEach((start, end) => {
      const bytes = this.#blockBytes(fileSet, order, start, end);
      lane.askedBytes += bytes;
      lane.dueBytes += bytes;
    });
    lane.emptyReported = false;
    if (remainingBytes(lane) > lowBytes(lane)) lane.lowReported = false;
    this.#take(lane, { type: "pull", laneId: lane.open.laneId, fileSet, order, ranges: blocks.toFlat(), ticket });
    return true;
  }

  setRate(lane: Lane, rateBitsPerSecond: number, ticket: string): void {
    lane.rateBitsPerSecond = rateBitsPerSecond;
    lane.quietSinceNanoseconds = this.#context.nowNanoseconds;
    this.#take(lane, { type: "setRate", laneId: lane.open.laneId, rateBitsPerSecond, ticket });
  }

  /** Does what a lane is to do; when its turn has come. */
  #take(lane: Lane, step: Step): void {
    if (lane.after.size > 0) lane.steps.push(step);
    else this.#context.order(step);
  }

  /** Blocks that came through the lane are dealt with, stored or not. */
  settle(laneId: number, fileSet: FileSetKey, order: BlockOrderName, start: number, end: number): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    const place = lane.due.findIndex((entry) => entry.fileSet === fileSet && entry.order === order);
    const due = lane.due[place];
    if (due === undefined) return;
    const settled = due.blocks.intersection(RangeSet.of(start, end));
    settled.forEach((from, to) => {
      lane.dueBytes -= this.#blockBytes(fileSet, order, from, to);
    });
    due.blocks.removeAll(settled);
    // The world counts bytes only now and then: at least these have come.
    lane.receivedBytes = Math.max(lane.receivedBytes, lane.askedBytes - lane.dueBytes);
    if (due.blocks.isEmpty) lane.due.splice(place, 1);
    lane.quietSinceNanoseconds = this.#context.nowNanoseconds;
    this.#reports.laneMoved(laneId);
    this.#tellWhenLow(lane);
    this.endWhenEmpty(lane);
  }

  /** Bytes that came through lanes since they were opened. */
  received(laneId: number, receivedBytes: number, waiting: boolean): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    if (waiting || lane.waiting) lane.quietSinceNanoseconds = this.#context.nowNanoseconds;
    lane.waiting = waiting;
    if (receivedBytes <= lane.receivedBytes) return;
    lane.receivedBytes = receivedBytes;
    lane.lastByteAtNanoseconds = this.#context.nowNanoseconds;
    lane.quietSinceNanoseconds = this.#context.nowNanoseconds;
    this.#reports.laneMoved(laneId);
    this.#tellWhenLow(lane);
  }

  /** Closes a lane on purpose. */
  close(laneId: number): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    this.#drop(lane);
    this.#reports.laneEnded({ laneId, receivedBytes: lane.receivedBytes, ended: "closed" });
  }

  /** The same of several: none of them takes another's place meanwhile. */
  closeAll(laneIds: readonly number[]): void {
    // A lane that follows another comes behind it.
    for (const laneId of laneIds.toReversed()) this.close(laneId);
  }

  /** Takes out a lane that failed. `isGone`: the world knows, it told us. @returns what it was */
  fail(laneId: number, isGone: boolean): Lane | undefined {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return undefined;
    if (isGone) this.#remove(lane);
    else this.#drop(lane);
    this.#reports.laneEnded({ laneId, receivedBytes: lane.receivedBytes, ended: "failed" });
    return lane;
  }

  /** Closes every lane that has yet to bring something of a file set: it is not wanted. */
  withdraw(fileSet: FileSetKey): void {
    for (const lane of this.#lanes.values()) {
      if (lane.due.some((entry) => entry.fileSet === fileSet)) this.close(lane.open.laneId);
    }
  }

  /** Closes lanes of earlier terms that have brought all they were asked for: no controller knows of them. */
  closeForgotten(term: number): void {
    for (const lane of this.#lanes.values()) {
      if (lane.term < term && lane.due.length === 0) this.close(lane.open.laneId);
    }
  }

  report(laneId: number): LaneReport | undefined {
    const lane = this.#lanes.get(laneId);
    return lane === undefined ? undefined : { laneId, receivedBytes: lane.receivedBytes };
  }

  /** Every running lane, for a whole state. */
  reports(): LaneReport[] {
    return [...this.#lanes.values()].map((lane) => ({ laneId: lane.open.laneId, receivedBytes: lane.receivedBytes }));
  }

  #drop(lane: Lane): void {
    this.#context.order({ type: "closeLane", laneId: lane.open.laneId });
    this.#remove(lane);
  }

  /** It has ended: those that waited for it go on. Where it never began, who knows what it waited for itself: they end too. */
  #remove({ open: { laneId }, receivedBytes }: Lane): void {
    this.#lanes.delete(laneId);
    if (receivedBytes === 0) this.#rememberAsNeverBegun(laneId);
    for (const lane of this.#lanes.values()) {
      if (!lane.after.delete(laneId)) continue;
      if (receivedBytes === 0) this.close(lane.open.laneId);
      if (receivedBytes === 0 || lane.after.size > 0) continue;
      lane.quietSinceNanoseconds = this.#context.nowNanoseconds;
      for (const step of lane.steps.splice(0)) this.#context.order(step);
    }
  }

  #rememberAsNeverBegun(laneId: number): void {
    this.#neverBegun.add(laneId);
    if (this.#neverBegun.size <= maximumLanes) return;
    const [oldest] = this.#neverBegun;
    if (oldest !== undefined) this.#neverBegun.delete(oldest);
  }

  /** A lane that ends by itself has nothing due (any more). */
  endWhenEmpty(lane: Lane): void {
    if (lane.open.endsWhenEmpty === true && lane.due.length === 0) this.close(lane.open.laneId);
  }

  #tellWhenLow(lane: Lane): void {
    if (lane.open.endsWhenEmpty === true) return;
    if (lane.due.length === 0 && !lane.emptyReported) {
      lane.emptyReported = true;
      lane.lowReported = true;
      this.#reports.urgent();
    } else if (!lane.lowReported && remainingBytes(lane) <= lowBytes(lane)) {
      lane.lowReported = true;
      this.#reports.urgent();
    }
  }
}

/** Whether a block is due on a lane and it is up to the source and the way to bring it. */
export function isExpecting(lane: Lane): boolean {
  return lane.due.length > 0 && !lane.waiting && lane.after.size === 0 && lane.rateBitsPerSecond > 0;
}

/** Rate in bits per second divided by this: the bytes of the time before it runs dry. */
const lowRateDivisor = (8 * nanosecondsPerSecond) / dryAheadNanoseconds;

function remainingBytes(lane: Lane): number {
  return Math.min(lane.dueBytes, Math.max(0, lane.askedBytes - lane.receivedBytes));
}

function lowBytes(lane: Lane): number {
  return Math.floor(lane.rateBitsPerSecond / lowRateDivisor);
}
