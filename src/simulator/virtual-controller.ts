/**
 * Runs the controller's production state machine in the virtual world: its changes are stored as a whole before any command
 * is carried out, and a restart finds just what was stored.
 */
import type { TicketCodec } from "../protocol/ticket.ts";
import { ControllerCore } from "../control/controller/controller-core.ts";
import type { ControllerCommand, ControllerEvent, OperatorReply } from "../control/controller/controller-events.ts";
import type { ControllerSettings } from "../control/controller/settings.ts";
import type { AgentMessage } from "../protocol/agent-messages.ts";
import type { PublisherMessage } from "../protocol/publisher-messages.ts";
import type { OperatorRequest } from "../protocol/views.ts";
import type { OnDecision } from "../scheduler/decision-record.ts";
import type { Topology } from "../model/topology.ts";
import { fakeHash } from "./fake-hash.ts";
import { phases, type VirtualClock } from "./virtual-clock.ts";
import type { ChannelServer, ServerEnd } from "./virtual-channel.ts";
import { VirtualStore } from "./virtual-store.ts";

/** Where a crash strikes while the next event is handled: before what came of it is stored, or before it is sent. */
export type CrashPoint = "beforeStoring" | "beforeSending";

export interface VirtualControllerOptions {
  readonly clock: VirtualClock;
  readonly seed: number;
  readonly settings: ControllerSettings;
  readonly topology: Topology;
  readonly tickets: TicketCodec;
  /** Reads seconds of real time, if deciding is to be measured. */
  readonly readSeconds: (() => number) | undefined;
  /** Takes each decision of the scheduler. */
  readonly onDecision: OnDecision | undefined;
  /** A message goes out on a connection. */
  readonly onCommand: (command: ControllerCommand, term: number) => void;
  /** Before it is handled. */
  readonly onEvent: (event: ControllerEvent) => void;
}

export class VirtualController {
  readonly #options: VirtualControllerOptions;
  readonly #store = new VirtualStore();
  readonly #connections = new Map<number, ServerEnd>();
  readonly #replies = new Map<number, (reply: OperatorReply) => void>();
  readonly #queue: ControllerEvent[] = [];
  #isHandling = false;
  #core: ControllerCore | undefined;
  #topology: Topology;
  #term = 0;
  #wakeAt: number | undefined;
  #timerAt: number | undefined;
  #nextConnectionId = 0;
  #nextRequestId = 0;
  #crashAt: CrashPoint | undefined;
  /** Seconds of real time spent on deciding, and events handled. */
  decideSeconds = 0;
  handledEvents = 0;

  constructor(options: VirtualControllerOptions) {
    this.#options = options;
    this.#topology = options.topology;
  }

  /** Its state machine; undefined while it is stopped. */
  get core(): ControllerCore | undefined {
    return this.#core;
  }

