/**
 * What is due when, for thousands of agents in one process: one heap and one timer of the system for all of them. What
 * was due together is done together; nothing is done before its time.
 */
import { monotonicNanoseconds } from "#src/platform/clock.ts";
import { BinaryHeap } from "#src/std/heap.ts";
import { nanosecondsPerMillisecond } from "#src/std/units.ts";

/** Something that is to be done once; `cancelled` things are left out. */
export interface DueThing {
  readonly atNanoseconds: number;
  readonly run: () => void;
  isCancelled: boolean;
}

export class DueTimes {
  readonly #heap = new BinaryHeap<DueThing>((one, other) => one.atNanoseconds < other.atNanoseconds);
  #timer: NodeJS.Timeout | undefined;
  #timerAtNanoseconds = Infinity;
  #latestNanoseconds = 0;

  /** How late the latest thing was begun since this was asked last: how busy this process is. */
  takeLatestNanoseconds(): number {
    const latest = this.#latestNanoseconds;
    this.#latestNanoseconds = 0;
    return latest;
  }

  /** Has something done at a time. */
  at(atNanoseconds: number, run: () => void): DueThing {
    const thing = { atNanoseconds, run, isCancelled: false };
    this.#heap.push(thing);
    if (atNanoseconds < this.#timerAtNanoseconds) this.#setTimer(atNanoseconds);
    return thing;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#heap.clear();
  }

  #setTimer(atNanoseconds: number): void {
    clearTimeout(this.#timer);
    this.#timerAtNanoseconds = atNanoseconds;
    const delay = Math.max(0, atNanoseconds - monotonicNanoseconds());
    this.#timer = setTimeout(() => this.#runDue(), Math.ceil(delay / nanosecondsPerMillisecond));
  }

  #runDue(): void {
    this.#timerAtNanoseconds = -Infinity;
    const now = monotonicNanoseconds();
    for (let next = this.#heap.peek(); next !== undefined && next.atNanoseconds <= now; next = this.#heap.peek()) {
      this.#heap.pop();
      if (next.isCancelled) continue;
      this.#latestNanoseconds = Math.max(this.#latestNanoseconds, now - next.atNanoseconds);
      next.run();
    }
    this.#timerAtNanoseconds = Infinity;
    const first = this.#heap.peek();
    if (first !== undefined) this.#setTimer(first.atNanoseconds);
  }
}
