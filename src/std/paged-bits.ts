/**
 * A set of whole numbers below a size that may grow, as bits in pages. A page with nothing in it, and one with everything, is
 * shared by all sets: a set of a million that is empty or full costs a few hundred bytes, so does one that is being filled
 * from one end. Reading is as fast as a flat bit set: `pages[p]` is always there to be read, word by word.
 *
 * Promises: no bit at or beyond `size` is ever set; `count` is exact.
 */
import { RangeSet } from "./ranges.ts";

export const pageShift = 12;
/** Numbers to a page. */
export const pageBits = 1 << pageShift;
const pageWords = pageBits >>> 5;

const emptyPages: Uint32Array[] = [];
const fullPages = new Map<number, Uint32Array>();

function wordsFor(bits: number): number {
  return (bits + 31) >>> 5;
}

/** Behind a page's words stands one bit for each of them: whether there is anything in it. */
function newPage(words: number): Uint32Array {
  return new Uint32Array(words + wordsFor(words));
}

function emptyPage(words: number): Uint32Array {
  return (emptyPages[words] ??= newPage(words));
}

/** A page whose first `bits` bits are set; never to be written to. */
function fullPage(bits: number): Uint32Array {
  let page = fullPages.get(bits);
  if (page === undefined) {
    const words = wordsFor(bits);
    page = newPage(words);
    fill(page, 0, bits);
    fill(page, words, words);
    fullPages.set(bits, page);
  }
  return page;
}

/** Sets the first `bits` bits from a word on. */
function fill(page: Uint32Array, from: number, bits: number): void {
  page.fill(0xffff_ffff, from, from + wordsFor(bits));
  if ((bits & 31) !== 0) page[from + (bits >>> 5)] = (1 << (bits & 31)) - 1;
}

export class PagedBits {
  /**
   * For reading only. The last page may be shorter. Behind the words for as many numbers as there may be in a page, one bit for
   * each word says whether there is anything in it.
   */
  readonly pages: Uint32Array[] = [];
  readonly #counts: number[] = [];
  #size = 0;
  #count = 0;

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
    this.#size = size;
    for (let page = from >>> pageShift; page << pageShift < size; page += 1) {
      const bits = this.#bitsOf(page);
      const count = this.#counts[page] ?? 0;
      const known = this.pages[page];
      if (known === undefined || count === 0) this.pages[page] = emptyPage(wordsFor(bits));
      else {
        this.pages[page] = longerPage(known, wordsFor(Math.min(pageBits, from - (page << pageShift))), wordsFor(bits));
      }
      this.#counts[page] = count;
    }
    if (filled) this.add(from, size);
  }

  has(index: number): boolean {
    if (index >= this.#size || index < 0) return false;
    const page = this.pages[index >>> pageShift] as Uint32Array;
    return (((page[(index >>> 5) & (pageWords - 1)] as number) >>> (index & 31)) & 1) === 1;
  }

  /** Adds one number. @returns whether it was not in the set */
  set(index: number): boolean {
    if (this.has(index)) return false;
    if (index < 0 || index >= this.#size) throw new RangeError(`${String(index)} is not below ${String(this.#size)}`);
    const pageIndex = index >>> pageShift;
    const page = this.#own(pageIndex);
    const word = (index >>> 5) & (pageWords - 1);
    page[word] = (page[word] as number) | (1 << (index & 31));
    const filled = this.#wordsOf(pageIndex) + (word >>> 5);
    page[filled] = (page[filled] as number) | (1 << (word & 31));
    this.#counted(pageIndex, 1);
    return true;
  }

  /** Takes one number out. @returns whether it was in the set */
  clear(index: number): boolean {
    if (!this.has(index)) return false;
    const pageIndex = index >>> pageShift;
    const page = this.#own(pageIndex);
    const word = (index >>> 5) & (pageWords - 1);
    const left = (page[word] as number) & ~(1 << (index & 31));
    page[word] = left;
    if (left === 0) {
      const filled = this.#wordsOf(pageIndex) + (word >>> 5);
      page[filled] = (page[filled] as number) & ~(1 << (word & 31));
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
        this.#count += pageEnd - index - (this.#counts[page] ?? 0);
        this.#counts[page] = pageEnd - index;
        this.pages[page] = fullPage(pageEnd - index);
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

  /** Calls back for each run of consecutive numbers, in order. */
  forEachRange(visit: (start: number, end: number) => void): void {
    let start = -1;
    for (let page = 0; page < this.pages.length; page += 1) {
      const base = page << pageShift;
      const bits = this.#bitsOf(page);
      const count = this.#counts[page] ?? 0;
      if (count === 0 || count === bits) {
        if (count === 0 && start >= 0) {
          visit(start, base);
          start = -1;
        } else if (count > 0 && start < 0) start = base;
        continue;
      }
      const words = this.pages[page] as Uint32Array;
      for (let offset = 0; offset < bits; offset += 1) {
        const isSet = (((words[offset >>> 5] as number) >>> (offset & 31)) & 1) === 1;
        if (isSet && start < 0) start = base + offset;
        else if (!isSet && start >= 0) {
          visit(start, base + offset);
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

  #bitsOf(page: number): number {
    return Math.min(pageBits, this.#size - (page << pageShift));
  }

  #wordsOf(page: number): number {
    return wordsFor(this.#bitsOf(page));
  }

  /** The page, as one that may be written to. */
  #own(pageIndex: number): Uint32Array {
    const page = this.pages[pageIndex] as Uint32Array;
    const count = this.#counts[pageIndex] as number;
    if (count !== 0 && count !== this.#bitsOf(pageIndex)) return page;
    const copy = page.slice();
    this.pages[pageIndex] = copy;
    return copy;
  }

  #counted(pageIndex: number, change: 1 | -1): void {
    this.#count += change;
    const count = (this.#counts[pageIndex] as number) + change;
    this.#counts[pageIndex] = count;
    const bits = this.#bitsOf(pageIndex);
    if (count === 0) this.pages[pageIndex] = emptyPage(wordsFor(bits));
    else if (count === bits) this.pages[pageIndex] = fullPage(bits);
  }
}

function longerPage(page: Uint32Array, words: number, more: number): Uint32Array {
  const longer = newPage(more);
  for (let word = 0; word < words; word += 1) {
    const bits = page[word] as number;
    longer[word] = bits;
    if (bits !== 0) longer[more + (word >>> 5)] = (longer[more + (word >>> 5)] as number) | (1 << (word & 31));
  }
  return longer;
}
