/**
 * A lane: a source, a target and an allocated rate, charged on every resource of its path (the table of terms).
 * Portions are queued into it ahead of time; what the target has not reported yet is `pending`.
 */
import { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Member } from "./world.ts";

/** What a lane takes over on a resource from one that still runs. */
export interface Claim {
  readonly successor: Lane;
  /** Of the ledger. */
  readonly index: number;
  readonly bitsPerSecond: number;
}

export interface Lane {
  readonly laneId: number;
  readonly source: Member;
  readonly target: Member;
  /** Indices of the ledger. Another topology may lead it another way. */
  path: readonly number[];
  /** What is charged, and what both ends keep. */
  rateBitsPerSecond: number;
  /** It ends by itself when what was queued at its start has come. */
  readonly isShort: boolean;
  /** From when on its time counts: of one that follows another, from that one's end. */
  openedNanoseconds: number;
  /** What is charged for it on each resource of its path, where that is not its rate (`succession.ts`). */
  charges: number[] | undefined;
  /** When it should bring its last byte, as far as is known. */
  expectedEndNanoseconds: number;
  /** Its end is foreseen: lanes that follow it may claim what it has. */
  isOffered: boolean;
  /** What it brings counts as held at its target. */
  isForeseen: boolean;
  readonly claims: Claim[];
  /** Lanes that it waits for: it has claimed something of them, or they bring what it is to give on. */
  readonly predecessors: Lane[];
  /** Lanes that wait for it. */
  readonly successors: Lane[];
  /** It has ended; what it was charged stays until its predecessors have ended too, and until this time. */
  isClosed: boolean;
  /** Nothing is charged for it any more. */
  isSettled: boolean;
  heldBackUntilNanoseconds: number;
  /** How long bytes are under way between its ends, there and back, as far as was known when it was opened. */
  readonly wayNanoseconds: number;
  /** Its rate is what it is to have of a long way: it lasts. */
  isShare: boolean;
  /** Its rate at first. */
  readonly openedBitsPerSecond: number;
  /** When what is queued in it should long have come. */
  lateAtNanoseconds: number;
  /** It was late and had brought nothing: others are to bring what it was for. */
  isGivenUp: boolean;
  /** Rises with each ticket. */
  revision: number;
  /** What was queued into it and the target does not hold yet, by order. */
  readonly pending: Map<BlockOrder, RangeSet>;
  pendingBytes: number;
  /** What its target said that it received, by the byte. */
  receivedBytes: number;
  /** Blocks that came through it and that its target holds. */
  arrivedBytes: number;
  /** When something last came, or was queued after a time without work. */
  progressNanoseconds: number;
  /** For the measured rate: where the current stretch of measuring began. */
  measuredFromNanoseconds: number;
  measuredFromBytes: number;
  measuredBitsPerSecond: number | undefined;
  /** Since when it has been clearly slower than its rate; undefined: it is not. */
  slowSinceNanoseconds: number | undefined;
  /** It was taken down to what it was measured to get, and is not raised before it uses all of that. */
  shrunk: boolean;
}

export function newLane(
  laneId: number,
  source: Member,
  target: Member,
  path: readonly number[],
  rateBitsPerSecond: number,
  now: number,
  isShort: boolean,
  wayNanoseconds = 0,
): Lane {
  return {
    laneId,
    source,
    target,
    path,
    rateBitsPerSecond,
    isShort,
    openedNanoseconds: now,
    wayNanoseconds,
    isShare: false,
    openedBitsPerSecond: rateBitsPerSecond,
    charges: undefined,
    expectedEndNanoseconds: 0,
    isOffered: false,
    isForeseen: false,
    claims: [],
    predecessors: [],
    successors: [],
    isClosed: false,
    isSettled: false,
    heldBackUntilNanoseconds: 0,
    lateAtNanoseconds: Infinity,
    isGivenUp: false,
    revision: 0,
    pending: new Map(),
    pendingBytes: 0,
    receivedBytes: 0,
    arrivedBytes: 0,
    progressNanoseconds: now,
    measuredFromNanoseconds: now,
    measuredFromBytes: 0,
    measuredBitsPerSecond: undefined,
    slowSinceNanoseconds: undefined,
    shrunk: false,
  };
}

/** Marks ranges as pending in a lane and coming at its target. */
export function queueIntoLane(lane: Lane, order: BlockOrder, ranges: RangeSet): void {
  let pending = lane.pending.get(order);
  if (pending === undefined) {
    pending = new RangeSet();
    lane.pending.set(order, pending);
  }
  pending.addAll(ranges);
  lane.pendingBytes += order.bytesOf(ranges);
  order.addComing(lane.target, ranges);
}

/**
 * Takes ranges out of what a lane has pending.
 * @param arrived true: the target holds them now; false: they will not come, so they are no longer coming either
 */
export function settleInLane(lane: Lane, order: BlockOrder, ranges: RangeSet, arrived: boolean): RangeSet {
  const pending = lane.pending.get(order);
  if (pending?.equals(ranges) === true) {
    // All that the lane had of it: mostly so.
    lane.pending.delete(order);
    settleBytes(lane, lane.pending.size === 0 ? lane.pendingBytes : order.bytesOf(pending), arrived);
    if (!arrived) giveBack(lane, order, pending);
    return pending;
  }
  const settled = pending === undefined ? new RangeSet() : pending.intersection(ranges);
  if (pending === undefined || settled.isEmpty) return settled;
  pending.removeAll(settled);
  if (pending.isEmpty) lane.pending.delete(order);
  settleBytes(lane, order.bytesOf(settled), arrived);
  if (!arrived) giveBack(lane, order, settled);
  return settled;
}

/** Blocks that will not come are wanted again. */
function giveBack({ target, isForeseen }: Lane, order: BlockOrder, ranges: RangeSet): void {
  if (isForeseen) order.removeHeld(target, ranges);
  else order.removeComing(target, ranges);
}

function settleBytes(lane: Lane, bytes: number, arrived: boolean): void {
  lane.pendingBytes -= bytes;
  if (arrived) lane.arrivedBytes += bytes;
}

/** Lets a lane wait for another. */
export function letFollow(successor: Lane, predecessor: Lane): void {
  if (successor.predecessors.includes(predecessor)) return;
  successor.predecessors.push(predecessor);
  predecessor.successors.push(successor);
}

/** Whether something that the source holds is yet to come: a lane that waits for its source's own blocks is not slow. */
export function waitsForBytes(lane: Lane): boolean {
  for (const [order, pending] of lane.pending) {
    const held = order.find(lane.source)?.held;
    if (held === undefined) continue;
    for (const [start, end] of pending.ranges()) {
      for (let block = start; block < end; block += 1) if (held.has(block)) return true;
    }
  }
  return false;
}
