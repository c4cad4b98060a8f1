/** What is done in the background when held blocks were found damaged: look again, and copy from elsewhere. */
import { RangeSet } from "../../std/ranges.ts";
import type { FileSetState } from "./file-set-state.ts";
import { copyLocally } from "./local-copy.ts";
import { recoverCandidates } from "./recover.ts";
import type { StoreContext } from "./store-context.ts";
import { tellProblem } from "./store-context.ts";
import { moveWaiting } from "./write-blocks.ts";

export class Repairs {
  readonly #context: () => StoreContext;
  readonly #wanted = new Map<FileSetState, RangeSet>();
  readonly #running = new Set<Promise<void>>();
  #isStopped = false;

  constructor(context: () => StoreContext) {
    this.#context = context;
  }

  /** Blocks of a file set are to be repaired as soon as its lock is free. */
  schedule(state: FileSetState, blocks: RangeSet): void {
    const wanted = this.#wanted.get(state);
    if (wanted !== undefined) {
      wanted.addAll(blocks);
      return;
    }
    if (this.#isStopped) return;
    this.#wanted.set(state, blocks.clone());
    const run = this.#run(state).catch((error: unknown) => {
      this.#wanted.delete(state);
      if (!this.#isStopped) tellProblem(this.#context(), state, error);
    });
    this.#running.add(run);
    void run.then(() => this.#running.delete(run));
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.settled();
  }

  async #run(state: FileSetState): Promise<void> {
    const context = this.#context();
    const recovered = await state.lock.alone(async () => {
      const wanted = this.#wanted.get(state) ?? new RangeSet();
      this.#wanted.delete(state);
      if (state.isDeleted || this.#isStopped) return new RangeSet();
      const found = await recoverCandidates(context, state);
      const missing = wanted.difference(state.held);
      if (!missing.isEmpty) found.addAll(await copyLocally(context, state, missing));
      await moveWaiting(context, state, found);
      return found;
    });
    if (recovered.isEmpty) return;
    for (const listener of context.listeners.recovered) listener(state.key, recovered);
  }
}
