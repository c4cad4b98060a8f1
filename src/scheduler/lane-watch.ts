/**
 * Keeps an eye on running short lanes: fills them again or foresees their ends where words take time (`ahead.ts`), and when they are late, blames who is slow (`pace.ts`) and takes back what they do not use. Each lane is looked at when it is due, not
 * before.
 */
import { BinaryHeap } from "../std/heap.ts";
import type { RangeSet } from "../std/ranges.ts";
import {
  behindUntil,
  durationNanoseconds,
  expectedEnd,
  extendAt,
  foreseeAt,
  isOverdue,
  learn,
  wordsNanoseconds,
} from "./ahead.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Decisions } from "./decisions.ts";
import { letFollow, settleInLane, type Lane } from "./lane.ts";
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
  wasPrompt,
} from "./pace.ts";
import { comingUpNanoseconds } from "./way-shares.ts";
import { isShunned, shun, type Member, type World } from "./world.ts";

/** After a lane was much slower than its rate while others hold what it was to bring, its source is left alone for this long. */
export const slowShunnedNanoseconds = 10_000_000_000;

/** A lane that was given up is ended after this, should its target have nothing to say of it. */
const givenUpNanoseconds = 20_000_000_000;
/** What it keeps until then: enough to show that it lives. */
const givenUpBitsPerSecond = 64_000;

/** What the watch has done by others. */
export interface LaneWatchParts {
  readonly world: World;
  readonly lanes: Lanes;
  readonly settings: SchedulerSettings;
  readonly lag: FleetLag;
  readonly touch: (member: Member) => void;
  /** Queues more into a lane. @returns whether there was more */
  readonly extend: (lane: Lane) => boolean;
  /** Ends a lane and tells its target so. */
  readonly close: (lane: Lane) => void;
  /** Ends a lane of whose target nothing is heard any more. */
  readonly drop: (lane: Lane) => void;
  /** Blocks do not come to a member as they were to: lanes that wait for them there are ended. */
  readonly withdraw: (member: Member, order: BlockOrder, ranges: RangeSet) => void;
}

/** Of a lane that brings anything its target has said so by then: it does every quarter of a second. */
const silentNanoseconds = 600_000_000;

/** What a lane comes earlier than its rate allows, and is not worth waiting for. */
const negligibleNanoseconds = 500_000;

interface Watched {
  readonly lane: Lane;
  readonly atNanoseconds: number;
}

export class LaneWatch {
  readonly #parts: LaneWatchParts;
  /** When their ends are to be foreseen, and by when they are late. Lanes that have ended stay in both until they are due. */
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
    // It cannot give what is still on its way to its source.
    for (const feeder of lane.source.lanesIn) if (feeder.isOffered && feeds(feeder, lane)) letFollow(lane, feeder);
    lane.expectedEndNanoseconds = expectedEnd(lane, now, this.#durationOf(lane, lane.pendingBytes));
    if (lane.predecessors.length === 0) this.#expectBy(lane, lateAt(now, lane, lane.pendingBytes, this.#parts.lag));
    this.#foreseeLater(lane);
    const duration = this.#durationOf(lane, lane.pendingBytes + lane.arrivedBytes);
    const end = extendAt(lane, duration, this.#parts.lag.nanoseconds);
    if (end !== undefined) this.#ends.push({ lane, atNanoseconds: end });
  }

  /** One of those that a lane waited for has ended. */
  followed(lane: Lane, predecessor: Lane): void {
    const { now } = this.#parts.lanes;
    const roundTrip = lane.target.delay.roundTripNanoseconds;
    const left = this.#durationOf(lane, lane.pendingBytes);
    const ended = now - wordsNanoseconds(predecessor.target);
    lane.expectedEndNanoseconds = Math.max(lane.expectedEndNanoseconds, ended + left);
    this.#foreseeLater(lane);
    if (lane.predecessors.length > 0) return;
    lane.openedNanoseconds = Math.max(lane.openedNanoseconds, now - roundTrip);
    lane.progressNanoseconds = now;
    lane.measuredFromNanoseconds = now;
    this.#expectBy(lane, lateAt(now, lane, lane.pendingBytes, this.#parts.lag));
  }

  #foreseeLater(lane: Lane): void {
    const at = lane.isOffered ? undefined : foreseeAt(lane, this.#parts.lag.nanoseconds);
    if (at !== undefined) this.#ends.push({ lane, atNanoseconds: at });
  }

  #expectBy(lane: Lane, atNanoseconds: number): void {
    lane.lateAtNanoseconds = atNanoseconds;
    this.#late.push({ lane, atNanoseconds });
  }

