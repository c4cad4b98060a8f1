/**
 * A lane of a publisher: batches that wait for a connection, and those that wait for the receiver's answer. Plain
 * bookkeeping; the connection does the talking.
 */
import type { RefusalKind, PushEntry } from "../../protocol/frames.ts";
import type { BlockOrderName, FailureKind, FileSetKey } from "../../protocol/parts.ts";
import { TokenBucket } from "../../std/token-bucket.ts";
import { monotonicNanoseconds } from "../clock.ts";
import { maximumPushedBatches, maximumUnacknowledgedBytes } from "./limits.ts";
import { laneCreditNanoseconds, LaneOutput } from "./paced-sender.ts";

/** What came of a batch or a flush. */
export type PushResult =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly kind: FailureKind; readonly detail: string };

export interface PushBatch {
  readonly fileSet: FileSetKey;
  readonly order: BlockOrderName;
  /** In rising order of blocks. */
  readonly entries: readonly PushEntry[];
  /** Their bytes, one after another; not to be changed until the result is there. */
  readonly bytes: Uint8Array;
}

/** Something that was said or is to be said, and whose answer is awaited. */
export interface Pushing {
  /** undefined: a flush. */
  readonly batch: PushBatch | undefined;
  readonly fileSet: FileSetKey;
  readonly order: BlockOrderName;
  readonly number: number;
  readonly settle: (result: PushResult) => void;
}

/** The receiver answers no more than so many batches at once; some room is left for flushes. */
const batchesAtOnce = maximumPushedBatches - 16;

export class PushLane {
  readonly laneId: number;
  readonly address: string;
  readonly output: LaneOutput;
  readonly tickets: string[] = [];
  readonly unsaid: Pushing[] = [];
  /** By number. */
  readonly unanswered = new Map<number, Pushing>();
  /** Tags of streams, by order and file set. */
  readonly streams = new Map<string, number>();
  tag = 0;
  isEnded = false;
  acceptedBytes = 0;
  #unansweredBytes = 0;
  #nextNumber = 1;
  readonly #answerWaiters: (() => void)[] = [];
  readonly #roomWaiters: ((isOpen: boolean) => void)[] = [];

  constructor(laneId: number, address: string, rateBitsPerSecond: number) {
    this.laneId = laneId;
    this.address = address;
    const bucket = new TokenBucket({
      rateBitsPerSecond,
      creditNanoseconds: laneCreditNanoseconds,
      nowNanoseconds: monotonicNanoseconds(),
    });
    this.output = new LaneOutput(bucket, () => undefined);
  }

  get hasWork(): boolean {
    return this.unsaid.length > 0 || this.unanswered.size > 0;
  }

  /** Resolves when another batch may be pushed: true, or false when the lane has ended. */
  room(): Promise<boolean> {
    if (this.isEnded || this.#hasRoom()) return Promise.resolve(!this.isEnded);
    return new Promise((resolve) => this.#roomWaiters.push(resolve));
  }

  /** Resolves when something more has been answered. */
  answered(): Promise<void> {
    return new Promise((resolve) => this.#answerWaiters.push(resolve));
  }

  add(fileSet: FileSetKey, order: BlockOrderName, batch: PushBatch | undefined): Promise<PushResult> {
    return new Promise((resolve) => {
      const number = this.#nextNumber++;
      const bytes = batch?.bytes.length ?? 0;
      this.#unansweredBytes += bytes;
      const settle = (result: PushResult): void => {
        this.unanswered.delete(number);
        this.#unansweredBytes -= bytes;
        if (result.accepted) this.acceptedBytes += bytes;
        resolve(result);
        this.#wake();
      };
      this.unsaid.push({ batch, fileSet, order, number, settle });
    });
  }

  /** Ends the lane: everything that was not answered gets this result. */
  end(result: PushResult): void {
    this.isEnded = true;
    for (const pushing of [...this.unanswered.values(), ...this.unsaid.splice(0)]) pushing.settle(result);
    this.#wake();
  }

  #hasRoom(): boolean {
    const batches = this.unsaid.length + this.unanswered.size;
    return this.#unansweredBytes < maximumUnacknowledgedBytes && batches < batchesAtOnce;
  }

  #wake(): void {
    for (const waiter of this.#answerWaiters.splice(0)) waiter();
    while (this.#roomWaiters.length > 0 && (this.isEnded || this.#hasRoom())) {
      this.#roomWaiters.shift()?.(!this.isEnded);
    }
  }
}

/** What a receiver may say of a lane or a batch that it does not take. */
export const pushRefusals: readonly RefusalKind[] = ["ticketRefused", "notHeld", "badChecksum", "disk", "refused"];
