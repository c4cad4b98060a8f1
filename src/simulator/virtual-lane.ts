/**
 * One lane in the virtual world: from an agent (or a publisher that hands over) to an agent, over a flow of the network.
 *
 * It promises what the real streams do: nothing is served that no ticket names, nor before the source has verified it; a
 * block that is yet to come is waited for; whatever breaks ends the lane and drops what was queued on it.
 */
import type { BlockOrderName, FailureKind } from "../protocol/parts.ts";
import type { Ticket } from "../protocol/ticket.ts";
import { RangeSet } from "../std/ranges.ts";
import { Turns } from "../std/turns.ts";
import { nanosecondsPerMillisecond } from "../std/units.ts";
import type { Flow, FlowBlock, FlowUser, Link } from "./flow.ts";
import { phases } from "./virtual-clock.ts";
import type { WorldParts } from "./world-parts.ts";

/** A block that is asked for and neither held nor coming is refused after this: the news of it may be on its way. */
const absentGraceNanoseconds = 1_500 * nanosecondsPerMillisecond;

/** Lanes that are over and remembered by whoever served them. */
const rememberedLanes = 16_384;

export function newTurns(): Turns {
  return new Turns({ maximumRemembered: rememberedLanes });
}

/** Whoever serves: it is asked for each block when its turn comes. */
export interface LaneSource {
  readonly name: string;
  /** Undefined: nowhere in particular. */
  readonly site: string | undefined;
  readonly servedLanes: Set<VirtualLane>;
  /** Which lanes out of it have given all that was asked for. */
  readonly turns: Turns;
  isCorrupt(): boolean;
  /** `absent`: neither there nor on its way there. */
  holding(lane: VirtualLane, block: FlowBlock): "held" | "coming" | "absent";
}

/** Whoever receives. */
export interface LaneSink {
  readonly name: string;
  readonly site: string;
  blockLengthBytes(fileSet: string, order: BlockOrderName, block: number): number;
  /** How long it takes from now until this block is verified. */
  verificationNanoseconds(lengthBytes: number): number;
  isGone(): boolean;
  /** A verified block. */
  received(lane: VirtualLane, fileSet: string, order: BlockOrderName, block: number, lengthBytes: number): void;
  /** The lane is at its end, and what was queued is dropped. */
  laneFailed(lane: VirtualLane, kind: FailureKind, detail: string): void;
}

export class VirtualLane implements FlowUser {
  readonly laneId: number;
  readonly sink: LaneSink;
  readonly #world: WorldParts;
  /** What tickets name. */
  readonly #allowed: { readonly fileSet: string; readonly order: BlockOrderName; readonly blocks: RangeSet }[] = [];
  /** Set with the first blocks that are asked for. */
  source: LaneSource | undefined;
  flow: Flow | undefined;
  rateBitsPerSecond: number;
  /** What the sink was last told. */
  wantedBitsPerSecond: number;
  #isOver = false;
  /** Of the newest ticket. */
  #revision = -1;
  /** Bytes that the sink was told of. */
  reportedBytes = -1;
  #willLookAgain = false;
  /** Blocks that tickets name, and those that have been sent. */
  #allowedBlocks = 0;
  #sentBlocks = 0;
  /** Blocks that are asked for while other lanes have yet to end. */
  readonly #held: { fileSet: string; order: BlockOrderName; ranges: readonly number[] }[] = [];
  #stopWaiting: (() => void) | undefined;
  #waitsFor: readonly number[] = [];

