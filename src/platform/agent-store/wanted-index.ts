/**
 * Finds, for blocks that are wanted, others that have the same checksum: a hash table of plain integers, since there may
 * be millions. A wanted block takes the first source that is offered.
 */
import { equalBytes } from "../../std/bytes.ts";
import type { RangeSet } from "../../std/ranges.ts";
import type { Manifest } from "../../model/manifest.ts";

const none = -1;

export class WantedIndex {
  readonly #manifest: Manifest;
  /** The wanted blocks, rising. */
  readonly blocks: Int32Array;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #sources: Int32Array;
  readonly #sourceBlocks: Int32Array;
  #unmatched: number;

  constructor(manifest: Manifest, wanted: RangeSet) {
    this.#manifest = manifest;
    this.blocks = new Int32Array(wanted.count);
    this.#next = new Int32Array(wanted.count).fill(none);
    this.#sources = new Int32Array(wanted.count).fill(none);
    this.#sourceBlocks = new Int32Array(wanted.count);
    this.#unmatched = wanted.count;
    let buckets = 16;
    while (buckets < wanted.count * 2) buckets *= 2;
    this.#heads = new Int32Array(buckets).fill(none);
    let place = 0;
    wanted.forEach((start, end) => {
      for (let block = start; block < end; block += 1) {
        this.blocks[place] = block;
        const bucket = this.#bucketOf(manifest.blockChecksum(block));
        this.#next[place] = this.#heads[bucket] ?? none;
        this.#heads[bucket] = place;
        place += 1;
      }
    });
  }

  /** Whether every wanted block has a source. */
  get isSatisfied(): boolean {
    return this.#unmatched === 0;
  }

  /** A block that could be copied: it becomes the source of all wanted blocks that are equal to it. */
  offer(source: number, sourceBlock: number, checksum: Uint8Array, lengthBytes: number): void {
    let place = this.#heads[this.#bucketOf(checksum)] ?? none;
    while (place !== none) {
      if (this.#sources[place] === none) {
        const block = this.blocks[place] ?? 0;
        const isEqual =
          equalBytes(this.#manifest.blockChecksum(block), checksum) &&
          this.#manifest.blockLengthBytes(block) === lengthBytes;
        if (isEqual) {
          this.#sources[place] = source;
          this.#sourceBlocks[place] = sourceBlock;
          this.#unmatched -= 1;
        }
      }
      place = this.#next[place] ?? none;
    }
  }

  /** The source of the wanted block at a place of `blocks`. */
  sourceOf(place: number): { source: number; block: number } | undefined {
    const source = this.#sources[place] ?? none;
    return source === none ? undefined : { source, block: this.#sourceBlocks[place] ?? 0 };
  }

  #bucketOf(checksum: Uint8Array): number {
    const [a = 0, b = 0, c = 0, d = 0] = checksum;
    return ((a | (b << 8) | (c << 16) | (d << 24)) & (this.#heads.length - 1)) >>> 0;
  }
}
