/**
 * Members that are slower than what they declare. A transfer that takes far longer than its rate allows is late: its source
 * or its target is slow. Whoever of the two has been on time with others is not to blame; where that does not tell, both
 * are suspected until it does. A slow member's interface counts for only what it was seen to do, and slowly for more
 * again while it keeps that.
 */
import type { Lane } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import { unlimitedBitsPerSecond } from "./limits.ts";
import { comingUpNanoseconds } from "./way-shares.ts";
import type { Member } from "./world.ts";

/** A member that had been on time is slow when it is blamed so often in a row. */
const blamedInARow = 2;
/** A transfer that took more than this many times its time, and the slack, was late. */
const lateShare = 1.6;
const lateSlackNanoseconds = 20_000_000;
/** ... and so many times the time that words take. */
const lateDelays = 2;
/** A transfer of less than this part of what may pass beside it tells of connections made and busy machines, not of rates ... */
const tellingShare = 0.25;
/** ... and is late only when it takes so much longer. */
const patienceNanoseconds = 1_000_000_000;
/** What a slow member may have: this many times what it was seen to do; and as much more after each transfer on time. */
const regain = 1.25;
/** ... and this many times after one that took just its time: it was slow for a moment, as programs are that have just started. */
const quickRegain = 2;
/** What a transfer that took just its time may have taken of it, beside the lag. */
const promptShare = 1.1;
/** A transfer at this part or more of what a slow member may have shows that it can do that. */
const nearlyFull = 0.9;
/** A slow member keeps at least this part of what it declares: it must be able to show that it recovers. */
const leastLimitShare = 0.02;

/** ... and so many times what four of five transfers in the whole fleet take beside their duration: nobody is to blame for that. */
const lateLags = 3;
/** ... and so many times as long as bytes are under way. */
const lateWays = 2;
/** By how much, of itself and in nanoseconds, the fleet's lag follows one transfer. */
const lagStepShare = 0.02;
const lagStepNanoseconds = 200_000;

/**
 * What transfers take beside their duration and the words' time, in the whole fleet: the value that four of five do not
 * exceed, followed step by step. Busy machines make everybody late; a few slow members hardly move it.
 */
export class FleetLag {
  #nanoseconds = 0;

  get nanoseconds(): number {
    return this.#nanoseconds;
  }