  constructor(world: WorldParts, laneId: number, sink: LaneSink, rateBitsPerSecond: number) {
    this.#world = world;
    this.laneId = laneId;
    this.sink = sink;
    this.rateBitsPerSecond = rateBitsPerSecond;
    this.wantedBitsPerSecond = rateBitsPerSecond;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether all that is asked for is what the source has yet to receive. */
  get isWaiting(): boolean {
    return this.#stopWaiting !== undefined || this.flow?.state === "waiting";
  }

  /**
   * The source has accepted a ticket: ties the lane to it, lets it be asked for what the ticket names, and serves it
   * until the ticket is no longer good.
   * @param linksOf finds the resources between the two, once
   */
  accept(source: LaneSource, ticket: Ticket, linksOf: () => readonly Link[]): void {
    if (this.source !== source) {
      this.source?.servedLanes.delete(this);
      this.source = source;
      source.servedLanes.add(this);
    }
    this.flow ??= this.#world.network.open(this, linksOf(), this.rateBitsPerSecond);
    for (const { fileSet, order, ranges } of ticket.portions) this.#allow(fileSet, order, ranges);
    if (ticket.revision < this.#revision) return;
    this.#revision = ticket.revision;
    this.#waitFor(source, ticket.after ?? []);
    if (!this.#isOver) this.#world.tickets.watch(this, ticket.durationMilliseconds * nanosecondsPerMillisecond);
  }

  /** Serves nothing until these lanes out of the same source have ended. */
  #waitFor(source: LaneSource, laneIds: readonly number[]): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    this.#waitsFor = laneIds;
    if (source.turns.areOver(laneIds)) return this.#begin();
    this.#stopWaiting = source.turns.after(laneIds, () => this.#begin());
  }

  #begin(): void {
    this.#stopWaiting = undefined;
    for (const { fileSet, order, ranges } of this.#held.splice(0)) this.queue(fileSet, order, ranges);
  }

  ticketRanOut(): void {
    this.fail("ticketRefused", "the ticket is no longer good");
  }

  #allow(fileSet: string, order: BlockOrderName, ranges: readonly number[]): void {
    let blocks = this.#allowedOf(fileSet, order);
    if (blocks === undefined) {
      blocks = new RangeSet();
      this.#allowed.push({ fileSet, order, blocks });
    }
    for (let index = 0; index < ranges.length; index += 2) {
      const [start, end] = [ranges[index] ?? 0, ranges[index + 1] ?? 0];
      blocks.add(start, end);
      this.#allowedBlocks += end - start;
    }
  }

  #allowedOf(fileSet: string, order: BlockOrderName): RangeSet | undefined {
    for (const allowed of this.#allowed) {
      if (allowed.fileSet === fileSet && allowed.order === order) return allowed.blocks;
    }
    return undefined;
  }

  isAllowed(fileSet: string, order: BlockOrderName, start: number, end: number): boolean {
    return this.#allowedOf(fileSet, order)?.hasRange(start, end) ?? false;
  }

  queue(fileSet: string, order: BlockOrderName, ranges: readonly number[]): void {
    if (this.#isOver || this.flow === undefined) return;
    if (this.#stopWaiting !== undefined) {
      this.#held.push({ fileSet, order, ranges });
      return;
    }
    for (let index = 0; index < ranges.length; index += 2) {
      this.#world.network.push(this.flow, fileSet, order, ranges[index] ?? 0, ranges[index + 1] ?? 0);
    }
  }

  setRate(rateBitsPerSecond: number): void {
    this.rateBitsPerSecond = rateBitsPerSecond;
    if (this.flow !== undefined) this.#world.network.setRate(this.flow, rateBitsPerSecond);
  }

  receivedBytes(): number {
    return this.flow?.receivedBytes(this.#world.clock.nowNanoseconds) ?? 0;
  }

  /** Ends it from this end on: what is under way is dropped. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#world.tickets.forget(this);
    const before = this.#stopWaiting === undefined ? [] : this.#waitsFor;
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    this.source?.servedLanes.delete(this);
    const order = this.flow?.current?.order ?? "content";
    if (this.flow === undefined) return;
    const cutBytes = this.#world.network.close(this.flow);
    this.#world.account.of(order).cutBytes += cutBytes;
    this.#countLeft(order, cutBytes);
    // Its agent may have no channel on which to say so.
    if (this.#sentBlocks > 0) this.#world.laneSent(this.sink.name, this.laneId);
    this.source?.turns.over(this.laneId, before);
  }

  /** Ends it because something broke; the sink hears of it once the news can have come. */
  fail(kind: FailureKind, detail: string): void {
    if (this.#isOver) return;
    this.close();
    this.#world.clock.after(this.#world.delayBetween(this.source?.site, this.sink.site), phases.agent, () => {
      if (!this.sink.isGone()) this.sink.laneFailed(this, kind, detail);
    });
  }

  isThere(block: FlowBlock): boolean {
    const holding = this.source?.holding(this, block) ?? "absent";
    if (holding === "absent") this.#lookAgainLater();
    return holding === "held";
  }

  lengthBytes({ fileSet, order, block }: FlowBlock): number {
    return this.sink.blockLengthBytes(fileSet, order, block);
  }

  /** What is coming to the source may have changed. */
  lookAgain(): void {
    if (this.flow === undefined || this.source === undefined) return;
    for (const { fileSet, order, blocks } of [...this.flow.waiting.values()]) {
      for (const [start, end] of [...blocks.clone().ranges()]) {
        for (let block = start; block < end; block += 1) {
          const holding = this.source.holding(this, { fileSet, order, block });
          if (holding === "held") this.#world.network.arrived(this.flow, fileSet, order, block, block + 1);
          else if (holding === "absent") this.#lookAgainLater();
        }
      }
    }
  }

  /** The news of a block may still be on its way to the source; if it is absent for long, the lane ends. */
  #lookAgainLater(): void {
    if (this.#willLookAgain) return;
    this.#willLookAgain = true;
    this.#world.clock.after(absentGraceNanoseconds, phases.agent, () => {
      this.#willLookAgain = false;
      if (this.#isOver || this.flow === undefined || this.source === undefined) return;
      for (const { fileSet, order, blocks } of this.flow.waiting.values()) {
        for (const [start, end] of blocks.ranges()) {
          for (let block = start; block < end; block += 1) {
            if (this.source.holding(this, { fileSet, order, block }) !== "absent") continue;
            this.fail("notHeld", `${this.source.name} does not hold ${order} block ${String(block)} of ${fileSet}`);
            return;
          }
        }
      }
    });
  }

