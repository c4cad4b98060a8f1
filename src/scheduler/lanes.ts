/**
 * The running lanes and their charges. Every change of a lane's rate goes through here, so that the ledger and the
 * lanes never disagree: the sum of the rates over a resource is what the ledger has allocated on it.
 */
import { BinaryHeap } from "../std/heap.ts";
import type { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Decisions } from "./decisions.ts";
import { queueIntoLane, settleInLane, type Lane } from "./lane.ts";
import type { SchedulerSettings } from "./limits.ts";
import type { Member, World } from "./world.ts";

/** Bandwidth that was taken from a lane, and may still be in use until its far end has heard of it. */
interface HeldBack {
  readonly source: Member;
  readonly target: Member;
  readonly path: readonly number[];
  readonly rateBitsPerSecond: number;
  readonly untilNanoseconds: number;
}

export class Lanes {
  readonly #world: World;
  readonly #settings: SchedulerSettings;
  readonly byId = new Map<number, Lane>();
  /** By index of a resource between sites: the lanes whose path has it. Those over an interface are its member's. */
  readonly #over = new Map<number, Set<Lane>>();
  /** Running lanes out of publishers. */
  fromPublishers = 0;
  readonly #heldBack = new BinaryHeap<HeldBack>((a, b) => a.untilNanoseconds < b.untilNanoseconds);
  /** The sum of it on each resource. */
  readonly #heldBackOn = new Map<number, number>();
  #nextLaneId: number;
  #now = 0;
  #stuckLookedAt = 0;

  /** @param firstLaneId ids rise from here; a controller's terms must not share ids */
  constructor(world: World, settings: SchedulerSettings, firstLaneId: number) {
    this.#world = world;
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
    this.#world.ledger.allocate(path, rateBitsPerSecond);
    const lane = this.#enter(this.takeId(), source, target, path, rateBitsPerSecond, now, isShort);
    decisions.opened.push(lane);
    return lane;
  }

