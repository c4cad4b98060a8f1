/**
 * Carries out what the state machine orders of the disk, and answers with events. Orders for one file set are done in
 * the order given; `current` of a name is moved without waiting for another version that is being prepared, and a file
 * set is deleted after everything that concerns it.
 */
import type { AgentCommand, AgentEvent } from "../../control/agent/agent-events.ts";
import { splitKey } from "../../control/agent/file-set-record.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import type { RangeSet } from "../../std/ranges.ts";
import type { AgentStorePort } from "./agent-store-port.ts";
import type { DiskGuard } from "./disk-guard.ts";
import { SerialWork } from "./serial-work.ts";

export type StoreCommand = Extract<
  AgentCommand,
  { type: "storeManifest" | "prepare" | "finish" | "activate" | "delete" | "discard" }
>;

/** Bytes of a manifest that could not be stored; they are stored before anything else of that file set is done. */
interface UnstoredManifest {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class StoreWork {
  readonly #store: AgentStorePort;
  readonly #guard: DiskGuard;
  readonly #submit: (event: AgentEvent) => void;
  readonly #work = new SerialWork();
  readonly #unstored = new Map<FileSetKey, UnstoredManifest[]>();

  constructor(store: AgentStorePort, guard: DiskGuard, submit: (event: AgentEvent) => void) {
    this.#store = store;
    this.#guard = guard;
    this.#submit = submit;
  }

  carryOut(command: StoreCommand): void {
    if (command.type === "activate") {
      this.#work.run([`name ${command.name}`], async () => this.#activate(command.name, command.version));
      return;
    }
    const { fileSet } = command;
    const { name } = splitKey(fileSet);
    const queues = command.type === "delete" ? [`name ${name}`, fileSet] : [fileSet];
    this.#work.run(queues, async () => {
      try {
        const answer = await this.#do(command);
        if (answer !== undefined) this.#submit(answer);
      } catch (error) {
        this.#submit({ type: "storeFailed", fileSet, problem: problemOf(error) });
      }
    });
  }

  /** Resolves when what was ordered for a file set up to now is done. */
  async settled(fileSet: FileSetKey): Promise<void> {
    await this.#work.settled(fileSet);
  }

  /** Resolves when nothing is waiting or under way. */
  async idle(): Promise<void> {
    await this.#work.idle();
  }

  async #do(command: Exclude<StoreCommand, { type: "activate" }>): Promise<AgentEvent | undefined> {
    const { fileSet } = command;
    switch (command.type) {
      case "storeManifest":
        this.#unstored.set(fileSet, [...(this.#unstored.get(fileSet) ?? []), command]);
        await this.#storeManifest(fileSet);
        return undefined;
      case "prepare":
        await this.#storeManifest(fileSet);
        return { type: "prepared", fileSet, held: await this.#prepare(fileSet, command.manifest) };
      case "finish":
        await this.#store.finish(fileSet);
        return { type: "finished", fileSet };
      case "discard":
        await this.#store.discard(fileSet, command.block, command.block + 1);
        return undefined;
      case "delete":
        this.#unstored.delete(fileSet);
        await this.#store.delete(fileSet);
        return { type: "deleted", fileSet };
      default:
        return undefined;
    }
  }

  /** @throws UserError when what is missing has no room on the disk */
  async #prepare(fileSet: FileSetKey, manifest: Manifest): Promise<RangeSet> {
    const held = await this.#store.prepare(fileSet, manifest);
    await this.#guard.expect(manifest.totalBytes - manifest.bytesInRanges(held));
    return held;
  }

  async #storeManifest(fileSet: FileSetKey): Promise<void> {
    const waiting = this.#unstored.get(fileSet) ?? [];
    for (let next = waiting[0]; next !== undefined; next = waiting[0]) {
      await this.#store.storeManifest(fileSet, next.offset, next.bytes);
      waiting.shift();
    }
    this.#unstored.delete(fileSet);
  }

  async #activate(name: string, version: string | null): Promise<void> {
    try {
      await this.#store.activate(name, version);
      this.#submit({ type: "activated", name, version });
    } catch (error) {
      this.#submit({ type: "activateFailed", name, problem: problemOf(error) });
    }
  }
}

/** One line for people. */
export function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
