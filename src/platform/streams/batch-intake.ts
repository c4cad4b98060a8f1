/**
 * A batch on its way in: checks that DATA frames are its parts, in order and of just its length, and gathers them in one
 * slot of the pool. It promises that the slot is not given back while the connection may still read into it.
 */
import { firstOfBatch, ProtocolViolation } from "../../protocol/frames.ts";
import type { FrameHeader } from "../../protocol/frames.ts";
import type { Slot, SlotPool } from "./slot-pool.ts";

export class BatchIntake {
  readonly block: number;
  readonly count: number;
  readonly totalBytes: number;
  readonly #pool: SlotPool;
  #slot: Slot | undefined;
  #filledBytes = 0;
  #isReceiving = false;
  #isAbandoned = false;

  constructor(pool: SlotPool, block: number, count: number, totalBytes: number) {
    this.#pool = pool;
    this.block = block;
    this.count = count;
    this.totalBytes = totalBytes;
  }

  get isComplete(): boolean {
    return this.#filledBytes === this.totalBytes;
  }

  get missingBytes(): number {
    return this.totalBytes - this.#filledBytes;
  }

  get hasMemory(): boolean {
    return this.#slot !== undefined;
  }

  /**
   * Where this frame's payload goes; undefined: there is no memory yet, and the connection waits. A connection that holds
   * memory for another batch which is not whole (`mustNotWait`) gets some beyond the pool: if such connections waited,
   * each could wait for what the others hold.
   * @throws ProtocolViolation
   */
  begin(header: FrameHeader, mustNotWait: () => boolean): Uint8Array | undefined {
    const isFirst = (header.flags & firstOfBatch) !== 0;
    if (header.block !== this.block || header.count !== this.count || isFirst !== (this.#filledBytes === 0)) {
      throw new ProtocolViolation("data that does not go on with the batch under way");
    }
    if (header.payloadBytes > this.missingBytes) throw new ProtocolViolation("a batch longer than its blocks");
    this.#slot ??= this.#pool.allocate(this.totalBytes);
    if (this.#slot === undefined && mustNotWait()) this.#slot = this.#pool.allocateBeyond(this.totalBytes);
    if (this.#slot === undefined) return undefined;
    this.#isReceiving = true;
    return this.#slot.bytes.subarray(this.#filledBytes, this.#filledBytes + header.payloadBytes);
  }

  /** Waits for memory; `given` is called when there is. What is returned gives up. */
  waitForMemory(given: () => void): () => void {
    return this.#pool.wait(this.totalBytes, (slot) => {
      if (this.#isAbandoned) this.#pool.release(slot);
      else this.#slot = slot;
      given();
    });
  }

  /** The frame's payload is whole. */
  end(header: FrameHeader): void {
    this.#isReceiving = false;
    this.#filledBytes += header.payloadBytes;
    if (this.#isAbandoned) this.release();
  }

  /** The whole batch's bytes, until `release`. */
  take(): Uint8Array {
    if (this.#slot === undefined) throw new Error("a batch without memory");
    this.#pool.markWriting(this.#slot);
    return this.#slot.bytes;
  }

  /** Nobody wants it any more; what is under way still runs into it. */
  abandon(): void {
    this.#isAbandoned = true;
    if (!this.#isReceiving) this.release();
  }

  /** Gives the memory back. Only when the connection is closed or reads elsewhere. */
  release(): void {
    if (this.#slot !== undefined) this.#pool.release(this.#slot);
    this.#slot = undefined;
  }
}
