/**
 * Which block a transfer between two members brings: of those that the source holds and the target lacks, the one of which
 * there are the fewest copies (rarest first); and which others next to it come along, where blocks are small.
 *
 * Blocks are looked at word by word of the members' bit sets, from a word drawn at random on, a bounded number of them.
 */
import { pageBits, pageShift, type PagedBits } from "../std/paged-bits.ts";
import { RangeSet } from "../std/ranges.ts";
import type { SeededRandom } from "../std/seeded-random.ts";
import type { BlockOrder, Holding } from "./block-order.ts";
import { maximumPortionRanges } from "./limits.ts";

/** Blocks compared by rarity in one choice. */
const comparedBlocks = 256;
/** Words of 32 blocks that are looked at in one choice before what was found is taken. */
const comparedWords = 2_048;
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
  const words = (order.blockCount + 31) >>> 5;
  if (words === 0) return false;
  const fromTheFront = order.description.fromTheFront;
  const inSite = rule.rarity === "inSite" ? target.view?.counts : undefined;
  const everywhere = rule.rarity === "anywhere" ? order.presenceCounts : order.siteCounts;
  const have = target.have.pages;
  const held = offered.pages;
  const only = (rule.only ?? noMask)?.pages;
  let best = -1;
  let fewest = Infinity;
  let compared = 0;
  let looked = 0;
  let place = fromTheFront || words === 1 ? 0 : random.nextBelow(words);
  for (;;) {
    const page = place >>> pageWordShift;
    const offset = place & (wordsPerPage - 1);
    const heldPage = held[page] as Uint32Array;
    const havePage = have[page] as Uint32Array;
    const onlyPage = only?.[page];
    const pageEnd = Math.min(wordsPerPage, words - (page << pageWordShift));
    const end = Math.min(pageEnd, offset + words - looked);
    let at = offset;
    let bits = 0;
    while (at < end) {
      const given = heldPage[at] as number;
      bits = given & ~(havePage[at] as number);
      if (onlyPage !== undefined) bits &= onlyPage[at] as number;
      if (bits !== 0) break;
      at += given === 0 ? Math.max(1, emptyWords(heldPage, onlyPage, at, pageEnd)) : 1;
    }
    at = Math.min(at, end);
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
      if (compared >= comparedBlocks || looked >= comparedWords) break;
      place += 1;
    }
    if (looked >= words) break;
    if (place >= words) place = 0;
  }
  return best >= 0 && found(into, best, fewest);
}

function found(into: PickedBlock, block: number, copies: number): boolean {
  into.block = block;
  into.copies = copies;
  return true;
}

/** How many words from one on have nothing in them, by what a page says of itself, in so far as one look tells. */
function emptyWords(held: Uint32Array, only: Uint32Array | undefined, offset: number, words: number): number {
  let filled = held[words + (offset >>> 5)] as number;
  if (only !== undefined) filled &= only[words + (offset >>> 5)] as number;
  filled >>>= offset & 31;
  if (filled === 0) return Math.min(32 - (offset & 31), words - offset);
  return 31 - Math.clz32(filled & -filled);
}

/**
 * The block and those around it, within one portion's worth, that the source can give too: an aligned group, so that
 * groups stay whole from member to member. Where blocks are scattered, as many as one portion may have ranges.
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
  return portion;
}