  /** Bytes have come through a lane. One that was given up is slow, then, and not dead: it is not needed. */
  measured(lane: Lane): void {
    if (lane.isGivenUp && lane.receivedBytes > 0) this.#parts.close(lane);
  }

  /** All that a lane was to bring has come: what its time says of its ends. */
  ended(lane: Lane, now: number): void {
    if (lane.isGivenUp) return;
    const { lag, world } = this.#parts;
    const elapsed = now - lane.openedNanoseconds;
    const sent = this.#durationOf(lane, lane.arrivedBytes) + lane.wayNanoseconds;
    learn(lane.target.delay, elapsed, sent);
    const expected = sent + comingUpNanoseconds(lane.wayNanoseconds, lane.rateBitsPerSecond);
    const isLate = wasLate(lane, lane.arrivedBytes, elapsed, lag);
    lag.learn(Math.max(0, elapsed - expected - lane.target.delay.roundTripNanoseconds));
    if (isLate && !isTakingOver(lane.source)) blame(lane, lane.arrivedBytes, elapsed, world.ledger);
    if (!isLate) clear(lane, world.ledger, wasPrompt(lane, expected, elapsed, lag));
  }

  /** Until when what a lane has brought takes at its rate, if that is yet to come; 0: it took that long, or its rate changed. */
  paidUntil(lane: Lane, now: number): number {
    if (!lane.isShort || lane.rateBitsPerSecond !== lane.openedBitsPerSecond) return 0;
    const until = lane.openedNanoseconds + this.#durationOf(lane, lane.receivedBytes);
    return until - now > negligibleNanoseconds ? until : 0;
  }

