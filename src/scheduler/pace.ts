/**
 * Members that are slower than what they declare. A transfer that takes far longer than its rate allows is late: its source
 * or its target is slow. Whoever of the two has been on time with others is not to blame; where that does not tell, both
 * are suspected until it does. A slow member's interface counts for only what it was seen to do, and slowly for more
 * again while it keeps that.
 */
import type { Lane } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import { unlimitedBitsPerSecond } from "./limits.ts";
import type { Member } from "./world.ts";

/** A member that had been on time is slow when it is blamed so often in a row. */
const blamedInARow = 2;
/** A transfer that took more than this many times its time, and the slack, was late. */
const lateShare = 1.6;
const lateSlackNanoseconds = 20_000_000;
/** ... and so many times the time that words take. */
const lateDelays = 2;
/** What a slow member may have: this many times what it was seen to do; and as much more after each transfer on time. */
const regain = 1.25;
/** A transfer at this part or more of what a slow member may have shows that it can do that. */
const nearlyFull = 0.9;
/** A slow member keeps at least this: it must be able to show that it recovers. */
const leastLimitBitsPerSecond = 64_000;

/** Where a member stands in one direction. */
export interface Pace {
  /** How often it was blamed since its last transfer on time. */
  blamed: number;
  /** Whether it has been on time since it was found slow, or ever. */
  isProven: boolean;
  /** What its interface counts for; Infinity: all it declares. */
  limitBitsPerSecond: number;
}

export function newPace(): Pace {
  return { blamed: 0, isProven: false, limitBitsPerSecond: Infinity };
}

export function isSlowSource(member: Member): boolean {
  return member.paceOut.limitBitsPerSecond !== Infinity;
}

export function isSlowTarget(member: Member): boolean {
  return member.paceIn.limitBitsPerSecond !== Infinity;
}

/** What a source's interface could do, by what it declares and what was seen of it. */
export function upCapability(source: Member, ledger: Ledger): number {
  return Math.min(ledger.capabilityOn(source.nicUp), source.paceOut.limitBitsPerSecond);
}

export function downCapability(target: Member, ledger: Ledger): number {
  return Math.min(ledger.capabilityOn(target.nicDown), target.paceIn.limitBitsPerSecond);
}

/** What of that is free; never negative. */
export function upFree(source: Member, ledger: Ledger): number {
  const free = ledger.freeOn(source.nicUp);
  const limit = source.paceOut.limitBitsPerSecond;
  return limit === Infinity ? free : Math.max(0, Math.floor(Math.min(free, limit - ledger.allocatedOn(source.nicUp))));
}

export function downFree(target: Member, ledger: Ledger): number {
  const free = ledger.freeOn(target.nicDown);
  const limit = target.paceIn.limitBitsPerSecond;
  return limit === Infinity ? free : Math.max(0, Math.floor(Math.min(free, limit - ledger.allocatedOn(target.nicDown))));
}

/** When a lane that was just opened will be late. @param delayNanoseconds how long words take to its target and back */
export function lateAt(now: number, bytes: number, rateBitsPerSecond: number, delayNanoseconds: number): number {
  const duration = (bytes * 8 * 1_000_000_000) / rateBitsPerSecond;
  return now + Math.ceil(duration * lateShare) + lateSlackNanoseconds + lateDelays * delayNanoseconds;
}

/** A transfer is late and still under way, or came late. @param bytes what at most has come in the time */
export function blame(lane: Lane, bytes: number, elapsedNanoseconds: number): void {
  const achieved = (bytes * 8 * 1_000_000_000) / Math.max(1, elapsedNanoseconds);
  const [out, into] = [lane.source.paceOut, lane.target.paceIn];
  const slow = [out, into].filter((pace) => pace.limitBitsPerSecond !== Infinity);
  const unproven = [out, into].filter((pace) => !pace.isProven);
  let suspects = slow;
  if (suspects.length === 0) suspects = unproven.length === 1 ? unproven : [out, into];
  for (const pace of suspects) {
    pace.blamed += 1;
    if (suspects.length > 1 && pace.blamed < blamedInARow) continue;
    if (suspects.length === 1 && pace.isProven && pace.blamed < blamedInARow) continue;
    pace.isProven = false;
    pace.limitBitsPerSecond = Math.max(leastLimitBitsPerSecond, achieved * regain);
  }
}

/** A transfer came on time: its ends can do what it had. */
export function clear(lane: Lane, ledger: Ledger): void {
  for (const [pace, resource] of [
    [lane.source.paceOut, lane.source.nicUp],
    [lane.target.paceIn, lane.target.nicDown],
  ] as const) {
    pace.blamed = 0;
    if (pace.limitBitsPerSecond === Infinity) {
      pace.isProven = true;
      continue;
    }
    if (lane.rateBitsPerSecond < pace.limitBitsPerSecond * nearlyFull) continue;
    pace.limitBitsPerSecond *= regain;
    const all = Math.min(ledger.capabilityOn(resource), unlimitedBitsPerSecond);
    if (pace.limitBitsPerSecond >= all) pace.limitBitsPerSecond = Infinity;
  }
}

/** Whether a transfer of so many bytes at the lane's rate took too long. */
export function wasLate(lane: Lane, bytes: number, elapsedNanoseconds: number, delayNanoseconds: number): boolean {
  return lateAt(0, bytes, lane.rateBitsPerSecond, delayNanoseconds) < elapsedNanoseconds;
}
