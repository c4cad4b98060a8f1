/**
 * Blocks that this agent holds already, in any file of any version, are copied on its own disk and never cross the
 * network. They are hashed on the way, so what is copied is what the new manifest names. Where the file system can share
 * blocks between files (reflinks), whole files are cloned.
 */
import { RangeSet } from "../../std/ranges.ts";
import type { FileEntry } from "../../model/manifest.ts";
import type { CopyJob } from "./disk-jobs.ts";
import type { FileSetState } from "./file-set-state.ts";
import { stampAt } from "./file-stamps.ts";
import { hashHeld } from "./hash-held.ts";
import { blocksBetweenPauses, jobBytes, jobFiles, smallestClonedFileBytes } from "./limits.ts";
import type { StoreContext } from "./store-context.ts";
import { noteDamaged, noteStored } from "./store-context.ts";
import { WantedIndex } from "./wanted-index.ts";

import { describeBlocks, filesOfPlan, plainTargets, planWrites, takeWritten } from "./write-plan.ts";

/** One block to copy. */
interface Copy {
  readonly block: number;
  readonly source: FileSetState;
  readonly sourceBlock: number;
}

/** Errors that say that a file system cannot clone at all. */
const cannotClone: ReadonlySet<string> = new Set(["ENOTSUP", "EOPNOTSUPP", "ENOSYS", "ENOTTY", "EINVAL", "EXDEV"]);
let clonesWork = true;

/**
 * Copies what of `wanted` is held anywhere. Returns what is held now. The file set's lock must be had alone. Throws the
 * error of the file system where it cannot be written; a source that cannot be read is left out.
 */
export async function copyLocally(context: StoreContext, state: FileSetState, wanted: RangeSet): Promise<RangeSet> {
  const sources = [...context.fileSets.values()].filter((other) => canOffer(other, state));
  const copied = new RangeSet();
  if (wanted.isEmpty || sources.length === 0) return copied;
  const index = await findSources(state, wanted, sources);
  let batch: Copy[] = [];
  let batchBytes = 0;
  const manifest = state.needManifest();
  for (let place = 0; place < index.blocks.length; place += 1) {
    const block = index.blocks[place] ?? 0;
    const file = manifest.files[manifest.blockFile(block)];
    const cloned = file === undefined ? 0 : await tryClone(context, state, { file, index, place, sources, copied });
    if (cloned > 0) {
      place += cloned - 1;
      continue;
    }
    const found = index.sourceOf(place);
    const source = found === undefined ? undefined : sources[found.source];
    if (found === undefined || source === undefined) continue;
    batch.push({ block, source, sourceBlock: found.block });
    batchBytes += manifest.blockLengthBytes(block);
    if (batchBytes < jobBytes && batch.length < jobFiles) continue;
    copied.addAll(await copyBatch(context, state, batch));
    batch = [];
    batchBytes = 0;
  }
  if (batch.length > 0) copied.addAll(await copyBatch(context, state, batch));
  return copied;
}

function canOffer(other: FileSetState, state: FileSetState): boolean {
  if (other.isDeleted || other.held.isEmpty || other.manifest === undefined) return false;
  return other.manifest.algorithm === state.needManifest().algorithm;
}

async function findSources(
  state: FileSetState,
  wanted: RangeSet,
  sources: readonly FileSetState[],
): Promise<WantedIndex> {
  const index = new WantedIndex(state.needManifest(), wanted);
  let looked = 0;
  for (const [place, source] of sources.entries()) {
    const manifest = source.needManifest();
    for (const [start, end] of source.held.clone().ranges()) {
      for (let block = start; block < end; block += 1) {
        index.offer(place, block, manifest.blockChecksum(block), manifest.blockLengthBytes(block));
        looked += 1;
        if (looked % blocksBetweenPauses === 0) {
          if (index.isSatisfied) return index;
          await new Promise((resume) => {
            setImmediate(resume);
          });
        }
      }
    }
  }
  return index;
}