  /** Lanes that will soon be empty get more, or what is to follow them is decided now. */
  goOn(now: number): void {
    const { lanes, lag, touch, extend } = this.#parts;
    for (const lane of this.#due(this.#ends, now)) {
      // Who is slow has to show, transfer by transfer, that it can do more.
      const isSlow = lane.isGivenUp || lane.shrunk || isSlowSource(lane.source) || isSlowTarget(lane.target);
      if (isSlow || lane.isOffered) continue;
      const at = foreseeAt(lane, lag.nanoseconds);
      if (at === undefined) {
        const until = behindUntil(lane, now, lag.nanoseconds, this.#durationOf(lane, lane.pendingBytes));
        if (until !== undefined) this.#ends.push({ lane, atNanoseconds: until });
        else if (lane.successors.length + lane.predecessors.length === 0 && extend(lane)) this.opened(lane, now);
        continue;
      }
      if (at > now) {
        this.#ends.push({ lane, atNanoseconds: at });
        continue;
      }
      // Looked at again when those have ended.
      if (lane.predecessors.some((predecessor) => isOverdue(predecessor, now, lag.nanoseconds))) continue;
      lanes.foresee(lane);
      touch(lane.source);
      touch(lane.target);
    }
  }

  /** Lanes that are late give back what they do not use: whoever is slow, the other end can do more elsewhere. */
  slowDown(now: number, decisions: Decisions): void {
    const { world, lag, close, drop } = this.#parts;
    for (const lane of this.#due(this.#late, now)) {
      // It was given more time meanwhile.
      if (now < lane.lateAtNanoseconds) continue;
      // Whether an agent that is away still runs or not: by now its source has sent all that the ticket allows.
      if (!lane.target.online) drop(lane);
      else if (lane.pendingBytes === 0) close(lane);
      else if (isTakingOver(lane.source)) this.#expectBy(lane, lateAt(now, lane, lane.pendingBytes, lag));
      else {
        const elapsed = now - lane.openedNanoseconds;
        // Once: it stays late, and would tell the same of its ends again, be they innocent. But one may be dead.
        const isNews = !lane.shrunk || (lane.receivedBytes + lane.arrivedBytes === 0 && elapsed > silentNanoseconds);
        if (isNews) blame(lane, lane.pendingBytes + lane.arrivedBytes, elapsed, world.ledger);
        if (!this.#isWorthLeaving(lane, now)) {
          this.#shrink(lane, decisions);
          this.#expectBy(lane, lateAt(now, lane, lane.pendingBytes, lag));
        } else if (lane.receivedBytes + lane.arrivedBytes > 0) close(lane);
        else this.#giveUp(lane, now, decisions);
      }
    }
  }

  /**
   * Whether what a lane has pending could come from somebody else who is not slow, and as near: what a site has does not
   * go into it again because one of its agents is slow.
   */
  othersHold(lane: Lane, now: number): boolean {
    const { site } = lane.target;
    const isWithin = lane.source.site === site;
    for (const [order, pending] of lane.pending) {
      const block = pending.first();
      for (const [member, { held }] of order.holdings) {
        const serves = member !== lane.source && member.online && member.serves === "yes";
        if (isWithin && (member.site !== site || isShunned(lane.target, member, now))) continue;
        if (serves && held.has(block) && !isSlowSource(member)) return true;
      }
    }
    return false;
  }

  /** Whether a late lane had better be ended: others could bring it, or others wait for what comes to a slow target. */
  #isWorthLeaving(lane: Lane, now: number): boolean {
    // Bytes over a way between sites are not thrown away: a busy machine is late too.
    if (lane.source.site !== lane.target.site) return false;
    const { source, target } = lane;
    // Where it may be either of the two, another source shows which.
    const isEither = isSlowSource(source) && target.paceIn.isSharedBlame;
    if (isSlowTarget(target) && !isEither) return false;
    if (!isSlowSource(source) || !this.othersHold(lane, now)) return false;
    shun(target, source, now + slowShunnedNanoseconds);
    // It does not come to its end: else nobody would ever learn that all of them take longer.
    const expected = this.#durationOf(lane, lane.pendingBytes + lane.arrivedBytes) + lane.wayNanoseconds;
    const elapsed = now - lane.openedNanoseconds;
    this.#parts.lag.learn(Math.max(0, elapsed - expected - target.delay.roundTripNanoseconds));
    return true;
  }

  /**
   * What a lane was to bring is given to others, and the lane is left alone: if never a byte comes, its target finds that,
   * and whose fault it is, and it is counted. Were it closed, what is dead would pass for slow.
   */
  #giveUp(lane: Lane, now: number, decisions: Decisions): void {
    this.#shrink(lane, decisions, givenUpBitsPerSecond);
    lane.isGivenUp = true;
    for (const [order, pending] of [...lane.pending]) {
      const ranges = pending.clone();
      settleInLane(lane, order, ranges, false);
      this.#parts.withdraw(lane.target, order, ranges);
    }
    this.#expectBy(lane, now + givenUpNanoseconds);
  }

  #shrink(lane: Lane, decisions: Decisions, most = Infinity): void {
    const { world, lanes, touch } = this.#parts;
    lane.shrunk = true;
    const limit = Math.min(upCapability(lane.source, world.ledger), downCapability(lane.target, world.ledger));
    const rate = Math.max(1, Math.floor(Math.min(limit, most)));
    // Until its ends have heard of it, it may send as before.
    if (rate < lane.rateBitsPerSecond) lanes.takeFrom(lane, lane.rateBitsPerSecond - rate, decisions);
    touch(lane.source);
    touch(lane.target);
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

/** Who takes over from a publisher, as fast as its disk and its processor can, is late with all else meanwhile, and not slow. */
function isTakingOver({ lanesIn }: Member): boolean {
  for (const { source, pendingBytes } of lanesIn) if (source.kind === "publisher" && pendingBytes > 0) return true;
  return false;
}

/** Whether one lane is to bring what another is to give on. */
function feeds(feeder: Lane, lane: Lane): boolean {
  for (const [order, pending] of lane.pending) {
    const coming = feeder.pending.get(order);
    if (coming !== undefined && !coming.intersection(pending).isEmpty) return true;
  }
  return false;
}
