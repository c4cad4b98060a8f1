/** What one site has of one order of blocks: how many of its agents hold each, or are being sent it, and which none has. */
import { BitPages } from "../std/bit-pages.ts";
import { PagedBits } from "../std/paged-bits.ts";
import { PagedCounts } from "../std/paged-counts.ts";
import type { Member, Place } from "./world.ts";

export class SiteView {
  readonly site: string;
  /** Its number among the order's sites. */
  readonly index: number;
  /** Undefined until an agent with a place is in it. */
  place: Place | undefined;
  readonly members: Member[] = [];
  /** How many agents of the site hold a block or are being sent it. */
  readonly counts = new PagedCounts();
  /** Blocks that no agent of the site holds or is being sent. */
  readonly absent: PagedBits;
  /** Blocks that a counted agent of the site holds; where `mayBeGone`, or held until lately. */
  readonly held: PagedBits;
  mayBeGone = false;
  /** By the other sites' numbers: of how many of these blocks the other has none. Kept by `SitePairs`. */
  gives: Int32Array = new Int32Array(8);
  /** An origin of the file set stands here: what leaves this site must not leave it twice. */
  isHome = false;
  /** Blocks that came into the site from a home before any other site had them: its share of sending them on. */
  firstCopies = 0;

  /** How many of its members carry blocks for others and are no targets themselves. */
  carriers = 0;

  constructor(site: string, index = 0, pages = new BitPages()) {
    this.site = site;
    this.index = index;
    this.absent = new PagedBits(pages);
    this.held = new PagedBits(pages);
  }

  grow(blockCount: number): void {
    this.counts.grow(blockCount);
    this.absent.grow(blockCount, true);
    this.held.grow(blockCount, false);
  }

  /** Nobody in it is to have the file set: what goes there is for others. */
  get onlyCarries(): boolean {
    return this.carriers > 0 && this.carriers === this.members.length;
  }

  has(block: number): boolean {
    return !this.absent.has(block);
  }
}
