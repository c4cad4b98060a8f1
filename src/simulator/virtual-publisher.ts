/**
 * Publishes one file set in the virtual world, with the publisher's production state machine.
 *
 * Where an agent is named (an origin), that agent has the data already, what the publisher is told to hand over to it is
 * there at once, and its words with the controller take no time. Otherwise it is as far from the controller as agents are, and
 * every block goes to the agents that the controller names, through lanes of the network.
 */
import { PublisherCore } from "../control/publisher/publisher-core.ts";
import type { PublisherCommand, PublisherEvent, PublishOutcome } from "../control/publisher/publisher-events.ts";
import type { OpenLane } from "../protocol/controller-messages.ts";
import type { BlockOrderName, FailureKind } from "../protocol/parts.ts";
import type { ControllerToPublisher, PublisherMessage } from "../protocol/publisher-messages.ts";
import { toHex } from "../std/hex.ts";
import { nanosecondsPerMillisecond, nanosecondsPerSecond } from "../std/units.ts";
import { fakeChecksum } from "./fake-hash.ts";
import type { FlowBlock, Link } from "./flow.ts";
import { VirtualChannel } from "./virtual-channel.ts";
import { phases } from "./virtual-clock.ts";
import type { VirtualAgent } from "./virtual-agent.ts";
import type { VirtualContent } from "./virtual-content.ts";
import { newTurns, VirtualLane, type LaneSink, type LaneSource } from "./virtual-lane.ts";
import type { WorldParts } from "./world-parts.ts";

/** How long what was handed over is gathered before it is told. */
const handedEveryNanoseconds = 50 * nanosecondsPerMillisecond;
const redialNanoseconds = nanosecondsPerSecond;
const tryAgainNanoseconds = nanosecondsPerSecond;
/** Reasons to be turned away that pass. */
const passingCodes: ReadonlySet<string> = new Set(["agentOffline", "noTargets", "unknownAgent", "busy"]);
/** It does not give up: the simulation's own end does. */
const patienceNanoseconds = 1_000_000 * nanosecondsPerSecond;

/** A block of a file set that its receiver was not told of yet waits so long for the controller's word; looked at so often. */
const unknownGraceNanoseconds = 15 * nanosecondsPerSecond;
const unknownRetryNanoseconds = 250 * nanosecondsPerMillisecond;

interface HandOver {
  readonly open: OpenLane;
  readonly lane: VirtualLane | undefined;
  handedBytes: number;
}

export class VirtualPublisher implements LaneSource {
  readonly name: string;
  readonly site: string | undefined;
  readonly content: VirtualContent;
  readonly servedLanes = new Set<VirtualLane>();
  readonly turns = newTurns();
  readonly publishId: string;
  /** How the publish ended; undefined: it has not. */
  outcome: PublishOutcome | undefined;
  readonly #world: WorldParts;
  readonly #activate: boolean;
  #core: PublisherCore;
  readonly #lanes = new Map<number, HandOver>();
  readonly #queue: PublisherEvent[] = [];
  #isHandling = false;
  #channel: VirtualChannel<PublisherMessage, ControllerToPublisher> | undefined;
  #willTell = false;
  #wakeAt: number | undefined;
  #timerAt: number | undefined;

  constructor(world: WorldParts, content: VirtualContent, activate: boolean) {
    const { spec } = content;
    this.#world = world;
    this.content = content;
    this.#activate = activate;
    this.name = `publisher of ${content.key}`;
    this.site = spec.handOver?.site;
    this.publishId = toHex(fakeChecksum(`publish ${content.key}`, world.scenario.seed)).slice(0, 32);
    this.#core = this.#begin();
    if (spec.growthBitsPerSecond !== undefined) this.#growLater(world.clock.nowNanoseconds);
  }

