/**
 * Carries out what the publisher's state machine orders: the channel to the controller, the hand-over, the clock.
 *
 * It promises: events are taken one after another; `run` ends once, with how the publish ended, and then nothing of it is
 * open any more: what was to be said to the controller (an abort, say) has been sent.
 */
import type { OpenLane } from "../../protocol/controller-messages.ts";
import type { BlockOrderName } from "../../protocol/parts.ts";
import {
  controllerToPublisherSchema,
  type ControllerToPublisher,
  type PublisherMessage,
} from "../../protocol/publisher-messages.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import type {
  FlushReceiver,
  PublisherCommand,
  PublisherEvent,
  PublishOutcome,
} from "../../control/publisher/publisher-events.ts";
import type { PublisherCore } from "../../control/publisher/publisher-core.ts";
import { openChannel, type Channel } from "../../platform/channel.ts";
import { monotonicNanoseconds } from "../../platform/clock.ts";
import { handedReportMilliseconds } from "./limits.ts";

/** The hand-over of blocks to agents, as the session needs it. */
export interface HandOver {
  openLane(lane: OpenLane): void;
  handOver(
    laneId: number,
    portions: readonly { readonly order: BlockOrderName; readonly ranges: readonly number[] }[],
    ticket: string,
  ): void;
  setRate(laneId: number, rateBitsPerSecond: number, ticket: string): void;
  /** Nothing is told of this lane any more. */
  closeLane(laneId: number): void;
  /** Bytes that receivers have accepted, of each open lane since it was opened. */
  handed(): { readonly laneId: number; readonly handedBytes: number }[];
  flush(receivers: readonly FlushReceiver[]): Promise<Extract<PublisherEvent, { type: "flushed" }>["failures"]>;
  close(): void;
}

export interface PublishSessionOptions {
  readonly url: string;
  readonly core: PublisherCore;
  /** Makes the hand-over; what becomes of lanes is told through `tell`. */
  readonly makeHandOver: (tell: (event: PublisherEvent) => void) => HandOver;
  /** Agents hold these content blocks. */
  readonly onHeld: (ranges: readonly number[]) => void;
  /** The controller cannot be reached just now, or can again. */
  readonly onConnection: (problem: string | undefined) => void;
  /** Ends the publish; its reason is an Error whose message is told. */
  readonly signal: AbortSignal;
}

export class PublishSession {
  readonly #options: PublishSessionOptions;
  readonly #handOver: HandOver;
  readonly #outcome: Promise<PublishOutcome>;
  #resolve: (outcome: PublishOutcome) => void = () => undefined;
  #channel: Channel<PublisherMessage> | undefined;
  #queue: PublisherEvent[] = [];
  #isTaking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PublishSessionOptions) {
    this.#options = options;
    this.#handOver = options.makeHandOver((event) => this.tell(event));
    this.#outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Runs the publish to its end. */
  async run(): Promise<PublishOutcome> {
    const { signal } = this.#options;
    const stop = (): void => this.tell({ type: "stopped", reason: reasonOf(signal) });
    const reports = setInterval(() => {
      const lanes = this.#handOver.handed();
      if (lanes.length > 0) this.tell({ type: "handed", lanes });
    }, handedReportMilliseconds);
    try {
      this.#channel = this.#openChannel();
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
      this.tell({ type: "timer" });
      return await this.#outcome;
    } finally {
      signal.removeEventListener("abort", stop);
      clearInterval(reports);
      clearTimeout(this.#timer);
      this.#handOver.close();
      await this.#channel?.close();
    }
  }

  /** An event from outside: more of the manifest, or the end of it all. */
  tell(event: PublisherEvent): void {
    this.#queue.push(event);
    if (this.#isTaking) return;
    this.#isTaking = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#take(next);
    } finally {
      this.#isTaking = false;
    }
  }

  #openChannel(): Channel<PublisherMessage> {
    const { url, onConnection } = this.#options;
    return openChannel<ControllerToPublisher, PublisherMessage>({
      url,
      path: "/v1/publisher-channel",
      incoming: controllerToPublisherSchema,
      onOpen: () => {
        onConnection(undefined);
        this.tell({ type: "connected" });
      },
      onMessage: (message) => this.tell({ type: "message", message }),
      onClosed: (reason) => {
        onConnection(reason);
        this.tell({ type: "disconnected", reason });
      },
      onUnreachable: ({ reason }) => {
        onConnection(reason);
        this.tell({ type: "disconnected", reason });
      },
    });
  }

  #take(event: PublisherEvent): void {
    const { commands, wakeAtNanoseconds } = this.#options.core.handle(event, monotonicNanoseconds());
    for (const command of commands) this.#carryOut(command);
    clearTimeout(this.#timer);
    if (wakeAtNanoseconds === undefined) return;
    const delay = Math.max(0, Math.ceil((wakeAtNanoseconds - monotonicNanoseconds()) / nanosecondsPerMillisecond));
    this.#timer = setTimeout(() => this.tell({ type: "timer" }), delay);
  }

  #carryOut(command: PublisherCommand): void {
    switch (command.type) {
      case "send":
        this.#channel?.send(command.message);
        break;
      case "awaitWritable":
        void this.#channel?.drained().then(() => this.tell({ type: "writable" }));
        break;
      case "reconnect":
        this.#channel?.restart(command.reason);
        break;
      case "openLane":
        this.#handOver.openLane(command.lane);
        break;
      case "handOver":
        this.#handOver.handOver(command.laneId, command.portions, command.ticket);
        break;
      case "setRate":
        this.#handOver.setRate(command.laneId, command.rateBitsPerSecond, command.ticket);
        break;
      case "closeLane":
        this.#handOver.closeLane(command.laneId);
        break;
      case "flush":
        void this.#flush(command);
        break;
      case "held":
        this.#options.onHeld(command.ranges);
        break;
      case "finish":
        this.#resolve(command.outcome);
        break;
    }
  }

  async #flush({ flushId, receivers }: Extract<PublisherCommand, { type: "flush" }>): Promise<void> {
    this.tell({ type: "flushed", flushId, failures: await this.#handOver.flush(receivers) });
  }
}

/** What a signal was given as its reason. */
function reasonOf(signal: AbortSignal): string {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason.message : String(reason);
}
