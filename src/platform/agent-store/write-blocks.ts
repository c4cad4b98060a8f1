/**
 * Storing blocks that came over the network: verified, written, their copies elsewhere in the file set filled, and
 * blocks of growing files put in line when their turn has come.
 */
import { RangeSet } from "../../std/ranges.ts";
import { UserError } from "../../std/errors.ts";
import type { CopyJob } from "./disk-jobs.ts";
import { jobBytes } from "./limits.ts";
import type { FileSetState } from "./file-set-state.ts";
import type { StoreContext } from "./store-context.ts";
import { noteDamaged } from "./store-context.ts";
import { describeBlocks, plainTargets, planWrites, takeWritten } from "./write-plan.ts";
import type { WriteEntry } from "./write-queue.ts";

export interface BlocksWritten {
  /** Blocks of the run that are not what the manifest says; they were not written. */
  readonly bad: readonly number[];
  /** Blocks outside the run that were stored too, since they are equal to one in it. */
  readonly alsoStored: RangeSet;
}

/** See AgentStore.writeBlocks. Throws RangeError where the run is not one of this file set. */
export async function writeRun(
  context: StoreContext,
  state: FileSetState,
  start: number,
  end: number,
  bytes: Uint8Array,
): Promise<BlocksWritten> {
  const manifest = state.needManifest();
  if (start < 0 || start >= end || end > manifest.blockCount || bytes.length !== manifest.bytesInRange(start, end)) {
    throw new RangeError(`${start}..${end} is not a run of blocks of ${state.key} with ${bytes.length} bytes`);
  }
  const entries = entriesOf(state, start, end);
  const stored = new RangeSet();
  const bad = new Set<number>();
  const work = async (): Promise<void> => {
    if (state.isDeleted) throw new UserError(`${state.key} was deleted`);
    await context.writes.write(state, entries, bytes, { stored, bad });
    await moveWaiting(context, state, stored);
  };
  const appends = entries.some(({ block }) => state.isAppended(state.place(block).file));
  await (appends ? state.lock.alone(work) : state.lock.share(work));
  const alsoStored = stored.clone();
  alsoStored.remove(start, end);
  return { bad: [...bad].filter((block) => block >= start && block < end).sort((a, b) => a - b), alsoStored };
}

function entriesOf(state: FileSetState, start: number, end: number): WriteEntry[] {
  const manifest = state.needManifest();
  const entries: WriteEntry[] = [];
  let position = 0;
  for (let block = start; block < end; block += 1) {
    if (!state.held.has(block)) entries.push({ block, start: position });
    for (const copy of state.copiesOf(block)) {
      const inRun = copy >= start && copy < end;
      if (!inRun && !state.held.has(copy)) entries.push({ block: copy, start: position });
    }
    position += manifest.blockLengthBytes(block);
  }
  return entries.sort((one, other) => one.block - other.block);
}

/**
 * Appends blocks that were waiting to the growing files whose next block they are. They are hashed again on the way;
 * their own files go when the copies are durable.
 * @param recent blocks just stored: only their files are looked at
 */
export async function moveWaiting(context: StoreContext, state: FileSetState, recent: RangeSet): Promise<void> {
  const manifest = state.needManifest();
  for (const file of state.filesOf(recent)) {
    if (!file.growing) continue;
    const growth = state.growthOf(file);
    while (!growth.broken && growth.waiting.has(growth.nextBlock)) {
      const blocks: number[] = [];
      let lengthBytes = 0;
      for (let block = growth.nextBlock; growth.waiting.has(block); block += 1) {
        lengthBytes += manifest.blockLengthBytes(block);
        if (blocks.length > 0 && lengthBytes > jobBytes) break;
        blocks.push(block);
      }
      if (!(await moveInLine(context, state, file.index, blocks))) break;
    }
  }
}

/** Appends waiting blocks that are next in line. False: the first of them is not good any more. */
async function moveInLine(
  context: StoreContext,
  state: FileSetState,
  fileIndex: number,
  blocks: readonly number[],
): Promise<boolean> {
  const manifest = state.needManifest();
  const plan = planWrites(state, blocks);
  const paths = blocks.map((block) => state.place(block).path);
  const job: CopyJob = {
    ...describeBlocks(manifest, blocks),
    paths,
    files: blocks.map((_, place) => place),
    offsets: blocks.map(() => 0),
    targets: plainTargets(plan),
  };
  const done = state.beginWriting([fileIndex]);
  try {
    const result = await context.writer.run("copy", job);
    const { stored, lost } = takeWritten(state, blocks, plan, result);
    noteDamaged(context, state, lost);
    const { waiting } = state.growthOf(state.place(blocks[0] ?? 0).file);
    waiting.removeAll(stored);
    for (const [place, block] of blocks.entries()) if (stored.has(block)) state.moved.push(paths[place] ?? "");
    // Their bytes stand in a new place that is not durable yet.
    state.unflushed.addAll(stored);
    state.touched.add(fileIndex);
    context.flusher.mark(state, manifest.bytesInRanges(stored));
    for (const place of result.bad) {
      const block = blocks[place] ?? 0;
      waiting.remove(block, block + 1);
      noteDamaged(context, state, RangeSet.of(block, block + 1));
    }
    return !stored.isEmpty;
  } finally {
    done();
  }
}
