/**
 * The heart of the agent's program: one queue of events, handled one after the other by the state machine.
 *
 * It promises that a document is durable before any command that came with it is carried out, and that events which need
 * no document are handled at once, so that a block that came in is passed on without waiting for anything. While a
 * document cannot be saved (a full disk) everything waits, and it is tried again.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { AgentDocument } from "../../control/agent/agent-document.ts";
import type { AgentCommand, AgentEvent, AgentOutput } from "../../control/agent/agent-events.ts";
import type { Logger } from "../../platform/log.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import {
  longestSaveRetryMilliseconds,
  longestTimerMilliseconds,
  maximumQueuedEvents,
  shortestSaveRetryMilliseconds,
} from "./limits.ts";

/** The state machine, as the loop sees it: AgentCore. */
export interface AgentMachine {
  handle(event: AgentEvent, nowNanoseconds: number): AgentOutput;
}

export interface AgentLoopOptions {
  readonly machine: AgentMachine;
  /** Integer nanoseconds that only ever rise. */
  readonly nowNanoseconds: () => number;
  readonly saveDocument: (document: AgentDocument) => Promise<void>;
  /** Carries out a command. Must not throw; may submit. */
  readonly carryOut: (command: AgentCommand) => void;
  /** The queue has grown beyond its bound (true), or has been worked off (false). */
  readonly onPressure: (isHigh: boolean) => void;
  /** A defect: the loop has stopped for good. */
  readonly onFatal: (error: unknown) => void;
  readonly logger: Logger;
}

interface QueuedEvent {
  readonly event: AgentEvent;
  readonly onHandled: (() => void) | undefined;
}

export class AgentLoop {
  readonly #options: AgentLoopOptions;
  readonly #stopSignal = new AbortController();
  #queue: QueuedEvent[] = [];
  #isRunning = false;
  #isPressed = false;
  #saving: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AgentLoopOptions) {
    this.#options = options;
  }

  /** Puts an event into the queue. @param onHandled called when its commands have been carried out */
  submit(event: AgentEvent, onHandled?: () => void): void {
    if (this.#isStopped) return;
    this.#queue.push({ event, onHandled });
    if (!this.#isPressed && this.#queue.length > maximumQueuedEvents) this.#setPressure(true);
    if (!this.#isRunning) this.#workOff();
  }

  /** Nothing is handled from now on. Resolves when a save that was under way has ended. */
  async stop(): Promise<void> {
    this.#stopSignal.abort();
    this.#queue = [];
    clearTimeout(this.#timer);
    await this.#saving;
  }

  get #isStopped(): boolean {
    return this.#stopSignal.signal.aborted;
  }

  #workOff(): void {
    this.#isRunning = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const output = this.#options.machine.handle(next.event, this.#options.nowNanoseconds());
        if (output.document !== undefined) {
          // Goes on from here when it is saved; until then nothing else is handled.
          this.#saving = this.#saveThenGoOn(output.document, output, next.onHandled);
          return;
        }
        this.#finish(output, next.onHandled);
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#isRunning = false;
  }

  /** Never rejects. */
  async #saveThenGoOn(
    document: AgentDocument,
    output: AgentOutput,
    onHandled: (() => void) | undefined,
  ): Promise<void> {
    const saved = await this.#save(document);
    if (!saved || this.#isStopped) return;
    try {
      this.#finish(output, onHandled);
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#workOff();
  }

  /** @returns false when the loop was stopped before it could be saved */
  async #save(document: AgentDocument): Promise<boolean> {
    let pauseMilliseconds = shortestSaveRetryMilliseconds;
    for (;;) {
      try {
        await this.#options.saveDocument(document);
        return true;
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        this.#options.logger.error(`this agent waits: its state cannot be saved: ${problem}`);
      }
      try {
        await pause(pauseMilliseconds, undefined, { signal: this.#stopSignal.signal });
      } catch {
        return false;
      }
      pauseMilliseconds = Math.min(2 * pauseMilliseconds, longestSaveRetryMilliseconds);
    }
  }

  #finish(output: AgentOutput, onHandled: (() => void) | undefined): void {
    for (const command of output.commands) {
      if (this.#isStopped) return;
      this.#options.carryOut(command);
    }
    onHandled?.();
    this.#setTimer(output.wakeAtNanoseconds);
    if (this.#isPressed && this.#queue.length <= maximumQueuedEvents / 2) this.#setPressure(false);
  }

  #setTimer(wakeAtNanoseconds: number | undefined): void {
    clearTimeout(this.#timer);
    if (wakeAtNanoseconds === undefined || this.#isStopped) return;
    const delayNanoseconds = Math.max(0, wakeAtNanoseconds - this.#options.nowNanoseconds());
    const delayMilliseconds = Math.min(
      Math.ceil(delayNanoseconds / nanosecondsPerMillisecond),
      longestTimerMilliseconds,
    );
    this.#timer = setTimeout(() => this.submit({ type: "timer" }), delayMilliseconds);
  }

  #setPressure(isHigh: boolean): void {
    this.#isPressed = isHigh;
    this.#options.onPressure(isHigh);
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#stopSignal.abort();
    this.#queue = [];
    clearTimeout(this.#timer);
    this.#options.onFatal(error);
  }
}
