/** The AgentStore on a real disk: it finds the file set a call is for, and hands the work to the part that does it. */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, mkdir, open, readlink, rename, rm, rmdir, statfs, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import { RangeSet } from "../../std/ranges.ts";
import { UserError } from "../../std/errors.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import type { AgentDocument } from "../../control/agent/agent-document.ts";
import type { StoredFileSet } from "../../control/agent/agent-events.ts";
import { lockDirectory } from "../directory-lock.ts";
import type { DirectoryLock } from "../directory-lock.ts";
import { noFollow, replaceFileDurably, syncDirectory } from "../durable-file.ts";
import type { AgentStore, StoreContents } from "./agent-store.ts";
import { BlockMemory } from "./block-memory.ts";
import { diskError, errorCode } from "./disk-errors.ts";
import { FileSetState } from "./file-set-state.ts";
import { finishFileSet } from "./finish.ts";
import { Flusher } from "./flusher.ts";
import { emptyJournalState, manifestRecord } from "./held-records.ts";
import { DataLayout, splitFileSetKey } from "./layout.ts";
import { listFileSets, loadFileSet } from "./load-file-set.ts";
import {
  checkFormat,
  cleanStaging,
  listCurrent,
  loadDocument,
  loadIdentity,
  makeDataDirectory,
  recheckFiles,
  recordLost,
  removeTree,
} from "./open-data.ts";
import { prepareFileSet } from "./prepare.ts";
import { readRun } from "./read-blocks.ts";
import { Repairs } from "./repairs.ts";
import { noteDamaged, startReader, startWriter } from "./store-context.ts";
import type { StoreContext, StoreListeners } from "./store-context.ts";
import { verifyFileSet } from "./verify-held.ts";
import type { VerifiedFileSet } from "./verify-held.ts";
import { writeRun } from "./write-blocks.ts";
import type { BlocksWritten } from "./write-blocks.ts";
import { WriteQueue } from "./write-queue.ts";

export class DiskAgentStore implements AgentStore {
  readonly #layout: DataLayout;
  readonly #listeners: StoreListeners = { damaged: [], recovered: [], problem: [] };
  #context: StoreContext | undefined;
  #lock: DirectoryLock | undefined;
  #identity: { agentId: string } | undefined;
  #saving: Promise<void> = Promise.resolve();

  /** @param dataDirectory made if it is not there; nothing else may write to it */
  constructor(dataDirectory: string) {
    this.#layout = new DataLayout(dataDirectory);
  }

  get identity(): { readonly agentId: string } {
    if (this.#identity === undefined) throw new Error("the store is not open");
    return this.#identity;
  }

  async open(): Promise<StoreContents> {
    return this.#explain(async () => {
      await makeDataDirectory(this.#layout);
      this.#lock = await lockDirectory(this.#layout.state, this.#layout.data);
      try {
        return await this.#load();
      } catch (error) {
        await this.close();
        throw error;
      }
    });
  }

