/**
 * Which block a transfer between two members brings: of those that the source holds and the target lacks, the one of which
 * there are the fewest copies (rarest first); and which others next to it come along, where blocks are small.
 *
 * Blocks are looked at word by word of the members' bit sets, from a word drawn at random on, a bounded number of them.
 */
import { pageBits, pageShift } from "../std/bit-pages.ts";
import type { PagedBits } from "../std/paged-bits.ts";
import { RangeSet } from "../std/ranges.ts";
import type { SeededRandom } from "../std/seeded-random.ts";
import type { BlockOrder, Holding } from "./block-order.ts";
import { maximumPortionRanges } from "./limits.ts";

/** Blocks compared by rarity in one choice. */
const comparedBlocks = 256;
/** Words of 32 blocks that are looked at in one choice before what was found is taken. */
const comparedWords = 128;
/** Words behind a group that are looked at for rests of others. */
const restWords = 4;
const wordsPerPage = pageBits >>> 5;
const pageWordShift = pageShift - 5;
const noMask: PagedBits | undefined = undefined;

export interface PickRule {
  /** Copies within the target's site count, or the number of sites that have one, or copies anywhere. */
  readonly rarity: "inSite" | "sites" | "anywhere";
  /** Only blocks that are in this set. */
  readonly only?: PagedBits | undefined;
  /** What other sites depend on the source's site for; see `supply.ts`. */
  readonly dependence?: number;
}

export interface PickedBlock {
  block: number;
  /** Copies, as the rule counts them. */
  copies: number;
}

/**
 * @param offered what the source, or somebody at its site, holds
 * @param into takes what was found. @returns false when the source has nothing for the target
 */
export function pickBlock(
  order: BlockOrder,
  offered: PagedBits,
  target: Holding,
  rule: PickRule,
  random: SeededRandom,
  into: PickedBlock,
): boolean {
  const wordCount = (order.blockCount + 31) >>> 5;
  if (wordCount === 0) return false;
  const { fromTheFront } = order.description;
  const inSite = rule.rarity === "inSite" ? target.view?.counts : undefined;
  const everywhere = rule.rarity === "anywhere" ? order.presenceCounts : order.siteCounts;
  const { words, table } = order.pages;
  const [heldRow, haveRow] = [offered.row, target.have.row];
  const only = rule.only ?? noMask;
  const onlyWords = only === undefined ? words : only.pages.words;
  const onlyTable = only === undefined ? table : only.pages.table;
  const onlyRow = only === undefined ? -1 : only.row;
  let best = -1;
  let fewest = Infinity;
  let compared = 0;
  let looked = 0;
  let place = fromTheFront || wordCount === 1 ? 0 : random.nextBelow(wordCount);
  for (;;) {
    const page = place >>> pageWordShift;
    const offset = place & (wordsPerPage - 1);
    const held = table[heldRow + 2 * page] as number;
    const have = table[haveRow + 2 * page] as number;
    const onlyAt = onlyRow < 0 ? -1 : (onlyTable[onlyRow + 2 * page] as number);
    const pageEnd = Math.min(wordsPerPage, wordCount - (page << pageWordShift));
    const end = Math.min(pageEnd, offset + wordCount - looked);
    let at = offset;
    let bits = 0;
    while (at < end) {
      const given = words[held + at] as number;
      bits = given & ~(words[have + at] as number);
      if (onlyAt >= 0) bits &= onlyWords[onlyAt + at] as number;
      if (bits !== 0) break;
      if (given !== 0) at += 1;
      else {
        let filled = words[held + pageEnd + (at >>> 5)] as number;
        if (onlyAt >= 0) filled &= onlyWords[onlyAt + pageEnd + (at >>> 5)] as number;
        at = nextFilled(filled, at, end);
      }
    }
    looked += at - offset;
    place += at - offset;
    if (bits !== 0) {
      looked += 1;
      const base = place << 5;
      const counts = inSite === undefined ? everywhere : (inSite.pages[page] as Uint16Array);
      const countBase = inSite === undefined ? base : base - (page << pageShift);
      do {
        const bit = 31 - Math.clz32(bits & -bits);
        bits &= bits - 1;
        const copies = counts[countBase + bit] as number;
        compared += 1;
        if (copies >= fewest) continue;
        fewest = copies;
        best = base + bit;
        if (fromTheFront || copies === 0) return found(into, best, copies);
      } while (bits !== 0);
      if (compared >= comparedBlocks || looked >= comparedWords || looked >= wordCount) break;
      place += 1;
    } else if (looked >= wordCount) break;
    if (place >= wordCount) place = 0;
  }
  return best >= 0 && found(into, best, fewest);
}

