/** Hashing blocks that stand on the disk, batch by batch, on the reading thread. */
import { RangeSet } from "../../std/ranges.ts";
import type { WorkerThread } from "../worker-thread.ts";
import { verdicts } from "./disk-jobs.ts";
import type { HashJob, ReaderJobs } from "./disk-jobs.ts";
import type { BlockPlace, FileSetState } from "./file-set-state.ts";
import { isSameStamp, stampAt } from "./file-stamps.ts";
import type { FileStamp } from "./file-stamps.ts";
import { jobBytes, jobFiles } from "./limits.ts";
import { describeBlocks } from "./write-plan.ts";

export interface HashedBlocks {
  readonly good: RangeSet;
  /** Blocks of files that this program may not read, so that nothing can be said. */
  readonly unreadable: RangeSet;
  /** How the files with good blocks looked all the time, by index; not of blocks in files of their own. */
  readonly stamps: Map<number, FileStamp>;
}

interface Batch {
  readonly blocks: number[];
  readonly parts: { path: string; offsetBytes: number; blockCount: number; file: number; isWaiting: boolean }[];
}

/**
 * Which of `blocks` stand on the disk as the manifest says.
 * @param placeOf where to look for each; by default where the store has it
 */
export async function hashHeld(
  reader: WorkerThread<ReaderJobs>,
  state: FileSetState,
  blocks: RangeSet,
  placeOf: (block: number) => BlockPlace = (block) => state.place(block),
): Promise<HashedBlocks> {
  const good = new RangeSet();
  const unreadable = new RangeSet();
  const stamps = new Map<number, FileStamp>();
  const unsteady = new Set<number>();
  for (const batch of batches(state, blocks, placeOf)) {
    const parts = batch.parts.map(({ path, offsetBytes, blockCount }) => ({ path, offsetBytes, blockCount }));
    const job: HashJob = { ...describeBlocks(state.needManifest(), batch.blocks), parts };
    const result = await reader.run("hash", job);
    let place = 0;
    for (const [index, part] of batch.parts.entries()) {
      const stamp = stampAt(result.stamps, index);
      const before = stamps.get(part.file);
      if (!part.isWaiting && !Number.isNaN(stamp.inode)) {
        if (before !== undefined && !isSameStamp(before, stamp)) unsteady.add(part.file);
        stamps.set(part.file, stamp);
      }
      for (const end = place + part.blockCount; place < end; place += 1) {
        const block = batch.blocks[place] ?? 0;
        if (result.verdicts[place] === verdicts.good) good.add(block, block + 1);
        else if (result.verdicts[place] === verdicts.unreadable) unreadable.add(block, block + 1);
      }
    }
  }
  // A file that changed between two batches cannot be believed in any part.
  for (const index of unsteady) {
    const file = state.needManifest().files[index];
    if (file !== undefined) good.remove(file.firstBlock, file.firstBlock + file.blockCount);
    stamps.delete(index);
  }
  return { good, unreadable, stamps };
}

function* batches(state: FileSetState, blocks: RangeSet, placeOf: (block: number) => BlockPlace): Generator<Batch> {
  const manifest = state.needManifest();
  let batch: Batch = { blocks: [], parts: [] };
  let lengthBytes = 0;
  // Taken as it is now: the store goes on meanwhile.
  for (const [start, end] of RangeSet.fromFlat(blocks.toFlat()).ranges()) {
    for (let block = start; block < end; block += 1) {
      const blockBytes = manifest.blockLengthBytes(block);
      if (batch.blocks.length > 0 && (lengthBytes + blockBytes > jobBytes || batch.parts.length >= jobFiles)) {
        yield batch;
        batch = { blocks: [], parts: [] };
        lengthBytes = 0;
      }
      const place = placeOf(block);
      const last = batch.parts.at(-1);
      const follows = last !== undefined && last.file === place.file.index && batch.blocks.at(-1) === block - 1;
      if (follows && !place.isWaiting && !last.isWaiting) {
        last.blockCount += 1;
      } else {
        const { path, offsetBytes, isWaiting, file } = place;
        batch.parts.push({ path, offsetBytes, blockCount: 1, file: file.index, isWaiting });
      }
      batch.blocks.push(block);
      lengthBytes += blockBytes;
    }
  }
  if (batch.blocks.length > 0) yield batch;
}