  async #load(): Promise<StoreContents> {
    const layout = this.#layout;
    await checkFormat(layout, true);
    this.#identity = await loadIdentity(layout);
    const document = await loadDocument(layout);
    const context = this.#start();
    const stored: StoredFileSet[] = [];
    for (const fileSet of await listFileSets(layout)) {
      const { state, manifestBytes, recorded } = await loadFileSet(layout, fileSet);
      context.fileSets.set(fileSet, state);
      if (state.manifest !== undefined) await recheckFiles(context, state);
      await recordLost(state, recorded);
      stored.push({ fileSet, manifestBytes, held: state.held.clone() });
    }
    await cleanStaging(context);
    return { document, stored, current: await listCurrent(layout) };
  }

  #start(): StoreContext {
    const context = (): StoreContext => this.#open;
    this.#context = {
      layout: this.#layout,
      writer: startWriter(),
      reader: startReader(),
      memory: new BlockMemory(),
      writes: new WriteQueue(context),
      flusher: new Flusher(context),
      repairs: new Repairs(context),
      fileSets: new Map(),
      listeners: this.#listeners,
    };
    return this.#context;
  }

  async saveDocument(document: AgentDocument): Promise<void> {
    const text = JSON.stringify(document);
    const save = this.#saving.catch(() => undefined).then(async () => replaceFileDurably(this.#layout.document, text));
    this.#saving = save;
    await this.#explain(async () => save);
  }

  async storeManifest(fileSet: FileSetKey, offset: number, bytes: Uint8Array): Promise<void> {
    await this.#explain(async () => {
      const context = this.#open;
      for (let isStored = false; !isStored;) {
        const state = context.fileSets.get(fileSet) ?? new FileSetState(this.#layout, fileSet, emptyJournalState());
        context.fileSets.set(fileSet, state);
        isStored = await state.lock.alone(async () => this.#appendManifest(context, state, offset, bytes));
      }
    });
  }

  /** False: it was deleted before its turn came, and a new file set of that name is to begin. */
  async #appendManifest(
    context: StoreContext,
    state: FileSetState,
    offset: number,
    bytes: Uint8Array,
  ): Promise<boolean> {
    if (state.isDeleted) return false;
    if (offset !== 0 && offset !== state.manifestBytes) {
      throw new RangeError(`${state.key} has ${state.manifestBytes} bytes of its manifest, not ${offset}`);
    }
    if (offset === 0) {
      state.reset();
      await state.journal.rewrite(() => []);
    }
    const path = this.#layout.manifest(state.key);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(path, constants.O_WRONLY | constants.O_CREAT | noFollow, 0o600);
    try {
      await file.write(bytes, 0, bytes.length, offset);
    } finally {
      await file.close();
    }
    state.manifestBytes = offset + bytes.length;
    state.manifestCrc = crc32(bytes, state.manifestCrc);
    state.manifestIsDurable = false;
    state.journal.append(manifestRecord(state.manifestBytes, state.manifestCrc));
    context.flusher.addDirectories([dirname(path), this.#layout.manifests]);
    context.flusher.mark(state, bytes.length);
    return true;
  }

  async readManifest(fileSet: FileSetKey, offset: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#explain(async () => {
      const { manifestBytes } = this.#state(fileSet);
      if (offset < 0 || lengthBytes < 0 || offset + lengthBytes > manifestBytes) {
        throw new RangeError(`the manifest of ${fileSet} has ${manifestBytes} bytes here`);
      }
      const bytes = new Uint8Array(lengthBytes);
      const file = await open(this.#layout.manifest(fileSet), "r");
      try {
        await file.read(bytes, 0, lengthBytes, offset);
      } finally {
        await file.close();
      }
      return bytes;
    });
  }

  async prepare(fileSet: FileSetKey, manifest: Manifest): Promise<RangeSet> {
    return this.#explain(async () => {
      const context = this.#open;
      const state = this.#state(fileSet);
      if (!state.manifestIsDurable) await context.flusher.flush();
      return state.lock.alone(async () => {
        if (state.isDeleted) throw new UserError(`${fileSet} was deleted`);
        return prepareFileSet(context, state, manifest);
      });
    });
  }

  async writeBlocks(fileSet: FileSetKey, start: number, end: number, bytes: Uint8Array): Promise<BlocksWritten> {
    return this.#explain(async () => writeRun(this.#open, this.#state(fileSet), start, end, bytes));
  }

  async readBlocks(
    fileSet: FileSetKey,
    start: number,
    end: number,
    into: Uint8Array,
    offsetBytes = 0,
  ): Promise<"read" | "changed" | "absent"> {
    const context = this.#open;
    const state = context.fileSets.get(fileSet);
    if (state === undefined) return "absent";
    return this.#explain(async () => readRun(context, state, start, end, into, offsetBytes));
  }

  noteServing(): void {
    this.#open.memory.noteRead();
  }

  async discard(fileSet: FileSetKey, start: number, end: number): Promise<void> {
    const state = this.#open.fileSets.get(fileSet);
    if (state !== undefined) noteDamaged(this.#open, state, RangeSet.of(start, end), false);
  }

  async flush(fileSet: FileSetKey): Promise<void> {
    await this.#explain(async () => {
      // Of one that is not here nothing was written: a publisher asks so when it has nothing but empty files.
      if (this.#open.fileSets.has(fileSet)) await this.#open.flusher.flush();
    });
  }

  async finish(fileSet: FileSetKey): Promise<void> {
    await this.#explain(async () => {
      const state = this.#state(fileSet);
      await state.lock.alone(async () => finishFileSet(this.#open, state));
    });
  }

  async activate(name: string, version: string | null): Promise<void> {
    await this.#explain(async () => {
      const link = this.#layout.current(name);
      if (version === null) {
        await rm(link, { force: true });
      } else {
        if (this.#open.fileSets.get(`${name}@${version}`)?.complete !== true) {
          throw new UserError(`${name}@${version} cannot be active: it is not complete here`);
        }
        const temporary = join(this.#layout.staging, `current-${randomBytes(6).toString("hex")}`);
        await symlink(version, temporary);
        await rename(temporary, link);
      }
      await syncDirectory(dirname(link)).catch((error: unknown) => {
        if (errorCode(error) !== "ENOENT") throw error;
      });
    });
  }

  async delete(fileSet: FileSetKey): Promise<void> {
    await this.#explain(async () => {
      const context = this.#open;
      const { name, version } = splitFileSetKey(fileSet);
      if ((await readlink(this.#layout.current(name)).catch(() => undefined)) === version) {
        throw new UserError(`${fileSet} cannot be deleted: it is the active version`);
      }
      const state = context.fileSets.get(fileSet) ?? new FileSetState(this.#layout, fileSet, emptyJournalState());
      await state.lock.alone(async () => this.#remove(context, state));
    });
  }

  /** The tree goes out of the way first: what a crash leaves of it is removed when the store opens. */
  async #remove(context: StoreContext, state: FileSetState): Promise<void> {
    const layout = this.#layout;
    const { name } = splitFileSetKey(state.key);
    state.isDeleted = true;
    context.flusher.forget(state);
    context.memory.forgetFileSet(state.key);
    await Promise.all([context.writer.run("forget", state.tree), context.reader.run("forget", state.tree)]);
    const away = join(layout.staging, `deleted-${randomBytes(6).toString("hex")}`);
    try {
      // A directory that its owner may not write cannot be moved.
      await chmod(state.tree, 0o700);
      await rename(state.tree, away);
      await syncDirectory(layout.named(name));
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
    await state.journal.remove();
    await rm(layout.manifest(state.key), { force: true });
    await removeTree(context, layout.waiting(state.key));
    if (context.fileSets.get(state.key) === state) context.fileSets.delete(state.key);
    await removeTree(context, away);
    const { growing, held, manifests } = layout;
    for (const directory of [layout.named(name), join(growing, name), join(held, name), join(manifests, name)]) {
      await rmdir(directory).catch(() => undefined);
    }
  }

  async freeDiskBytes(): Promise<number> {
    return this.#explain(async () => {
      const { bavail, bsize } = await statfs(this.#layout.data);
      return bavail * bsize;
    });
  }

  async verifyAll(): Promise<VerifiedFileSet[]> {
    return this.#explain(async () => {
      const verified = [];
      for (const state of this.#open.fileSets.values()) verified.push(await verifyFileSet(this.#open, state));
      return verified;
    });
  }

  onDamaged(listener: (fileSet: FileSetKey, blocks: RangeSet) => void): void {
    this.#listeners.damaged.push(listener);
  }

  onRecovered(listener: (fileSet: FileSetKey, blocks: RangeSet) => void): void {
    this.#listeners.recovered.push(listener);
  }

  onProblem(listener: (fileSet: FileSetKey | undefined, problem: string) => void): void {
    this.#listeners.problem.push(listener);
  }

  async close(): Promise<void> {
    const context = this.#context;
    try {
      if (context !== undefined) {
        await context.repairs.stop();
        await this.#saving.catch(() => undefined);
        await context.flusher.flush();
      }
    } catch (error) {
      throw diskError(error, this.#layout.data);
    } finally {
      this.#context = undefined;
      if (context !== undefined) {
        context.flusher.stop();
        for (const state of context.fileSets.values()) state.journal.close();
        await Promise.all([context.writer.close(), context.reader.close()]);
      }
      await this.#lock?.release();
      this.#lock = undefined;
    }
  }

  get #open(): StoreContext {
    if (this.#context === undefined) throw new Error("the store is not open");
    return this.#context;
  }

  #state(fileSet: FileSetKey): FileSetState {
    const state = this.#open.fileSets.get(fileSet);
    if (state === undefined) throw new UserError(`${fileSet} is not here`);
    return state;
  }

  async #explain<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw diskError(error, this.#layout.data);
    }
  }
}
