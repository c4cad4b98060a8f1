/**
 * Finding again what is on the disk already: after a crash, after somebody touched a file, or where the journal is gone.
 * Nothing is believed that was not hashed again.
 */
import { readdir } from "node:fs/promises";
import { RangeSet } from "../../std/ranges.ts";
import type { FileEntry } from "../../model/manifest.ts";
import type { BlockPlace, FileSetState } from "./file-set-state.ts";
import { stampAt } from "./file-stamps.ts";
import { hashHeld } from "./hash-held.ts";
import { jobEntries } from "./limits.ts";
import type { StoreContext } from "./store-context.ts";
import { noteDamaged, noteStored } from "./store-context.ts";

/**
 * Hashes all candidates again; those that are good are held. Growing files get the length that is verified. The file
 * set's lock must be had alone.
 */
export async function recoverCandidates(context: StoreContext, state: FileSetState): Promise<RangeSet> {
  const manifest = state.needManifest();
  const candidates = RangeSet.of(0, manifest.blockCount).intersection(state.candidates);
  const appended = new RangeSet();
  const growing: FileEntry[] = [];
  for (const file of manifest.files) {
    if (!state.isAppended(file)) continue;
    const growth = state.growthOf(file);
    const hasCandidates = candidates.overlaps(file.firstBlock, file.firstBlock + file.blockCount);
    if (growth.broken || hasCandidates || !state.prepared.recovered) growing.push(file);
    appended.add(file.firstBlock, file.firstBlock + file.blockCount);
  }
  const found = await recoverInPlace(context, state, candidates.difference(appended));
  for (const file of growing) found.addAll(await recoverGrowing(context, state, file, candidates));
  state.candidates.removeAll(candidates);
  return found;
}

/** Blocks of files that are as long as they will be. */
async function recoverInPlace(context: StoreContext, state: FileSetState, blocks: RangeSet): Promise<RangeSet> {
  if (blocks.isEmpty) return new RangeSet();
  const { good, stamps } = await hashHeld(context.reader, state, blocks);
  for (const [index, stamp] of stamps) {
    const file = state.needManifest().files[index];
    if (file === undefined) continue;
    state.stamps.set(index, stamp);
    if (stamp.sizeBytes === file.lengthBytes || good.isEmpty) continue;
    const { lengthBytes, modifiedMilliseconds } = file;
    const job = { path: state.filePath(file), lengthBytes, modifiedMilliseconds };
    const cut = stampAt(await context.writer.run("truncate", job), 0);
    state.stamps.set(index, cut);
    if (cut.inode !== stamp.inode) good.remove(file.firstBlock, file.firstBlock + file.blockCount);
  }
  noteStored(context, state, good, stamps.keys());
  return good;
}

/** A growing file: what is good from its start on stays, the rest of it goes; then the blocks that wait for their turn. */
async function recoverGrowing(
  context: StoreContext,
  state: FileSetState,
  file: FileEntry,
  candidates: RangeSet,
): Promise<RangeSet> {
  const manifest = state.needManifest();
  const end = file.firstBlock + file.blockCount;
  const growth = state.growthOf(file);
  const inFile = (block: number): BlockPlace => {
    return { file, path: state.filePath(file), offsetBytes: manifest.blockOffsetBytes(block), isWaiting: false };
  };
  const found = new RangeSet();
  const firstWaiting = growth.waiting.nextIn(file.firstBlock);
  let next = Math.min(state.held.contiguousEnd(file.firstBlock), firstWaiting < 0 ? end : firstWaiting, end);
  const inLine = RangeSet.of(next, Math.min(candidates.contiguousEnd(next), end));
  if (!inLine.isEmpty) {
    const { good, stamps } = await hashHeld(context.reader, state, inLine, inFile);
    const stamp = stamps.get(file.index);
    if (stamp !== undefined) state.stamps.set(file.index, stamp);
    const goodEnd = good.contiguousEnd(next);
    found.add(next, goodEnd);
    next = goodEnd;
  }
  if (!(await setLength(context, state, file, next))) {
    next = file.firstBlock;
    found.clear();
    await setLength(context, state, file, next);
  }
  growth.nextBlock = next;
  growth.broken = false;
  // What was held beyond that went with the end of the file.
  const beyond = RangeSet.of(next, end).intersection(state.held).difference(growth.waiting);
  noteDamaged(context, state, beyond, false);
  noteStored(context, state, found, [file.index]);
  const waiting = await recoverWaiting(context, state, file, RangeSet.of(next, end).intersection(candidates));
  found.addAll(waiting);
  return found;
}

