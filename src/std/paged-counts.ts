/**
 * A small count for each of many numbers, in pages that are made when they are first written to: where most counts are nought,
 * as those of a site's blocks before they get there, next to nothing is stored.
 */
import { pageBits, pageShift } from "./bit-pages.ts";

const nothing = new Uint16Array(pageBits);

export class PagedCounts {
  /** For reading only. */
  readonly pages: Uint16Array[] = [];

  /** Makes room for numbers below `size`, counted as 0. */
  grow(size: number): void {
    while (this.pages.length << pageShift < size) this.pages.push(nothing);
  }

  at(index: number): number {
    return this.pages[index >>> pageShift]?.[index & (pageBits - 1)] ?? 0;
  }

  /** @returns the new count */
  change(index: number, by: 1 | -1): number {
    const pageIndex = index >>> pageShift;
    let page = this.pages[pageIndex];
    if (page === undefined) throw new RangeError(`there is no count for ${String(index)}`);
    if (page === nothing) {
      page = new Uint16Array(pageBits);
      this.pages[pageIndex] = page;
    }
    const count = (page[index & (pageBits - 1)] as number) + by;
    page[index & (pageBits - 1)] = count;
    return count;
  }
}