  start(): void {
    if (this.#core !== undefined) return;
    this.#term = this.#store.raiseTerm();
    const { seed, settings, onDecision, tickets } = this.#options;
    this.#core = new ControllerCore({
      ports: { hash: fakeHash, seed, onDecision, tickets },
      settings,
    });
    const rows = this.#store.rows();
    this.#post({
      type: "started",
      term: this.#term,
      rows,
      topology: this.#topology,
      dateMilliseconds: this.#dateMilliseconds(),
    });
  }

  /** Kills it. */
  stop(): void {
    this.#core = undefined;
    this.#wakeAt = undefined;
    this.#queue.length = 0;
    const connections = [...this.#connections.values()];
    this.#connections.clear();
    this.#replies.clear();
    for (const connection of connections) connection.close();
  }

  /** It is killed in the middle of the next event; undefined: it is not, after all. */
  crashAt(point: CrashPoint | undefined): void {
    this.#crashAt = point;
  }

  setTopology(topology: Topology): void {
    this.#topology = topology;
    this.#post({ type: "topology", topology });
  }

  /** An operator's request. The answer never comes if the controller dies meanwhile. */
  request(request: OperatorRequest, onReply: (reply: OperatorReply) => void): void {
    if (this.#core === undefined) return;
    this.#nextRequestId += 1;
    this.#replies.set(this.#nextRequestId, onReply);
    this.#post({ type: "request", requestId: this.#nextRequestId, request });
  }

  /** Where agents dial. */
  readonly agents: ChannelServer<AgentMessage> = this.#server("agent", (connectionId, message: AgentMessage) => ({
    type: "agentMessage",
    connectionId,
    message,
  }));

  /** Where publishers dial. */
  readonly publishers: ChannelServer<PublisherMessage> = this.#server(
    "publisher",
    (connectionId, message: PublisherMessage) => ({ type: "publisherMessage", connectionId, message }),
  );

  #server<Up>(
    role: "agent" | "publisher",
    eventOf: (connectionId: number, message: Up) => ControllerEvent,
  ): ChannelServer<Up> {
    return {
      accept: (end) => {
        if (this.#core === undefined) return undefined;
        this.#nextConnectionId += 1;
        const connectionId = this.#nextConnectionId;
        this.#connections.set(connectionId, end);
        this.#post({ type: "opened", connectionId, role });
        // It may have died of it.
        return this.#connections.has(connectionId) ? connectionId : undefined;
      },
      message: (connectionId, message) => this.#post(eventOf(connectionId, message)),
      closed: (connectionId) => {
        if (this.#connections.delete(connectionId)) this.#post({ type: "closed", connectionId });
      },
    };
  }

  #post(event: ControllerEvent): void {
    if (this.#core === undefined) return;
    this.#queue.push(event);
    if (this.#isHandling) return;
    this.#isHandling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#handle(next);
    this.#isHandling = false;
  }

  #handle(event: ControllerEvent): void {
    const { clock, readSeconds, onEvent } = this.#options;
    const core = this.#core;
    if (core === undefined) return;
    onEvent(event);
    this.handledEvents += 1;
    const before = readSeconds?.() ?? 0;
    const output = core.handle(event, clock.nowNanoseconds);
    if (readSeconds !== undefined) this.decideSeconds += readSeconds() - before;
    if (this.#crashes("beforeStoring")) return;
    this.#store.write(output.changes);
    if (this.#crashes("beforeSending")) return;
    for (const command of output.commands) this.#carryOut(command);
    this.#wakeAt = output.wakeAtNanoseconds;
    this.#setTimer();
  }

  #crashes(point: CrashPoint): boolean {
    if (this.#crashAt !== point) return false;
    this.#crashAt = undefined;
    this.stop();
    return true;
  }

  #carryOut(command: ControllerCommand): void {
    this.#options.onCommand(command, this.#term);
    switch (command.type) {
      case "sendAgent":
      case "sendPublisher":
        this.#connections.get(command.connectionId)?.send(command.message);
        break;
      case "close":
        this.#close(command.connectionId);
        break;
      case "reply":
        this.#replies.get(command.requestId)?.(command.reply);
        this.#replies.delete(command.requestId);
        break;
      case "note":
        break;
    }
  }

  /** What closes here is heard of as any other end of a connection is. */
  #close(connectionId: number): void {
    const core = this.#core;
    this.#connections.get(connectionId)?.close();
    if (!this.#connections.delete(connectionId)) return;
    this.#options.clock.after(0, phases.controller, () => {
      if (this.#core === core) this.#post({ type: "closed", connectionId });
    });
  }

  /** One timer is under way at a time; one that comes too early is set anew. */
  #setTimer(): void {
    const { clock } = this.#options;
    if (this.#wakeAt === undefined || (this.#timerAt !== undefined && this.#timerAt <= this.#wakeAt)) return;
    const at = Math.max(this.#wakeAt, clock.nowNanoseconds);
    this.#timerAt = at;
    clock.at(at, phases.timer, () => {
      if (this.#timerAt !== at) return;
      this.#timerAt = undefined;
      if (this.#wakeAt !== undefined && this.#wakeAt <= clock.nowNanoseconds) this.#post({ type: "timer" });
      else this.#setTimer();
    });
  }

  #dateMilliseconds(): number {
    return Math.floor(this.#options.clock.nowNanoseconds / 1_000_000);
  }
}
