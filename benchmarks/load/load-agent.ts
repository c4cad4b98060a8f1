/**
 * One agent of the load generator: the state machine and the channel of the real program, around a disk and a data plane
 * that only pretend. What it says to the controller is what a real agent would say; a ticket is checked at its source.
 */
import { AgentCore } from "#src/control/agent/agent-core.ts";
import type { AgentCommand, AgentEvent, AgentOutput } from "#src/control/agent/agent-events.ts";
import type { Manifest } from "#src/model/manifest.ts";
import { pieceRange } from "#src/model/manifest-root.ts";
import { openChannel } from "#src/platform/channel.ts";
import type { Channel } from "#src/platform/channel.ts";
import { monotonicNanoseconds } from "#src/platform/clock.ts";
import { hash } from "#src/platform/hashing.ts";
import { programVersion } from "#src/platform/program-version.ts";
import { retryPauseMilliseconds } from "#src/platform/retry-pause.ts";
import type { AgentMessage } from "#src/protocol/agent-messages.ts";
import { controllerMessageSchema } from "#src/protocol/controller-messages.ts";
import type { ControllerMessage } from "#src/protocol/controller-messages.ts";
import { RangeSet } from "#src/std/ranges.ts";
import type { DueThing, DueTimes } from "./due-times.ts";
import type { InstructionTimes } from "./instruction-times.ts";
import { VirtualLanes } from "./virtual-lanes.ts";
import type { Block } from "./virtual-lanes.ts";

/** What all agents of the generator have in common. */
export interface LoadWorld {
  readonly url: string;
  readonly times: DueTimes;
  readonly instructions: InstructionTimes;
  /** By file set: all bytes of its manifest. */
  readonly manifests: ReadonlyMap<string, Uint8Array>;
  readonly sharedManifests: Map<string, Manifest>;
  /** By agent's id: whom a ticket can be shown to. */
  readonly agents: Map<string, LoadAgent>;
  /** Something that must not be, for people. */
  readonly violation: (text: string) => void;
}

export interface LoadAgentIdentity {
  readonly agentId: string;
  readonly name: string;
  readonly site: string;
}

export class LoadAgent {
  readonly identity: LoadAgentIdentity;
  readonly #world: LoadWorld;
  readonly #core: AgentCore;
  readonly #lanes: VirtualLanes;
  readonly #held = new Map<string, RangeSet>();
  /** Whose lane it is. */
  readonly #holders = new Map<number, string>();
  readonly #queue: AgentEvent[] = [];
  #isHandling = false;
  #wake: DueThing | undefined;
  #channel: Channel<AgentMessage> | undefined;
  #refusals = 0;
  /** When it was welcomed last, and when it last said something; performance.now(). */
  welcomedAtMilliseconds: number | undefined;
  saidAtMilliseconds = Number.NaN;
  /** The longest time between two of its messages while it was welcome. */
  longestSilenceMilliseconds = 0;
  /** Connections that it has lost, and dials in vain. */
  lostConnections = 0;
  failedDials = 0;
  /** What sources said of tickets that they refused: after a restart of the controller those of before are. */
  readonly refusedTickets: string[] = [];
  /** Blocks that came though they were there: brought by a lane from before a restart, say, and given anew after it. */
  blocksTwice = 0;
  /** Messages either way. */
  sentMessages = 0;
  heardMessages = 0;

