/**
 * A set of whole numbers below a size that may grow, as bits in pages. A page with nothing in it, and one with everything, is
 * shared by all sets of a pool: a set of a million that is empty or full costs a few hundred bytes, so does one that is
 * being filled from one end. Reading is nearly as fast as a flat bit set: `pages.table` says where each page begins in
 * `pages.words`.
 *
 * Promises: no bit at or beyond `size` is ever set; `count` is exact.
 */
import { BitPages, pageBits, pageShift, wordsFor } from "./bit-pages.ts";
import { RangeSet } from "./ranges.ts";

const pageWords = pageBits >>> 5;

export class PagedBits {
  /** For reading only. */
  readonly pages: BitPages;
  /** Where this set's entries begin in the pool's table: two for each page. */
  row = 0;
  #rowPages = 0;
  #size = 0;
  #count = 0;

  /** @param pages shared with sets that it is compared with; its own when left out */
  constructor(pages = new BitPages()) {
    this.pages = pages;
  }

  get size(): number {
    return this.#size;
  }

  get count(): number {
    return this.#count;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get isFull(): boolean {
    return this.#count === this.#size;
  }

  /** Makes room for numbers below `size`, all of which are in the set or none of which is. A set never shrinks. */
  grow(size: number, filled: boolean): void {
    const from = this.#size;
    if (size <= from) return;
    const known = (from + pageBits - 1) >>> pageShift;
    this.#growRow(known, (size + pageBits - 1) >>> pageShift);
    this.#size = size;
    const { pages } = this;
    for (let page = from >>> pageShift; page << pageShift < size; page += 1) {
      const count = page < known ? this.#countOf(page) : 0;
      if (count === 0) {
        this.#set(page, pages.emptyPage, 0);
        continue;
      }
      const before = Math.min(pageBits, from - (page << pageShift));
      const at = this.#pageAt(page);
      this.#set(page, pages.longerPage(at, wordsFor(before), this.#wordsOf(page)), count);
      if (count !== before) pages.freePage(at, wordsFor(before));
    }
    if (filled) this.add(from, size);
  }

