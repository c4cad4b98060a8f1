/**
 * The heart of the controller's program: one queue of events, handled one after the other by the state machine.
 *
 * It promises the order that the design asks for: what came of an event is durable before anything of it is sent. Events
 * that arrive while a batch is being written are handled together in the next one, so that a store which takes a
 * millisecond does not take it once for each message. Every batch is written only if the term in the store is still
 * ours; if another controller has raised it, this one stops without having sent anything.
 */
import { setImmediate } from "node:timers/promises";
import type { ControllerCommand, ControllerEvent } from "../../control/controller/controller-events.ts";
import type { StoreChange, StorePort } from "../../control/store-port.ts";
import type { Logger } from "../../platform/log.ts";
import { UserError } from "../../std/errors.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import { longestTimerMilliseconds, maximumQueuedEvents } from "./limits.ts";
import type { ControllerMachine } from "./machine.ts";

export interface ControllerLoopOptions {
  readonly machine: Pick<ControllerMachine, "handle">;
  readonly store: Pick<StorePort, "write">;
  /** The row that says that the term is ours; it must stand so in the store. */
  readonly term: StoreChange;
  /** Integer nanoseconds that only ever rise. */
  readonly nowNanoseconds: () => number;
  readonly logger: Logger;
  /** Carries out a command that does not concern the loop itself. Must not throw. */
  readonly carryOut: (command: ControllerCommand) => void;
  /** The queue has grown beyond its bound (true), or has been worked off (false). */
  readonly onPressure: (high: boolean) => void;
  /** The loop has stopped for good: another controller has taken over, the store failed, or a defect. */
  readonly onFatal: (error: unknown) => void;
}

interface QueuedEvent {
  readonly event: ControllerEvent;
  readonly changes: readonly StoreChange[];
  readonly onDone: (() => void) | undefined;
}

export class ControllerLoop {
  readonly #options: ControllerLoopOptions;
  #queue: QueuedEvent[] = [];
  #running = false;
  #work = Promise.resolve();
  #stopped = false;
  #pressed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ControllerLoopOptions) {
    this.#options = options;
  }

  /**
   * Puts an event into the queue.
   * @param changes rows that must become durable together with what comes of the event
   * @param onDone called when all of that is durable and its commands are carried out
   */
  submit(event: ControllerEvent, changes: readonly StoreChange[] = [], onDone?: () => void): void {
    if (this.#stopped) return;
    this.#queue.push({ event, changes, onDone });
    if (!this.#pressed && this.#queue.length > maximumQueuedEvents) this.#setPressure(true);
    if (this.#running) return;
    this.#running = true;
    this.#work = this.#workOff();
  }

  /** Events that wait. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Nothing is handled or sent from now on. Resolves when a write that was under way has ended. */
  async stop(): Promise<void> {
    this.#halt();
    await this.#work;
  }

  #halt(): void {
    this.#stopped = true;
    this.#queue = [];
    clearTimeout(this.#timer);
  }

  async #workOff(): Promise<void> {
    try {
      // Not at once: what else the sockets bring in this turn is handled, and written, together.
      await setImmediate();
      while (this.#queue.length > 0 && !this.#stopped) {
        const events = this.#queue;
        this.#queue = [];
        await this.#handleTogether(events);
        if (this.#pressed) this.#setPressure(this.#queue.length > maximumQueuedEvents);
      }
      this.#running = false;
    } catch (error) {
      this.#halt();
      this.#options.onFatal(error);
    }
  }

  async #handleTogether(events: readonly QueuedEvent[]): Promise<void> {
    const changes = new Map<string, StoreChange>();
    const commands: ControllerCommand[] = [];
    let wakeAtNanoseconds: number | undefined;
    const note = (change: StoreChange): void => void changes.set(`${change.table}\n${change.key}`, change);
    const take = (event: ControllerEvent): void => {
      const output = this.#handle(event);
      if (output === undefined) {
        if ("connectionId" in event) commands.push({ type: "close", connectionId: event.connectionId });
        return;
      }
      output.changes.forEach(note);
      commands.push(...output.commands);
      wakeAtNanoseconds = output.wakeAtNanoseconds;
    };
    for (const { event, changes: own } of events) {
      take(event);
      own.forEach(note);
    }
    // What all of them together give to decide is decided now, not a turn of the timer later.
    if (wakeAtNanoseconds !== undefined && wakeAtNanoseconds <= this.#options.nowNanoseconds()) take({ type: "timer" });
    if (changes.size > 0) await this.#write([...changes.values()]);
    if (this.#stopped) return;
    for (const command of commands) this.#options.carryOut(command);
    for (const { onDone } of events) onDone?.();
    this.#setTimer(wakeAtNanoseconds);
  }

  /** A defect that a message brings out costs its sender the connection, not everyone the controller: undefined. */
  #handle(event: ControllerEvent): ReturnType<ControllerMachine["handle"]> | undefined {
    try {
      return this.#options.machine.handle(event, this.#options.nowNanoseconds());
    } catch (error) {
      if (event.type !== "agentMessage" && event.type !== "publisherMessage") throw error;
      this.#options.logger.error(
        { err: error, connection: event.connectionId, message: event.message.type },
        "defect in handling a message: its connection is closed",
      );
      return undefined;
    }
  }

  async #write(changes: readonly StoreChange[]): Promise<void> {
    const { store, term } = this.#options;
    const written = await store.write({ conditions: [term], changes });
    if (!written) {
      throw new UserError("another controller has taken over: this one stops", {
        hint: "run one controller for each data directory",
      });
    }
  }

  #setTimer(wakeAtNanoseconds: number | undefined): void {
    clearTimeout(this.#timer);
    if (wakeAtNanoseconds === undefined) return;
    const delayNanoseconds = Math.max(0, wakeAtNanoseconds - this.#options.nowNanoseconds());
    const delayMilliseconds = Math.ceil(delayNanoseconds / nanosecondsPerMillisecond);
    this.#timer = setTimeout(
      () => this.submit({ type: "timer" }),
      Math.min(delayMilliseconds, longestTimerMilliseconds),
    );
  }

  #setPressure(high: boolean): void {
    if (high === this.#pressed) return;
    this.#pressed = high;
    this.#options.onPressure(high);
  }
}
