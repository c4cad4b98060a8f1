/**
 * What the store knows of one file set: its manifest, which blocks are held, and how its files look.
 *
 * A block is in `held` as soon as it is verified and written; those also in `unflushed` or `flushing` are not durable
 * yet. Blocks in `candidates` may be on the disk and are believed only after they have been hashed again.
 */
import { join } from "node:path";
import { RangeSet } from "../../std/ranges.ts";
import { UserError } from "../../std/errors.ts";
import type { FileEntry, Manifest } from "../../model/manifest.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import type { FileStamps } from "./file-stamps.ts";
import { HeldJournal } from "./held-journal.ts";
import { completeRecord, heldRecord, manifestRecord, writtenRecord } from "./held-records.ts";
import type { JournalState } from "./held-records.ts";
import type { DataLayout } from "./layout.ts";
import { SharedLock } from "./shared-lock.ts";

/** How far a growing file has come on the disk. */
export interface Growth {
  /** The first block that its file does not have yet; all before it are verified and in their places. */
  nextBlock: number;
  /** Blocks beyond it, each in a file of its own. */
  readonly waiting: RangeSet;
  /** Somebody touched the file: nothing is appended until it has been hashed again. */
  broken: boolean;
}

/** Where a block stands on the disk. */
export interface BlockPlace {
  readonly file: FileEntry;
  readonly path: string;
  readonly offsetBytes: number;
  /** In a file of its own, waiting for the blocks before it. */
  readonly isWaiting: boolean;
}

export class FileSetState {
  readonly key: FileSetKey;
  readonly tree: string;
  readonly lock = new SharedLock();
  readonly journal: HeldJournal;
  manifest: Manifest | undefined;
  /** Bytes of the manifest that are stored, and their CRC-32. */
  manifestBytes = 0;
  manifestCrc = 0;
  manifestIsDurable = true;
  readonly held: RangeSet;
  readonly candidates: RangeSet;
  unflushed = new RangeSet();
  flushing = new RangeSet();
  readonly stamps: FileStamps;
  /** Files written since the last flush. */
  touched = new Set<number>();
  readonly growth = new Map<number, Growth>();
  /** Waiting blocks whose copies in their file are not durable yet. */
  moved: string[] = [];
  /** How many of them the flush under way covers. */
  movedFlushing = 0;
  complete: boolean;
  /** The journal's end was lost: what it does not name may be on the disk all the same. */
  scanAll: boolean;
  /** Directories that were made, by their paths in the tree. */
  readonly madeDirectories = new Set<string>();
  /** How much of the manifest has been prepared. */
  readonly prepared = { recovered: false, directories: 0, files: 0, blocks: 0 };
  isDeleted = false;
  /** Counts the writes that were begun. */
  writesBegun = 0;
  readonly #layout: DataLayout;
  readonly #writing = new Map<number, number>();
  readonly #copies = new Map<number, number[]>();
  #copiesSeen = 0;

  constructor(layout: DataLayout, key: FileSetKey, journal: JournalState) {
    this.key = key;
    this.#layout = layout;
    this.tree = layout.tree(key);
    this.journal = new HeldJournal(layout.journal(key), journal.readBytes);
    this.held = journal.held;
    this.candidates = journal.candidates;
    this.stamps = journal.stamps;
    this.complete = journal.complete;
    this.scanAll = journal.torn;
  }

  /** Throws UserError before there is one. */
  needManifest(): Manifest {
    if (this.manifest === undefined) throw new UserError(`the manifest of ${this.key} is not here yet`);
    return this.manifest;
  }

  /** Where a path of the tree is; "" is the tree itself. */
  pathOf(path: string): string {
    return path === "" ? this.tree : join(this.tree, path);
  }

  filePath(file: FileEntry): string {
    return join(this.tree, file.path);
  }

  /** Whether it is written in order: a growing file that has not all of its blocks. */
  isAppended(file: FileEntry): boolean {
    if (!file.growing) return false;
    return !file.ended || this.growthOf(file).nextBlock < file.firstBlock + file.blockCount;
  }

  growthOf(file: FileEntry): Growth {
    let growth = this.growth.get(file.index);
    if (growth === undefined) {
      growth = { nextBlock: file.firstBlock, waiting: new RangeSet(), broken: false };
      this.growth.set(file.index, growth);
    }
    return growth;
  }