  sent({ fileSet, order, block }: FlowBlock, lengthBytes: number): void {
    const { account, clock } = this.#world;
    const counts = account.of(order);
    counts.sentBytes += lengthBytes;
    counts.underWayBytes += lengthBytes;
    const { source, sink } = this;
    if (source === undefined) return;
    this.#countLeft(order, lengthBytes);
    this.#sentBlocks += 1;
    const isGood = !source.isCorrupt();
    const arrive = (): void => {
      if (this.#isOver || sink.isGone()) {
        account.settle(order, lengthBytes, "droppedBytes");
        return;
      }
      clock.after(sink.verificationNanoseconds(lengthBytes), phases.agent, () => {
        this.#verified(fileSet, order, block, lengthBytes, isGood);
      });
    };
    const delay = this.#world.delayBetween(source.site, sink.site);
    if (delay === 0) {
      arrive();
      return;
    }
    clock.after(delay, phases.network, arrive);
    // Its links are free for what follows it, though its last block is still on the way.
    if (this.#sentBlocks !== this.#allowedBlocks) return;
    this.#world.laneSent(sink.name, this.laneId);
    source.turns.over(this.laneId);
  }

  /** What leaves the source's site counts whatever becomes of it. */
  #countLeft(order: BlockOrderName, lengthBytes: number): void {
    const { source, sink } = this;
    if (order !== "content" || source === undefined || source.site === sink.site) return;
    this.#world.account.leftSite(source.site, lengthBytes);
  }

  /** A lane that was closed meanwhile still brings what had arrived. */
  #verified(fileSet: string, order: BlockOrderName, block: number, lengthBytes: number, isGood: boolean): void {
    const { account } = this.#world;
    if (this.sink.isGone()) {
      account.settle(order, lengthBytes, "droppedBytes");
    } else if (isGood) {
      account.deliveries += 1;
      this.sink.received(this, fileSet, order, block, lengthBytes);
    } else {
      account.settle(order, lengthBytes, "badBytes");
      this.#failHere("badChecksum", `${order} block ${String(block)} of ${fileSet} does not match its checksum`);
    }
  }

  /** The sink itself found what is wrong, and hears of it at once. */
  #failHere(kind: FailureKind, detail: string): void {
    if (this.#isOver) return;
    this.close();
    this.sink.laneFailed(this, kind, detail);
  }
}
