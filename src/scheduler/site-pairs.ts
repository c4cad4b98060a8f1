/**
 * How much each site could give each other one: of how many blocks that a counted agent of the first holds the second has
 * none. Kept up to date as blocks come and go, so that a decision need not compare all sites with all: O(sites) when a
 * block comes into a site or leaves it, which is once for all the site's agents; O(1) to ask.
 *
 * Promise: exact for up to `maximumPairedSites`; beyond that every site could have something for every other.
 */
import type { SiteView } from "./site-view.ts";

/** The numbers take the square of this, times four bytes. */
const maximumPairedSites = 1_024;

export class SitePairs {
  readonly views: SiteView[] = [];

  get #isCounted(): boolean {
    return this.views.length <= maximumPairedSites;
  }

  /** Takes in a site that has none of the blocks yet. */
  add(view: SiteView): void {
    this.views.push(view);
    if (!this.#isCounted) return;
    for (const other of this.views) {
      if (other.gives.length < this.views.length) other.gives = enlarged(other.gives, this.views.length);
      if (other === view || other.held.isEmpty) continue;
      let count = 0;
      other.held.forEachRange((start, end) => {
        for (let block = start; block < end; block += 1) if (view.absent.has(block)) count += 1;
      });
      other.gives[view.index] = count;
    }
  }

  /** How many blocks one site could give the other. */
  given(from: SiteView, to: SiteView): number {
    return this.#isCounted ? (from.gives[to.index] as number) : 1;
  }

  /** A counted agent of the site holds the block now. */
  held(view: SiteView, block: number): void {
    if (view.held.has(block)) return;
    view.held.set(block);
    this.#changeGiven(view, block, 1);
  }

  /** No counted agent of the site holds the block any more. */
  gone(view: SiteView, block: number): void {
    if (view.held.clear(block)) this.#changeGiven(view, block, -1);
  }

  /** The block is in the site now, or on its way there. */
  entered(view: SiteView, block: number): void {
    if (view.absent.clear(block)) this.#changeTaken(view, block, -1);
  }

  /** The block is not in the site any more. */
  left(view: SiteView, block: number): void {
    this.gone(view, block);
    if (view.absent.set(block)) this.#changeTaken(view, block, 1);
  }

  #changeGiven(view: SiteView, block: number, by: 1 | -1): void {
    if (!this.#isCounted) return;
    const { gives } = view;
    for (const other of this.views) {
      if (other !== view && other.absent.has(block)) gives[other.index] = (gives[other.index] as number) + by;
    }
  }

  #changeTaken(view: SiteView, block: number, by: 1 | -1): void {
    if (!this.#isCounted) return;
    const { index } = view;
    for (const other of this.views) {
      if (other !== view && other.held.has(block)) other.gives[index] = (other.gives[index] as number) + by;
    }
  }
}

function enlarged(numbers: Int32Array, atLeast: number): Int32Array {
  const larger = new Int32Array(Math.max(atLeast, 2 * numbers.length));
  larger.set(numbers);
  return larger;
}
