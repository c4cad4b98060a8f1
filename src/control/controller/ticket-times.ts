/**
 * When the newest ticket of each lane runs out, the first one first. All tickets last equally long, so that those that were
 * issued last stand last. It costs the same however many lanes there are; what it knows of lanes that have ended is bounded.
 */

/** Entries of lanes that have ended are swept out when there are this many more than lanes that run. */
const sweptAt = 1_024;

export class TicketTimes {
  /** By id of the lane, in the order in which they run out. */
  readonly #runsOut = new Map<number, number>();

  issued(laneId: number, runsOutNanoseconds: number): void {
    this.#runsOut.delete(laneId);
    this.#runsOut.set(laneId, runsOutNanoseconds);
  }

  forget(laneId: number): void {
    this.#runsOut.delete(laneId);
  }

  /** Lanes whose ticket runs out by then, taken out, the first one first. Those of lanes that do not run are dropped. */
  takeUntil(untilNanoseconds: number, runs: ReadonlyMap<number, unknown>): number[] {
    const due: number[] = [];
    for (const [laneId, runsOut] of this.#runsOut) {
      const isRunning = runs.has(laneId);
      if (isRunning && runsOut > untilNanoseconds) break;
      this.#runsOut.delete(laneId);
      if (isRunning) due.push(laneId);
    }
    if (this.#runsOut.size > 2 * runs.size + sweptAt) this.#sweep(runs);
    return due;
  }

  /** When the first one runs out. */
  get firstNanoseconds(): number | undefined {
    const first = this.#runsOut.values().next();
    return first.done === true ? undefined : first.value;
  }

  #sweep(runs: ReadonlyMap<number, unknown>): void {
    for (const laneId of this.#runsOut.keys()) if (!runs.has(laneId)) this.#runsOut.delete(laneId);
  }
}
