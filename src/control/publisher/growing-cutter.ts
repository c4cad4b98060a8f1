/**
 * Where a growing file is cut into blocks: by size or by time, whichever comes first. It sees lengths and times only.
 *
 * It promises: the blocks' lengths add up to the bytes that came; no block is empty or longer than `blockBytes`; but for
 * the newest byte, nothing waits longer than the cut time. The newest byte is held back for a while, since the final
 * flag must travel with the last block (claim 21): unless the file pauses for longer than the hold-back time just before
 * its end, its last block is cut at the end, and flagged.
 */
import { growingBlockBytes, growingCutNanoseconds, growingHoldBackNanoseconds } from "./limits.ts";

export interface GrowingCutterOptions {
  readonly blockBytes?: number;
  readonly cutNanoseconds?: number;
  readonly holdBackNanoseconds?: number;
}

export class GrowingCutter {
  readonly blockBytes: number;
  readonly #cutNanoseconds: number;
  readonly #holdBackNanoseconds: number;
  #pendingBytes = 0;
  /** When the first pending byte came (not counting one that is only held back). */
  #oldestAt = 0;
  #newestAt = 0;

  constructor(options: GrowingCutterOptions = {}) {
    this.blockBytes = options.blockBytes ?? growingBlockBytes;
    this.#cutNanoseconds = options.cutNanoseconds ?? growingCutNanoseconds;
    this.#holdBackNanoseconds = options.holdBackNanoseconds ?? growingHoldBackNanoseconds;
  }

  /** Bytes that came and are in no block yet. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** When `tick` has something to do; undefined: not before more bytes come. */
  get wakeAtNanoseconds(): number | undefined {
    if (this.#pendingBytes === 0) return undefined;
    const holdBackEnd = this.#newestAt + this.#holdBackNanoseconds;
    return this.#pendingBytes === 1 ? holdBackEnd : Math.min(this.#oldestAt + this.#cutNanoseconds, holdBackEnd);
  }

  /** `lengthBytes` more bytes came. Returns the lengths of the blocks to cut now, none of them the last. */
  add(lengthBytes: number, nowNanoseconds: number): number[] {
    if (lengthBytes === 0) return [];
    if (this.#pendingBytes <= 1) this.#oldestAt = nowNanoseconds;
    this.#newestAt = nowNanoseconds;
    this.#pendingBytes += lengthBytes;
    const cuts: number[] = [];
    while (this.#pendingBytes > this.blockBytes) {
      cuts.push(this.blockBytes);
      this.#pendingBytes -= this.blockBytes;
      this.#oldestAt = nowNanoseconds;
    }
    return cuts;
  }

  /** Time has passed. Returns the lengths of the blocks to cut now (none or one). */
  tick(nowNanoseconds: number): number[] {
    const pending = this.#pendingBytes;
    if (pending === 0) return [];
    if (nowNanoseconds - this.#newestAt >= this.#holdBackNanoseconds) {
      this.#pendingBytes = 0;
      return [pending];
    }
    if (pending === 1 || nowNanoseconds - this.#oldestAt < this.#cutNanoseconds) return [];
    this.#pendingBytes = 1;
    return [pending - 1];
  }

  /** The file has ended. Returns the length of its last block, to be flagged as final; undefined: all is cut already. */
  end(): number | undefined {
    const pending = this.#pendingBytes;
    this.#pendingBytes = 0;
    return pending === 0 ? undefined : pending;
  }
}
