/**
 * The entries of a manifest, and where the blocks of growing files begin and end.
 */

export interface DirectoryEntry {
  readonly path: string;
  readonly mode: number;
  readonly modifiedMilliseconds: number;
}

export interface LinkEntry {
  readonly path: string;
  readonly target: string;
}

export interface FileEntry {
  readonly index: number;
  readonly path: string;
  readonly mode: number;
  /** Of a growing file: when it was begun, until it has ended. */
  readonly modifiedMilliseconds: number;
  readonly version: number;
  /** Whether its length was unknown when it was written down; stays so after it has ended. */
  readonly growing: boolean;
  /** Whether all its blocks are written down. */
  readonly ended: boolean;
  /** Whether the last block has come; a growing file ends only a record later. */
  readonly finalBlockSeen: boolean;
  readonly blockBytes: number;
  /** Of a growing file: so far. */
  readonly lengthBytes: number;
  readonly firstBlock: number;
  /** So far. */
  readonly blockCount: number;
  /** The lengths of all files before it. */
  readonly startBytes: number;
}

/** The same entry as its writer sees it. */
export type MutableFileEntry = { -readonly [Key in keyof FileEntry]: FileEntry[Key] };

const initialBlocks = 64;

/** The blocks of growing files may have any lengths: here is where each one ends in its file. */
export class GrownBlocks {
  #endBytes = new Float64Array(initialBlocks);
  #count = 0;
  /** By the file's index: the place of its first block here. */
  readonly #firstPlace = new Map<number, number>();

  /** Appends a block to `file`, whose `blockCount` and `lengthBytes` do not count it yet. */
  append(file: FileEntry, lengthBytes: number): void {
    if (!this.#firstPlace.has(file.index)) this.#firstPlace.set(file.index, this.#count);
    if (this.#count === this.#endBytes.length) {
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#endBytes);
      this.#endBytes = larger;
    }
    this.#endBytes[this.#count] = file.lengthBytes + lengthBytes;
    this.#count += 1;
  }

  /** Where the block `index` of the manifest starts in its file; also for the one past the last. */
  offsetBytes(file: FileEntry, index: number): number {
    if (index === file.firstBlock) return 0;
    return this.#endBytes[(this.#firstPlace.get(file.index) ?? 0) + (index - file.firstBlock) - 1] ?? 0;
  }

  lengthBytes(file: FileEntry, index: number): number {
    return this.offsetBytes(file, index + 1) - this.offsetBytes(file, index);
  }
}