/** Makes a growing file as long as its blocks before `next` are. False: it is another file than the one they were in. */
async function setLength(context: StoreContext, state: FileSetState, file: FileEntry, next: number): Promise<boolean> {
  const manifest = state.needManifest();
  const last = next - 1;
  const lengthBytes = next === file.firstBlock ? 0 : manifest.blockOffsetBytes(last) + manifest.blockLengthBytes(last);
  const { modifiedMilliseconds } = file;
  const path = state.filePath(file);
  const before = state.stamps.get(file.index);
  const job = { path, lengthBytes, modifiedMilliseconds, mode: file.mode | 0o600 };
  const done = state.beginWriting([file.index]);
  const stamp = stampAt(await context.writer.run("stamp", job).finally(done), 0);
  state.stamps.set(file.index, stamp);
  return next === file.firstBlock || before?.inode === stamp.inode;
}

async function recoverWaiting(
  context: StoreContext,
  state: FileSetState,
  file: FileEntry,
  blocks: RangeSet,
): Promise<RangeSet> {
  if (blocks.isEmpty) return blocks;
  const { good } = await hashHeld(context.reader, state, blocks, (block) => {
    return { file, path: state.waitingPath(file, block), offsetBytes: 0, isWaiting: true };
  });
  state.growthOf(file).waiting.addAll(good);
  noteStored(context, state, good, [file.index]);
  return good;
}

/**
 * Blocks of files that are on the disk although the journal knows nothing of them, or has lost its end: they become
 * candidates.
 */
export async function findUnrecorded(context: StoreContext, state: FileSetState): Promise<void> {
  const manifest = state.needManifest();
  const files = manifest.files.filter((file) => {
    if (file.blockCount === 0) return false;
    const end = file.firstBlock + file.blockCount;
    if (state.held.hasRange(file.firstBlock, end)) return false;
    return (
      state.scanAll || !(state.held.overlaps(file.firstBlock, end) || state.candidates.overlaps(file.firstBlock, end))
    );
  });
  for (let start = 0; start < files.length; start += jobEntries) {
    const some = files.slice(start, start + jobEntries);
    const stamps = await context.reader.run(
      "stat",
      some.map((file) => state.filePath(file)),
    );
    for (const [place, file] of some.entries()) {
      const { inode, sizeBytes } = stampAt(stamps, place);
      if (!(inode > 0) || (!file.growing && sizeBytes !== file.lengthBytes)) continue;
      const missing = state.held.complement(file.firstBlock, file.firstBlock + file.blockCount);
      missing.forEach((from, to) => state.candidates.add(from, to));
    }
  }
  state.scanAll = false;
}

/** The blocks that wait in files of their own, as the staging directory has them: by file index. */
export async function listWaiting(directory: string): Promise<Map<number, number[]>> {
  const waiting = new Map<number, number[]>();
  const names = await readdir(directory).catch(() => []);
  for (const name of names) {
    const match = /^([0-9]{1,8})-([0-9]{1,8})$/.exec(name);
    if (match === null) continue;
    const file = Number(match[1]);
    const blocks = waiting.get(file) ?? [];
    blocks.push(Number(match[2]));
    waiting.set(file, blocks);
  }
  return waiting;
}
