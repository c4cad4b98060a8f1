/** A lane's way through the virtual network: the blocks queued on it, and how far the one under way has come. */
import type { BlockOrderName } from "../protocol/parts.ts";
import type { RangeSet } from "../std/ranges.ts";

/** Something with a capability: what is declared, what it really carries, and who is sending over it now. */
export interface Link {
  readonly name: string;
  capabilityBitsPerSecond: number;
  /** What it really carries, which may be less. */
  trueBitsPerSecond: number;
  /** The sum of what the flows that are sending over it were allocated. */
  offeredBitsPerSecond: number;
  readonly sending: Set<Flow>;
  /** Bits of blocks that it has carried, also of ones that were cut off. */
  carriedBits: number;
  /** Until then flows may still be sending by what was declared before. */
  toleratedUntilNanoseconds: number;
}

/** Blocks start..end - 1 of one order of one file set, in that order. */
export interface QueuedBlocks {
  readonly fileSet: string;
  readonly order: BlockOrderName;
  start: number;
  readonly end: number;
}

/** A block of one order of one file set. */
export interface FlowBlock {
  readonly fileSet: string;
  readonly order: BlockOrderName;
  readonly block: number;
}

/** Whoever opened a flow. */
export interface FlowUser {
  /** Whether the source has the block; if not, it is set aside, and what comes behind it goes first. */
  isThere(block: FlowBlock): boolean;
  lengthBytes(block: FlowBlock): number;
  /** The last byte of the block has left the source. */
  sent(block: FlowBlock, lengthBytes: number): void;
}

/**
 * idle: nothing is queued. waiting: the source has none of the blocks that are. stopped: there is a block, but the rate is
 * nothing. sending: it counts on its links. closed: it is gone for good.
 */
export type FlowState = "idle" | "waiting" | "stopped" | "sending" | "closed";

/** Never written to: a flow that waits has a map of its own. */
export const nothingWaiting: Map<string, WaitingBlocks> = new Map();

export class Flow {
  readonly user: FlowUser;
  links: readonly Link[];
  allocatedBitsPerSecond: number;
  state: FlowState = "idle";
  /** Not asked for at the source yet, in order. */
  readonly queue: QueuedBlocks[] = [];
  /** Set aside: the source did not have them, by order and file set. Most flows never wait. */
  waiting: Map<string, WaitingBlocks> = nothingWaiting;
  /** Were set aside, and are there now. */
  readonly ready: FlowBlock[] = [];
  /** Under way. */
  current: FlowBlock | undefined;
  /** Blocks that are sent whole. */
  sentBytes = 0;
  /** The block under way: its length, the bits that it takes, and those that are left. */
  blockBytes = 0;
  blockBits = 0;
  leftBits = 0;
  /** The rate at which it is sending since `sinceNanoseconds`; 0: not known until the instant ends. */
  rateBitsPerSecond = 0;
  sinceNanoseconds = 0;
  /** Rises whenever an end that was foreseen no longer holds. */
  revision = 0;
  /** The last whole block's length and rate, and how long that takes. */
  memoBytes = -1;
  memoRate = -1;
  memoNanoseconds = 0;

  constructor(user: FlowUser, links: readonly Link[], allocatedBitsPerSecond: number) {
    this.user = user;
    this.links = links;
    this.allocatedBitsPerSecond = allocatedBitsPerSecond;
  }

  /** Bytes that the target has received by now, with those of the block under way. */
  receivedBytes(nowNanoseconds: number): number {
    if (this.state !== "sending" || this.blockBits === 0) return this.sentBytes;
    const left = Math.max(
      0,
      this.leftBits - bitsWithin(nowNanoseconds - this.sinceNanoseconds, this.rateBitsPerSecond),
    );
    // Jitter changes how many bits a block takes, never how many bytes it has.
    return this.sentBytes + Math.floor((this.blockBytes * (this.blockBits - left)) / this.blockBits);
  }
}

/** Blocks of one order of one file set that are set aside. */
export interface WaitingBlocks {
  readonly fileSet: string;
  readonly order: BlockOrderName;
  readonly blocks: RangeSet;
}

/** Whole bits that pass in that time. */
export function bitsWithin(nanoseconds: number, rateBitsPerSecond: number): number {
  return Math.floor((nanoseconds * rateBitsPerSecond) / 1e9);
}
