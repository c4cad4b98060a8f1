/**
 * Keeps an eye on running short lanes: counts them as ended when their end is to be expected (`ahead.ts`), and when they
 * are late, blames who is slow (`pace.ts`) and takes back what they do not use. Each lane is looked at when it is due, not
 * before.
 */
import { BinaryHeap } from "../std/heap.ts";
import { durationNanoseconds, endsAt, isOverdue, learn } from "./ahead.ts";
import type { Decisions } from "./decisions.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { SchedulerSettings } from "./limits.ts";
import {
  blame,
  clear,
  downCapability,
  type FleetLag,
  isSlowSource,
  isSlowTarget,
  lateAt,
  upCapability,
  wasLate,
} from "./pace.ts";
import type { Member, World } from "./world.ts";

/** After a lane was much slower than its rate while others hold what it was to bring, its source is left alone for this long. */
export const slowShunnedNanoseconds = 10_000_000_000;

/** What the watch has done by others. */
export interface LaneWatchParts {
  readonly world: World;
  readonly lanes: Lanes;
  readonly settings: SchedulerSettings;
  readonly lag: FleetLag;
  readonly touch: (member: Member) => void;
  /** Ends a lane and tells its target so. */
  readonly close: (lane: Lane) => void;
  /** Ends a lane of whose target nothing is heard any more. */
  readonly drop: (lane: Lane) => void;
}

interface Watched {
  readonly lane: Lane;
  readonly atNanoseconds: number;
}

export class LaneWatch {
  readonly #parts: LaneWatchParts;
  /** By when they count as ended, and by when they are late. Lanes that have ended stay in both until they are due. */
  readonly #ends = new BinaryHeap<Watched>((a, b) => a.atNanoseconds < b.atNanoseconds);
  readonly #late = new BinaryHeap<Watched>((a, b) => a.atNanoseconds < b.atNanoseconds);

  constructor(parts: LaneWatchParts) {
    this.#parts = parts;
  }

  /** When the first lane that still runs is due; Infinity: none is. */
  get nextNanoseconds(): number {
    return Math.min(this.#nextOf(this.#ends), this.#nextOf(this.#late));
  }

  opened(lane: Lane, now: number): void {
    this.#late.push({ lane, atNanoseconds: lateAt(now, lane, lane.pendingBytes, this.#parts.lag) });
    const end = endsAt(lane, this.#durationOf(lane, lane.pendingBytes));
    if (end !== undefined) this.#ends.push({ lane, atNanoseconds: end });
  }

  /** All that a lane was to bring has come: what its time says of its ends. */
  ended(lane: Lane, now: number): void {
    const { lag, world } = this.#parts;
    const elapsed = now - lane.openedNanoseconds;
    const expected = this.#durationOf(lane, lane.arrivedBytes);
    learn(lane.target.delay, elapsed, expected);
    const isLate = wasLate(lane, lane.arrivedBytes, elapsed, lag);
    lag.learn(Math.max(0, elapsed - expected - lane.target.delay.roundTripNanoseconds));
    if (isLate) blame(lane, lane.arrivedBytes, elapsed, world.ledger);
    else clear(lane, world.ledger);
  }

  /** Lanes whose end is to be expected count as ended: what follows them is decided now. */
  countEnded(now: number): void {
    const { lanes, touch } = this.#parts;
    const expectedEnd = (lane: Lane): number =>
      lane.openedNanoseconds + this.#durationOf(lane, lane.pendingBytes + lane.arrivedBytes);
    for (const lane of this.#due(this.#ends, now)) {
      if (lane.isEnding || lane.shrunk) continue;
      if (isOverdue(lane.source, now, expectedEnd) || isOverdue(lane.target, now, expectedEnd)) continue;
      lanes.handOn(lane);
      touch(lane.source);
      touch(lane.target);
    }
  }

  /** Lanes that are late give back what they do not use: whoever is slow, the other end can do more elsewhere. */
  slowDown(now: number, decisions: Decisions): void {
    const { world, close, drop } = this.#parts;
    for (const lane of this.#due(this.#late, now)) {
      // Whether an agent that is away still runs or not: by now its source has sent all that the ticket allows.
      if (!lane.target.online) drop(lane);
      else if (lane.pendingBytes === 0) close(lane);
      else {
        blame(lane, lane.pendingBytes + lane.arrivedBytes, now - lane.openedNanoseconds, world.ledger);
        if (this.#isWorthLeaving(lane, now)) close(lane);
        else this.#shrink(lane, now, decisions);
      }
    }
  }

  /** Whether what a lane has pending could come from somebody else who is not slow. */
  othersHold(lane: Lane): boolean {
    for (const [order, pending] of lane.pending) {
      const block = pending.first();
      for (const [member, { held }] of order.holdings) {
        const serves = member !== lane.source && member.online && member.serves === "yes";
        if (serves && held.has(block) && !isSlowSource(member)) return true;
      }
    }
    return false;
  }

  /** Whether a late lane had better be ended: others could bring it, or others wait for what comes to a slow target. */
  #isWorthLeaving(lane: Lane, now: number): boolean {
    const { source, target } = lane;
    if (isSlowTarget(target)) return source.site !== target.site && othersWait(lane);
    if (!isSlowSource(source) || !this.othersHold(lane)) return false;
    target.shunned.set(source, now + slowShunnedNanoseconds);
    // It does not come to its end: else nobody would ever learn that all of them take longer.
    const expected = this.#durationOf(lane, lane.pendingBytes + lane.arrivedBytes);
    const elapsed = now - lane.openedNanoseconds;
    this.#parts.lag.learn(Math.max(0, elapsed - expected - target.delay.roundTripNanoseconds));
    return true;
  }

  #shrink(lane: Lane, now: number, decisions: Decisions): void {
    const { world, lanes, lag, touch } = this.#parts;
    lane.shrunk = true;
    const limit = Math.min(upCapability(lane.source, world.ledger), downCapability(lane.target, world.ledger));
    const rate = Math.max(1, Math.floor(limit));
    if (rate < lane.rateBitsPerSecond) lanes.setRate(lane, rate, decisions);
    touch(lane.source);
    touch(lane.target);
    this.#late.push({ lane, atNanoseconds: lateAt(now, lane, lane.pendingBytes, lag) });
  }

  #durationOf(lane: Lane, bytes: number): number {
    return durationNanoseconds(bytes, lane.rateBitsPerSecond, this.#parts.settings.wireShare);
  }

  /** Takes out the lanes that are due and still run, one by one: more may be put in meanwhile. */
  *#due(watched: BinaryHeap<Watched>, now: number): Generator<Lane> {
    for (let first = watched.peek(); first !== undefined && first.atNanoseconds <= now; first = watched.peek()) {
      watched.pop();
      if (this.#runs(first.lane)) yield first.lane;
    }
  }

  #nextOf(watched: BinaryHeap<Watched>): number {
    let first = watched.peek();
    while (first !== undefined && !this.#runs(first.lane)) {
      watched.pop();
      first = watched.peek();
    }
    return first?.atNanoseconds ?? Infinity;
  }

  #runs(lane: Lane): boolean {
    return this.#parts.lanes.byId.get(lane.laneId) === lane;
  }
}

/** Whether what a lane brings to a slow target is waited for by faster ones in its site. */
function othersWait(lane: Lane): boolean {
  const { target } = lane;
  for (const order of lane.pending.keys()) {
    for (const member of order.membersIn(target.site ?? "")) {
      if (member !== target && member.online && order.hungry.has(member) && !isSlowTarget(member)) return true;
    }
  }
  return false;
}
