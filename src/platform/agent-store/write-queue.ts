/**
 * What waits for the writing thread. While the thread is busy, what comes is gathered, so that many blocks go to it with
 * one message and those that follow each other in a file to the disk with one write; while it is idle, nothing waits. It
 * promises that blocks of one file set are taken in the order in which they came, and that each caller hears of its own.
 */
import type { RangeSet } from "../../std/ranges.ts";
import type { FileSetState } from "./file-set-state.ts";
import { jobFiles, writeJobBytes, writeJobsAtOnce } from "./limits.ts";
import type { StoreContext } from "./store-context.ts";
import { noteDamaged, noteStored } from "./store-context.ts";
import { describeBlocks, filesOfPlan, plainTargets, planWrites, takeWritten } from "./write-plan.ts";

/** A block, and where its bytes stand in the memory that it came in. */
export interface WriteEntry {
  readonly block: number;
  readonly start: number;
}

/** What came of a caller's blocks. */
export interface WriteCollection {
  readonly stored: RangeSet;
  readonly bad: Set<number>;
}

interface Item {
  readonly state: FileSetState;
  readonly memory: Uint8Array;
  readonly entries: readonly WriteEntry[];
  readonly lengthBytes: number;
  readonly collection: WriteCollection;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface OwnedEntry extends WriteEntry {
  readonly owner: WriteCollection;
}

export class WriteQueue {
  readonly #context: () => StoreContext;
  #pending: Item[] = [];
  #underWay = 0;

  constructor(context: () => StoreContext) {
    this.#context = context;
  }

  /**
   * Verifies blocks and writes the good ones. `entries`: in rising order. Throws the error of the disk.
   * @param bytes what the entries' starts count in; shared memory goes to the thread as it is, other is copied
   */
  async write(
    state: FileSetState,
    entries: readonly WriteEntry[],
    bytes: Uint8Array,
    collection: WriteCollection,
  ): Promise<void> {
    const { buffer, byteOffset } = bytes;
    const isShared = buffer instanceof SharedArrayBuffer;
    // Blocks of several callers stand in one memory. What is not shared is copied with all of its buffer: a tight one.
    const memory = isShared ? new Uint8Array(buffer) : bytes.length === buffer.byteLength ? bytes : bytes.slice();
    const placed = isShared ? entries.map(({ block, start }) => ({ block, start: byteOffset + start })) : entries;
    await Promise.all(
      Array.from(inBatches(state, placed), async ({ batch, lengthBytes }) => {
        return new Promise<void>((resolve, reject) => {
          this.#pending.push({ state, memory, entries: batch, lengthBytes, collection, resolve, reject });
          this.#begin();
        });
      }),
    );
  }

  #begin(): void {
    while (this.#underWay < writeJobsAtOnce && this.#pending.length > 0) {
      this.#underWay += 1;
      const items = this.#take();
      void this.#run(items).finally(() => {
        this.#underWay -= 1;
        this.#begin();
      });
    }
  }

  /** The items from the first on that fit into one job: of one file set, in one memory, no block twice. */
  #take(): Item[] {
    const [first] = this.#pending;
    const blocks = new Set<number>();
    let lengthBytes = 0;
    const end = this.#pending.findIndex((item) => {
      const isOther = item.state !== first?.state || item.memory.buffer !== first.memory.buffer;
      const isFull = lengthBytes + item.lengthBytes > writeJobBytes || blocks.size + item.entries.length > jobFiles;
      if (item !== first && (isOther || isFull || item.entries.some(({ block }) => blocks.has(block)))) return true;
      lengthBytes += item.lengthBytes;
      for (const { block } of item.entries) blocks.add(block);
      return false;
    });
    return this.#pending.splice(0, end < 0 ? this.#pending.length : end);
  }

  /** Never rejects. */
  async #run(items: readonly Item[]): Promise<void> {
    const [first] = items;
    if (first === undefined) return;
    const entries = items.flatMap(({ entries: own, collection }) =>
      own.map((entry) => ({ ...entry, owner: collection })),
    );
    if (items.length > 1) entries.sort((one, other) => one.block - other.block);
    try {
      for (let rest: OwnedEntry[] = entries; rest.length > 0;) {
        rest = await this.#writeOnce(first.state, first.memory, rest);
      }
      for (const { resolve } of items) resolve();
    } catch (error) {
      for (const { reject } of items) reject(error);
    }
  }

  /** One job. Returns what is good but was not written, since a bad block stood before it in a growing file. */
  async #writeOnce(state: FileSetState, bytes: Uint8Array, entries: readonly OwnedEntry[]): Promise<OwnedEntry[]> {
    const context = this.#context();
    const blocks = entries.map(({ block }) => block);
    const described = describeBlocks(state.needManifest(), blocks);
    const plan = planWrites(state, blocks);
    const positions = reserveMemory(context, described.lengths);
    const keep = positions && {
      memory: context.memory.memory,
      offsets: positions.map((position) => context.memory.offsetOf(position)),
    };
    const starts = entries.map(({ start }) => start);
    const job = { ...described, bytes, starts, targets: plainTargets(plan), keep };
    const done = state.beginWriting(filesOfPlan(plan));
    try {
      const result = await context.writer.run("write", job);
      const { stored, leftOver, lost } = takeWritten(state, blocks, plan, result);
      noteStored(context, state, stored, filesOfPlan(plan));
      noteDamaged(context, state, lost);
      for (const { block, owner } of entries) if (stored.has(block)) owner.stored.add(block, block + 1);
      for (const place of result.bad) entries[place]?.owner.bad.add(blocks[place] ?? 0);
      for (const [place, position] of positions?.entries() ?? []) {
        const block = blocks[place] ?? 0;
        if (stored.has(block)) context.memory.put(state.key, block, position, described.lengths[place] ?? 0);
      }
      return leftOver.flatMap((place) => entries[place] ?? []);
    } finally {
      done();
    }
  }
}

function* inBatches(
  state: FileSetState,
  entries: readonly WriteEntry[],
): Generator<{ batch: WriteEntry[]; lengthBytes: number }> {
  const manifest = state.needManifest();
  let batch: WriteEntry[] = [];
  let lengthBytes = 0;
  for (const entry of entries) {
    const blockBytes = manifest.blockLengthBytes(entry.block);
    if (batch.length > 0 && (lengthBytes + blockBytes > writeJobBytes || batch.length >= jobFiles)) {
      yield { batch, lengthBytes };
      batch = [];
      lengthBytes = 0;
    }
    batch.push(entry);
    lengthBytes += blockBytes;
  }
  if (batch.length > 0) yield { batch, lengthBytes };
}

function reserveMemory(context: StoreContext, lengths: readonly number[]): number[] | undefined {
  if (!context.memory.isWorthwhile) return undefined;
  return lengths.map((length) => context.memory.reserve(length));
}
