/**
 * The checksums of a manifest's blocks, 32 bytes each in one array, and which blocks are equal.
 *
 * No object is kept for a block: a file set may have millions.
 */
import { RangeSet } from "../std/ranges.ts";
import { checksumLengthBytes } from "./checksum.ts";

const initialBlocks = 64;
const noBlock = -1;

/** Append-only; blocks are numbered from 0. */
export class BlockTable {
  #checksums = new Uint8Array(initialBlocks * checksumLengthBytes);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Appends checksums, one after another in `checksums`. */
  append(checksums: Uint8Array): void {
    const usedBytes = this.#count * checksumLengthBytes;
    const neededBytes = usedBytes + checksums.length;
    if (neededBytes > this.#checksums.length) {
      const larger = new Uint8Array(Math.max(neededBytes, this.#checksums.length * 2));
      larger.set(this.#checksums.subarray(0, usedBytes));
      this.#checksums = larger;
    }
    this.#checksums.set(checksums, usedBytes);
    this.#count += checksums.length / checksumLengthBytes;
  }

  /** A view of a block's checksum. */
  checksum(index: number): Uint8Array {
    return this.#checksums.subarray(index * checksumLengthBytes, (index + 1) * checksumLengthBytes);
  }

  equal(left: number, right: number): boolean {
    const bytes = this.#checksums;
    const leftStart = left * checksumLengthBytes;
    const rightStart = right * checksumLengthBytes;
    for (let offset = 0; offset < checksumLengthBytes; offset += 1) {
      if (bytes[leftStart + offset] !== bytes[rightStart + offset]) return false;
    }
    return true;
  }

  /** A hash of a block's checksum and length, 32 bits. */
  hash(index: number, lengthBytes: number): number {
    const bytes = this.#checksums;
    let mixed = lengthBytes | 0;
    const start = index * checksumLengthBytes;
    for (let offset = start; offset < start + checksumLengthBytes; offset += 4) {
      const word =
        (bytes[offset] ?? 0) |
        ((bytes[offset + 1] ?? 0) << 8) |
        ((bytes[offset + 2] ?? 0) << 16) |
        ((bytes[offset + 3] ?? 0) << 24);
      mixed = Math.imul(mixed ^ word, 0x9e37_79b1);
      mixed ^= mixed >>> 15;
    }
    return mixed >>> 0;
  }
}

/** Finds, for each block, the first with equal checksum and length. Follows a growing table; does nothing until asked. */
export class DuplicateFinder {
  readonly #table: BlockTable;
  readonly #blockLengthBytes: (index: number) => number;
  /** An open hash table of the first blocks of their kind, twice as large as the number of blocks at least. */
  #slots = new Int32Array(0);
  #firstOf = new Int32Array(0);
  #known = 0;
  readonly #duplicates = new RangeSet();

  constructor(table: BlockTable, blockLengthBytes: (index: number) => number) {
    this.#table = table;
    this.#blockLengthBytes = blockLengthBytes;
  }

  /** The first block equal to block `index`, or -1 where that is this one. */
  duplicateOf(index: number): number {
    this.#update();
    return this.#firstOf[index] ?? noBlock;
  }

  /** All blocks that an earlier one is equal to. */
  duplicates(): RangeSet {
    this.#update();
    return this.#duplicates;
  }

  #update(): void {
    const count = this.#table.count;
    if (this.#known === count) return;
    if (count * 2 > this.#slots.length) this.#grow(count);
    for (let index = this.#known; index < count; index += 1) {
      const slot = this.#findSlot(index);
      const first = this.#slots[slot] ?? noBlock;
      this.#firstOf[index] = first;
      if (first === noBlock) this.#slots[slot] = index;
      else this.#duplicates.add(index, index + 1);
    }
    this.#known = count;
  }

  #grow(count: number): void {
    let size = 128;
    while (size < count * 4) size *= 2;
    this.#slots = new Int32Array(size).fill(noBlock);
    const firstOf = new Int32Array(size / 2).fill(noBlock);
    firstOf.set(this.#firstOf.subarray(0, this.#known));
    this.#firstOf = firstOf;
    for (let index = 0; index < this.#known; index += 1) {
      if (firstOf[index] === noBlock) this.#slots[this.#findSlot(index)] = index;
    }
  }

  /** The slot of the block equal to `index`, or the free one where it belongs. */
  #findSlot(index: number): number {
    const mask = this.#slots.length - 1;
    const lengthBytes = this.#blockLengthBytes(index);
    let slot = this.#table.hash(index, lengthBytes) & mask;
    for (;;) {
      const other = this.#slots[slot] ?? noBlock;
      if (other === noBlock) return slot;
      if (this.#table.equal(other, index) && this.#blockLengthBytes(other) === lengthBytes) return slot;
      slot = (slot + 1) & mask;
    }
  }
}
