/**
 * The simulator's clock: a heap of things that will happen, in whole nanoseconds of virtual time.
 *
 * It promises one order, the same on every machine: by time, then by phase, then by when it was scheduled. So everything
 * that the network does at one instant comes before what agents do, that before what the controller hears, and its
 * own timers come last: it sees all reports of an instant before it decides.
 */
import { BinaryHeap } from "../std/heap.ts";

/** What comes first among things of one instant. */
export const phases = { network: 0, agent: 1, controller: 2, timer: 3 } as const;
export type Phase = (typeof phases)[keyof typeof phases];

/** Things that may happen at one instant; more of them are taken for an endless loop. */
const maximumPerInstant = 2_000_000;

interface Scheduled {
  readonly atNanoseconds: number;
  readonly phase: Phase;
  readonly sequence: number;
  readonly run: () => void;
}

/** What was scheduled for the instant that it was scheduled in, in one phase: the first one first. */
interface Row {
  readonly runs: (() => void)[];
  next: number;
}

export class VirtualClock {
  readonly #heap = new BinaryHeap<Scheduled>(isBefore);
  /** By phase. Most things happen at once, and need no place among those of other times. */
  readonly #rows: readonly Row[] = Object.values(phases).map(() => ({ runs: [], next: 0 }));
  /** How many are in the rows. */
  #rowed = 0;
  readonly #endOfInstant: (() => void)[] = [];
  #sequence = 0;
  #now = 0;
  #thisInstant = 0;

  get nowNanoseconds(): number {
    return this.#now;
  }

  /** How many things are scheduled. */
  get size(): number {
    return this.#heap.size + this.#rowed;
  }

  /** Runs `run` at that time, or now if the time is past. Throws RangeError unless it is a whole number of nanoseconds below 2^53. */
  at(atNanoseconds: number, phase: Phase, run: () => void): void {
    if (!Number.isSafeInteger(atNanoseconds)) throw new RangeError(`${String(atNanoseconds)} is not a time`);
    if (atNanoseconds <= this.#now) {
      (this.#rows[phase] as Row).runs.push(run);
      this.#rowed += 1;
      return;
    }
    this.#sequence += 1;
    this.#heap.push({ atNanoseconds, phase, sequence: this.#sequence, run });
  }

  after(delayNanoseconds: number, phase: Phase, run: () => void): void {
    this.at(this.#now + delayNanoseconds, phase, run);
  }

  /** Calls `run` whenever all of an instant has happened, before time moves on; it may schedule more. */
  whenInstantEnds(run: () => void): void {
    this.#endOfInstant.push(run);
  }

  /** Runs the next thing. False: there is none, or it lies beyond `untilNanoseconds`, where the clock then stands. */
  step(untilNanoseconds: number): boolean {
    if (this.#rowed === 0 && !this.#hasMoreNow()) {
      for (const run of this.#endOfInstant) run();
      if (this.#rowed === 0 && !this.#hasMoreNow()) return this.#moveOn(untilNanoseconds);
    }
    this.#thisInstant += 1;
    if (this.#thisInstant > maximumPerInstant) throw new Error(`time stands still at ${String(this.#now)} ns`);
    this.#takeOfNow()();
    return true;
  }

  #hasMoreNow(): boolean {
    const next = this.#heap.peek();
    return next !== undefined && next.atNanoseconds <= this.#now;
  }

  /** Moves on to the next thing that is not of this instant, and runs it. */
  #moveOn(untilNanoseconds: number): boolean {
    const next = this.#heap.peek();
    if (next === undefined || next.atNanoseconds > untilNanoseconds) {
      this.#now = Math.max(this.#now, untilNanoseconds);
      return false;
    }
    this.#heap.pop();
    this.#thisInstant = 0;
    this.#now = next.atNanoseconds;
    next.run();
    return true;
  }

  /** What is in the heap was scheduled before time came to this instant, and so before what is in the rows. */
  #takeOfNow(): () => void {
    const next = this.#heap.peek();
    const phaseOfHeap = next !== undefined && next.atNanoseconds <= this.#now ? next.phase : Infinity;
    for (let phase = 0; phase < phaseOfHeap && this.#rowed > 0; phase += 1) {
      const row = this.#rows[phase];
      if (row === undefined) break;
      const run = row.runs[row.next];
      if (run === undefined) continue;
      row.next += 1;
      this.#rowed -= 1;
      if (row.next === row.runs.length) {
        row.runs.length = 0;
        row.next = 0;
      }
      return run;
    }
    return (this.#heap.pop() as Scheduled).run;
  }
}

function isBefore(left: Scheduled, right: Scheduled): boolean {
  if (left.atNanoseconds !== right.atNanoseconds) return left.atNanoseconds < right.atNanoseconds;
  if (left.phase !== right.phase) return left.phase < right.phase;
  return left.sequence < right.sequence;
}
