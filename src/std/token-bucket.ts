/**
 * Keeps a stream of bytes to a rate, without a clock of its own.
 *
 * It remembers one moment: when all that was charged will have passed at the rate. Before that moment nothing more may
 * go; a charge may take it beyond now (the last chunk is let through whole), and what was not used for a while counts
 * for `creditNanoseconds` at most, so that a late timer is made up for and a long pause is not. It promises: in any
 * window of T nanoseconds at most rate x (T + credit) passes, and one chunk.
 */
import { bytesWithin, transmissionNanoseconds } from "./units.ts";

/** An Ethernet frame that is full carries 1448 bytes of a TCP stream (with timestamps) in 1514 bytes. */
export const wireBytesPerFullFrame = 1514;
export const payloadBytesPerFullFrame = 1448;

/** What a stream's bytes take on the wire, headers included: ceil(bytes x 1514 / 1448). */
export function wireBytes(payloadBytes: number): number {
  return Math.ceil((payloadBytes * wireBytesPerFullFrame) / payloadBytesPerFullFrame);
}

/** The wait for a bucket that is closed. */
export const forever = Number.MAX_SAFE_INTEGER;

export class TokenBucket {
  readonly #creditNanoseconds: number;
  #rateBitsPerSecond: number;
  #emptyAtNanoseconds: number;
  /** What was still to pass when the rate became 0. */
  #frozenBytes = 0;

  /** It starts empty: without credit. A rate of 0 lets nothing through. */
  constructor(options: { rateBitsPerSecond: number; creditNanoseconds: number; nowNanoseconds: number }) {
    this.#rateBitsPerSecond = options.rateBitsPerSecond;
    this.#creditNanoseconds = options.creditNanoseconds;
    this.#emptyAtNanoseconds = options.nowNanoseconds;
  }

  get rateBitsPerSecond(): number {
    return this.#rateBitsPerSecond;
  }

  /** How long to wait before more may go; 0: now. */
  delayNanoseconds(nowNanoseconds: number): number {
    if (this.#rateBitsPerSecond === 0) return forever;
    return Math.max(0, this.#emptyAtNanoseconds - nowNanoseconds);
  }

  /** Counts bytes on the wire that go now. */
  charge(bytes: number, nowNanoseconds: number): void {
    if (this.#rateBitsPerSecond === 0) {
      this.#frozenBytes += bytes;
      return;
    }
    const from = Math.max(this.#emptyAtNanoseconds, nowNanoseconds - this.#creditNanoseconds);
    this.#emptyAtNanoseconds = Math.min(forever, from + transmissionNanoseconds(bytes, this.#rateBitsPerSecond));
  }

  /** Forgets what was not used until now: a stream that begins has no credit. */
  begin(nowNanoseconds: number): void {
    this.#emptyAtNanoseconds = Math.max(this.#emptyAtNanoseconds, nowNanoseconds);
  }

  /** Changes the rate; what was charged and has not passed yet passes at the new one. */
  setRate(rateBitsPerSecond: number, nowNanoseconds: number): void {
    if (rateBitsPerSecond === this.#rateBitsPerSecond) return;
    const aheadNanoseconds = this.#emptyAtNanoseconds - nowNanoseconds;
    const owedBytes =
      this.#rateBitsPerSecond === 0
        ? this.#frozenBytes
        : bytesWithin(Math.max(0, aheadNanoseconds), this.#rateBitsPerSecond);
    this.#rateBitsPerSecond = rateBitsPerSecond;
    this.#frozenBytes = rateBitsPerSecond === 0 ? owedBytes : 0;
    if (rateBitsPerSecond === 0) return;
    // Credit earned at the old rate is dropped: at a lower one it would be a burst.
    this.#emptyAtNanoseconds = Math.min(
      forever,
      nowNanoseconds + transmissionNanoseconds(owedBytes, rateBitsPerSecond),
    );
  }
}
