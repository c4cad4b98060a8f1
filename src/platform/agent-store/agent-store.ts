/**
 * An agent's disk: the file sets it holds as plain files, and what it must remember. This is what the rest of the
 * program sees of it; `DiskAgentStore` is the real one.
 *
 * It promises: a block is reported as stored only when its bytes are what the manifest says; what was reported survives
 * the program's death at any instruction, and, once flushed, the machine's; what others change underneath is noticed
 * before it is served. Errors are UserErrors with one line that says what is wrong with the disk.
 */
import type { RangeSet } from "../../std/ranges.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import type { AgentDocument } from "../../control/agent/agent-document.ts";
import type { StoredFileSet } from "../../control/agent/agent-events.ts";
import type { VerifiedFileSet } from "./verify-held.ts";
import type { BlocksWritten } from "./write-blocks.ts";

/** What is there when the store opens. */
export interface StoreContents {
  readonly document: AgentDocument | undefined;
  readonly stored: readonly StoredFileSet[];
  readonly current: readonly { readonly name: string; readonly version: string }[];
}

export interface AgentStore {
  /**
   * Locks the directory, puts right what a crash has left, and tells what is held. Before anything else. Throws
   * UserError when another process uses the directory, or what is in it cannot be read.
   */
  open(): Promise<StoreContents>;
  /** Made at the first start; after `open`. */
  readonly identity: { readonly agentId: string };
  /** Replaces the document, durably. Calls may overlap: the last one stays. */
  saveDocument(document: AgentDocument): Promise<void>;
  /**
   * Appends to the stored manifest: `offset` is the number of bytes stored so far. With 0 for a file set that has one
   * already, all that is known of it is forgotten. Durable when `prepare` or `flush` is done.
   */
  storeManifest(fileSet: FileSetKey, offset: number, bytes: Uint8Array): Promise<void>;
  /** Bytes of the stored manifest. Throws RangeError where it does not reach so far. */
  readManifest(fileSet: FileSetKey, offset: number, lengthBytes: number): Promise<Uint8Array>;
  /**
   * Makes directories, finds what is on the disk already, copies what other file sets hold, and returns what is held.
   * To be called again when the manifest has grown (the same object), or after damage.
   */
  prepare(fileSet: FileSetKey, manifest: Manifest): Promise<RangeSet>;
  /**
   * Verifies the whole blocks start..end - 1 that stand in `bytes`, and writes the good ones and their copies elsewhere
   * in the file set. `bytes` should be a view on shared memory (else they are copied), and must not change until it
   * resolves. Durability follows in batches. Blocks that are held already are neither verified nor written.
   */
  writeBlocks(fileSet: FileSetKey, start: number, end: number, bytes: Uint8Array): Promise<BlocksWritten>;
  /**
   * Reads bytes of the blocks start..end - 1, from `offsetBytes` (0 if not given) of that run on, until `into` is full;
   * it should be a view on shared memory.
   * "absent": not all are held. "changed": somebody touched a file; its blocks are not held any more.
   */
  readBlocks(
    fileSet: FileSetKey,
    start: number,
    end: number,
    into: Uint8Array,
    offsetBytes?: number,
  ): Promise<"read" | "changed" | "absent">;
  /** Other agents read here now: what is written in the next while is kept in memory too, to be passed on. */
  noteServing(): void;
  /** The blocks start..end - 1 are not held any more, whatever the disk says. `prepare` looks for them elsewhere. */
  discard(fileSet: FileSetKey, start: number, end: number): Promise<void>;
  /** What was written so far is durable when it resolves. */
  flush(fileSet: FileSetKey): Promise<void>;
  /** Makes a file set that is held as a whole exactly what was published, durably. Throws UserError when it is not whole. */
  finish(fileSet: FileSetKey): Promise<void>;
  /** Moves `current` atomically to a finished version; null takes it away. */
  activate(name: string, version: string | null): Promise<void>;
  /** Removes a file set. Throws UserError while `current` points to it. */
  delete(fileSet: FileSetKey): Promise<void>;
  /** What this program may still write to the disk. */
  freeDiskBytes(): Promise<number>;
  /** Hashes everything that is held; damage is also told to the listeners. */
  verifyAll(): Promise<VerifiedFileSet[]>;
  /** Hears of blocks that were held and are not any more. */
  onDamaged(listener: (fileSet: FileSetKey, blocks: RangeSet) => void): void;
  /** Hears of such blocks that were found good after all, or were copied from elsewhere: they are held again. */
  onRecovered(listener: (fileSet: FileSetKey, blocks: RangeSet) => void): void;
  /** Hears of trouble in the background, such as a flush that failed on a full disk. */
  onProblem(listener: (fileSet: FileSetKey | undefined, problem: string) => void): void;
  /** Flushes, stops the threads and gives the directory free. */
  close(): Promise<void>;
}
