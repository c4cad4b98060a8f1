/**
 * Wakes what waits for its turn: one timer of the system for everything that is paced, so that what is due at nearly the
 * same moment costs one wake-up. It promises never to wake early by more than the slack, and nothing about how late.
 */
import { BinaryHeap } from "../std/heap.ts";
import { nanosecondsPerMillisecond } from "../std/units.ts";
import { monotonicNanoseconds } from "./clock.ts";

/** What is due within this time from now is taken along. */
export const paceSlackNanoseconds = 500_000;
/** The longest that one timer is set for; what is due later is looked at again. */
const maximumTimerMilliseconds = 60_000;

interface Entry {
  readonly atNanoseconds: number;
  run: (() => void) | undefined;
}

export class PaceTimer {
  readonly #entries = new BinaryHeap<Entry>((left, right) => left.atNanoseconds < right.atNanoseconds);
  #timer: NodeJS.Timeout | undefined;
  #timerAtNanoseconds = Infinity;

  /** Calls `run` at this time of `monotonicNanoseconds`, unless what is returned is called before. */
  schedule(atNanoseconds: number, run: () => void): () => void {
    const entry: Entry = { atNanoseconds, run };
    this.#entries.push(entry);
    this.#arm();
    return () => {
      entry.run = undefined;
    };
  }

  #arm(): void {
    let first = this.#entries.peek();
    while (first !== undefined && first.run === undefined) {
      this.#entries.pop();
      first = this.#entries.peek();
    }
    if (first === undefined || first.atNanoseconds >= this.#timerAtNanoseconds) return;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timerAtNanoseconds = first.atNanoseconds;
    const milliseconds = (first.atNanoseconds - monotonicNanoseconds()) / nanosecondsPerMillisecond;
    this.#timer = setTimeout(
      () => this.#fire(),
      Math.min(maximumTimerMilliseconds, Math.max(1, Math.round(milliseconds))),
    );
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerAtNanoseconds = Infinity;
    const until = monotonicNanoseconds() + paceSlackNanoseconds;
    let entry = this.#entries.peek();
    while (entry !== undefined && entry.atNanoseconds <= until) {
      this.#entries.pop();
      entry.run?.();
      entry = this.#entries.peek();
    }
    this.#arm();
  }
}

/** The timer that everything in a program shares. */
export const paceTimer = new PaceTimer();