  has(index: number): boolean {
    if (index >= this.#size || index < 0) return false;
    const { words, table } = this.pages;
    const page = table[this.row + 2 * (index >>> pageShift)] as number;
    return (((words[page + ((index >>> 5) & (pageWords - 1))] as number) >>> (index & 31)) & 1) === 1;
  }

  /** 32 numbers from a multiple of 32 below `size` on, the first of them as the lowest bit. */
  wordAt(index: number): number {
    const page = this.pages.table[this.row + 2 * (index >>> pageShift)] as number;
    return this.pages.words[page + ((index >>> 5) & (pageWords - 1))] as number;
  }

  /** Adds one number. @returns whether it was not in the set */
  set(index: number): boolean {
    if (this.has(index)) return false;
    if (index < 0 || index >= this.#size) throw new RangeError(`${String(index)} is not below ${String(this.#size)}`);
    const pageIndex = index >>> pageShift;
    const page = this.#own(pageIndex);
    const { words } = this.pages;
    const word = (index >>> 5) & (pageWords - 1);
    words[page + word] = (words[page + word] as number) | (1 << (index & 31));
    const filled = page + this.#wordsOf(pageIndex) + (word >>> 5);
    words[filled] = (words[filled] as number) | (1 << (word & 31));
    this.#counted(pageIndex, 1);
    return true;
  }

  /** Takes one number out. @returns whether it was in the set */
  clear(index: number): boolean {
    if (!this.has(index)) return false;
    const pageIndex = index >>> pageShift;
    const page = this.#own(pageIndex);
    const { words } = this.pages;
    const word = (index >>> 5) & (pageWords - 1);
    const left = (words[page + word] as number) & ~(1 << (index & 31));
    words[page + word] = left;
    if (left === 0) {
      const filled = page + this.#wordsOf(pageIndex) + (word >>> 5);
      words[filled] = (words[filled] as number) & ~(1 << (word & 31));
    }
    this.#counted(pageIndex, -1);
    return true;
  }

  /** Adds all of [start, end). */
  add(start: number, end: number): void {
    for (let index = start; index < end;) {
      const page = index >>> pageShift;
      const pageEnd = Math.min(end, (page << pageShift) + this.#bitsOf(page));
      if (index === page << pageShift && pageEnd - index === this.#bitsOf(page)) {
        this.#count += pageEnd - index - this.#countOf(page);
        this.#freeOwn(page);
        this.#set(page, this.pages.fullPage(pageEnd - index), pageEnd - index);
        index = pageEnd;
      } else {
        for (; index < pageEnd; index += 1) this.set(index);
      }
    }
  }

  /** Takes all of [start, end) out. */
  remove(start: number, end: number): void {
    for (let index = start; index < end; index += 1) this.clear(index);
  }

  /** The set is not needed any more: others of its pool may have its room. It is empty, and of size 0. */
  release(): void {
    for (let page = 0; page << pageShift < this.#size; page += 1) this.#freeOwn(page);
    if (this.#rowPages > 0) this.pages.freeRow(this.row, this.#rowPages);
    this.#rowPages = 0;
    this.#size = 0;
    this.#count = 0;
  }

  /** Calls back for each run of consecutive numbers, in order. */
  forEachRange(visit: (start: number, end: number) => void): void {
    let start = -1;
    for (let page = 0; page << pageShift < this.#size; page += 1) {
      const base = page << pageShift;
      const bits = this.#bitsOf(page);
      const count = this.#countOf(page);
      if (count === 0 || count === bits) {
        if (count === 0 && start >= 0) {
          visit(start, base);
          start = -1;
        } else if (count > 0 && start < 0) start = base;
        continue;
      }
      for (let index = base; index < base + bits; index += 1) {
        const isSet = this.has(index);
        if (isSet && start < 0) start = index;
        else if (!isSet && start >= 0) {
          visit(start, index);
          start = -1;
        }
      }
    }
    if (start >= 0) visit(start, this.#size);
  }

  toRangeSet(): RangeSet {
    const ranges = new RangeSet();
    this.forEachRange((start, end) => ranges.add(start, end));
    return ranges;
  }

  #pageAt(page: number): number {
    return this.pages.table[this.row + 2 * page] as number;
  }

  #countOf(page: number): number {
    return this.pages.table[this.row + 2 * page + 1] as number;
  }

  #set(page: number, at: number, count: number): void {
    const { table } = this.pages;
    table[this.row + 2 * page] = at;
    table[this.row + 2 * page + 1] = count;
  }

  #bitsOf(page: number): number {
    return Math.min(pageBits, this.#size - (page << pageShift));
  }

  #wordsOf(page: number): number {
    return wordsFor(this.#bitsOf(page));
  }

  /** Makes sure that there is room for so many pages in the row. */
  #growRow(known: number, pages: number): void {
    if (pages <= this.#rowPages) return;
    const rowPages = pages <= 4 ? pages : 1 << (32 - Math.clz32(pages - 1));
    const row = this.pages.takeRow(rowPages);
    this.pages.table.copyWithin(row, this.row, this.row + 2 * known);
    if (this.#rowPages > 0) this.pages.freeRow(this.row, this.#rowPages);
    this.row = row;
    this.#rowPages = rowPages;
  }

  /** The page, as one that may be written to. */
  #own(pageIndex: number): number {
    const page = this.#pageAt(pageIndex);
    const count = this.#countOf(pageIndex);
    if (count !== 0 && count !== this.#bitsOf(pageIndex)) return page;
    const words = this.#wordsOf(pageIndex);
    const copy = this.pages.copyPage(page, words);
    this.#set(pageIndex, copy, count);
    return copy;
  }

  /** Gives back a page that is not shared. */
  #freeOwn(pageIndex: number): void {
    const count = this.#countOf(pageIndex);
    if (count === 0 || count === this.#bitsOf(pageIndex)) return;
    this.pages.freePage(this.#pageAt(pageIndex), this.#wordsOf(pageIndex));
  }

  #counted(pageIndex: number, change: 1 | -1): void {
    this.#count += change;
    const count = this.#countOf(pageIndex) + change;
    const bits = this.#bitsOf(pageIndex);
    let page = this.#pageAt(pageIndex);
    if (count === 0 || count === bits) {
      this.pages.freePage(page, wordsFor(bits));
      page = count === 0 ? this.pages.emptyPage : this.pages.fullPage(bits);
    }
    this.#set(pageIndex, page, count);
  }
}