  learn(lagNanoseconds: number): void {
    const step = Math.round(this.#nanoseconds * lagStepShare) + lagStepNanoseconds;
    if (lagNanoseconds > this.#nanoseconds) this.#nanoseconds = Math.min(lagNanoseconds, this.#nanoseconds + 4 * step);
    else this.#nanoseconds = Math.max(lagNanoseconds, this.#nanoseconds - step);
  }
}

/** Where a member stands in one direction. */
export class Pace {
  /** How often it was blamed since its last transfer on time. */
  blamed = 0;
  /** Whether it has been on time since it was found slow, or ever. */
  isProven = false;
  /** It was found slow together with the other end: one of the two may be innocent. */
  isSharedBlame = false;
  readonly #ledger: Ledger;
  readonly #nic: number;

  /** @param nic the ledger's index of its interface in this direction; -1: it has none */
  constructor(ledger: Ledger, nic: number) {
    this.#ledger = ledger;
    this.#nic = nic;
    // Somebody else's interface by the same name may have been slow.
    this.limitBitsPerSecond = Infinity;
  }

  /** What its interface counts for; Infinity: all it declares. */
  get limitBitsPerSecond(): number {
    return this.#nic < 0 ? Infinity : this.#ledger.limitOn(this.#nic);
  }

  set limitBitsPerSecond(bitsPerSecond: number) {
    if (this.#nic >= 0) this.#ledger.setLimit(this.#nic, bitsPerSecond);
  }
}

export function isSlowSource(member: Member): boolean {
  return member.paceOut.limitBitsPerSecond !== Infinity;
}

export function isSlowTarget(member: Member): boolean {
  return member.paceIn.limitBitsPerSecond !== Infinity;
}

/** What a source's interface could do, by what it declares and what was seen of it. */
export function upCapability(source: Member, ledger: Ledger): number {
  return ledger.ableOn(source.nicUp);
}

export function downCapability(target: Member, ledger: Ledger): number {
  return ledger.ableOn(target.nicDown);
}

/** What of that is free, or will be when the lane begins; never negative. */
export function upFree(source: Member, ledger: Ledger): number {
  return ledger.ableFreeOn(source.nicUp);
}

export function downFree(target: Member, ledger: Ledger): number {
  return ledger.ableFreeOn(target.nicDown);
}

/** When a lane that was just opened will be late. @param lane its bytes are those that are yet to come */
export function lateAt(now: number, lane: Lane, bytes: number, lag: FleetLag): number {
  const duration = (bytes * 8 * 1_000_000_000) / lane.rateBitsPerSecond;
  const words = lateDelays * lane.target.delay.roundTripNanoseconds;
  const beside = lateSlackNanoseconds + words + lateLags * lag.nanoseconds;
  const isTelling = duration >= beside * tellingShare;
  const patience = isTelling ? beside : Math.max(beside, patienceNanoseconds);
  return now + Math.ceil(duration * lateShare) + patience + lateWays * lane.wayNanoseconds + comingUp(lane);
}

/** How much later than at once a lane may have come up to its rate. */
function comingUp(lane: Lane): number {
  return comingUpNanoseconds(lane.wayNanoseconds, lane.rateBitsPerSecond);
}

/** A transfer is late and still under way, or came late. @param bytes what at most has come in the time */
export function blame(lane: Lane, bytes: number, elapsedNanoseconds: number, ledger: Ledger): void {
  const achieved = (bytes * 8 * 1_000_000_000) / Math.max(1, elapsedNanoseconds - lane.wayNanoseconds - comingUp(lane));
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
    pace.isSharedBlame = suspects.length > 1;
    const declared = ledger.capabilityOn(pace === out ? lane.source.nicUp : lane.target.nicDown);
    const least = Math.min(declared, unlimitedBitsPerSecond) * leastLimitShare;
    pace.limitBitsPerSecond = Math.max(least, achieved * regain);
  }
}

/** A transfer came on time: its ends can do what it had. @param isPrompt it took just its time */
export function clear(lane: Lane, ledger: Ledger, isPrompt = false): void {
  const [out, into] = [lane.source.paceOut, lane.target.paceIn];
  for (const [pace, resource, other] of [
    [out, lane.source.nicUp, into],
    [into, lane.target.nicDown, out],
  ] as const) {
    pace.blamed = 0;
    if (pace.limitBitsPerSecond === Infinity) {
      pace.isProven = true;
      continue;
    }
    if (pace.isSharedBlame && other.limitBitsPerSecond === Infinity) {
      // On time with somebody else: it was the other one. If not, it will be late again, and blamed alone.
      pace.limitBitsPerSecond = Infinity;
      continue;
    }
    if (lane.rateBitsPerSecond < pace.limitBitsPerSecond * nearlyFull) continue;
    pace.limitBitsPerSecond *= isPrompt ? quickRegain : regain;
    const all = Math.min(ledger.capabilityOn(resource), unlimitedBitsPerSecond);
    if (pace.limitBitsPerSecond >= all) pace.limitBitsPerSecond = Infinity;
  }
}

/** Whether a transfer took no longer than its rate says, and what passes beside it. */
export function wasPrompt(lane: Lane, durationNanoseconds: number, elapsedNanoseconds: number, lag: FleetLag): boolean {
  const { roundTripNanoseconds, deviationNanoseconds } = lane.target.delay;
  const words = roundTripNanoseconds + deviationNanoseconds;
  return elapsedNanoseconds <= durationNanoseconds * promptShare + words + 2 * lag.nanoseconds;
}

/** Whether a transfer of so many bytes at the lane's rate took too long. */
export function wasLate(lane: Lane, bytes: number, elapsedNanoseconds: number, lag: FleetLag): boolean {
  return lateAt(0, lane, bytes, lag) < elapsedNanoseconds;
}