  constructor(world: LoadWorld, identity: LoadAgentIdentity) {
    this.#world = world;
    this.identity = identity;
    const labels = {};
    // No real agent dials it.
    const address = "127.0.0.1:9";
    this.#core = new AgentCore({
      identity: { ...identity, labels, address, programVersion: programVersion() },
      ports: { hash, sharedManifests: world.sharedManifests },
    });
    this.#lanes = new VirtualLanes({
      times: world.times,
      arrived: (laneId, block) => this.#arrived(laneId, block),
      tell: (event) => this.#submit(event),
    });
    this.#submit({ type: "started", document: undefined, stored: [], current: [] });
  }

  /** Dials the controller, and again whenever the connection is lost. */
  connect(): void {
    this.#channel = openChannel<ControllerMessage, AgentMessage>({
      url: this.#world.url,
      path: "/v1/agent-channel",
      incoming: controllerMessageSchema,
      onOpen: () => this.#submit({ type: "connected" }),
      onMessage: (message) => this.#heard(message),
      onClosed: () => {
        this.lostConnections += 1;
        this.welcomedAtMilliseconds = undefined;
        this.#submit({ type: "disconnected" });
      },
      onUnreachable: () => {
        this.failedDials += 1;
      },
    });
  }

  /** Whether all of a file set is held, finished and verified. */
  holds(fileSet: string): boolean {
    return this.#core.view().fileSets.some((entry) => entry.fileSet === fileSet && entry.status === "held");
  }

  authorize(ticket: string, peerId: string): string | undefined {
    const decision = this.#core.authorize(ticket, peerId);
    return decision.ok ? undefined : decision.reason;
  }

  async stop(): Promise<void> {
    this.#lanes.stop();
    if (this.#wake !== undefined) this.#wake.isCancelled = true;
    await this.#channel?.close();
  }

  #heard(message: ControllerMessage): void {
    const now = performance.now();
    this.heardMessages += 1;
    if (message.type === "welcome") {
      this.#refusals = 0;
      this.welcomedAtMilliseconds = now;
      this.saidAtMilliseconds = now;
    }
    if (message.type === "instruct") this.#world.instructions.instructed(this.identity.name, message, now);
    this.#submit({ type: "message", message });
  }

  #submit(event: AgentEvent): void {
    this.#queue.push(event);
    if (this.#isHandling) return;
    this.#isHandling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#carryOutAll(this.#core.handle(next, monotonicNanoseconds()));
    }
    this.#isHandling = false;
  }

  #carryOutAll({ commands, wakeAtNanoseconds }: AgentOutput): void {
    for (const command of commands) this.#carryOut(command);
    if (wakeAtNanoseconds === undefined) return;
    // Woken too early it asks to be woken again.
    if (this.#wake !== undefined && this.#wake.atNanoseconds <= wakeAtNanoseconds) return;
    if (this.#wake !== undefined) this.#wake.isCancelled = true;
    this.#wake = this.#world.times.at(wakeAtNanoseconds, () => {
      this.#wake = undefined;
      this.#submit({ type: "timer" });
    });
  }

  #carryOut(command: AgentCommand): void {
    switch (command.type) {
      case "send":
        return this.#send(command.message);
      case "disconnect":
        return this.#disconnect(command.reason, command.retry);
      case "openLane":
        this.#holders.set(command.lane.laneId, command.lane.holderId);
        return this.#lanes.open(command.lane.laneId, command.lane.rateBitsPerSecond);
      case "pull":
        return this.#pull(command);
      case "setRate":
        return this.#lanes.setRate(command.laneId, command.rateBitsPerSecond);
      case "closeLane":
        this.#holders.delete(command.laneId);
        return this.#lanes.close(command.laneId);
      case "note":
        if (command.level !== "info") this.#world.violation(`${this.identity.name}: ${command.text}`);
        return;
      case "probe":
        return this.#submit({ type: "probed", probeId: command.probeId, failure: undefined });
      default:
        return this.#carryOutOnDisk(command);
    }
  }

  #carryOutOnDisk(
    command: Extract<
      AgentCommand,
      { type: "storeManifest" | "prepare" | "finish" | "discard" | "activate" | "delete" | "readChallenge" }
    >,
  ): void {
    switch (command.type) {
      case "prepare": {
        const held = this.#held.get(command.fileSet) ?? new RangeSet();
        this.#held.set(command.fileSet, held);
        return this.#submit({ type: "prepared", fileSet: command.fileSet, held: held.clone() });
      }
      case "finish":
        return this.#submit({ type: "finished", fileSet: command.fileSet });
      case "activate":
        return this.#submit({ type: "activated", name: command.name, version: command.version });
      case "delete":
        this.#held.delete(command.fileSet);
        return this.#submit({ type: "deleted", fileSet: command.fileSet });
      case "discard":
        this.#held.get(command.fileSet)?.remove(command.block, command.block + 1);
        return;
      case "readChallenge":
        return this.#world.violation(`${this.identity.name} is challenged: the generator has no content`);
      case "storeManifest":
    }
  }

  #send(message: AgentMessage): void {
    if (this.#channel?.send(message) !== true) return;
    const now = performance.now();
    this.sentMessages += 1;
    if (this.welcomedAtMilliseconds !== undefined) {
      this.longestSilenceMilliseconds = Math.max(this.longestSilenceMilliseconds, now - this.saidAtMilliseconds);
    }
    this.saidAtMilliseconds = now;
    if (message.type === "state") this.#world.instructions.reported(this.identity.name, message, now);
  }

  #disconnect(reason: string, isRetried: boolean): void {
    if (!isRetried) this.#world.violation(`${this.identity.name} is refused for good: ${reason}`);
    this.#refusals += 1;
    this.#channel?.restart(reason, retryPauseMilliseconds(this.#refusals, Math.random));
  }

  #pull({ laneId, fileSet, order, ranges, ticket }: Extract<AgentCommand, { type: "pull" }>): void {
    const holder = this.#world.agents.get(this.#holders.get(laneId) ?? "");
    const problem = holder?.authorize(ticket, this.identity.agentId);
    if (problem !== undefined) {
      this.refusedTickets.push(`${holder?.identity.name ?? ""} refuses a ticket of ${this.identity.name}: ${problem}`);
      this.#lanes.close(laneId);
      return this.#submit({ type: "laneFailed", laneId, kind: "ticketRefused", detail: problem });
    }
    const blocks: Block[] = [];
    for (let index = 0; index < ranges.length; index += 2) {
      const end = ranges[index + 1] ?? 0;
      for (let block = ranges[index] ?? 0; block < end; block += 1) {
        blocks.push({ fileSet, order, block, lengthBytes: this.#blockLengthBytes(fileSet, order, block) });
      }
    }
    this.#lanes.pull(laneId, blocks);
  }

  #blockLengthBytes(fileSet: string, order: Block["order"], block: number): number {
    if (order === "content") return this.#core.manifest(fileSet)?.blockLengthBytes(block) ?? 0;
    return this.#piece(fileSet, block)?.length ?? 0;
  }

  #piece(fileSet: string, piece: number): Uint8Array | undefined {
    const summary = this.#core.manifestSummary(fileSet);
    if (summary === undefined) return undefined;
    const { start, end } = pieceRange(summary, piece);
    return this.#world.manifests.get(fileSet)?.subarray(start, end);
  }

  /** A block is there: verified, since nothing that could be wrong was sent. */
  #arrived(laneId: number, { fileSet, order, block }: Block): void {
    const stored = { type: "stored", fileSet, order, start: block, end: block + 1, laneId } as const;
    if (order === "content") {
      const held = this.#held.get(fileSet);
      if (held?.has(block) === true) this.blocksTwice += 1;
      held?.add(block, block + 1);
      this.#submit(stored);
      return;
    }
    const bytes = this.#piece(fileSet, block);
    this.#submit(bytes === undefined ? stored : { ...stored, bytes });
  }
}
