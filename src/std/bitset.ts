/**
 * A set of integers below a fixed size, one bit each.
 *
 * For short-lived, dense working sets only: what is kept for each agent and file is a RangeSet.
 */

/** Integers of 0..size - 1; every index outside throws RangeError. */
export class Bitset {
  readonly size: number;
  readonly #words: Uint32Array;
  #count = 0;

  constructor(size: number) {
    if (!Number.isSafeInteger(size) || size < 0) throw new RangeError("not a size of a set");
    this.size = size;
    this.#words = new Uint32Array(Math.ceil(size / 32));
  }

  /** How many integers are in the set. */
  get count(): number {
    return this.#count;
  }

  has(index: number): boolean {
    this.#check(index);
    return (((this.#words[index >>> 5] ?? 0) >>> (index & 31)) & 1) === 1;
  }

  set(index: number): void {
    if (this.has(index)) return;
    this.#words[index >>> 5] = (this.#words[index >>> 5] ?? 0) | (1 << (index & 31));
    this.#count += 1;
  }

  clear(index: number): void {
    if (!this.has(index)) return;
    this.#words[index >>> 5] = (this.#words[index >>> 5] ?? 0) & ~(1 << (index & 31));
    this.#count -= 1;
  }

  /** The first integer of the set that is at least `from`, or -1. */
  nextSet(from: number): number {
    return this.#next(from, 0);
  }

  /** The first integer below the size that is at least `from` and not in the set, or -1. */
  nextClear(from: number): number {
    return this.#next(from, 0xffff_ffff);
  }

  /** `inversion` turns the bits looked for into ones. */
  #next(from: number, inversion: number): number {
    if (from >= this.size) return -1;
    this.#check(from);
    let wordIndex = from >>> 5;
    let word = ((this.#words[wordIndex] ?? 0) ^ inversion) & (-1 << (from & 31));
    while (word === 0) {
      wordIndex += 1;
      if (wordIndex >= this.#words.length) return -1;
      word = (this.#words[wordIndex] ?? 0) ^ inversion;
    }
    // A word's lowest one stands alone in word & -word.
    const index = wordIndex * 32 + (31 - Math.clz32(word & -word));
    return index < this.size ? index : -1;
  }

  #check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.size) {
      throw new RangeError(`${String(index)} is not in a set of size ${String(this.size)}`);
    }
  }
}
