/**
 * Members that are slower than what they declare. A transfer that takes far longer than its rate allows is late: its
 * source or its target is slow, which of the two shows as soon as each has met others. One that was late with several
 * in a row is given, or asked for, only what it was seen to do, and slowly more again while it keeps that.
 */
import type { Lane } from "./lane.ts";
import type { Member } from "./world.ts";

/** Late so often in a row: it is the member, not the other end. */
const lateInARow = 2;
/** A transfer that took more than this many times its time, and the slack, was late. */
const lateShare = 1.6;
const lateSlackNanoseconds = 20_000_000;
/** What a slow member may have: this many times what it was seen to do; and as much more after each transfer on time. */
const regain = 1.25;
/** A member that does at least this part of what it declares is not slow. */
const nearlyFull = 0.9;

/** Where a member stands in one direction. */
export interface Pace {
  /** Transfers that were late since the last one on time. */
  late: number;
  /** What it may be given; Infinity: all it declares. */
  limitBitsPerSecond: number;
}

export function newPace(): Pace {
  return { late: 0, limitBitsPerSecond: Infinity };
}

export function isSlowSource(member: Member): boolean {
  return member.paceOut.limitBitsPerSecond !== Infinity || member.paceOut.late >= lateInARow;
}

export function isSlowTarget(member: Member): boolean {
  return member.paceIn.limitBitsPerSecond !== Infinity || member.paceIn.late >= lateInARow;
}

/** A rate within what both ends have been seen to do. */
export function pacedRate(source: Member, target: Member, rateBitsPerSecond: number): number {
  const limit = Math.min(source.paceOut.limitBitsPerSecond, target.paceIn.limitBitsPerSecond);
  return Math.floor(Math.min(rateBitsPerSecond, limit));
}

/** When a lane that was just opened will be late. */
export function lateAt(now: number, bytes: number, rateBitsPerSecond: number, delayNanoseconds: number): number {
  const duration = (bytes * 8 * 1_000_000_000) / rateBitsPerSecond;
  return now + Math.ceil(duration * lateShare) + lateSlackNanoseconds + 2 * delayNanoseconds;
}

/**
 * A transfer has ended, or is late and still under way.
 * @param bytes what came in the time
 * @param capabilityOf what a member's interface declares, up or down
 */
export function judge(
  lane: Lane,
  bytes: number,
  elapsedNanoseconds: number,
  isLate: boolean,
  capabilityOn: (resource: number) => number,
): void {
  const achieved = elapsedNanoseconds <= 0 ? Infinity : (bytes * 8 * 1_000_000_000) / elapsedNanoseconds;
  const { source, target, rateBitsPerSecond } = lane;
  for (const [pace, resource] of [
    [source.paceOut, source.nicUp],
    [target.paceIn, target.nicDown],
  ] as const) {
    if (isLate) {
      pace.late += 1;
      if (pace.late >= lateInARow) pace.limitBitsPerSecond = Math.max(leastLimitBitsPerSecond, achieved * regain);
      continue;
    }
    pace.late = 0;
    if (pace.limitBitsPerSecond === Infinity || rateBitsPerSecond < pace.limitBitsPerSecond * nearlyFull) continue;
    pace.limitBitsPerSecond *= regain;
    if (pace.limitBitsPerSecond >= capabilityOn(resource)) pace.limitBitsPerSecond = Infinity;
  }
}

/** Whether a transfer of so many bytes at the lane's rate took too long. */
export function wasLate(lane: Lane, bytes: number, elapsedNanoseconds: number): boolean {
  return lateAt(0, bytes, lane.rateBitsPerSecond, 0) < elapsedNanoseconds;
}

/** A slow member keeps at least this: it must be able to show that it recovers. */
const leastLimitBitsPerSecond = 64_000;
