/**
 * The running lanes and their charges. Every change of a lane's rate goes through here, so that the ledger and the
 * lanes never disagree: the sum of the rates over a resource is what the ledger has allocated on it.
 */
import { takeOut } from "../std/lists.ts";
import type { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Decisions } from "./decisions.ts";
import { HeldBack } from "./held-back.ts";
import { newLane, queueIntoLane, settleInLane, waitsForBytes, type Lane } from "./lane.ts";
import type { SchedulerSettings } from "./limits.ts";
import {
  chargeSuccessor,
  dropClaims,
  mostClaimed,
  offer,
  offersIn,
  offersOut,
  settleClaims,
  withdrawOffer,
} from "./succession.ts";
import type { Member, World } from "./world.ts";

/** A lane that followed another may begin now. */
export type OnFollowed = (successor: Lane, predecessor: Lane) => void;

export class Lanes {
  readonly #world: World;
  readonly #settings: SchedulerSettings;
  readonly byId = new Map<number, Lane>();
  /** By index of a resource between sites: the lanes whose path has it. Those over an interface are its member's. */
  readonly #over = new Map<number, Set<Lane>>();
  /** Running lanes out of publishers. */
  fromPublishers = 0;
  readonly #heldBack: HeldBack;
  /** At whose ends something was freed by a lane's end that others had waited for. */
  readonly #freed: Member[] = [];
  #nextLaneId: number;
  #now = 0;
  onFollowed: OnFollowed = () => undefined;
  #stuckLookedAt = 0;

  /** @param firstLaneId ids rise from here; a controller's terms must not share ids */
  constructor(world: World, settings: SchedulerSettings, firstLaneId: number) {
    this.#world = world;
    this.#heldBack = new HeldBack(world.ledger);
    this.#settings = settings;
    this.#nextLaneId = firstLaneId;
  }

