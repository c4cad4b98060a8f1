/** What one site has of one order of blocks: how many of its agents hold each, or are being sent it, and which none has. */
import { PagedBits } from "../std/paged-bits.ts";
import { PagedCounts } from "../std/paged-counts.ts";
import type { Member } from "./world.ts";

export class SiteView {
  readonly site: string;
  readonly members: Member[] = [];
  /** How many agents of the site hold a block or are being sent it. */
  readonly counts = new PagedCounts();
  /** Blocks that no agent of the site holds or is being sent. */
  readonly absent = new PagedBits();
  /** An origin of the file set stands here: what leaves this site must not leave it twice. */
  isHome = false;
  /** Blocks that came into the site from a home before any other site had them: its share of sending them on. */
  firstCopies = 0;

  constructor(site: string) {
    this.site = site;
  }

  grow(blockCount: number): void {
    this.counts.grow(blockCount);
    this.absent.grow(blockCount, true);
  }

  has(block: number): boolean {
    return !this.absent.has(block);
  }
}
