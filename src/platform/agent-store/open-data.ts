/**
 * Opening a data directory: its format, the agent's identity and document, and what is held, checked against how the
 * files look. Whatever a crash has left is put right or thrown away here.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { RangeSet } from "../../std/ranges.ts";
import { UserError } from "../../std/errors.ts";
import { isName } from "../../model/names.ts";
import { agentIdSchema } from "../../protocol/parts.ts";
import { agentDocumentSchema } from "../../control/agent/agent-document.ts";
import type { AgentDocument } from "../../control/agent/agent-document.ts";
import { replaceFileDurably } from "../durable-file.ts";
import { errorCode } from "./disk-errors.ts";
import type { FileSetState } from "./file-set-state.ts";
import { isSameStamp, stampAt } from "./file-stamps.ts";
import { droppedRecord, writtenRecord } from "./held-records.ts";
import { jobEntries } from "./limits.ts";
import { currentName, splitFileSetKey } from "./layout.ts";
import type { DataLayout } from "./layout.ts";
import { dropChanged } from "./load-file-set.ts";
import type { StoreContext } from "./store-context.ts";

const formatName = "sluice agent data";
const formatMajor = 1;
const formatMinor = 0;

const formatSchema = z.object({ format: z.string(), major: z.int(), minor: z.int() });
const identitySchema = z.object({ agentId: agentIdSchema });

/** Makes the directories. Throws UserError where DATA is something else. */
export async function makeDataDirectory(layout: DataLayout): Promise<void> {
  const found = await stat(layout.data).catch(() => undefined);
  if (found?.isDirectory() === false) {
    throw new UserError(`${layout.data} is not a directory`, { hint: "give another --data" });
  }
  await mkdir(layout.fileSets, { recursive: true });
  for (const directory of [layout.state, layout.staging, layout.growing, layout.manifests, layout.held]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
}

/** Throws UserError unless this program can read the data there; `mayMake`: says so in a directory that says nothing. */
export async function checkFormat(layout: DataLayout, mayMake: boolean): Promise<void> {
  const text = await readIfAny(layout.format);
  if (text === undefined) {
    if (!mayMake) throw new UserError(`${layout.data} holds no data of an agent`, { exitCode: 2 });
    const format = { format: formatName, major: formatMajor, minor: formatMinor };
    await replaceFileDurably(layout.format, `${JSON.stringify(format)}\n`);
    return;
  }
  const format = parseFile(layout.format, text, formatSchema);
  if (format.format !== formatName) {
    throw new UserError(`${layout.data} holds the data of another program (${JSON.stringify(format.format)})`);
  }
  if (format.major !== formatMajor) {
    throw new UserError(`${layout.data} has data format ${format.major}, this program reads ${formatMajor}`, {
      hint: "use the program version that wrote it, or a newer one",
    });
  }
}

/** The identity in the data, made at the first start. */
export async function loadIdentity(layout: DataLayout): Promise<{ agentId: string }> {
  const text = await readIfAny(layout.identity);
  if (text !== undefined) return parseFile(layout.identity, text, identitySchema);
  const identity = { agentId: randomBytes(16).toString("hex") };
  await replaceFileDurably(layout.identity, `${JSON.stringify(identity)}\n`);
  return identity;
}

export async function loadDocument(layout: DataLayout): Promise<AgentDocument | undefined> {
  const text = await readIfAny(layout.document);
  return text === undefined ? undefined : parseFile(layout.document, text, agentDocumentSchema);
}

/** Which version of each file set is active. */
export async function listCurrent(layout: DataLayout): Promise<{ name: string; version: string }[]> {
  const current = [];
  for (const name of await readdir(layout.fileSets)) {
    const version = await readlink(layout.current(name)).catch(() => undefined);
    if (!isName(name) || version === undefined || !isName(version) || version === currentName) continue;
    current.push({ name, version });
  }
  return current;
}

/** Looks at every held file: those that do not look as recorded are not held until they have been hashed again. */
export async function recheckFiles(context: StoreContext, state: FileSetState): Promise<void> {
  const manifest = state.needManifest();
  const files = [...state.filesOf(state.held)];
  for (let start = 0; start < files.length; start += jobEntries) {
    const some = files.slice(start, start + jobEntries);
    const found = await context.reader.run(
      "stat",
      some.map((file) => state.filePath(file)),
    );
    const indexes = some.map((file) => file.index);
    dropChanged(state, indexes, (place) => {
      const file = some[place];
      const looks = stampAt(found, place);
      const expected = file === undefined ? undefined : state.stamps.get(file.index);
      if (file === undefined || expected === undefined) return false;
      if (looks.inode === 0 || isSameStamp(looks, expected)) return true;
      // What was appended since the last flush makes it longer.
      const heldBytes = manifest.contiguousLengthBytes(file.index, state.held);
      const hasGrown = state.isAppended(file) && looks.sizeBytes >= heldBytes;
      return hasGrown && looks.inode === expected.inode && looks.modifiedMilliseconds === expected.modifiedMilliseconds;
    });
  }
  if (state.held.count !== manifest.blockCount) state.complete = false;
}

/**
 * Tells the journal, durably, what it says is held and is not. It must know before anything is written again: a new file
 * may get the inode of the one that is gone, and would be taken for it.
 */
export async function recordLost(state: FileSetState, recorded: RangeSet): Promise<void> {
  const lost = recorded.difference(state.held);
  if (state.manifest === undefined || lost.isEmpty) return;
  state.journal.append(droppedRecord(lost));
  const candidates = lost.intersection(state.candidates);
  if (!candidates.isEmpty) state.journal.append(writtenRecord(candidates));
  await state.journal.sync();
}

/** Removes what a crash has left in the staging directory, but for blocks that wait in line. */
export async function cleanStaging(context: StoreContext): Promise<void> {
  const { layout, fileSets } = context;
  for (const name of await readdir(layout.staging)) {
    const path = join(layout.staging, name);
    if (path !== layout.growing) await removeTree(context, path);
  }
  const known = new Set([...fileSets.keys()].map((key) => layout.waiting(key)));
  for (const name of await readdir(layout.growing)) {
    for (const version of await readdir(join(layout.growing, name)).catch(() => [])) {
      const path = join(layout.growing, name, version);
      if (!known.has(path)) await removeTree(context, path);
    }
  }
  const names = new Set([...fileSets.keys()].map((key) => splitFileSetKey(key).name));
  for (const name of await readdir(layout.growing)) {
    if (!names.has(name)) await rm(join(layout.growing, name), { recursive: true, force: true });
  }
}

/** Removes a tree of any size, in steps that let other work pass. */
export async function removeTree(context: StoreContext, path: string): Promise<void> {
  let isGone = false;
  while (!isGone) isGone = await context.writer.run("removeTree", path);
}

async function readIfAny(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function parseFile<Schema extends z.ZodType>(path: string, text: string, schema: Schema): z.infer<Schema> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new UserError(`${path} is damaged or was written by another version of the program`, {
      hint: "restore it from a backup, or start with an empty data directory",
      cause: error,
    });
  }
}
