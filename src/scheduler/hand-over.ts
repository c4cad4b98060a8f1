/**
 * Lanes from publishers: long ones, kept filled ahead, through which a publisher hands each block over once, in order, to the
 * agents that may receive it. From there on agents spread it.
 */
import { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Lane } from "./lane.ts";
import { maximumPortionRanges, unlimitedBitsPerSecond } from "./limits.ts";
import type { Matcher } from "./match.ts";
import { outOfReach } from "./out-of-reach.ts";
import type { Member } from "./world.ts";

/** A lane is refilled when less than this part of what is to be queued ahead is left. */
const refillShare = 0.7;
const maximumAheadScale = 10;
/**
 * On the agent's own host nothing limits a publisher; it hands over so many times as fast as the agent can pass on. Faster
 * would take the processor and the disk from passing on, just when everybody waits for the first blocks.
 */
const handOverShare = 3;

export class HandOver {
  readonly #matcher: Matcher;
  readonly #endLane: (lane: Lane) => void;

  constructor(matcher: Matcher, endLane: (lane: Lane) => void) {
    this.#matcher = matcher;
    this.#endLane = endLane;
  }

  /** Queues more into a target's lanes from publishers, and ends those that have nothing to do any more. */
  extend(target: Member, orders: readonly BlockOrder[]): void {
    for (const lane of [...target.lanesIn]) {
      if (lane.source.kind !== "publisher") continue;
      const ahead = this.#aheadBytes(lane);
      if (lane.pendingBytes > ahead * refillShare) continue;
      const wasDry = lane.pendingBytes === 0;
      if (this.#mayServe(lane.source, target)) {
        let budget = ahead - lane.pendingBytes;
        for (const order of orders) {
          if (budget <= 0) break;
          if (target.needs.has(order)) budget -= this.#queueMore(lane, order, budget);
        }
      }
      if (lane.pendingBytes === 0) this.#endLane(lane);
      else if (wasDry && lane.receivedBytes > 0) {
        target.aheadScale = Math.min(maximumAheadScale, target.aheadScale * 2);
      }
    }
  }

  /** Opens lanes from publishers that have something for the target. */
  open(target: Member, order: BlockOrder): void {
    const { lanes, settings, market } = this.#matcher.parts;
    if (order.publishers.length === 0) return;
    for (const source of order.publishers) {
      const tooMany =
        target.lanesIn.length >= settings.maximumLanesIn || source.lanesOut.length >= settings.maximumLanesOut;
      if (!target.online || !target.fetches || tooMany || hasLane(source, target)) continue;
      if (!this.#mayServe(source, target)) continue;
      const rate = this.rateFor(source, target);
      if (rate === 0) continue;
      const offer = this.#offer(order, source, target);
      if (offer.isEmpty) continue;
      const lane = lanes.open(source, target, rate, this.#matcher.now, this.#matcher.decisions);
      lanes.queue(lane, order, takeInOrder(order, offer, this.#aheadBytes(lane)), this.#matcher.decisions);
      market.refresh(target);
    }
  }

  /** The rate that a new lane would get: what is free on its path, if that is worth a lane; else 0. */
  rateFor(source: Member, target: Member): number {
    const { world, settings } = this.#matcher.parts;
    const path = world.path(source, target);
    const capability = world.ledger.capabilityOf(path);
    if (capability === Infinity) {
      return Math.min(unlimitedBitsPerSecond, handOverShare * world.ledger.capabilityOn(target.nicUp));
    }
    const free = world.ledger.free(path);
    return free >= Math.max(1, capability * settings.minimumRateShare) ? Math.floor(free) : 0;
  }

  #queueMore(lane: Lane, order: BlockOrder, budgetBytes: number): number {
    const offer = this.#offer(order, lane.source, lane.target);
    if (offer.isEmpty) return 0;
    const picked = takeInOrder(order, offer, budgetBytes);
    this.#matcher.parts.lanes.queue(lane, order, picked, this.#matcher.decisions);
    return order.bytesOf(picked);
  }

  /** What a publisher has still to hand over, and what of that the target lacks; again what is out of the target's reach. */
  #offer(order: BlockOrder, source: Member, target: Member): RangeSet {
    const held = order.holdings.get(source)?.held;
    if (held === undefined || held.isEmpty) return new RangeSet();
    const wanted = order.missing(target).intersection(held.toRangeSet());
    if (source.sameHost || wanted.isEmpty) return wanted;
    const offer = order.toHandOver(source, wanted);
    if (!offer.isEmpty) return offer;
    return outOfReach(order, target, wanted, "anywhere", (member) => this.#matcher.mayServe(member, target));
  }

  #mayServe(source: Member, target: Member): boolean {
    if (source.receivers !== undefined && !source.receivers.has(target.id)) return false;
    return this.#matcher.mayServe(source, target);
  }

  /** How much is queued ahead into a lane: its rate, or what it was measured to do, for a set time. */
  #aheadBytes(lane: Lane): number {
    const { settings } = this.#matcher.parts;
    const { rateBitsPerSecond, measuredBitsPerSecond } = lane;
    const rate =
      measuredBitsPerSecond === undefined ? rateBitsPerSecond : Math.min(rateBitsPerSecond, 2 * measuredBitsPerSecond);
    const seconds = (settings.aheadNanoseconds / 1_000_000_000) * lane.target.aheadScale;
    const bytes = Math.floor((rate / 8) * seconds);
    return Math.min(settings.aheadMaximumBytes, Math.max(settings.aheadMinimumBytes, bytes));
  }
}

/** The first blocks of a set that are worth at least so many bytes, in a bounded number of ranges. */
function takeInOrder(order: BlockOrder, offer: RangeSet, budgetBytes: number): RangeSet {
  const taken = new RangeSet();
  let left = budgetBytes;
  for (const [start, end] of offer.ranges()) {
    if (left <= 0 || taken.rangeCount >= maximumPortionRanges) break;
    const bytes = order.description.bytesInRange(start, end);
    if (bytes <= left) {
      taken.add(start, end);
      left -= bytes;
      continue;
    }
    let low = start + 1;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order.description.bytesInRange(start, middle) >= left) high = middle;
      else low = middle + 1;
    }
    taken.add(start, low);
    left = 0;
  }
  return taken;
}

function hasLane(source: Member, target: Member): boolean {
  for (const lane of target.lanesIn) if (lane.source === source) return true;
  return false;
}
