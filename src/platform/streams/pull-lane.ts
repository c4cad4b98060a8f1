/**
 * A lane at its target: what is queued on it, what the source has been asked for, and the batch under way of each stream.
 * Plain bookkeeping; the connection does the talking.
 */
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import { RangeSet } from "../../std/ranges.ts";
import type { BatchIntake } from "./batch-intake.ts";

/** Something to say to the source once there is a connection: a ticket, and what it lets be asked for. */
export interface Pull {
  readonly ticket: string;
  readonly fileSet?: FileSetKey;
  readonly order?: BlockOrderName;
  readonly ranges?: RangeSet;
}

/** One order of one file set on a lane. */
export interface PullStream {
  readonly tag: number;
  readonly lane: PullLane;
  readonly fileSet: FileSetKey;
  readonly order: BlockOrderName;
  /** Asked for and not received. */
  readonly asked: RangeSet;
  intake: BatchIntake | undefined;
}

export class PullLane {
  readonly laneId: number;
  readonly address: string;
  /** What it may receive. */
  rateBitsPerSecond: number;
  /** Not said yet. */
  readonly unsaid: Pull[] = [];
  readonly streams = new Map<string, PullStream>();
  /** Tag on the connection that is open; 0: the source does not know of it. */
  tag = 0;
  receivedBytes = 0;
  isWaiting = false;
  /** Closed or failed: what still comes is thrown away. */
  isEnded = false;

  constructor(laneId: number, address: string, rateBitsPerSecond: number) {
    this.laneId = laneId;
    this.address = address;
    this.rateBitsPerSecond = rateBitsPerSecond;
  }

  /** Whether blocks are still to come. */
  get hasWork(): boolean {
    if (this.unsaid.some(({ ranges }) => ranges !== undefined && !ranges.isEmpty)) return true;
    for (const { asked } of this.streams.values()) if (!asked.isEmpty) return true;
    return false;
  }

  /** What of these ranges has not been asked for on this lane already. */
  notAskedYet(fileSet: FileSetKey, order: BlockOrderName, flat: readonly number[]): RangeSet {
    let wanted = RangeSet.fromFlat(flat);
    const stream = this.streams.get(streamKey(fileSet, order));
    if (stream !== undefined) wanted = wanted.difference(stream.asked);
    for (const pull of this.unsaid) {
      if (pull.ranges !== undefined && pull.fileSet === fileSet && pull.order === order) {
        wanted = wanted.difference(pull.ranges);
      }
    }
    return wanted;
  }

  /** Drops what is queued and under way. */
  end(): void {
    this.isEnded = true;
    this.unsaid.length = 0;
    for (const stream of this.streams.values()) {
      stream.asked.clear();
      stream.intake?.abandon();
      stream.intake = undefined;
    }
  }

  /** Queues a ticket that only changes the rate; an earlier one that was not said is not needed any more. */
  queueRate(ticket: string): void {
    const last = this.unsaid.at(-1);
    if (last !== undefined && last.ranges === undefined) this.unsaid.pop();
    this.unsaid.push({ ticket });
  }

  /** The connection is gone, and the lane with nothing under way stays. */
  forgetConnection(): void {
    this.tag = 0;
    this.streams.clear();
  }
}

export function streamKey(fileSet: FileSetKey, order: BlockOrderName): string {
  return `${order} ${fileSet}`;
}
