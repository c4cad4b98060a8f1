/**
 * The only randomness of pure code: xoshiro128** (Blackman and Vigna, 2018), seeded by splitmix32.
 *
 * The same seed gives the same numbers on every machine: all arithmetic is on 32-bit integers.
 * Not for secrets.
 */

const twoToThe32 = 0x1_0000_0000;

/** A generator of numbers that `seed`, an integer of 0..2^53 - 1, determines. Throws RangeError on any other seed. */
export class SeededRandom {
  readonly #state = new Uint32Array(4);

  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`${String(seed)} is not a seed: an integer of 0..2^53 - 1`);
    }
    // Both halves of the seed go in, so that seeds above 2^32 differ too.
    const low = splitmix32(seed >>> 0);
    const high = splitmix32((Math.floor(seed / twoToThe32) ^ 0x5bf0_3635) >>> 0);
    this.#state[0] = low();
    this.#state[1] = low();
    this.#state[2] = high();
    // The one state that never leaves itself is all zeros.
    this.#state[3] = high() | 1;
  }

  /** An integer of 0..2^32 - 1. */
  nextUint32(): number {
    const state = this.#state;
    const second = state[1] ?? 0;
    const result = Math.imul(rotateLeft(Math.imul(second, 5), 7), 9) >>> 0;
    state[2] = (state[2] ?? 0) ^ (state[0] ?? 0);
    state[3] = (state[3] ?? 0) ^ second;
    state[1] = second ^ (state[2] ?? 0);
    state[0] = (state[0] ?? 0) ^ (state[3] ?? 0);
    state[2] = (state[2] ?? 0) ^ (second << 9);
    state[3] = rotateLeft(state[3] ?? 0, 11);
    return result;
  }

  /** An integer of 0..limit - 1, each equally likely. Throws RangeError unless `limit` is of 1..2^32. */
  nextBelow(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > twoToThe32) {
      throw new RangeError(`${String(limit)} is not a limit of 1..2^32`);
    }
    // What is left over beyond the last whole multiple of the limit would favour small numbers.
    const unbiased = twoToThe32 - (twoToThe32 % limit);
    for (;;) {
      const value = this.nextUint32();
      if (value < unbiased) return value % limit;
    }
  }

  /** A multiple of 2^-32, at least 0 and below 1. */
  nextUnit(): number {
    return this.nextUint32() / twoToThe32;
  }

  /** Puts the items into a random order, in place (Fisher and Yates). */
  shuffle(items: unknown[]): void {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const other = this.nextBelow(last + 1);
      const item = items[last];
      items[last] = items[other];
      items[other] = item;
    }
  }

  /** One of the items. Throws RangeError if there is none. */
  pick<T>(items: readonly T[]): T {
    return items[this.nextBelow(items.length)] as T;
  }
}

function rotateLeft(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}

function splitmix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e37_79b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0_aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}
