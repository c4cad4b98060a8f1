/**
 * What a data directory says about one file set, read without changing anything: used when the store opens, and by
 * `sluice verify` beside a running agent.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { RangeSet } from "../../std/ranges.ts";
import { UserError } from "../../std/errors.ts";
import { Manifest } from "../../model/manifest.ts";
import { isName } from "../../model/names.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import { errorCode } from "./disk-errors.ts";
import { FileSetState } from "./file-set-state.ts";
import { loadJournal } from "./held-journal.ts";
import type { JournalState } from "./held-records.ts";
import { currentName, journalSuffix, manifestSuffix } from "./layout.ts";
import type { DataLayout } from "./layout.ts";
import { listWaiting } from "./recover.ts";

export interface LoadedFileSet {
  readonly state: FileSetState;
  /** As far as it is stored and undamaged. */
  readonly manifestBytes: Uint8Array;
  /** What the journal says is held; the state may hold less. */
  readonly recorded: RangeSet;
}

/** The keys of all file sets of which there is a manifest or a journal, in order. */
export async function listFileSets(layout: DataLayout): Promise<FileSetKey[]> {
  const keys = new Set<FileSetKey>();
  for (const [directory, suffix] of [
    [layout.manifests, manifestSuffix],
    [layout.held, journalSuffix],
  ] as const) {
    for (const name of await namesIn(directory)) {
      if (!isName(name)) continue;
      for (const file of await namesIn(join(directory, name))) {
        const version = file.endsWith(suffix) ? file.slice(0, -suffix.length) : "";
        if (isName(version) && version !== currentName) keys.add(`${name}@${version}`);
      }
    }
  }
  return [...keys].sort();
}

/** Throws UserError where a newer program wrote it, or the error of the file system. */
export async function loadFileSet(layout: DataLayout, key: FileSetKey): Promise<LoadedFileSet> {
  const journal = loadJournal(layout.journal(key));
  const recorded = journal.held.clone();
  const state = new FileSetState(layout, key, journal);
  const manifestBytes = await loadManifest(layout.manifest(key), journal);
  try {
    if (manifestBytes.length > 0) state.manifest = Manifest.decode(manifestBytes);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  if (state.manifest === undefined) {
    state.reset();
    return { state, manifestBytes: new Uint8Array(0), recorded };
  }
  state.manifestBytes = manifestBytes.length;
  state.manifestCrc = crc32(manifestBytes);
  const { blockCount } = state.manifest;
  for (const set of [state.held, state.candidates]) {
    if (set.last() >= blockCount) set.remove(blockCount, set.last() + 1);
  }
  if (state.held.count !== blockCount) state.complete = false;
  await placeGrowing(layout, state);
  return { state, manifestBytes, recorded };
}

/** The longest part of the manifest that the journal vouches for. */
async function loadManifest(path: string, journal: JournalState): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return new Uint8Array(0);
    throw error;
  }
  let checkedBytes = 0;
  let crc = 0;
  let goodBytes = 0;
  for (const { lengthBytes, crc: expected } of [...journal.manifests].sort((a, b) => a.lengthBytes - b.lengthBytes)) {
    if (lengthBytes > bytes.length) break;
    crc = crc32(bytes.subarray(checkedBytes, lengthBytes), crc);
    checkedBytes = lengthBytes;
    if (crc === expected) goodBytes = lengthBytes;
  }
  return bytes.slice(0, goodBytes);
}

/**
 * Works out how far growing files have come. What stands in files of its own, waiting for its turn, may have been moved
 * without that being durable: it is a candidate.
 */
async function placeGrowing(layout: DataLayout, state: FileSetState): Promise<void> {
  const manifest = state.needManifest();
  const growing = manifest.files.filter((file) => file.growing);
  if (growing.length === 0) return;
  const waiting = await listWaiting(layout.waiting(state.key));
  for (const file of growing) {
    const end = file.firstBlock + file.blockCount;
    for (const block of waiting.get(file.index) ?? []) {
      if (block < file.firstBlock || block >= end) continue;
      if (state.held.has(block)) state.candidates.add(block, block + 1);
      state.held.remove(block, block + 1);
    }
    const next = Math.min(state.held.contiguousEnd(file.firstBlock), end);
    // What is held beyond a gap may still be in the file: a block that was moved there has perhaps kept its old place too.
    const beyond = RangeSet.of(next, end).intersection(state.held);
    state.candidates.addAll(beyond);
    state.held.removeAll(beyond);
    state.growthOf(file).nextBlock = next;
  }
  if (state.held.count !== manifest.blockCount) state.complete = false;
}

/** Held blocks of files that do not look as they did are candidates from now on. `stamps`: of `files`, flat. */
export function dropChanged(
  state: FileSetState,
  fileIndexes: readonly number[],
  isSame: (place: number) => boolean,
): RangeSet {
  const lost = new RangeSet();
  for (const [place, index] of fileIndexes.entries()) {
    const file = state.needManifest().files[index];
    if (file === undefined || isSame(place)) continue;
    lost.add(file.firstBlock, file.firstBlock + file.blockCount);
    if (file.growing) state.growthOf(file).nextBlock = file.firstBlock;
  }
  const dropped = state.held.intersection(lost);
  state.removeHeld(dropped);
  state.candidates.addAll(dropped);
  return dropped;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error))) return [];
    throw error;
  }
}
