/**
 * A lane: a source, a target and an allocated rate, charged on every resource of its path (the table of terms).
 * Portions are queued into it ahead of time; what the target has not reported yet is `pending`.
 */
import { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Member } from "./world.ts";

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
  readonly openedNanoseconds: number;
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
    if (!arrived) order.removeComing(lane.target, pending);
    return pending;
  }
  const settled = pending === undefined ? new RangeSet() : pending.intersection(ranges);
  if (pending === undefined || settled.isEmpty) return settled;
  pending.removeAll(settled);
  if (pending.isEmpty) lane.pending.delete(order);
  settleBytes(lane, order.bytesOf(settled), arrived);
  if (!arrived) order.removeComing(lane.target, settled);
  return settled;
}

function settleBytes(lane: Lane, bytes: number, arrived: boolean): void {
  lane.pendingBytes -= bytes;
  if (arrived) lane.arrivedBytes += bytes;
}
