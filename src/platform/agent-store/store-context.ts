/** What the parts of the store share: its threads, its file sets, and whom to tell. */
import type { RangeSet } from "../../std/ranges.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import { WorkerThread } from "../worker-thread.ts";
import type { BlockMemory } from "./block-memory.ts";
import { diskError } from "./disk-errors.ts";
import type { ReaderJobs, WriterJobs } from "./disk-jobs.ts";
import type { FileSetState } from "./file-set-state.ts";
import type { Flusher } from "./flusher.ts";
import { droppedRecord, writtenRecord } from "./held-records.ts";
import type { DataLayout } from "./layout.ts";
import type { Repairs } from "./repairs.ts";
import type { WriteQueue } from "./write-queue.ts";

export interface StoreListeners {
  damaged: ((fileSet: FileSetKey, blocks: RangeSet) => void)[];
  recovered: ((fileSet: FileSetKey, blocks: RangeSet) => void)[];
  problem: ((fileSet: FileSetKey | undefined, problem: string) => void)[];
}

export interface StoreContext {
  readonly layout: DataLayout;
  readonly writer: WorkerThread<WriterJobs>;
  readonly reader: WorkerThread<ReaderJobs>;
  readonly memory: BlockMemory;
  readonly writes: WriteQueue;
  readonly flusher: Flusher;
  readonly repairs: Repairs;
  readonly fileSets: Map<FileSetKey, FileSetState>;
  readonly listeners: StoreListeners;
}

export function startWriter(): WorkerThread<WriterJobs> {
  return new WorkerThread<WriterJobs>(new URL("./disk-writer-worker.js", import.meta.url));
}

export function startReader(): WorkerThread<ReaderJobs> {
  return new WorkerThread<ReaderJobs>(new URL("./disk-reader-worker.js", import.meta.url));
}

/** Blocks are verified and written: they are held from now on, and durable after the next flush. */
export function noteStored(
  context: StoreContext,
  state: FileSetState,
  blocks: RangeSet,
  files: Iterable<number>,
): void {
  if (blocks.isEmpty) return;
  try {
    state.journal.append(writtenRecord(blocks));
  } catch (error) {
    // Only a hint for after a crash; the flush, which matters, will say so again if it cannot write either.
    tellProblem(context, state, error);
  }
  state.addHeld(blocks);
  for (const file of files) state.touched.add(file);
  context.flusher.mark(state, state.needManifest().bytesInRanges(blocks));
}

/**
 * Blocks are not what they were: they are not held any more, and whoever listens is told. What is still there is found
 * by hashing again in the background.
 * @param mayBeThere false: not even a good checksum is believed, since the disk refused to keep them
 */
export function noteDamaged(context: StoreContext, state: FileSetState, blocks: RangeSet, mayBeThere = true): RangeSet {
  const lost = state.held.intersection(blocks);
  if (lost.isEmpty) return lost;
  for (const file of state.filesOf(lost)) {
    const growth = state.isAppended(file) ? state.growthOf(file) : undefined;
    if (growth !== undefined && lost.difference(growth.waiting).overlaps(file.firstBlock, growth.nextBlock)) {
      growth.broken = true;
    }
  }
  state.removeHeld(lost);
  if (mayBeThere) state.candidates.addAll(lost);
  lost.forEach((start, end) => context.memory.forget(state.key, start, end));
  try {
    state.journal.append(droppedRecord(lost));
    if (mayBeThere) state.journal.append(writtenRecord(lost));
    context.flusher.mark(state, 0);
  } catch (error) {
    // What the journal still claims is found out again by the same check after a restart.
    tellProblem(context, state, error);
  }
  for (const listener of context.listeners.damaged) listener(state.key, lost);
  context.repairs.schedule(state, lost);
  return lost;
}

export function tellProblem(context: StoreContext, state: FileSetState | undefined, error: unknown): void {
  const { message } = diskError(error, context.layout.data);
  for (const listener of context.listeners.problem) listener(state?.key, message);
}
