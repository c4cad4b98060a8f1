/**
 * The blocks of a stream that cannot be read twice, kept until agents have made them durable.
 *
 * It promises: a block is given out again until then, however often; its bytes are let go only when a receiver has said
 * that they are durable, or when agents have held the block for so long that they are (they flush by themselves).
 * Blocks that are equal to an earlier one are not kept twice: nobody asks for them.
 */
import type { RangeSet } from "../../std/ranges.ts";
import { heldIsDurableAfterNanoseconds } from "./limits.ts";

export class RetainedBlocks {
  readonly #blocks = new Map<number, Uint8Array>();
  /** What agents said that they hold, by when they said it; oldest first. */
  readonly #held: { readonly atNanoseconds: number; readonly blocks: RangeSet }[] = [];
  #bytes = 0;

  /** Bytes kept. */
  get bytes(): number {
    return this.#bytes;
  }

  get(block: number): Uint8Array | undefined {
    return this.#blocks.get(block);
  }

  add(block: number, bytes: Uint8Array): void {
    this.#blocks.set(block, bytes);
    this.#bytes += bytes.length;
  }

  /** A receiver has made these durable. */
  durable(blocks: RangeSet): void {
    if (blocks.count > this.#blocks.size) {
      for (const block of this.#blocks.keys()) if (blocks.has(block)) this.#release(block);
    } else {
      blocks.forEach((start, end) => {
        for (let block = start; block < end; block += 1) this.#release(block);
      });
    }
  }

  /** Agents hold these; they will be durable after a while. */
  held(blocks: RangeSet, nowNanoseconds: number): void {
    this.#held.push({ atNanoseconds: nowNanoseconds, blocks });
    this.expire(nowNanoseconds);
  }

  /** Lets go what has been held for long enough. */
  expire(nowNanoseconds: number): void {
    for (let oldest = this.#held[0]; oldest !== undefined; oldest = this.#held[0]) {
      if (nowNanoseconds - oldest.atNanoseconds < heldIsDurableAfterNanoseconds) return;
      this.durable(oldest.blocks);
      this.#held.shift();
    }
  }

  #release(block: number): void {
    const bytes = this.#blocks.get(block);
    if (bytes === undefined) return;
    this.#blocks.delete(block);
    this.#bytes -= bytes.length;
  }
}
