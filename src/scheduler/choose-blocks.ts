/**
 * Which blocks a lane is given: of those that the source has (or will have) and the target misses, the rarest first,
 * in runs; over a way between sites only such as the target's site has not got. Promises: what it returns is held by
 * or coming to the source, and neither held by nor coming to the target.
 */
import { RangeSet } from "../std/ranges.ts";
import type { SeededRandom } from "../std/seeded-random.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Member } from "./world.ts";

/** Blocks that are compared by rarity in one choice; of more, a stretch beginning at a random one. */
const comparedBlocks = 4_096;

export interface BlockOffer {
  readonly ranges: RangeSet;
  /** Whether some of it is held by the source already. */
  readonly holdsSome: boolean;
}

/**
 * `repeat`: also blocks that the target's site has already may come from another site. `again`: also over scarce links,
 * and from a publisher that has handed them over before: who has them is out of the target's reach.
 */
export type RemoteRule = "once" | "repeat" | "again";

/**
 * All that a source could give a target of an order.
 * @param relays whether blocks that are still coming to the source count (not when the target feeds the source)
 */
export function offerOf(
  order: BlockOrder,
  source: Member,
  target: Member,
  missing: RangeSet,
  relays: boolean,
  rule: RemoteRule,
): BlockOffer {
  const sourceHolding = order.holdings.get(source);
  if (sourceHolding === undefined) return { ranges: new RangeSet(), holdsSome: false };
  let ranges = missing.intersection(sourceHolding.held);
  if (relays && !sourceHolding.coming.isEmpty) ranges = ranges.union(missing.intersection(sourceHolding.coming));
  if (source.kind === "publisher") {
    // A publisher hands each block over once: agents spread it from there. On its own host it hands over all.
    if (rule !== "again" && !source.sameHost) ranges = order.toHandOver(source, ranges);
  } else if (source.site !== target.site && rule === "once" && target.site !== undefined) {
    ranges = order.absentIn(target.site, ranges);
  }
  return { ranges, holdsSome: !ranges.intersection(sourceHolding.held).isEmpty };
}

/** The most ranges of one portion: a ticket, and a request to the source, must hold them. */
const maximumRanges = 1_000;

/** Picks blocks of an offer worth about `budgetBytes` (all of it, if it is less), in a bounded number of ranges. */
export function pickBlocks(
  order: BlockOrder,
  offer: RangeSet,
  source: Member,
  target: Member,
  budgetBytes: number,
  random: SeededRandom,
): RangeSet {
  const picked = pickRarest(order, offer, source, target, budgetBytes, random);
  if (picked.rangeCount <= maximumRanges) return picked;
  return RangeSet.fromFlat(picked.toFlat().slice(0, 2 * maximumRanges));
}

function pickRarest(
  order: BlockOrder,
  offer: RangeSet,
  source: Member,
  target: Member,
  budgetBytes: number,
  random: SeededRandom,
): RangeSet {
  if (order.description.fromTheFront || source.kind === "publisher") return takeInOrder(order, offer, budgetBytes);
  const local = source.site === target.site ? target.site : undefined;
  const rarity = (block: number): number =>
    local === undefined ? order.presence(block) : order.sitePresence(local, block);
  const compared = stretch(offer, random);
  const byRarity = new Map<number, RangeSet>();
  for (const block of compared) {
    const key = rarity(block);
    let blocks = byRarity.get(key);
    if (blocks === undefined) {
      blocks = new RangeSet();
      byRarity.set(key, blocks);
    }
    blocks.add(block, block + 1);
  }
  const picked = new RangeSet();
  let bytes = 0;
  for (const key of [...byRarity.keys()].sort((a, b) => a - b)) {
    const blocks = byRarity.get(key) ?? new RangeSet();
    const start = blocks.nth(random.nextBelow(blocks.count));
    for (const part of [from(blocks, start), before(blocks, start)]) {
      const taken = takeInOrder(order, part, budgetBytes - bytes);
      picked.addAll(taken);
      bytes += order.bytesOf(taken);
      if (bytes >= budgetBytes) return picked;
    }
  }
  return picked;
}

/** The first blocks of a set that are worth at least so many bytes; none when the budget is not positive. */
function takeInOrder(order: BlockOrder, offer: RangeSet, budgetBytes: number): RangeSet {
  const taken = new RangeSet();
  let left = budgetBytes;
  for (const [start, end] of offer.ranges()) {
    if (left <= 0) break;
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

function stretch(offer: RangeSet, random: SeededRandom): number[] {
  const blocks: number[] = [];
  const begin = offer.count <= comparedBlocks ? 0 : offer.nth(random.nextBelow(offer.count));
  for (const part of [from(offer, begin), before(offer, begin)]) {
    for (const [start, end] of part.ranges()) {
      for (let block = start; block < end; block += 1) {
        if (blocks.length >= comparedBlocks) return blocks;
        blocks.push(block);
      }
    }
  }
  return blocks;
}

function from(set: RangeSet, start: number): RangeSet {
  const result = set.clone();
  result.remove(0, start);
  return result;
}

function before(set: RangeSet, end: number): RangeSet {
  return set.difference(from(set, end));
}
