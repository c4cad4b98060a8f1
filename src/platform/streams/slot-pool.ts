/**
 * Memory for blocks: one shared, page-aligned piece, given out in slots. What stands in a slot can be handed to a worker
 * without a copy. It promises: never more than its size, slots from its beginning first (what was never used takes no
 * memory), and turns in the order of asking, so that a large slot is not starved by small ones.
 */
import { RangeSet } from "../../std/ranges.ts";
import { maximumWritingBytes, slotUnitBytes } from "./limits.ts";

/** The little of WebAssembly that is used here: its memory is page-aligned, as direct writing to disk wants it. */
declare const WebAssembly: {
  readonly Memory: new (options: { initial: number; maximum: number; shared: true }) => {
    readonly buffer: SharedArrayBuffer;
  };
};

export interface Slot {
  /** Exactly as long as was asked for. */
  readonly bytes: Uint8Array;
  readonly firstUnit: number;
  readonly units: number;
  isWriting: boolean;
  isReleased: boolean;
}

interface Waiter {
  readonly lengthBytes: number;
  readonly given: (slot: Slot) => void;
}

export class SlotPool {
  readonly #memory: SharedArrayBuffer;
  readonly totalBytes: number;
  readonly #free: RangeSet;
  readonly #maximumWritingBytes: number;
  readonly #waiters = new Set<Waiter>();
  #writingBytes = 0;
  #usedBytes = 0;
  #peakBytes = 0;

  /** @param totalBytes a multiple of 64 KiB */
  constructor(totalBytes: number, writingBytes: number = maximumWritingBytes) {
    const units = Math.floor(totalBytes / slotUnitBytes);
    this.totalBytes = units * slotUnitBytes;
    this.#memory = new WebAssembly.Memory({ initial: units, maximum: units, shared: true }).buffer;
    this.#free = RangeSet.of(0, units);
    this.#maximumWritingBytes = writingBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The most that was in use at any time. */
  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** A slot, or undefined when none of this length is free or others wait already. */
  allocate(lengthBytes: number): Slot | undefined {
    return this.#waiters.size > 0 ? undefined : this.#take(lengthBytes);
  }

  /** A slot that is not of the pool, for who must not wait. */
  allocateBeyond(lengthBytes: number): Slot {
    const bytes = new Uint8Array(new SharedArrayBuffer(lengthBytes));
    return { bytes, firstUnit: 0, units: 0, isWriting: false, isReleased: false };
  }

  /** `given` gets a slot when it is this one's turn. What is returned gives the turn up. */
  wait(lengthBytes: number, given: (slot: Slot) => void): () => void {
    const waiter: Waiter = { lengthBytes, given };
    this.#waiters.add(waiter);
    return () => {
      if (this.#waiters.delete(waiter)) this.#serve();
    };
  }

  /** The slot is full and waits to be written: no more than a bound of these before others are given out. */
  markWriting(slot: Slot): void {
    if (slot.isWriting || slot.isReleased) return;
    slot.isWriting = true;
    this.#writingBytes += slot.bytes.length;
  }

  /** Nobody may read or write the slot's bytes any more. Doing it twice does nothing. */
  release(slot: Slot): void {
    if (slot.isReleased) return;
    slot.isReleased = true;
    if (slot.isWriting) this.#writingBytes -= slot.bytes.length;
    this.#usedBytes -= slot.units * slotUnitBytes;
    if (slot.units > 0) this.#free.add(slot.firstUnit, slot.firstUnit + slot.units);
    this.#serve();
  }

  #serve(): void {
    for (const waiter of this.#waiters) {
      const slot = this.#take(waiter.lengthBytes);
      if (slot === undefined) return;
      this.#waiters.delete(waiter);
      waiter.given(slot);
    }
  }

  #take(lengthBytes: number): Slot | undefined {
    if (this.#writingBytes > this.#maximumWritingBytes) return undefined;
    const units = Math.max(1, Math.ceil(lengthBytes / slotUnitBytes));
    for (const [start, end] of this.#free.ranges()) {
      if (end - start < units) continue;
      this.#free.remove(start, start + units);
      this.#usedBytes += units * slotUnitBytes;
      this.#peakBytes = Math.max(this.#peakBytes, this.#usedBytes);
      const bytes = new Uint8Array(this.#memory, start * slotUnitBytes, lengthBytes);
      return { bytes, firstUnit: start, units, isWriting: false, isReleased: false };
    }
    return undefined;
  }
}