/** The next word that may have something in it, by what a page says of those around `at`, in so far as one look tells. */
function nextFilled(filled: number, at: number, end: number): number {
  const later = filled >>> (at & 31);
  const next = later === 0 ? (at | 31) + 1 : at + Math.max(1, 31 - Math.clz32(later & -later));
  return Math.min(next, end);
}

function found(into: PickedBlock, block: number, copies: number): boolean {
  into.block = block;
  into.copies = copies;
  return true;
}

/**
 * The block and those around it, within one portion's worth, that the source can give too: an aligned group, so that
 * groups stay whole from member to member. Where that is little, what is left of small groups behind it comes along, as
 * long as these are whole then. Where blocks are scattered, as many as one portion may have ranges.
 */
export function portionAround(
  order: BlockOrder,
  source: Holding,
  target: Holding,
  block: number,
  blocksPerPortion: number,
  only: PagedBits | undefined,
): RangeSet {
  if (blocksPerPortion <= 1) return RangeSet.of(block, block + 1);
  const start = block - (block % blocksPerPortion);
  const end = Math.min(order.blockCount, start + blocksPerPortion);
  const portion = new RangeSet();
  const take = (index: number): void => {
    if (!source.held.has(index) || target.have.has(index) || only?.has(index) === false) return;
    portion.add(index, index + 1);
  };
  for (let index = block; index < end && portion.rangeCount < maximumPortionRanges; index += 1) take(index);
  for (let index = block - 1; index >= start && portion.rangeCount < maximumPortionRanges; index -= 1) take(index);
  if (blocksPerPortion < 32) takeRests(order, source, target, end, blocksPerPortion, only, portion);
  return portion;
}

/** What the target lacks of groups from `from` on, where the source has all of that, and it fits into the portion. */
function takeRests(
  order: BlockOrder,
  source: Holding,
  target: Holding,
  from: number,
  blocksPerPortion: number,
  only: PagedBits | undefined,
  portion: RangeSet,
): void {
  const last = Math.min(order.blockCount, from + restWords * 32);
  const group = (1 << blocksPerPortion) - 1;
  for (let at = from; at < last && portion.count < blocksPerPortion;) {
    const base = at - (at & 31);
    const lacking = ~target.have.wordAt(base);
    let bits = lacking & source.held.wordAt(base) & (-1 << (at & 31));
    if (only !== undefined) bits &= only.wordAt(base);
    at = base + 32;
    while (bits !== 0 && portion.count < blocksPerPortion) {
      const bit = 31 - Math.clz32(bits & -bits);
      const inGroup = group << (bit - (bit % blocksPerPortion));
      const rest = bits & inGroup;
      bits &= ~inGroup;
      if (rest !== (lacking & inGroup & within(order, base)) || countOf(rest) > blocksPerPortion - portion.count) {
        continue;
      }
      for (let left = rest; left !== 0; left &= left - 1) {
        const index = base + 31 - Math.clz32(left & -left);
        portion.add(index, index + 1);
      }
    }
  }
}

/** The bits of a word that stand for blocks of the order. */
function within(order: BlockOrder, base: number): number {
  const blocks = order.blockCount - base;
  return blocks >= 32 ? -1 : (1 << blocks) - 1;
}

function countOf(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count += 1;
  return count;
}
