/** What the scheduler decided in one go: lanes closed and opened, portions queued into them, rates changed. */
import type { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Lane } from "./lane.ts";

export interface QueuedPortion {
  readonly lane: Lane;
  readonly order: BlockOrder;
  readonly ranges: RangeSet;
}

export class Decisions {
  readonly closed: Lane[] = [];
  readonly opened: Lane[] = [];
  readonly queued: QueuedPortion[] = [];
  readonly rerated = new Set<Lane>();

  get isEmpty(): boolean {
    return this.closed.length + this.opened.length + this.queued.length + this.rerated.size === 0;
  }
}
