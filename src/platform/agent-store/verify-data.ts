/**
 * Verifying a data directory from outside, beside a running agent or without one: everything that is recorded as held is
 * read again. Nothing is locked or changed. What seems damaged is looked at once more after a moment, since the agent may
 * just have moved, dropped or deleted it.
 */
import { lstat, readlink } from "node:fs/promises";
import type { Stats } from "node:fs";
import { RangeSet } from "../../std/ranges.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import type { WorkerThread } from "../worker-thread.ts";
import { diskError, errorCode } from "./disk-errors.ts";
import type { ReaderJobs } from "./disk-jobs.ts";
import type { FileSetState } from "./file-set-state.ts";
import { hashHeld } from "./hash-held.ts";
import { DataLayout } from "./layout.ts";
import { listFileSets, loadFileSet } from "./load-file-set.ts";
import { checkFormat } from "./open-data.ts";
import { startReader } from "./store-context.ts";

/** What is wrong with one block, or (without a block) with a file, directory or link as a whole. */
export interface Damage {
  readonly fileSet: FileSetKey;
  readonly path: string;
  /** Counted from 0 in its file. */
  readonly block?: number;
  readonly offsetBytes?: number;
  readonly lengthBytes?: number;
  readonly problem: string;
}

export interface VerifiedData {
  readonly fileSets: readonly {
    readonly fileSet: FileSetKey;
    readonly complete: boolean;
    readonly checkedFiles: number;
    readonly checkedBlocks: number;
    readonly checkedBytes: number;
    readonly damaged: number;
  }[];
  readonly damage: readonly Damage[];
}

/** A flush of the agent takes less than this, so what it is doing has reached its journal by then. */
const secondLookMilliseconds = 1000;

/** Throws UserError when there is no agent's data in the directory, or a newer program wrote it. */
export async function verifyData(dataDirectory: string): Promise<VerifiedData> {
  try {
    const layout = new DataLayout(dataDirectory);
    await checkFormat(layout, false);
    return await verifyLayout(layout);
  } catch (error) {
    throw diskError(error, dataDirectory);
  }
}

async function verifyLayout(layout: DataLayout): Promise<VerifiedData> {
  const reader = startReader();
  try {
    const fileSets = [];
    const damage: Damage[] = [];
    for (const fileSet of await listFileSets(layout)) {
      const { state } = await loadFileSet(layout, fileSet);
      if (state.manifest === undefined) continue;
      const found = await verifyTwice(layout, reader, state);
      damage.push(...found);
      const { held, manifest, complete } = state;
      const checkedFiles = [...state.filesOf(held)].length;
      const checkedBytes = manifest.bytesInRanges(held);
      fileSets.push({
        fileSet,
        complete,
        checkedFiles,
        checkedBlocks: held.count,
        checkedBytes,
        damaged: found.length,
      });
    }
    return { fileSets, damage };
  } finally {
    await reader.close();
  }
}

async function verifyTwice(
  layout: DataLayout,
  reader: WorkerThread<ReaderJobs>,
  state: FileSetState,
): Promise<Damage[]> {
  const bad = await badBlocks(reader, state, state.held);
  const isTreeWrong = state.complete && (await treeDamage(state)).length > 0;
  if (bad.isEmpty && !isTreeWrong) return [];
  await new Promise((resume) => {
    setTimeout(resume, secondLookMilliseconds);
  });
  const again = (await loadFileSet(layout, state.key)).state;
  if (again.manifest === undefined) return [];
  const stillBad = await badBlocks(reader, again, again.held.intersection(bad));
  const damage: Damage[] = [];
  for (const [start, end] of stillBad.ranges()) {
    for (let block = start; block < end; block += 1) damage.push(await describe(again, block));
  }
  if (again.complete) damage.push(...(await treeDamage(again)));
  return damage;
}

async function badBlocks(reader: WorkerThread<ReaderJobs>, state: FileSetState, blocks: RangeSet): Promise<RangeSet> {
  const manifest = state.needManifest();
  const known = RangeSet.of(0, manifest.blockCount).intersection(blocks);
  return known.difference((await hashHeld(reader, state, known)).good);
}

async function describe(state: FileSetState, block: number): Promise<Damage> {
  const { file, path, offsetBytes } = state.place(block);
  const lengthBytes = state.needManifest().blockLengthBytes(block);
  let problem = "it does not match its checksum";
  try {
    const found = await lstat(path);
    if (!found.isFile()) problem = "something else is in its place";
    else if (found.size < offsetBytes + lengthBytes) problem = "the file is too short";
  } catch (error) {
    problem = errorCode(error) === "ENOENT" ? "the file is missing" : (error as Error).message;
  }
  return { fileSet: state.key, path: file.path, block: block - file.firstBlock, offsetBytes, lengthBytes, problem };
}

/** What no block covers: empty and overlong files, directories and links of a file set that is complete. */
async function treeDamage(state: FileSetState): Promise<Damage[]> {
  const damage: Damage[] = [];
  const check = async (
    path: string,
    judge: (found: Stats | undefined) => Promise<string | undefined>,
  ): Promise<void> => {
    let found;
    try {
      found = await lstat(state.pathOf(path));
    } catch (error) {
      // What may not be looked at cannot be judged.
      if (!["ENOENT", "ENOTDIR"].includes(errorCode(error))) return;
    }
    const problem = await judge(found);
    if (problem !== undefined) damage.push({ fileSet: state.key, path, problem });
  };
  const missing = "it is missing";
  const replaced = "something else is in its place";
  const manifest = state.needManifest();
  for (const { path, lengthBytes, blockCount } of manifest.files) {
    await check(path, async (found) => {
      // What is wrong with a file that has blocks is told block by block, but for what follows the last one.
      if (found === undefined) return blockCount === 0 ? missing : undefined;
      if (!found.isFile()) return blockCount === 0 ? replaced : undefined;
      return found.size > lengthBytes ? `it is ${found.size - lengthBytes} bytes too long` : undefined;
    });
  }
  for (const { path } of manifest.directories) {
    await check(path, async (found) => {
      if (found === undefined) return missing;
      return found.isDirectory() ? undefined : replaced;
    });
  }
  for (const { path, target } of manifest.links) {
    await check(path, async (found) => {
      if (found === undefined) return missing;
      if (!found.isSymbolicLink()) return replaced;
      return (await readlink(state.pathOf(path))) === target ? undefined : "it points elsewhere";
    });
  }
  return damage;
}
