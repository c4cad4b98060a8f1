/**
 * Makes what was written durable, in batches: first the data, then the journals that say it is held.
 *
 * A batch starts a quarter of a second after the first write, or as soon as much has been written. When the disk refuses
 * a flush, what was to be flushed cannot be trusted to be there: it is dropped, and asked for again.
 */
import type { FileSetState } from "./file-set-state.ts";
import { RangeSet } from "../../std/ranges.ts";
import {
  fileSystemFlushPauseMilliseconds,
  filesFlushedSingly,
  flushBytes,
  flushIntervalMilliseconds,
  flushPauseFactor,
  jobFiles,
} from "./limits.ts";
import type { StoreContext } from "./store-context.ts";
import { noteDamaged, tellProblem } from "./store-context.ts";
import { syncFileSystem } from "./sync-file-system.ts";

export class Flusher {
  readonly #context: () => StoreContext;
  readonly #dirty = new Set<FileSetState>();
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #earliestMilliseconds = 0;
  /** When the first of what is not flushed was written. */
  #dirtySinceMilliseconds = 0;
  /** Whether the next flush is to be of the whole file system, and whether the last one was. */
  #wantsFileSystem = false;
  #didFileSystem = false;
  /** Directories whose flush failed or was not due yet. */
  readonly #directories = new Set<string>();

  constructor(context: () => StoreContext) {
    this.#context = context;
  }

  /** Something of this file set was written. */
  mark(state: FileSetState, bytes: number): void {
    if (this.#dirty.size === 0) this.#dirtySinceMilliseconds = performance.now();
    this.#dirty.add(state);
    this.#bytes += bytes;
    if (this.#bytes >= flushBytes && this.#next === undefined && performance.now() >= this.#earliestMilliseconds) {
      this.#flushInBackground();
    } else {
      this.#timer ??= setTimeout(() => this.#flushInBackground(), this.#pauseMilliseconds());
    }
  }

  /** What was written and marked before this call is durable when it resolves. Throws the error of the disk. */
  async flush(): Promise<void> {
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(async () => {
        this.#next = undefined;
        this.#running = this.#flushNow();
        await this.#running;
      });
    return this.#next;
  }

  /**
   * As `flush`, with everything else that was written or changed on the file system, by one call to the system. False:
   * that cannot be done here, and only what was marked is durable.
   */
  async flushFileSystem(): Promise<boolean> {
    this.#wantsFileSystem = true;
    await this.flush();
    return this.#didFileSystem;
  }

  /** Directories in which names were made, due with the next flush. */
  addDirectories(directories: readonly string[]): void {
    for (const directory of directories) this.#directories.add(directory);
  }

  forget(state: FileSetState): void {
    this.#dirty.delete(state);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #pauseMilliseconds(): number {
    return Math.max(flushIntervalMilliseconds, this.#earliestMilliseconds - performance.now());
  }

  /** How long many files wait: flushing them takes the whole file system, with what others wrote to it. */
  #fileSystemPauseMilliseconds(): number {
    let files = 0;
    for (const { touched } of this.#dirty) files += touched.size;
    if (files <= filesFlushedSingly) return 0;
    return this.#dirtySinceMilliseconds + fileSystemFlushPauseMilliseconds - performance.now();
  }

  #flushInBackground(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pauseMilliseconds = this.#fileSystemPauseMilliseconds();
    if (pauseMilliseconds > 0) {
      this.#timer = setTimeout(() => this.#flushInBackground(), pauseMilliseconds);
      return;
    }
    // What went wrong was told for each file set already.
    this.flush().catch(() => undefined);
  }

  async #flushNow(): Promise<void> {
    const states = [...this.#dirty].filter((state) => !state.isDeleted);
    this.#dirty.clear();
    this.#bytes = 0;
    const wantsFileSystem = this.#wantsFileSystem;
    this.#wantsFileSystem = false;
    this.#didFileSystem = false;
    if (states.length === 0 && !wantsFileSystem) return;
    const started = performance.now();
    const paths: string[] = [];
    for (const state of states) takeFlushing(this.#context(), state, paths);
    try {
      await this.#makeDurable(paths, wantsFileSystem);
    } catch (error) {
      for (const state of states) this.#giveUp(state, error);
      throw error;
    }
    const failures: unknown[] = [];
    for (const state of states) {
      if (state.isDeleted) continue;
      try {
        await this.#record(state);
      } catch (error) {
        this.#returnFlushing(state);
        tellProblem(this.#context(), state, error);
        failures.push(error);
      }
    }
    const ended = performance.now();
    this.#earliestMilliseconds = Math.max(this.#earliestMilliseconds, ended + flushPauseFactor * (ended - started));
    if (failures.length > 0) throw failures[0];
  }

  async #makeDurable(paths: readonly string[], wantsFileSystem: boolean): Promise<void> {
    const { writer, layout } = this.#context();
    this.addDirectories(await writer.run("takeDirectories", undefined));
    const directories = [...this.#directories];
    const isMuch = wantsFileSystem || paths.length + directories.length > filesFlushedSingly;
    this.#didFileSystem = isMuch && (await syncFileSystem(layout.data));
    if (this.#didFileSystem) {
      this.#earliestMilliseconds = performance.now() + fileSystemFlushPauseMilliseconds;
    } else {
      for (let start = 0; start < Math.max(paths.length, directories.length); start += jobFiles) {
        const end = start + jobFiles;
        await writer.run("sync", { data: paths.slice(start, end), entries: directories.slice(start, end) });
      }
    }
    for (const directory of directories) this.#directories.delete(directory);
  }

  /** The data is durable: now the journal may say so. */
  async #record(state: FileSetState): Promise<void> {
    const { writer } = this.#context();
    const durable = state.flushing.intersection(state.held);
    if (!durable.isEmpty) state.journal.append(state.heldRecordOf(durable));
    const moved = state.moved.splice(0, state.movedFlushing);
    await state.journal.sync();
    state.flushing = new RangeSet();
    if (moved.length > 0) await writer.run("removeFiles", moved);
    if (state.journal.isLong) await state.journal.rewrite(() => state.snapshotRecords());
  }

  /** The journal could not be written: the same is due again. */
  #returnFlushing(state: FileSetState): void {
    state.unflushed.addAll(state.flushing);
    state.flushing = new RangeSet();
    this.mark(state, 0);
  }

  #giveUp(state: FileSetState, error: unknown): void {
    tellProblem(this.#context(), state, error);
    // After a failed flush the system may hold pages for good that never reached the disk.
    noteDamaged(this.#context(), state, state.flushing.clone(), false);
    state.flushing = new RangeSet();
  }
}

/** Moves what is to be flushed aside, and lists the files that hold it. */
function takeFlushing(context: StoreContext, state: FileSetState, paths: string[]): void {
  state.flushing = state.unflushed;
  state.unflushed = new RangeSet();
  state.movedFlushing = state.moved.length;
  const files = state.manifest?.files;
  for (const index of state.touched) {
    const file = files?.[index];
    if (file === undefined) continue;
    paths.push(state.filePath(file));
    for (const [start, end] of state.growth.get(index)?.waiting.ranges() ?? []) {
      for (let block = start; block < end; block += 1) {
        if (state.flushing.has(block)) paths.push(state.waitingPath(file, block));
      }
    }
  }
  state.touched = new Set();
  if (!state.manifestIsDurable) {
    state.manifestIsDurable = true;
    paths.push(context.layout.manifest(state.key));
  }
}