  /** Begins the publish, or begins it anew after it was turned away. */
  #begin(): PublisherCore {
    const { spec } = this.content;
    const [origin] = spec.origins;
    const core = new PublisherCore(
      {
        publishId: this.publishId,
        name: spec.name,
        version: spec.version,
        selector: spec.targets,
        priority: spec.priority,
        ...(spec.handOver === undefined && origin !== undefined ? { agent: origin } : {}),
        ...(this.site === undefined ? {} : { site: this.site }),
        activate: this.#activate,
        growing: spec.growthBitsPerSecond !== undefined,
        algorithm: this.content.algorithm,
        pieceBytes: this.content.pieceBytes,
      },
      this.#world.clock.nowNanoseconds,
      { patienceNanoseconds },
    );
    this.#core = core;
    this.outcome = undefined;
    this.content.takePart();
    this.#tellManifest(this.content.manifestLog);
    this.#dial();
    return core;
  }

  #post(event: PublisherEvent): void {
    this.#queue.push(event);
    if (this.#isHandling) return;
    this.#isHandling = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const output = this.#core.handle(next, this.#world.clock.nowNanoseconds);
      for (const command of output.commands) this.#carryOut(command);
      this.#wakeAt = output.wakeAtNanoseconds;
      this.#setTimer();
    }
    this.#isHandling = false;
  }

  #carryOut(command: PublisherCommand): void {
    switch (command.type) {
      case "send":
        return this.#channel?.send(command.message);
      case "awaitWritable":
        return this.#world.clock.after(0, phases.agent, () => this.#post({ type: "writable" }));
      case "reconnect":
        this.#channel?.close();
        return this.#lost(command.reason);
      case "openLane":
        return this.#open(command.lane);
      case "handOver":
        return this.#handOver(command);
      case "setRate":
        return this.#setRate(command);
      case "closeLane":
        this.#lanes.get(command.laneId)?.lane?.close();
        this.#lanes.delete(command.laneId);
        return;
      case "flush":
        return this.#flush(command);
      case "held":
        return;
      case "finish":
        return this.#finish(command.outcome);
    }
  }

  /** Whoever is told that the agents are not there, tries again. */
  #finish(outcome: PublishOutcome): void {
    this.outcome = outcome;
    this.#channel?.close();
    this.#channel = undefined;
    this.#world.progressed();
    if (outcome.kind !== "rejected" || !passingCodes.has(outcome.code)) return;
    this.#world.clock.after(tryAgainNanoseconds, phases.agent, () => {
      this.#world.progressed();
      this.#begin();
    });
  }

  /** Every running receiver has all that it was handed. */
  #flush(command: Extract<PublisherCommand, { type: "flush" }>): void {
    const failures = command.receivers
      .filter(({ agentId }) => !this.#world.running.has(agentId))
      .map(({ laneId }) => ({ laneId, kind: "refused" as const, detail: "nothing listens there" }));
    this.#world.clock.after(0, phases.agent, () => this.#post({ type: "flushed", flushId: command.flushId, failures }));
  }

  #open(open: OpenLane): void {
    const lane =
      this.content.spec.handOver === undefined
        ? undefined
        : new VirtualLane(this.#world, open.laneId, this.#sinkOf(open), open.rateBitsPerSecond);
    this.#lanes.set(open.laneId, { open, lane, handedBytes: 0 });
  }

  #handOver(command: Extract<PublisherCommand, { type: "handOver" }>): void {
    const handOver = this.#lanes.get(command.laneId);
    if (handOver === undefined) return;
    const { open, lane } = handOver;
    const receiver = this.#world.running.get(open.holderId);
    if (receiver === undefined) {
      this.#fail(open.laneId, "refused", `nothing listens at ${open.address}`);
      return;
    }
    const decision = receiver.core?.authorize(command.ticket, this.publishId, ["handOver"]);
    if (decision?.ok !== true) {
      this.#fail(open.laneId, "ticketRefused", decision?.reason ?? "the receiver is gone");
      return;
    }
    if (lane === undefined) this.#handOverHere(handOver, receiver, command.portions);
    else {
      lane.accept(this, decision.ticket, () => this.linksTo(receiver));
      for (const { order, ranges } of command.portions) lane.queue(this.content.key, order, ranges);
    }
  }

  #setRate({ laneId, rateBitsPerSecond, ticket }: Extract<PublisherCommand, { type: "setRate" }>): void {
    const handOver = this.#lanes.get(laneId);
    const receiver = handOver === undefined ? undefined : this.#world.running.get(handOver.open.holderId);
    if (handOver?.lane === undefined || receiver === undefined) return;
    const decision = receiver.core?.authorize(ticket, this.publishId, ["handOver"]);
    if (decision?.ok !== true) return;
    handOver.lane.accept(this, decision.ticket, () => this.linksTo(receiver));
    handOver.lane.setRate(rateBitsPerSecond);
  }

  linksTo(receiver: VirtualAgent): readonly Link[] {
    return this.#world.linksBetween({ name: undefined, site: this.site }, receiver);
  }

  /** Lanes that are open, with the agents at their ends. */
  *running(): Generator<{ lane: VirtualLane; receiver: VirtualAgent }> {
    for (const { lane, open } of this.#lanes.values()) {
      const receiver = this.#world.running.get(open.holderId);
      if (lane !== undefined && receiver !== undefined) yield { lane, receiver };
    }
  }

  /** The receiver's disk has it; only its machine has to hear so. */
  #handOverHere(
    handOver: HandOver,
    receiver: VirtualAgent,
    portions: readonly { readonly order: BlockOrderName; readonly ranges: readonly number[] }[],
  ): void {
    for (const { order, ranges } of portions) {
      for (let index = 0; index < ranges.length; index += 2) {
        for (let block = ranges[index] ?? 0; block < (ranges[index + 1] ?? 0); block += 1) {
          const lengthBytes = receiver.lanes.blockLengthBytes(this.content.key, order, block);
          this.#world.account.of(order).underWayBytes += lengthBytes;
          this.#world.account.of(order).sentBytes += lengthBytes;
          receiver.keep({ fileSet: this.content.key, order, block, lengthBytes, laneId: undefined });
          handOver.handedBytes += lengthBytes;
        }
      }
    }
    this.#tellHanded();
  }

  #sinkOf(open: OpenLane): LaneSink {
    const agentOf = (): VirtualAgent | undefined => this.#world.running.get(open.holderId);
    return {
      name: open.holderName,
      site: agentOf()?.site ?? "",
      blockLengthBytes: (fileSet, order, block) => agentOf()?.lanes.blockLengthBytes(fileSet, order, block) ?? 0,
      verificationNanoseconds: (lengthBytes) => agentOf()?.verificationNanoseconds(lengthBytes) ?? 0,
      // The publisher lives on: it hears of the lane's end itself.
      isGone: () => false,
      received: (_lane, _fileSet, order, block, lengthBytes) => {
        this.#received(open, { order, block, lengthBytes }, this.#world.clock.nowNanoseconds + unknownGraceNanoseconds);
      },
      laneFailed: (_lane, kind, detail) => this.#fail(open.laneId, kind, detail),
    };
  }

  /** A block is at its receiver, which takes it as soon as it has been told of it. */
  #received(
    open: OpenLane,
    arrival: { order: BlockOrderName; block: number; lengthBytes: number },
    untilNanoseconds: number,
  ): void {
    const { account, clock, running } = this.#world;
    const { order, block, lengthBytes } = arrival;
    const agent = running.get(open.holderId);
    if (agent?.knows(this.content.key, order, block) === true) {
      agent.keep({ fileSet: this.content.key, order, block, lengthBytes, laneId: undefined });
      const handOver = this.#lanes.get(open.laneId);
      if (handOver !== undefined) handOver.handedBytes += lengthBytes;
      this.#tellHanded();
    } else if (agent !== undefined && clock.nowNanoseconds < untilNanoseconds) {
      clock.after(unknownRetryNanoseconds, phases.agent, () => this.#received(open, arrival, untilNanoseconds));
    } else {
      account.settle(order, lengthBytes, "droppedBytes");
      this.#fail(open.laneId, agent === undefined ? "reset" : "notHeld", `${open.holderName} does not take it`);
    }
  }

  #fail(laneId: number, kind: FailureKind, detail: string): void {
    const handOver = this.#lanes.get(laneId);
    if (handOver === undefined) return;
    handOver.lane?.close();
    this.#lanes.delete(laneId);
    this.#post({ type: "laneFailed", laneId, handedBytes: handOver.handedBytes, kind, detail });
  }

  /** A receiver has died: lanes to it break. */
  receiverGone(agentId: string): void {
    for (const [laneId, { open }] of [...this.#lanes]) {
      if (open.holderId === agentId) this.#fail(laneId, "reset", `${open.holderName} is gone`);
    }
  }

  isCorrupt(): boolean {
    return false;
  }

  holding(_lane: VirtualLane, { order, block }: FlowBlock): "held" | "absent" {
    return order === "manifest" || block < this.content.manifest.blockCount ? "held" : "absent";
  }

  #tellHanded(): void {
    if (this.#willTell) return;
    this.#willTell = true;
    this.#world.clock.after(this.content.spec.handOver === undefined ? 0 : handedEveryNanoseconds, phases.agent, () => {
      this.#willTell = false;
      const lanes = [...this.#lanes].map(([laneId, { handedBytes }]) => ({ laneId, handedBytes }));
      this.#post({ type: "handed", lanes });
    });
  }

  #tellManifest(bytes: Uint8Array): void {
    const { manifest, pieceBytes } = this.content;
    const pieceCount = Math.ceil(manifest.logBytes / pieceBytes);
    this.#post({ type: "manifest", bytes, root: this.content.root, blockCount: manifest.blockCount, pieceCount });
  }

  #growLater(startNanoseconds: number): void {
    this.#world.clock.at(startNanoseconds + this.content.nextGrowthNanoseconds(), phases.network, () => {
      this.content.grow();
      this.#world.progressed();
      this.#tellManifest(this.content.takePart());
      if (!this.content.isComplete) this.#growLater(startNanoseconds);
    });
  }

  #dial(): void {
    this.#channel = new VirtualChannel<PublisherMessage, ControllerToPublisher>(
      this.#world.clock,
      this.content.spec.handOver === undefined ? 0 : this.#world.scenario.controlDelayNanoseconds,
      {
        opened: () => this.#post({ type: "connected" }),
        message: (message) => this.#post({ type: "message", message }),
        closed: () => this.#lost("the controller is gone"),
      },
      this.#world.controller.publishers,
    );
  }

  #lost(reason: string): void {
    this.#channel = undefined;
    if (this.outcome !== undefined) return;
    this.#post({ type: "disconnected", reason });
    this.#world.clock.after(redialNanoseconds, phases.agent, () => {
      if (this.outcome === undefined && this.#channel === undefined) this.#dial();
    });
  }

  #setTimer(): void {
    const { clock } = this.#world;
    if (this.#wakeAt === undefined || (this.#timerAt !== undefined && this.#timerAt <= this.#wakeAt)) return;
    const at = Math.max(this.#wakeAt, clock.nowNanoseconds);
    this.#timerAt = at;
    clock.at(at, phases.agent, () => {
      if (this.#timerAt !== at) return;
      this.#timerAt = undefined;
      if (this.#wakeAt !== undefined && this.#wakeAt <= clock.nowNanoseconds) this.#post({ type: "timer" });
      else this.#setTimer();
    });
  }
}
