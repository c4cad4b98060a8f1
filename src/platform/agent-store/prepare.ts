/**
 * Getting a file set ready to be filled: its directories are made, what is on the disk already is found, and what other
 * file sets hold is copied. It may be called again as the manifest grows; only what is new is looked at then.
 */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { RangeSet } from "../../std/ranges.ts";
import type { FileEntry, Manifest } from "../../model/manifest.ts";
import type { FileSetState } from "./file-set-state.ts";
import { jobEntries } from "./limits.ts";
import { copyLocally } from "./local-copy.ts";
import { findUnrecorded, recoverCandidates } from "./recover.ts";
import type { StoreContext } from "./store-context.ts";
import { directoriesOf, impliedDirectoryMode } from "./tree-directories.ts";
import { moveWaiting } from "./write-blocks.ts";

/** Returns what is held then. The file set's lock must be had alone. Throws the error of the file system. */
export async function prepareFileSet(
  context: StoreContext,
  state: FileSetState,
  manifest: Manifest,
): Promise<RangeSet> {
  if (state.manifest !== undefined && state.manifest !== manifest) restart(state);
  state.manifest = manifest;
  if (manifest.isComplete && state.complete && state.held.count === manifest.blockCount) {
    Object.assign(state.prepared, whole(manifest));
    return state.held.clone();
  }
  const { prepared } = state;
  const isNewTree = await makeDirectories(context, state, manifest);
  await makeEmptyFiles(context, state, manifest.files.slice(prepared.files));
  prepared.files = manifest.files.length;
  // In a tree that has just been made there is nothing to be found.
  if (isNewTree) state.scanAll = false;
  else if (!prepared.recovered) await findUnrecorded(context, state);
  const found = await recoverCandidates(context, state);
  prepared.recovered = true;
  const missing = state.held.complement(prepared.blocks, manifest.blockCount);
  prepared.blocks = manifest.blockCount;
  found.addAll(await copyLocally(context, state, missing));
  await moveWaiting(context, state, found);
  return state.held.clone();
}

function whole(manifest: Manifest): FileSetState["prepared"] {
  return {
    recovered: true,
    directories: manifest.directories.length,
    files: manifest.files.length,
    blocks: manifest.blockCount,
  };
}

/** Another decoding of the manifest than before: its entries are gone through from the first again. */
function restart(state: FileSetState): void {
  Object.assign(state.prepared, { directories: 0, files: 0, blocks: 0 });
}

/** Says whether the tree itself was not there. */
async function makeDirectories(context: StoreContext, state: FileSetState, manifest: Manifest): Promise<boolean> {
  const { prepared, madeDirectories } = state;
  const { files, links, directories } = manifest;
  // Links come last in a tree, and are few: they are looked at each time.
  const added = { directories: directories.slice(prepared.directories), files: files.slice(prepared.files), links };
  const tree = { path: "", mode: impliedDirectoryMode };
  const wanted = [tree, ...directoriesOf(added)]
    .filter(({ path }) => !madeDirectories.has(path))
    .map(({ path, mode }) => ({ path: state.pathOf(path), mode }));
  await mkdir(dirname(state.tree), { recursive: true });
  context.flusher.addDirectories([context.layout.fileSets]);
  let isNewTree = false;
  try {
    for (let start = 0; start < wanted.length; start += jobEntries) {
      const madeFirst = await context.writer.run("makeDirectories", wanted.slice(start, start + jobEntries));
      if (madeFirst && wanted[start]?.path === state.tree) isNewTree = true;
    }
  } catch (error) {
    // Which of them were made is not known: all are made sure of the next time.
    madeDirectories.clear();
    throw error;
  }
  for (const { path } of [tree, ...directoriesOf(added)]) madeDirectories.add(path);
  prepared.directories = manifest.directories.length;
  return isNewTree;
}

async function makeEmptyFiles(context: StoreContext, state: FileSetState, files: readonly FileEntry[]): Promise<void> {
  const empty = files
    .filter((file) => !file.growing && file.lengthBytes === 0)
    .map((file) => {
      const { mode, modifiedMilliseconds } = file;
      return { path: state.filePath(file), mode: mode | 0o600, modifiedMilliseconds };
    });
  for (let start = 0; start < empty.length; start += jobEntries) {
    await context.writer.run("makeEmptyFiles", empty.slice(start, start + jobEntries));
  }
}