  place(block: number): BlockPlace {
    const manifest = this.needManifest();
    const file = manifest.files[manifest.blockFile(block)];
    if (file === undefined) throw new RangeError(`there is no block ${String(block)}`);
    if (file.growing && this.growthOf(file).waiting.has(block)) {
      return { file, path: this.waitingPath(file, block), offsetBytes: 0, isWaiting: true };
    }
    return { file, path: this.filePath(file), offsetBytes: manifest.blockOffsetBytes(block), isWaiting: false };
  }

  waitingPath(file: FileEntry, block: number): string {
    return this.#layout.waitingBlock(this.key, file.index, block);
  }

  /** The later blocks that are equal to this one. */
  copiesOf(block: number): readonly number[] {
    const manifest = this.needManifest();
    if (this.#copiesSeen < manifest.blockCount) {
      const duplicates = manifest.duplicates();
      const seen = this.#copiesSeen;
      this.#copiesSeen = manifest.blockCount;
      for (let next = duplicates.nextIn(seen); next >= 0; next = duplicates.nextIn(next + 1)) {
        const first = manifest.duplicateOf(next);
        const copies = this.#copies.get(first);
        if (copies === undefined) this.#copies.set(first, [next]);
        else copies.push(next);
      }
    }
    return this.#copies.get(block) ?? [];
  }

  /** Marks files as being written, until the function that is returned is called. */
  beginWriting(files: Iterable<number>): () => void {
    const listed = [...files];
    this.writesBegun += 1;
    for (const file of listed) this.#writing.set(file, (this.#writing.get(file) ?? 0) + 1);
    return () => {
      for (const file of listed) {
        const left = (this.#writing.get(file) ?? 1) - 1;
        if (left === 0) this.#writing.delete(file);
        else this.#writing.set(file, left);
      }
    };
  }

  isBeingWritten(file: number): boolean {
    return this.#writing.has(file);
  }

  /** Blocks that are verified and written; `noteStored` of the store tells the journal. */
  addHeld(blocks: RangeSet): void {
    this.held.addAll(blocks);
    this.candidates.removeAll(blocks);
    this.unflushed.addAll(blocks);
  }

  removeHeld(blocks: RangeSet): void {
    this.held.removeAll(blocks);
    this.unflushed.removeAll(blocks);
    this.flushing.removeAll(blocks);
    this.complete = false;
  }

  /** Forgets all that is known of its blocks: what is on the disk may be found again by hashing. */
  reset(): void {
    for (const set of [this.held, this.candidates, this.unflushed, this.flushing]) set.clear();
    for (const file of [...this.stamps.files()]) this.stamps.delete(file);
    this.growth.clear();
    this.#copies.clear();
    this.#copiesSeen = 0;
    this.touched.clear();
    this.madeDirectories.clear();
    this.manifest = undefined;
    this.manifestBytes = 0;
    this.manifestCrc = 0;
    this.complete = false;
    this.scanAll = true;
    Object.assign(this.prepared, { recovered: false, directories: 0, files: 0, blocks: 0 });
  }

  /** The files that a set of blocks belongs to, rising. */
  *filesOf(blocks: RangeSet): Generator<FileEntry> {
    const manifest = this.needManifest();
    for (const [start, end] of blocks.ranges()) {
      let block = start;
      while (block < end) {
        const file = manifest.files[manifest.blockFile(block)];
        if (file === undefined) return;
        yield file;
        block = file.firstBlock + file.blockCount;
      }
    }
  }

  /** A HELD record of these blocks, with the stamps of their files as they are now. */
  heldRecordOf(blocks: RangeSet): Uint8Array {
    const stamps = [];
    let last = -1;
    for (const { index } of this.filesOf(blocks)) {
      const stamp = index === last ? undefined : this.stamps.get(index);
      if (stamp !== undefined) stamps.push([index, stamp] as const);
      last = index;
    }
    return heldRecord(blocks, stamps);
  }

  /** Records that say all that is known, for a journal that is written anew. */
  snapshotRecords(): Uint8Array[] {
    const uncertain = this.unflushed.union(this.flushing).union(this.candidates);
    const durable = this.held.difference(this.unflushed).difference(this.flushing);
    const records = [manifestRecord(this.manifestBytes, this.manifestCrc)];
    if (!durable.isEmpty) records.push(this.heldRecordOf(durable));
    if (!uncertain.isEmpty) records.push(writtenRecord(uncertain));
    if (this.complete) records.push(completeRecord());
    return records;
  }
}
