/**
 * A file set that is held as a whole becomes exactly what was published: modes and times, links, nothing beside it; then
 * all of it is made durable, and recorded as complete.
 */
import { join } from "node:path";
import { RangeSet } from "../../std/ranges.ts";
import { UserError } from "../../std/errors.ts";
import type { FileEntry, Manifest } from "../../model/manifest.ts";
import type { FileSetState } from "./file-set-state.ts";
import { stampAt, stampNumbers } from "./file-stamps.ts";
import { filesFlushedSingly, jobEntries } from "./limits.ts";
import type { StoreContext } from "./store-context.ts";
import { noteDamaged } from "./store-context.ts";
import { directoriesOf } from "./tree-directories.ts";

/** The file set's lock must be had alone. Throws UserError where something is missing or was changed by others. */
export async function finishFileSet(context: StoreContext, state: FileSetState): Promise<void> {
  const manifest = state.needManifest();
  if (state.isDeleted) throw new UserError(`${state.key} was deleted`);
  if (state.complete && state.held.count === manifest.blockCount) return;
  if (!manifest.isComplete || state.held.count !== manifest.blockCount) {
    throw new UserError(
      `${state.key} cannot be finished: ${manifest.blockCount - state.held.count} blocks are missing`,
    );
  }
  await finishFiles(context, state, manifest);
  await inSteps(manifest.links, async (links) => {
    const job = links.map(({ path, target }) => ({ path: state.pathOf(path), target }));
    await context.writer.run("makeLinks", job);
  });
  await inSteps(expectedNames(state, manifest), async (job) => context.writer.run("removeOthers", job));
  await finishDirectories(context, state, manifest);
  state.complete = true;
  try {
    await state.journal.rewrite(() => state.snapshotRecords());
  } catch (error) {
    state.complete = false;
    throw error;
  }
}

/** Last modes and times of directories, and everything durable. */
async function finishDirectories(context: StoreContext, state: FileSetState, manifest: Manifest): Promise<void> {
  const directories = finalDirectories(state, manifest);
  const finish = async (): Promise<void> =>
    inSteps(directories, async (job) => context.writer.run("finishDirectories", job));
  if (manifest.files.length + directories.length > filesFlushedSingly) {
    await finish();
    if (await context.flusher.flushFileSystem()) return;
    // One by one, what is to be flushed must be readable: what the last modes of directories forbid is allowed again.
    const parentsFirst = directories.toReversed().map(({ path, mode }) => ({ path, mode }));
    await inSteps(parentsFirst, async (job) => context.writer.run("makeDirectories", job));
    await makeAllDurable(context, state, manifest);
  } else {
    await context.flusher.flush();
  }
  await finish();
  await makeAllDurable(context, state, manifest);
}

async function finishFiles(context: StoreContext, state: FileSetState, manifest: Manifest): Promise<void> {
  const changedFiles: FileEntry[] = [];
  await inSteps(manifest.files, async (files) => {
    const stamps = new Float64Array(files.length * stampNumbers);
    for (const [place, file] of files.entries()) {
      const stamp = file.blockCount === 0 ? undefined : state.stamps.get(file.index);
      if (stamp === undefined) continue;
      stamps.set([stamp.sizeBytes, stamp.modifiedMilliseconds, stamp.inode], place * stampNumbers);
    }
    const job = files.map((file) => {
      const { lengthBytes, mode, modifiedMilliseconds } = file;
      return { path: state.filePath(file), lengthBytes, mode, modifiedMilliseconds };
    });
    // Times change before the stamps do: that is no change by others.
    const done = state.beginWriting(files.map((file) => file.index));
    const result = await context.writer.run("finishFiles", { files: job, stamps }).finally(done);
    for (const place of result.changed) changedFiles.push(...files.slice(place, place + 1));
    const changed = new Set(result.changed);
    for (const [place, file] of files.entries()) {
      if (file.blockCount > 0 && !changed.has(place)) state.stamps.set(file.index, stampAt(result.stamps, place));
    }
  });
  if (changedFiles.length === 0) return;
  const lost = new RangeSet();
  for (const file of changedFiles) lost.add(file.firstBlock, file.firstBlock + file.blockCount);
  noteDamaged(context, state, lost);
  throw new UserError(`${changedFiles.length} files of ${state.key} were changed by another program`, {
    hint: "they are verified again, and obtained anew where they differ",
  });
}

/** Every directory of the tree with the names that belong in it. */
function expectedNames(state: FileSetState, manifest: Manifest): { directory: string; names: string[] }[] {
  const names = new Map<string, string[]>([["", []]]);
  const directories = directoriesOf(manifest);
  for (const { path } of directories) names.set(path, []);
  for (const { path } of [...directories, ...manifest.files, ...manifest.links]) {
    const slash = path.lastIndexOf("/");
    names.get(slash < 0 ? "" : path.slice(0, slash))?.push(path.slice(slash + 1));
  }
  return [...names].map(([path, inIt]) => ({ directory: state.pathOf(path), names: inIt }));
}

/** Deepest first, so that finishing one changes nothing in those that are finished. */
function finalDirectories(
  state: FileSetState,
  manifest: Manifest,
): { path: string; mode: number; modifiedMilliseconds: number | undefined }[] {
  return directoriesOf(manifest)
    .map((directory) => ({ ...directory, depth: directory.path.split("/").length }))
    .sort((one, other) => other.depth - one.depth)
    .map(({ path, mode, modifiedMilliseconds }) => ({ path: state.pathOf(path), mode, modifiedMilliseconds }));
}

async function makeAllDurable(context: StoreContext, state: FileSetState, manifest: Manifest): Promise<void> {
  const { layout, writer } = context;
  await writer.run("takeDirectories", undefined).then((directories) => context.flusher.addDirectories(directories));
  const directories = ["", ...directoriesOf(manifest).map(({ path }) => path)].map((path) => state.pathOf(path));
  const files = manifest.files.map((file) => state.filePath(file));
  const above = [join(state.tree, ".."), layout.fileSets];
  await inSteps([...files, ...directories, ...above], async (entries) => writer.run("sync", { data: [], entries }));
}

async function inSteps<Item>(items: readonly Item[], work: (some: Item[]) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += jobEntries) await work(items.slice(start, start + jobEntries));
}
