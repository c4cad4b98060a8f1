/**
 * The running lanes and their charges. Every change of a lane's rate goes through here, so that the ledger and the
 * lanes never disagree: the sum of the rates over a resource is what the ledger has allocated on it.
 */
import type { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Decisions } from "./decisions.ts";
import { queueIntoLane, settleInLane, type Lane } from "./lane.ts";
import type { SchedulerSettings } from "./limits.ts";
import type { Member, World } from "./world.ts";

export class Lanes {
  readonly #world: World;
  readonly #settings: SchedulerSettings;
  readonly byId = new Map<number, Lane>();
  #nextLaneId: number;

  /** @param firstLaneId ids rise from here; a controller's terms must not share ids */
  constructor(world: World, settings: SchedulerSettings, firstLaneId: number) {
    this.#world = world;
    this.#settings = settings;
    this.#nextLaneId = firstLaneId;
  }

  /** Opens and charges a lane. @throws RangeError when the path has not that much free */
  open(source: Member, target: Member, rateBitsPerSecond: number, now: number, decisions: Decisions): Lane {
    const path = this.#world.path(source, target);
    this.#world.ledger.allocate(path, rateBitsPerSecond);
    const lane = this.#enter(this.takeId(), source, target, path, rateBitsPerSecond, now);
    decisions.opened.push(lane);
    return lane;
  }

  takeId(): number {
    const laneId = this.#nextLaneId;
    this.#nextLaneId += 1;
    return laneId;
  }

  /** Ends a lane: its charge is released, and what it had pending is no longer coming. */
  close(lane: Lane): { order: BlockOrder; ranges: RangeSet }[] {
    if (this.byId.get(lane.laneId) !== lane) return [];
    this.byId.delete(lane.laneId);
    lane.source.lanesOut.delete(lane);
    lane.target.lanesIn.delete(lane);
    this.#world.ledger.release(lane.path, lane.rateBitsPerSecond);
    // A lane often ends before its target's last count has come.
    this.#world.ledger.carry(lane.path, Math.max(0, lane.arrivedBytes - lane.receivedBytes));
    const withdrawn = [...lane.pending].map(([order, ranges]) => ({ order, ranges: ranges.clone() }));
    for (const { order, ranges } of withdrawn) settleInLane(lane, order, ranges, false);
    return withdrawn;
  }

  queue(lane: Lane, order: BlockOrder, ranges: RangeSet, decisions: Decisions): void {
    queueIntoLane(lane, order, ranges);
    decisions.queued.push({ lane, order, ranges });
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

  /** Takes note of what a lane's target has received, and gives back what a slow lane does not use (rule 4). */
  measure(lane: Lane, receivedBytes: number, now: number, decisions: Decisions): void {
    if (receivedBytes > lane.receivedBytes) {
      this.#world.ledger.carry(lane.path, receivedBytes - lane.receivedBytes);
      lane.receivedBytes = receivedBytes;
    }
    const elapsed = now - lane.measuredFromNanoseconds;
    if (elapsed < measuringNanoseconds) return;
    const bytes = lane.receivedBytes - lane.measuredFromBytes;
    const measured = Math.floor((bytes * 8 * wireShare * 1_000) / (elapsed / 1_000_000));
    lane.measuredBitsPerSecond = measured;
    lane.measuredFromNanoseconds = now;
    lane.measuredFromBytes = lane.receivedBytes;
    const slow = lane.pendingBytes > 0 && measured < lane.rateBitsPerSecond * this.#settings.shrinkBelowShare;
    if (!slow) {
      lane.slowSinceNanoseconds = undefined;
      return;
    }
    lane.slowSinceNanoseconds ??= now;
    if (now - lane.slowSinceNanoseconds < this.#settings.shrinkAfterNanoseconds) return;
    if (this.#world.ledger.capabilityOf(lane.path) === Infinity) return;
    const shrunk = Math.max(leastRateBitsPerSecond, Math.ceil(measured * shrinkMargin));
    if (shrunk >= lane.rateBitsPerSecond) return;
    this.setRate(lane, shrunk, decisions);
    lane.growAfterNanoseconds = now + this.#settings.shrinkAfterNanoseconds * 4;
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
  grow(lane: Lane, now: number, decisions: Decisions): void {
    if (now < lane.growAfterNanoseconds || lane.pendingBytes === 0) return;
    const free = this.#world.ledger.free(lane.path);
    if (free === Infinity || free < lane.rateBitsPerSecond * this.#settings.growShare) return;
    this.setRate(lane, lane.rateBitsPerSecond + free, decisions);
  }

  #enter(
    laneId: number,
    source: Member,
    target: Member,
    path: readonly number[],
    rateBitsPerSecond: number,
    now: number,
  ): Lane {
    const lane: Lane = {
      laneId,
      source,
      target,
      path,
      rateBitsPerSecond,
      revision: 0,
      pending: new Map(),
      pendingBytes: 0,
      receivedBytes: 0,
      arrivedBytes: 0,
      measuredFromNanoseconds: now,
      measuredFromBytes: 0,
      measuredBitsPerSecond: undefined,
      slowSinceNanoseconds: undefined,
      growAfterNanoseconds: 0,
    };
    this.byId.set(laneId, lane);
    source.lanesOut.add(lane);
    target.lanesIn.add(lane);
    return lane;
  }
}

/** Stretches over which a lane's rate is measured. */
const measuringNanoseconds = 500_000_000;
/** Bytes on the wire for each byte of payload: a full Ethernet frame carries 1,448 of 1,514. */
const wireShare = 1_514 / 1_448;
/** What a shrunk lane keeps above what was measured, so that it can show that it got faster. */
const shrinkMargin = 1.25;
const leastRateBitsPerSecond = 64_000;
