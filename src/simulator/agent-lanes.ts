/**
 * The lanes that one run of a simulated agent pulls through, and the probes that it makes: opened, asked and closed as its
 * state machine orders, and told of as the real program tells it.
 */
import type { OpenLane } from "../protocol/controller-messages.ts";
import type { BlockOrderName, FailureKind } from "../protocol/parts.ts";
import { pieceRange } from "../model/manifest-root.ts";
import { nanosecondsPerMillisecond } from "../std/units.ts";
import { phases } from "./virtual-clock.ts";
import type { VirtualAgent } from "./virtual-agent.ts";
import { VirtualLane, type LaneSink } from "./virtual-lane.ts";

/** How often the machine hears what lanes have received, while any does. */
const receivedEveryNanoseconds = 250 * nanosecondsPerMillisecond;

type Pull = { readonly fileSet: string; readonly order: BlockOrderName; readonly ranges: readonly number[] };

export class AgentLanes implements LaneSink {
  readonly name: string;
  readonly site: string;
  readonly #agent: VirtualAgent;
  /** With who they are from. */
  readonly #lanes = new Map<number, { readonly lane: VirtualLane; readonly open: OpenLane }>();
  #isGone = false;
  #isTicking = false;
  /** Ids of agents at other sites that were reached. */
  readonly #reached = new Set<string>();

  constructor(agent: VirtualAgent) {
    this.#agent = agent;
    this.name = agent.name;
    this.site = agent.site;
  }

  get size(): number {
    return this.#lanes.size;
  }

  /** The lanes, by number, with who they are from. */
  running(): Iterable<{ readonly lane: VirtualLane; readonly open: OpenLane }> {
    return this.#lanes.values();
  }

  stop(): void {
    this.#isGone = true;
    for (const { lane } of this.#lanes.values()) lane.close();
    this.#lanes.clear();
  }

  isGone(): boolean {
    return this.#isGone;
  }

  open(open: OpenLane): void {
    const { laneId, rateBitsPerSecond } = open;
    this.#lanes.get(laneId)?.lane.close();
    this.#lanes.set(laneId, { lane: new VirtualLane(this.#agent.world, laneId, this, rateBitsPerSecond), open });
    this.#tick();
  }

  /** Shows the ticket to the source and asks for blocks; the words take their time to get there. */
  pull(laneId: number, pull: Pull, ticket: string): void {
    this.#atSource(laneId, ticket, (lane) => {
      for (let index = 0; index < pull.ranges.length; index += 2) {
        const [start, end] = [pull.ranges[index] ?? 0, pull.ranges[index + 1] ?? 0];
        if (lane.isAllowed(pull.fileSet, pull.order, start, end)) continue;
        lane.fail(
          "ticketRefused",
          `no ticket names ${pull.order} blocks ${String(start)} to ${String(end)} of ${pull.fileSet}`,
        );
        return;
      }
      lane.queue(pull.fileSet, pull.order, pull.ranges);
    });
  }

  setRate(laneId: number, rateBitsPerSecond: number, ticket: string): void {
    const lane = this.#lanes.get(laneId)?.lane;
    if (lane === undefined) return;
    lane.wantedBitsPerSecond = rateBitsPerSecond;
    // Less is taken at once: the receiver reads no faster, whatever words are still on their way to the source.
    if (rateBitsPerSecond < lane.rateBitsPerSecond) lane.setRate(rateBitsPerSecond);
    this.#atSource(laneId, ticket, () => lane.setRate(lane.wantedBitsPerSecond));
  }

  close(laneId: number): void {
    this.#lanes.get(laneId)?.lane.close();
    this.#lanes.delete(laneId);
  }

  /** Runs `then` at the source once the ticket has got there and is accepted. */
  #atSource(laneId: number, ticket: string, then: (lane: VirtualLane) => void): void {
    const { world } = this.#agent;
    const known = this.#lanes.get(laneId);
    if (known === undefined) return;
    const { lane, open } = known;
    const present = (): void => {
      const source = world.running.get(open.holderId);
      if (lane.isOver) return;
      if (source === undefined) {
        lane.fail("refused", `nothing listens at ${open.address}`);
        return;
      }
      const decision = source.core?.authorize(ticket, this.#agent.disk.agentId);
      if (decision?.ok !== true) {
        lane.fail("ticketRefused", decision?.reason ?? "the source is gone");
        return;
      }
      lane.accept(source, decision.ticket, () => world.linksBetween(source, this.#agent));
      if (delay > 0) this.#tellReached(open, delay);
      then(lane);
    };
    const source = world.running.get(open.holderId);
    const delay = world.delayBetween(source?.site ?? this.site, this.site);
    if (delay === 0) present();
    else world.clock.after(delay, phases.agent, present);
  }

  /** Its answer takes as long as the words to it. */
  #tellReached({ laneId, holderId }: OpenLane, delay: number): void {
    if (this.#reached.has(holderId)) return;
    this.#reached.add(holderId);
    this.#agent.world.clock.after(delay, phases.agent, () => {
      if (!this.#isGone) this.#agent.post({ type: "reached", laneId, roundTripNanoseconds: 2 * delay });
    });
  }

  blockLengthBytes(fileSet: string, order: BlockOrderName, block: number): number {
    const { core, world } = this.#agent;
    if (order === "content") return world.contents.get(fileSet)?.manifest.blockLengthBytes(block) ?? 0;
    const summary = core?.manifestSummary(fileSet);
    if (summary === undefined || block * summary.pieceBytes >= summary.lengthBytes) return 0;
    const { start, end } = pieceRange(summary, block);
    return end - start;
  }

  verificationNanoseconds(lengthBytes: number): number {
    return this.#agent.verificationNanoseconds(lengthBytes);
  }

  received(lane: VirtualLane, fileSet: string, order: BlockOrderName, block: number, lengthBytes: number): void {
    this.#agent.keep({ fileSet, order, block, lengthBytes, laneId: lane.laneId });
  }

  laneFailed(lane: VirtualLane, kind: FailureKind, detail: string): void {
    if (this.#lanes.get(lane.laneId)?.lane !== lane) return;
    this.#lanes.delete(lane.laneId);
    this.#agent.post({ type: "laneFailed", laneId: lane.laneId, kind, detail });
  }

  #tick(): void {
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#agent.world.clock.after(receivedEveryNanoseconds, phases.agent, () => {
      this.#isTicking = false;
      if (this.#isGone) return;
      const moved = [...this.#lanes.values()].flatMap(({ lane }) => {
        const receivedBytes = lane.receivedBytes();
        const waiting = lane.isWaiting;
        if (receivedBytes === lane.reportedBytes && !waiting) return [];
        lane.reportedBytes = receivedBytes;
        return [waiting ? { laneId: lane.laneId, receivedBytes, waiting } : { laneId: lane.laneId, receivedBytes }];
      });
      if (moved.length > 0) this.#agent.post({ type: "received", lanes: moved });
      if (this.#lanes.size > 0) this.#tick();
    });
  }
}
