/**
 * Blocks that were just written, kept in memory to be passed on to other agents without a read from disk.
 *
 * A ring of shared memory: the writing thread fills the places given out here, older blocks are overwritten. Nothing is
 * kept unless somebody has read lately.
 */
import type { FileSetKey } from "../../protocol/parts.ts";
import { blockMemoryBytes, blockMemoryIdleMilliseconds } from "./limits.ts";

interface Kept {
  readonly key: string;
  /** Where it starts in an endless run of bytes, of which the ring holds the last ones. */
  readonly position: number;
  readonly lengthBytes: number;
}

export class BlockMemory {
  readonly #capacityBytes: number;
  #memory: Uint8Array | undefined;
  #end = 0;
  readonly #kept = new Map<string, Kept>();
  readonly #inOrder: Kept[] = [];
  #firstInOrder = 0;
  #lastReadMilliseconds = Number.NEGATIVE_INFINITY;

  constructor(capacityBytes: number = blockMemoryBytes) {
    this.#capacityBytes = capacityBytes;
  }

  /** Somebody reads blocks: the next ones written are worth keeping. */
  noteRead(): void {
    this.#lastReadMilliseconds = performance.now();
  }

  get isWorthwhile(): boolean {
    return performance.now() - this.#lastReadMilliseconds < blockMemoryIdleMilliseconds;
  }

  /** The ring itself, made when it is first needed. */
  get memory(): Uint8Array {
    this.#memory ??= new Uint8Array(new SharedArrayBuffer(this.#capacityBytes));
    return this.#memory;
  }

  /** A place in the ring for a block, as an endless position; -1: it does not fit. */
  reserve(lengthBytes: number): number {
    if (lengthBytes === 0 || lengthBytes > this.#capacityBytes / 4) return -1;
    const rest = this.#capacityBytes - (this.#end % this.#capacityBytes);
    const position = lengthBytes <= rest ? this.#end : this.#end + rest;
    this.#end = position + lengthBytes;
    this.#forgetOverwritten();
    return position;
  }

  /** Where a position is in the memory. */
  offsetOf(position: number): number {
    return position < 0 ? -1 : position % this.#capacityBytes;
  }

  /** The writing thread has put a good block at `position`. */
  put(fileSet: FileSetKey, block: number, position: number, lengthBytes: number): void {
    if (position < this.#end - this.#capacityBytes) return;
    const key = keyOf(fileSet, block);
    const kept: Kept = { key, position, lengthBytes };
    this.#kept.set(key, kept);
    this.#inOrder.push(kept);
  }

  /** Copies bytes of the blocks start..end - 1, from `offsetBytes` on, to `into`, if all of these blocks are here. */
  read(fileSet: FileSetKey, start: number, end: number, into: Uint8Array, offsetBytes: number): boolean {
    if (this.#kept.size === 0) return false;
    const run: Kept[] = [];
    for (let block = start; block < end; block += 1) {
      const kept = this.#kept.get(keyOf(fileSet, block));
      if (kept === undefined) return false;
      run.push(kept);
    }
    let position = -offsetBytes;
    for (const { position: place, lengthBytes } of run) {
      const from = Math.max(0, -position);
      const to = Math.min(lengthBytes, into.length - position);
      const offset = this.offsetOf(place);
      if (from < to) into.set(this.memory.subarray(offset + from, offset + to), position + from);
      position += lengthBytes;
    }
    return position >= into.length;
  }

  forget(fileSet: FileSetKey, start: number, end: number): void {
    if (this.#kept.size === 0) return;
    for (let block = start; block < end; block += 1) this.#kept.delete(keyOf(fileSet, block));
  }

  forgetFileSet(fileSet: FileSetKey): void {
    for (const key of this.#kept.keys()) if (key.startsWith(`${fileSet} `)) this.#kept.delete(key);
  }

  #forgetOverwritten(): void {
    const oldest = this.#end - this.#capacityBytes;
    for (let kept = this.#inOrder[this.#firstInOrder]; kept !== undefined; kept = this.#inOrder[this.#firstInOrder]) {
      if (kept.position >= oldest) break;
      if (this.#kept.get(kept.key) === kept) this.#kept.delete(kept.key);
      this.#firstInOrder += 1;
    }
    if (this.#firstInOrder > 1000 && this.#firstInOrder * 2 > this.#inOrder.length) {
      this.#inOrder.splice(0, this.#firstInOrder);
      this.#firstInOrder = 0;
    }
  }
}

function keyOf(fileSet: FileSetKey, block: number): string {
  return `${fileSet} ${block}`;
}