async function copyBatch(context: StoreContext, state: FileSetState, copies: readonly Copy[]): Promise<RangeSet> {
  const usable = copies.filter(({ source, sourceBlock }) => !source.isDeleted && source.held.has(sourceBlock));
  const blocks = usable.map(({ block }) => block);
  const plan = planWrites(state, blocks);
  const paths: string[] = [];
  const offsets: number[] = [];
  for (const { source, sourceBlock } of usable) {
    const { path, offsetBytes } = source.place(sourceBlock);
    paths.push(path);
    offsets.push(offsetBytes);
  }
  const distinct = [...new Set(paths)];
  const places = new Map(distinct.map((path, place) => [path, place]));
  const job: CopyJob = {
    ...describeBlocks(state.needManifest(), blocks),
    paths: distinct,
    files: paths.map((path) => places.get(path) ?? 0),
    offsets,
    targets: plainTargets(plan),
  };
  const done = state.beginWriting(filesOfPlan(plan));
  try {
    const result = await context.writer.run("copy", job);
    const { stored, lost } = takeWritten(state, blocks, plan, result);
    noteStored(context, state, stored, filesOfPlan(plan));
    noteDamaged(context, state, lost);
    for (const place of result.bad) await checkSource(context, usable[place]);
    return stored;
  } finally {
    done();
  }
}

/** A source that did not give what it should is not held any more, unless it was only deleted meanwhile. */
async function checkSource(context: StoreContext, copy: Copy | undefined): Promise<void> {
  if (copy === undefined || copy.source.isDeleted) return;
  const block = RangeSet.of(copy.sourceBlock, copy.sourceBlock + 1);
  const { good, unreadable } = await hashHeld(context.reader, copy.source, block);
  if (good.isEmpty && unreadable.isEmpty) noteDamaged(context, copy.source, block);
}

interface CloneQuestion {
  readonly file: FileEntry;
  readonly index: WantedIndex;
  /** Of the block in question, in the index. */
  readonly place: number;
  readonly sources: readonly FileSetState[];
  readonly copied: RangeSet;
}

/** Clones the file that starts with this block, if all of it is one whole file elsewhere. Says how many blocks that made. */
async function tryClone(context: StoreContext, state: FileSetState, question: CloneQuestion): Promise<number> {
  const { file, index, place } = question;
  if (!clonesWork || index.blocks[place] !== file.firstBlock) return 0;
  const first = index.sourceOf(place);
  const source = first === undefined ? undefined : question.sources[first.source];
  if (first === undefined || source === undefined || !mayClone(state, source, first.block, file)) return 0;
  for (let step = 0; step < file.blockCount; step += 1) {
    const found = index.sourceOf(place + step);
    if (index.blocks[place + step] !== file.firstBlock + step) return 0;
    if (found?.source !== first.source || found.block !== first.block + step) return 0;
  }
  const target = state.filePath(file);
  const problem = await context.writer.run("clone", { source: source.place(first.block).path, target });
  if (problem !== undefined) {
    if (cannotClone.has(problem)) clonesWork = false;
    return 0;
  }
  const { lengthBytes, modifiedMilliseconds } = file;
  const stamps = await context.writer.run("stamp", { path: target, mode: 0o600, lengthBytes, modifiedMilliseconds });
  const blocks = RangeSet.of(file.firstBlock, file.firstBlock + file.blockCount);
  const hashed = await hashHeld(context.reader, state, blocks);
  state.stamps.set(file.index, stampAt(stamps, 0));
  noteStored(context, state, hashed.good, [file.index]);
  question.copied.addAll(hashed.good);
  return file.blockCount;
}

function mayClone(state: FileSetState, source: FileSetState, sourceBlock: number, file: FileEntry): boolean {
  const sourceFile = source.place(sourceBlock).file;
  return (
    !file.growing &&
    !sourceFile.growing &&
    file.lengthBytes >= smallestClonedFileBytes &&
    file.blockCount * file.blockBytes >= file.lengthBytes &&
    sourceFile.firstBlock === sourceBlock &&
    sourceFile.lengthBytes === file.lengthBytes &&
    !state.held.overlaps(file.firstBlock, file.firstBlock + file.blockCount)
  );
}