  /** Opens and charges a lane. @throws RangeError when the path has not that much free */
  open(
    source: Member,
    target: Member,
    rateBitsPerSecond: number,
    now: number,
    decisions: Decisions,
    isShort = false,
  ): Lane {
    const path = this.#world.path(source, target);
    const way = this.#world.ways.roundTripNanoseconds(source, target);
    const lane = newLane(this.takeId(), source, target, path, rateBitsPerSecond, now, isShort, way);
    if (isShort && (offersOut(source) || offersIn(target))) {
      chargeSuccessor(lane, this.#world.ledger);
    } else this.#world.ledger.allocate(path, rateBitsPerSecond);
    this.byId.set(lane.laneId, lane);
    this.#enterOver(lane);
    source.lanesOut.push(lane);
    target.lanesIn.push(lane);
    source.runningOut += 1;
    target.runningIn += 1;
    if (source.kind === "publisher") this.fromPublishers += 1;
    decisions.opened.push(lane);
    return lane;
  }

  /** A lane's end is foreseen: what it has is offered to those that follow it, and its blocks count as held. */
  foresee(lane: Lane): void {
    offer(lane, this.#world.ledger);
    lane.isForeseen = true;
    for (const [order, ranges] of lane.pending) order.addHeld(lane.target, ranges);
  }

  /** The lanes over a resource. */
  over(index: number): Lane[] {
    const owner = this.#world.ownerOf(index);
    if (owner === undefined) return [...(this.#over.get(index) ?? [])];
    return [...owner.lanesIn, ...owner.lanesOut].filter(({ path }) => path.includes(index));
  }

  /** As it was last told. */
  get now(): number {
    return this.#now;
  }

  /** Tells what time it is. */
  setNow(now: number): void {
    this.#now = now;
  }

  takeId(): number {
    const laneId = this.#nextLaneId;
    this.#nextLaneId += 1;
    return laneId;
  }

  /**
   * Ends a lane: what it had pending is no longer coming. Its charge is released; or, where it may still be sending until
   * its ends have heard of it, held back for a while.
   * @param paidUntilNanoseconds until when what it brought takes at its rate: it may have come in a burst, and counts until then
   */
  close(lane: Lane, maySendOn: boolean, paidUntilNanoseconds = 0): { order: BlockOrder; ranges: RangeSet }[] {
    if (this.byId.get(lane.laneId) !== lane) return [];
    this.byId.delete(lane.laneId);
    withdrawOffer(lane, this.#world.ledger);
    this.#leave(lane);
    lane.isClosed = true;
    // A short lane is told its end by its target: it may still bring what came another way.
    if (maySendOn && (lane.pendingBytes > 0 || lane.isShort)) {
      // Those that were to follow it may begin before they hear that they are not to.
      const successors = lane.successors.filter(({ isClosed }) => isClosed);
      const heard = successors.map(({ heldBackUntilNanoseconds }) => heldBackUntilNanoseconds);
      lane.heldBackUntilNanoseconds = Math.max(this.#heldBackUntil(lane), ...heard);
    } else lane.heldBackUntilNanoseconds = Math.max(lane.heldBackUntilNanoseconds, paidUntilNanoseconds);
    for (const successor of dropClaims(lane, this.#now)) {
      if (successor.predecessors.length === 0) this.#settle(successor);
    }
    if (lane.predecessors.length === 0) this.#settle(lane);
    // What it has of its own need not wait for those before it, where nobody takes it over.
    else if (lane.claims.length === 0) {
      this.#free(lane, lane.charges ?? lane.path.map(() => lane.rateBitsPerSecond));
      lane.charges = lane.path.map(() => 0);
    }
    // A lane often ends before its target's last count has come.
    this.#world.ledger.carry(lane.path, Math.max(0, lane.arrivedBytes - lane.receivedBytes));
    if (lane.pending.size === 0) return [];
    const withdrawn = [...lane.pending].map(([order, ranges]) => ({ order, ranges: ranges.clone() }));
    for (const { order, ranges } of withdrawn) settleInLane(lane, order, ranges, false);
    return withdrawn;
  }

  /** What an ended lane has left of its charge is free; what others claimed of it is theirs, and they may begin. */
  #settle(lane: Lane): void {
    if (lane.isSettled) return;
    lane.isSettled = true;
    if (lane.charges === undefined && lane.successors.length === 0) {
      const { path, rateBitsPerSecond, heldBackUntilNanoseconds } = lane;
      if (heldBackUntilNanoseconds <= this.#now) this.#world.ledger.release(path, rateBitsPerSecond);
      else {
        this.#heldBack.hold(
          lane,
          path.map(() => rateBitsPerSecond),
        );
      }
      return;
    }
    this.#free(lane, settleClaims(lane));
    for (const successor of lane.successors) {
      if (successor.predecessors.length === 0 && successor.isClosed) this.#settle(successor);
      else if (!successor.isClosed) this.onFollowed(successor, lane);
    }
  }

  #free(lane: Lane, bitsPerSecond: readonly number[]): void {
    if (lane.heldBackUntilNanoseconds <= this.#now) this.#world.ledger.releaseEach(lane.path, bitsPerSecond);
    else this.#heldBack.hold(lane, bitsPerSecond);
    this.#freed.push(lane.source, lane.target);
  }

  #leave(lane: Lane): void {
    takeOut(lane.source.lanesOut, lane);
    takeOut(lane.target.lanesIn, lane);
    lane.source.runningOut -= 1;
    lane.target.runningIn -= 1;
    if (lane.source.kind === "publisher") this.fromPublishers -= 1;
    this.#leaveOver(lane);
  }

  #leaveOver(lane: Lane): void {
    for (const index of lane.path) {
      if (this.#world.ownerOf(index) === undefined) this.#over.get(index)?.delete(lane);
    }
  }

  queue(lane: Lane, order: BlockOrder, ranges: RangeSet, decisions: Decisions): void {
    if (lane.pendingBytes === 0) lane.progressNanoseconds = this.#now;
    queueIntoLane(lane, order, ranges);
    decisions.queued.push({ lane, order, ranges });
  }

  /** Takes from a lane what others are to have: they get it when its ends have heard of it. */
  takeFrom(lane: Lane, bitsPerSecond: number, decisions: Decisions): void {
    this.setRate(lane, lane.rateBitsPerSecond - bitsPerSecond, decisions);
    this.#world.ledger.retain(lane.path, bitsPerSecond);
    lane.heldBackUntilNanoseconds = this.#heldBackUntil(lane);
    this.#heldBack.hold(
      lane,
      lane.path.map(() => bitsPerSecond),
    );
  }

  /** Releases what was held back long enough. @returns the members at whose ends it was */
  tick(now: number): Member[] {
    this.#now = now;
    const released: Member[] = this.#freed.splice(0);
    this.#heldBack.release(now, released);
    return released;
  }

  /**
   * Lanes on which something that their source holds is due and nothing has come for far longer than it takes: an
   * instruction or a report must have been lost. Charges expire (rule 4). Looked for once a second.
   */
  stuck(): Lane[] {
    if (this.#now < this.#stuckLookedAt + stuckLookNanoseconds) return [];
    this.#stuckLookedAt = this.#now;
    return [...this.byId.values()].filter((lane) => {
      // Not by its rate now: one that brings nothing is taken down to next to nothing, and would never be due.
      const due = stuckAfterNanoseconds + (4 * lane.pendingBytes * 8 * 1_000_000_000) / lane.openedBitsPerSecond;
      const isLong = this.#now - lane.progressNanoseconds > due;
      return isLong && lane.predecessors.length === 0 && waitsForBytes(lane);
    });
  }

  /** When the next of what is held back is released. */
  get nextReleaseNanoseconds(): number | undefined {
    return this.#heldBack.nextNanoseconds;
  }

  /** What is held back on a resource, in bits per second. */
  heldBackOn(index: number): number {
    return this.#heldBack.on(index);
  }

  /** Changes a lane's rate and its charge. One that others follow keeps at least what they have claimed. */
  setRate(lane: Lane, rate: number, decisions: Decisions): void {
    const { ledger } = this.#world;
    const rateBitsPerSecond = Math.max(rate, mostClaimed(lane));
    const { isOffered } = lane;
    withdrawOffer(lane, ledger);
    if (rateBitsPerSecond > lane.rateBitsPerSecond) {
      ledger.allocate(lane.path, rateBitsPerSecond - lane.rateBitsPerSecond);
      lane.charges = lane.charges?.map((charge) => charge + rateBitsPerSecond - lane.rateBitsPerSecond);
    } else if (lane.charges === undefined) {
      ledger.release(lane.path, lane.rateBitsPerSecond - rateBitsPerSecond);
    } else {
      // What it is yet to take over from others is not less for it: it is freed when they have ended.
      const less = lane.charges.map((charge) => Math.min(charge, lane.rateBitsPerSecond - rateBitsPerSecond));
      this.#world.ledger.releaseEach(lane.path, less);
      lane.charges = lane.charges.map((charge, place) => charge - (less[place] as number));
    }
    // What it has brought counts as brought at the new rate: else it would pass for early or late by what went before.
    const elapsed = Math.max(0, this.#now - lane.openedNanoseconds);
    if (lane.isShare) lane.openedNanoseconds += Math.round(elapsed * (1 - lane.rateBitsPerSecond / rateBitsPerSecond));
    lane.rateBitsPerSecond = rateBitsPerSecond;
    if (isOffered) offer(lane, ledger);
    lane.slowSinceNanoseconds = undefined;
    decisions.rerated.add(lane);
  }

  /**
   * Takes note of what a lane's target has received, and gives back what a slow lane does not use (rule 4).
   * @returns `full` when the lane uses all it has, so that it may be worth raising; `shrunk` when it was, or should be, taken down
   */
  measure(lane: Lane, receivedBytes: number, now: number, decisions: Decisions): "full" | "shrunk" | undefined {
    if (receivedBytes > lane.receivedBytes) {
      lane.progressNanoseconds = now;
      this.#world.ledger.carry(lane.path, receivedBytes - lane.receivedBytes);
      lane.receivedBytes = receivedBytes;
    }
    const elapsed = now - lane.measuredFromNanoseconds;
    if (elapsed < measuringNanoseconds || lane.predecessors.length > 0) return undefined;
    const bytes = lane.receivedBytes - lane.measuredFromBytes;
    const measured = Math.floor((bytes * 8 * this.#settings.wireShare * 1_000) / (elapsed / 1_000_000));
    lane.measuredBitsPerSecond = measured;
    lane.measuredFromNanoseconds = now;
    lane.measuredFromBytes = lane.receivedBytes;
    if (
      !waitsForBytes(lane) ||
      measured >= lane.rateBitsPerSecond * (lane.isShare ? shareShrinkBelow : this.#settings.shrinkBelowShare)
    ) {
      lane.slowSinceNanoseconds = undefined;
      lane.shrunk = false;
      return "full";
    }
    lane.slowSinceNanoseconds ??= now;
    if (now - lane.slowSinceNanoseconds < this.#settings.shrinkAfterNanoseconds) return undefined;
    const capability = this.#world.ledger.capabilityOf(lane.path);
    // Where nothing is limited a lane has nothing to give back: only one that brings next to nothing is worth leaving.
    if (capability === Infinity) return measured < leastRateBitsPerSecond ? "shrunk" : undefined;
    const least = Math.max(leastRateBitsPerSecond, Math.ceil(capability * leastShare));
    const shrunk = Math.max(least, Math.ceil(measured * shrinkMargin));
    if (shrunk >= lane.rateBitsPerSecond) return undefined;
    this.setRate(lane, shrunk, decisions);
    lane.shrunk = true;
    return "shrunk";
  }

  /**
   * After the topology was changed: charges every lane on the way that it leads now.
   * @returns lanes that lead another way and have passed on what they had there: they are to be ended
   */
  reroute(): Lane[] {
    const { ledger } = this.#world;
    const ended: Lane[] = [];
    for (const lane of this.byId.values()) {
      const path = this.#world.path(lane.source, lane.target);
      if (path.length === lane.path.length && path.every((index, place) => index === lane.path[place])) continue;
      if (lane.isOffered || lane.charges !== undefined) {
        ended.push(lane);
        continue;
      }
      ledger.release(lane.path, lane.rateBitsPerSecond);
      this.#leaveOver(lane);
      lane.path = path;
      ledger.retain(path, lane.rateBitsPerSecond);
      this.#enterOver(lane);
    }
    return ended;
  }

  /**
   * After a capability was lowered: takes every lane over it down in proportion, until nothing is over.
   * @returns lanes over it that follow others or are followed: they are to be ended
   */
  relieve(decisions: Decisions): Lane[] {
    const ended: Lane[] = [];
    const overloads = [...this.byId.values()].map((lane) => ({
      lane,
      overload: this.#world.ledger.overload(lane.path),
    }));
    for (const { lane, overload } of overloads) {
      if (overload <= 1) continue;
      if (lane.isOffered || lane.charges !== undefined) ended.push(lane);
      else this.setRate(lane, Math.max(1, Math.floor(lane.rateBitsPerSecond / overload)), decisions);
    }
    return ended;
  }

  /** Raises a lane to what its path has free, if that is worth a message. @param most to no more than this */
  grow(lane: Lane, decisions: Decisions, most = Infinity): void {
    if (lane.shrunk || lane.pendingBytes === 0) return;
    const free = Math.min(this.#world.ledger.free(lane.path), most - lane.rateBitsPerSecond);
    if (free === Infinity || free < lane.rateBitsPerSecond * this.#settings.growShare) return;
    this.setRate(lane, lane.rateBitsPerSecond + free, decisions);
  }

  /** Until both ends of a lane must have heard of it. */
  #heldBackUntil({ target }: Lane): number {
    return this.#now + this.#settings.holdBackMilliseconds * 1_000_000 + 2 * target.delay.roundTripNanoseconds;
  }

  #enterOver(lane: Lane): void {
    for (const index of lane.path) {
      if (this.#world.ownerOf(index) !== undefined) continue;
      const over = this.#over.get(index);
      if (over === undefined) this.#over.set(index, new Set([lane]));
      else over.add(lane);
    }
  }
}

/** A lane that brings nothing for this long, and four times what its work should take, is ended. */
const stuckAfterNanoseconds = 20_000_000_000;
const stuckLookNanoseconds = 1_000_000_000;
/** Stretches over which a lane's rate is measured. */
const measuringNanoseconds = 500_000_000;
/** What a shrunk lane keeps above what was measured, so that it can show that it got faster. */
const shrinkMargin = 1.5;
/** A slow lane keeps at least this, and this part of what its path could carry: it must be able to recover. */
const leastRateBitsPerSecond = 64_000;
const leastShare = 0.02;
/** One over a long way, whose rate is its share of it, is left alone above this: it comes up to its rate slowly, and would only begin anew. */
const shareShrinkBelow = 0.5;
