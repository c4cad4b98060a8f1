/**
 * The data plane of an agent that transfers nothing: blocks asked for through a lane "come" one after another at the
 * lane's rate, headers counted, and are told of as the real one tells it.
 */
import { monotonicNanoseconds } from "#src/platform/clock.ts";
import { reportMilliseconds } from "#src/platform/streams/limits.ts";
import type { AgentEvent } from "#src/control/agent/agent-events.ts";
import type { BlockOrderName } from "#src/protocol/parts.ts";
import { nanosecondsPerMillisecond, nanosecondsPerSecond } from "#src/std/units.ts";
import type { DueThing, DueTimes } from "./due-times.ts";

/** Bits on the wire for a byte of content: a full frame carries 1,448 of 1,514 bytes. */
export const wireBitsPerByte = (8 * 1_514) / 1_448;

export interface Block {
  readonly fileSet: string;
  readonly order: BlockOrderName;
  readonly block: number;
  readonly lengthBytes: number;
}

interface VirtualLane {
  readonly laneId: number;
  rateBitsPerSecond: number;
  readonly queue: Block[];
  /** Of the first block of the queue: bytes that came by `countedAt`, at the rate of until then. */
  cameBytes: number;
  countedAtNanoseconds: number;
  /** Bytes of blocks that have come whole. */
  wholeBytes: number;
  toldBytes: number;
  due: DueThing | undefined;
}

export interface VirtualLanesOptions {
  readonly times: DueTimes;
  /** A block has come. */
  readonly arrived: (laneId: number, block: Block) => void;
  readonly tell: (event: AgentEvent) => void;
}

export class VirtualLanes {
  readonly #options: VirtualLanesOptions;
  readonly #lanes = new Map<number, VirtualLane>();
  #ticking: DueThing | undefined;

  constructor(options: VirtualLanesOptions) {
    this.#options = options;
  }

  open(laneId: number, rateBitsPerSecond: number): void {
    this.#lanes.set(laneId, {
      laneId,
      rateBitsPerSecond,
      queue: [],
      cameBytes: 0,
      countedAtNanoseconds: 0,
      wholeBytes: 0,
      toldBytes: 0,
      due: undefined,
    });
    if (this.#ticking === undefined) this.#tick();
  }

  pull(laneId: number, blocks: readonly Block[]): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    const wasIdle = lane.queue.length === 0;
    lane.queue.push(...blocks);
    if (!wasIdle) return;
    lane.countedAtNanoseconds = monotonicNanoseconds();
    this.#await(lane);
  }

  setRate(laneId: number, rateBitsPerSecond: number): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    const now = monotonicNanoseconds();
    lane.cameBytes = cameBytes(lane, now);
    lane.countedAtNanoseconds = now;
    lane.rateBitsPerSecond = rateBitsPerSecond;
    this.#await(lane);
  }

  close(laneId: number): void {
    const lane = this.#lanes.get(laneId);
    if (lane?.due !== undefined) lane.due.isCancelled = true;
    this.#lanes.delete(laneId);
  }

  stop(): void {
    for (const laneId of this.#lanes.keys()) this.close(laneId);
    if (this.#ticking !== undefined) this.#ticking.isCancelled = true;
  }

  /** Waits for the end of the first block of the queue. */
  #await(lane: VirtualLane): void {
    if (lane.due !== undefined) lane.due.isCancelled = true;
    lane.due = undefined;
    const [first] = lane.queue;
    if (first === undefined || lane.rateBitsPerSecond <= 0) return;
    const leftBytes = Math.max(0, first.lengthBytes - lane.cameBytes);
    const takes = (leftBytes * wireBitsPerByte * nanosecondsPerSecond) / lane.rateBitsPerSecond;
    const endsAt = Math.ceil(lane.countedAtNanoseconds + takes);
    lane.due = this.#options.times.at(endsAt, () => {
      lane.queue.shift();
      lane.wholeBytes += first.lengthBytes;
      lane.cameBytes = 0;
      // However late this process notices: the way brought the next one meanwhile.
      lane.countedAtNanoseconds = endsAt;
      this.#await(lane);
      this.#options.arrived(lane.laneId, first);
    });
  }

  /** Tells now and then what lanes have brought, as PullClient does. */
  #tick(): void {
    const at = monotonicNanoseconds() + reportMilliseconds * nanosecondsPerMillisecond;
    this.#ticking = this.#options.times.at(at, () => {
      this.#ticking = undefined;
      if (this.#lanes.size === 0) return;
      const now = monotonicNanoseconds();
      const lanes = [];
      for (const lane of this.#lanes.values()) {
        const receivedBytes = Math.floor(lane.wholeBytes + cameBytes(lane, now));
        if (receivedBytes === lane.toldBytes) continue;
        lane.toldBytes = receivedBytes;
        lanes.push({ laneId: lane.laneId, receivedBytes });
      }
      this.#tick();
      if (lanes.length > 0) this.#options.tell({ type: "received", lanes });
    });
  }
}

function cameBytes(lane: VirtualLane, now: number): number {
  const [first] = lane.queue;
  if (first === undefined) return 0;
  const since = Math.max(0, now - lane.countedAtNanoseconds);
  const more = (since * lane.rateBitsPerSecond) / (wireBitsPerByte * nanosecondsPerSecond);
  return Math.min(first.lengthBytes, lane.cameBytes + more);
}
