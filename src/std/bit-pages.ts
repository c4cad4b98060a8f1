/**
 * The pages of many sets of numbers, in one array of words, and which pages each set has, in another: what a look at a set
 * costs is that much of the memory that it reads, and no way from object to object. Pages with nothing in them, and those
 * with everything, are there once for all sets.
 *
 * A page is so many words of 32 numbers, and behind them one bit for each of these words: whether there is anything in it.
 */

export const pageShift = 12;
/** Numbers to a page. */
export const pageBits = 1 << pageShift;
const firstWords = 512;
const firstEntries = 64;

export function wordsFor(bits: number): number {
  return (bits + 31) >>> 5;
}

/** A page's length with what stands behind its words. */
function lengthOf(words: number): number {
  return words + wordsFor(words);
}

export class BitPages {
  /** Takes another array's place when more room is needed: not to be kept. */
  words = new Uint32Array(firstWords);
  /** Of each set, from its row on, for each page: where it begins among the words, and how many numbers it has. */
  table = new Int32Array(firstEntries);
  /** The page that is empty stands at 0. */
  #wordsUsed = lengthOf(pageBits >>> 5);
  #entriesUsed = 0;
  readonly #full = new Map<number, number>();
  /** By length: pages that nobody has any more, and rows. */
  readonly #freePages = new Map<number, number[]>();
  readonly #freeRows = new Map<number, number[]>();

  /** Where a page begins that has nothing in it; never to be written to. */
  readonly emptyPage = 0;

  /** Where a page begins whose first `bits` bits are set; never to be written to. */
  fullPage(bits: number): number {
    let page = this.#full.get(bits);
    if (page === undefined) {
      const words = wordsFor(bits);
      page = this.#take(lengthOf(words));
      fill(this.words, page, bits);
      fill(this.words, page + words, words);
      this.#full.set(bits, page);
    }
    return page;
  }

  /** A page of so many words that is as another of that size. */
  copyPage(page: number, words: number): number {
    const copy = this.#take(lengthOf(words));
    this.words.copyWithin(copy, page, page + lengthOf(words));
    return copy;
  }

  /** A page of more words, in which are the numbers of another. */
  longerPage(page: number, before: number, words: number): number {
    const longer = this.#take(lengthOf(words));
    this.words.fill(0, longer, longer + lengthOf(words));
    for (let word = 0; word < before; word += 1) {
      const bits = this.words[page + word] as number;
      this.words[longer + word] = bits;
      if (bits === 0) continue;
      const filled = longer + words + (word >>> 5);
      this.words[filled] = (this.words[filled] as number) | (1 << (word & 31));
    }
    return longer;
  }

  /** Gives back a page that its set had for itself. */
  freePage(page: number, words: number): void {
    push(this.#freePages, lengthOf(words), page);
  }

  /** A row for so many pages. */
  takeRow(pages: number): number {
    const free = this.#freeRows.get(pages)?.pop();
    if (free !== undefined) return free;
    const row = this.#entriesUsed;
    this.#entriesUsed += 2 * pages;
    if (this.#entriesUsed > this.table.length) {
      const more = new Int32Array(Math.max(this.#entriesUsed, 2 * this.table.length));
      more.set(this.table);
      this.table = more;
    }
    return row;
  }

  freeRow(row: number, pages: number): void {
    push(this.#freeRows, pages, row);
  }

  #take(length: number): number {
    const free = this.#freePages.get(length)?.pop();
    if (free !== undefined) return free;
    const page = this.#wordsUsed;
    this.#wordsUsed += length;
    if (this.#wordsUsed > this.words.length) {
      const more = new Uint32Array(Math.max(this.#wordsUsed, enlarged(this.words.length)));
      more.set(this.words);
      this.words = more;
    }
    return page;
  }
}

/** Above this many words a quarter more is taken instead of as many again. */
const manyWords = 1 << 24;

function enlarged(words: number): number {
  return words < manyWords ? 2 * words : words + (words >>> 2);
}

/** Sets the first `bits` bits from a word on. */
function fill(words: Uint32Array, from: number, bits: number): void {
  words.fill(0xffff_ffff, from, from + wordsFor(bits));
  if ((bits & 31) !== 0) words[from + (bits >>> 5)] = (1 << (bits & 31)) - 1;
}

function push(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
