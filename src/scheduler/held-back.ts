/**
 * Bandwidth that was taken from a lane, and may still be in use until its far end has heard of it: it stays charged until
 * then, and is given to nobody.
 */
import { BinaryHeap } from "../std/heap.ts";
import type { Lane } from "./lane.ts";
import type { Ledger } from "./ledger.ts";
import type { Member } from "./world.ts";

interface Held {
  readonly source: Member;
  readonly target: Member;
  readonly path: readonly number[];
  /** On each resource of the path. */
  readonly bitsPerSecond: readonly number[];
  readonly untilNanoseconds: number;
}

export class HeldBack {
  readonly #ledger: Ledger;
  readonly #held = new BinaryHeap<Held>((a, b) => a.untilNanoseconds < b.untilNanoseconds);
  /** The sum of it on each resource. */
  readonly #sums = new Map<number, number>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** When the next of it is released. */
  get nextNanoseconds(): number | undefined {
    return this.#held.peek()?.untilNanoseconds;
  }

  /** Until when is the lane's to say. @param bitsPerSecond on each resource of its path */
  hold({ source, target, path, heldBackUntilNanoseconds }: Lane, bitsPerSecond: readonly number[]): void {
    this.#held.push({ source, target, path, bitsPerSecond, untilNanoseconds: heldBackUntilNanoseconds });
    this.#count(path, bitsPerSecond, 1);
  }

  /** What is held back on a resource, in bits per second. */
  on(index: number): number {
    return this.#sums.get(index) ?? 0;
  }

  /** Releases what was held back long enough. @param released gets the members at whose ends it was */
  release(now: number, released: Member[]): void {
    for (
      let first = this.#held.peek();
      first !== undefined && first.untilNanoseconds <= now;
      first = this.#held.peek()
    ) {
      this.#held.pop();
      this.#ledger.releaseEach(first.path, first.bitsPerSecond);
      this.#count(first.path, first.bitsPerSecond, -1);
      released.push(first.source, first.target);
    }
  }

  #count(path: readonly number[], bitsPerSecond: readonly number[], sign: 1 | -1): void {
    for (const [place, index] of path.entries()) {
      this.#sums.set(index, this.on(index) + sign * (bitsPerSecond[place] as number));
    }
  }
}
