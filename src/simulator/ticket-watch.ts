/**
 * Ends lanes whose ticket is no longer good. Lanes whose tickets last equally long stand in the order in which they run out,
 * and leave when they end, so that one timer does for all of them and none is remembered longer than it runs.
 */
import { phases, type VirtualClock } from "./virtual-clock.ts";

/** A lane, as far as its ticket goes. */
export interface TicketHolder {
  ticketRanOut(): void;
}

interface Row {
  /** By lane, when its newest ticket runs out; the first one first. */
  readonly runsOut: Map<TicketHolder, number>;
  isTimed: boolean;
}

export class TicketWatch {
  readonly #clock: VirtualClock;
  /** By how long tickets last. */
  readonly #rows = new Map<number, Row>();

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** A lane has a newer ticket, which is good for so long from now on. */
  watch(holder: TicketHolder, durationNanoseconds: number): void {
    let row = this.#rows.get(durationNanoseconds);
    if (row === undefined) {
      row = { runsOut: new Map(), isTimed: false };
      this.#rows.set(durationNanoseconds, row);
    }
    if (this.#rows.size > 1) this.forget(holder);
    else row.runsOut.delete(holder);
    row.runsOut.set(holder, this.#clock.nowNanoseconds + durationNanoseconds);
    if (!row.isTimed) this.#time(row);
  }

  /** A lane has ended. */
  forget(holder: TicketHolder): void {
    for (const { runsOut } of this.#rows.values()) runsOut.delete(holder);
  }

  #time(row: Row): void {
    const first = row.runsOut.values().next();
    row.isTimed = first.done !== true;
    if (first.done === true) return;
    this.#clock.at(first.value, phases.agent, () => {
      for (const [holder, runsOut] of row.runsOut) {
        if (runsOut > this.#clock.nowNanoseconds) break;
        row.runsOut.delete(holder);
        holder.ticketRanOut();
      }
      this.#time(row);
    });
  }
}
