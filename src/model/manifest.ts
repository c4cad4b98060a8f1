/**
 * The manifest: a file set written down, decoded. Files, directories, links and the checksum of every block.
 *
 * It is read incrementally: `append` takes further bytes of the log, in parts of any size, so a growing file set is
 * followed while it is being written. Whatever the bytes are, nothing but a UserError comes out, and what was accepted is
 * consistent: paths are valid and taken once, nothing lies below a file or link, lengths and numbers of blocks agree. That
 * every link stays inside is known for certain once the end has been seen (`isComplete`): until then another link may follow.
 *
 * The blocks of all files stand in one order, that of the log; a block is named by its place in it.
 */
import { UserError } from "../std/errors.ts";
import type { RangeSet } from "../std/ranges.ts";
import { BlockTable, DuplicateFinder } from "./block-table.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";
import { ManifestDecoder } from "./manifest-decoder.ts";
import type { DirectoryEntry, FileEntry, LinkEntry } from "./manifest-entries.ts";
import { GrownBlocks } from "./manifest-entries.ts";

export type { DirectoryEntry, FileEntry, LinkEntry } from "./manifest-entries.ts";

/** Methods that take the index of a block or file throw RangeError where there is none. */
export class Manifest {
  readonly #blocks = new BlockTable();
  readonly #grown = new GrownBlocks();
  readonly #decoder = new ManifestDecoder(this.#blocks, this.#grown);
  readonly #duplicates = new DuplicateFinder(this.#blocks, (index) => this.blockLengthBytes(index));
  #lastFile = 0;

  /** A manifest from all its bytes, or all there are so far. Throws UserError on anything invalid. */
  static decode(bytes: Uint8Array): Manifest {
    const manifest = new Manifest();
    manifest.append(bytes);
    return manifest;
  }

  /** Takes further bytes of the log. Throws UserError on anything invalid; the manifest is unusable from then on. */
  append(bytes: Uint8Array): void {
    this.#decoder.append(bytes);
  }

  /** The algorithm of all checksums. Throws UserError before the header has come. */
  get algorithm(): ChecksumAlgorithm {
    const { algorithm } = this.#decoder;
    if (algorithm === undefined) throw new UserError("the manifest has no header yet");
    return algorithm;
  }

  /** In the order of the log; entries of growing files change in place. */
  get files(): readonly FileEntry[] {
    return this.#decoder.files;
  }

  get directories(): readonly DirectoryEntry[] {
    return this.#decoder.directories;
  }

  get links(): readonly LinkEntry[] {
    return this.#decoder.links;
  }

  get blockCount(): number {
    return this.#blocks.count;
  }

  /** The lengths of all files, as far as they are known. */
  get totalBytes(): number {
    return this.#decoder.totalBytes;
  }

  /** Whether the end has been seen: nothing can follow. */
  get isComplete(): boolean {
    return this.#decoder.isComplete;
  }

  /** Bytes of the log taken so far. */
  get logBytes(): number {
    return this.#decoder.logBytes;
  }

  /** Bytes taken that are no whole record yet. */
  get pendingBytes(): number {
    return this.#decoder.pendingBytes;
  }

  /** A view of 32 bytes. */
  blockChecksum(index: number): Uint8Array {
    this.#checkBlock(index);
    return this.#blocks.checksum(index);
  }

  blockLengthBytes(index: number): number {
    const file = this.#fileOf(index);
    if (file.growing) return this.#grown.lengthBytes(file, index);
    return Math.min(file.blockBytes, file.lengthBytes - (index - file.firstBlock) * file.blockBytes);
  }

  /** The index of the file that a block belongs to. O(log files). */
  blockFile(index: number): number {
    this.#checkBlock(index);
    const files = this.#decoder.files;
    const last = files[this.#lastFile];
    if (last !== undefined && index >= last.firstBlock && index < last.firstBlock + last.blockCount) {
      return this.#lastFile;
    }
    // The last file that starts at or before the block: files without blocks start where the next one does, and come first.
    let low = 0;
    let high = files.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((files[middle]?.firstBlock ?? Infinity) <= index) low = middle;
      else high = middle;
    }
    this.#lastFile = low;
    return low;
  }

  /** Where in its file a block starts. */
  blockOffsetBytes(index: number): number {
    return this.#offsetBytes(this.#fileOf(index), index);
  }

  /** Whether a block is the last one of a file that grows no more. */
  isFinalBlock(index: number): boolean {
    const file = this.#fileOf(index);
    return (file.ended || file.finalBlockSeen) && index === file.firstBlock + file.blockCount - 1;
  }

  /** The first block with equal checksum and length, or -1 if that is this one. */
  duplicateOf(index: number): number {
    this.#checkBlock(index);
    return this.#duplicates.duplicateOf(index);
  }

  /** The blocks that an earlier one is equal to. The set is the manifest's own: it must not be changed, and grows with it. */
  duplicates(): RangeSet {
    return this.#duplicates.duplicates();
  }

  /** The lengths of the blocks start..end - 1, summed. O(log files). Throws RangeError unless 0 <= start <= end <= blockCount. */
  bytesInRange(start: number, end: number): number {
    if (start > end) throw new RangeError(`${String(start)}..${String(end)} is not a range of blocks`);
    return this.#bytesBefore(end) - this.#bytesBefore(start);
  }

  /** The lengths of all blocks of a set, summed. Throws RangeError where a block is not there. */
  bytesInRanges(blocks: RangeSet): number {
    let bytes = 0;
    blocks.forEach((start, end) => {
      bytes += this.bytesInRange(start, end);
    });
    return bytes;
  }

  /** How far a file is held without a gap from its start, where `held` are the blocks that are. */
  contiguousLengthBytes(fileIndex: number, held: RangeSet): number {
    const file = this.#decoder.files[fileIndex];
    if (file === undefined) throw new RangeError(`there is no file ${String(fileIndex)}`);
    return this.#contiguousBytes(file, held);
  }

  /** The same for every file: bytes, by the file's index. */
  fileLengths(held: RangeSet): number[] {
    return this.#decoder.files.map((file) => this.#contiguousBytes(file, held));
  }

  #contiguousBytes(file: FileEntry, held: RangeSet): number {
    const end = Math.min(held.contiguousEnd(file.firstBlock), file.firstBlock + file.blockCount);
    return this.#offsetBytes(file, end);
  }

  /** Where in `file` the block `index` starts; one past its last block: where that one ends. */
  #offsetBytes(file: FileEntry, index: number): number {
    if (file.growing) return this.#grown.offsetBytes(file, index);
    return Math.min((index - file.firstBlock) * file.blockBytes, file.lengthBytes);
  }

  #bytesBefore(index: number): number {
    if (index === 0) return 0;
    const file = this.#fileOf(index - 1);
    return file.startBytes + this.#offsetBytes(file, index);
  }

  #fileOf(index: number): FileEntry {
    const file = this.#decoder.files[this.blockFile(index)];
    if (file === undefined) throw new RangeError(`there is no block ${String(index)}`);
    return file;
  }

  #checkBlock(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.#blocks.count) {
      throw new RangeError(`there is no block ${String(index)}`);
    }
  }
}