  /** The lanes over a resource. */
  over(index: number): Lane[] {
    const owner = this.#world.ownerOf(index);
    if (owner === undefined) return [...(this.#over.get(index) ?? [])];
    return [...owner.lanesIn, ...owner.lanesOut].filter(({ path }) => path.includes(index));
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
    this.#leave(lane);
    // A short lane is told its end by its target: it may still bring what came another way.
    if (maySendOn && (lane.pendingBytes > 0 || lane.isShort)) this.#holdBack(lane, lane.rateBitsPerSecond);
    else if (paidUntilNanoseconds > 0) this.#holdBack(lane, lane.rateBitsPerSecond, paidUntilNanoseconds);
    else this.#world.ledger.release(lane.path, lane.rateBitsPerSecond);
    // A lane often ends before its target's last count has come.
    this.#world.ledger.carry(lane.path, Math.max(0, lane.arrivedBytes - lane.receivedBytes));
    if (lane.pending.size === 0) return [];
    const withdrawn = [...lane.pending].map(([order, ranges]) => ({ order, ranges: ranges.clone() }));
    for (const { order, ranges } of withdrawn) settleInLane(lane, order, ranges, false);
    return withdrawn;
  }

  #leave(lane: Lane): void {
    lane.source.lanesOut.delete(lane);
    lane.target.lanesIn.delete(lane);
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
    this.#holdBack(lane, bitsPerSecond);
  }

  /** Releases what was held back long enough. @returns the members at whose ends it was */
  tick(now: number): Member[] {
    this.#now = now;
    const released: Member[] = [];
    for (
      let first = this.#heldBack.peek();
      first !== undefined && first.untilNanoseconds <= now;
      first = this.#heldBack.peek()
    ) {
      const { source, target, path, rateBitsPerSecond } = first;
      this.#heldBack.pop();
      this.#world.ledger.release(path, rateBitsPerSecond);
      this.#countHeldBack(path, -rateBitsPerSecond);
      released.push(source, target);
    }
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
      return this.#now - lane.progressNanoseconds > due && waitsForBytes(lane);
    });
  }

  /** When the next of what is held back is released. */
  get nextReleaseNanoseconds(): number | undefined {
    return this.#heldBack.peek()?.untilNanoseconds;
  }

  /** What is held back on a resource, in bits per second. */
  heldBackOn(index: number): number {
    return this.#heldBackOn.get(index) ?? 0;
  }

  #countHeldBack(path: readonly number[], bitsPerSecond: number): void {
    for (const index of path) this.#heldBackOn.set(index, this.heldBackOn(index) + bitsPerSecond);
  }

  /** Changes a lane's rate and its charge. */
  setRate(lane: Lane, rateBitsPerSecond: number, decisions: Decisions): void {
    const { ledger } = this.#world;
    ledger.release(lane.path, lane.rateBitsPerSecond);
    if (rateBitsPerSecond > lane.rateBitsPerSecond) ledger.allocate(lane.path, rateBitsPerSecond);
    else ledger.retain(lane.path, rateBitsPerSecond);
    lane.rateBitsPerSecond = rateBitsPerSecond;
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
    if (elapsed < measuringNanoseconds) return undefined;
    const bytes = lane.receivedBytes - lane.measuredFromBytes;
    const measured = Math.floor((bytes * 8 * this.#settings.wireShare * 1_000) / (elapsed / 1_000_000));
    lane.measuredBitsPerSecond = measured;
    lane.measuredFromNanoseconds = now;
    lane.measuredFromBytes = lane.receivedBytes;
    if (!waitsForBytes(lane) || measured >= lane.rateBitsPerSecond * this.#settings.shrinkBelowShare) {
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

  /** After the topology was changed: charges every lane on the way that it leads now. */
  reroute(): void {
    const { ledger } = this.#world;
    for (const lane of this.byId.values()) {
      const path = this.#world.path(lane.source, lane.target);
      ledger.release(lane.path, lane.rateBitsPerSecond);
      this.#leaveOver(lane);
      lane.path = path;
      ledger.retain(path, lane.rateBitsPerSecond);
      this.#enterOver(lane);
    }
  }

  /** After a capability was lowered: takes every lane over it down in proportion, until nothing is over. */
  relieve(decisions: Decisions): void {
    const overloads = [...this.byId.values()].map((lane) => ({
      lane,
      overload: this.#world.ledger.overload(lane.path),
    }));
    for (const { lane, overload } of overloads) {
      if (overload <= 1) continue;
      this.setRate(lane, Math.max(1, Math.floor(lane.rateBitsPerSecond / overload)), decisions);
    }
  }

  /** Raises a lane to what its path has free, if that is worth a message. */
  grow(lane: Lane, decisions: Decisions): void {
    if (lane.shrunk || lane.pendingBytes === 0) return;
    const free = this.#world.ledger.free(lane.path);
    if (free === Infinity || free < lane.rateBitsPerSecond * this.#settings.growShare) return;
    this.setRate(lane, lane.rateBitsPerSecond + free, decisions);
  }

  #holdBack({ source, target, path }: Lane, rateBitsPerSecond: number, until?: number): void {
    const words = 2 * target.delay.roundTripNanoseconds;
    const untilNanoseconds = until ?? this.#now + this.#settings.holdBackMilliseconds * 1_000_000 + words;
    this.#heldBack.push({ source, target, path, rateBitsPerSecond, untilNanoseconds });
    this.#countHeldBack(path, rateBitsPerSecond);
  }

  #enterOver(lane: Lane): void {
    for (const index of lane.path) {
      if (this.#world.ownerOf(index) !== undefined) continue;
      const over = this.#over.get(index);
      if (over === undefined) this.#over.set(index, new Set([lane]));
      else over.add(lane);
    }
  }

  #enter(
    laneId: number,
    source: Member,
    target: Member,
    path: readonly number[],
    rateBitsPerSecond: number,
    now: number,
    isShort: boolean,
  ): Lane {
    const lane: Lane = {
      laneId,
      source,
      target,
      path,
      rateBitsPerSecond,
      isShort,
      openedNanoseconds: now,
      openedBitsPerSecond: rateBitsPerSecond,
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
    this.byId.set(laneId, lane);
    this.#enterOver(lane);
    source.lanesOut.add(lane);
    target.lanesIn.add(lane);
    if (source.kind === "publisher") this.fromPublishers += 1;
    return lane;
  }
}

/** Whether something that the source holds is yet to come: a lane that waits for its source's own blocks is not slow. */
function waitsForBytes(lane: Lane): boolean {
  for (const [order, pending] of lane.pending) {
    const held = order.find(lane.source)?.held;
    if (held === undefined) continue;
    for (const [start, end] of pending.ranges()) {
      for (let block = start; block < end; block += 1) if (held.has(block)) return true;
    }
  }
  return false;
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
