/**
 * What becomes of blocks that come in, from other agents through lanes or from a publisher: verified, written, and told
 * to the state machine. Content is verified by the store against the manifest; pieces of a manifest here, against the
 * summary that the controller's word vouches for. A block that a publisher hands over must also be what it says it is.
 */
import type { AgentEvent } from "../../control/agent/agent-events.ts";
import type { Hash } from "../../model/checksum.ts";
import { checksumLengthBytes, parseChecksum } from "../../model/checksum.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { ManifestSummary } from "../../model/manifest-root.ts";
import { pieceCount, pieceRange, verifyPiece } from "../../model/manifest-root.ts";
import type { PushEntry } from "../../protocol/frames.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import type { BlockRun, PushedBatch, PushOutcome } from "../../platform/streams/types.ts";
import { equalBytes } from "../../std/bytes.ts";
import type { AgentStorePort } from "./agent-store-port.ts";
import type { DiskGuard } from "./disk-guard.ts";
import { problemOf } from "./store-work.ts";

/** What the state machine knows and is told. */
export interface IntakeMachine {
  manifest(fileSet: FileSetKey): Manifest | undefined;
  manifestSummary(fileSet: FileSetKey): ManifestSummary | undefined;
  takesBlocks(fileSet: FileSetKey): boolean;
}

export interface BlockIntakeOptions {
  readonly machine: IntakeMachine;
  readonly store: AgentStorePort;
  readonly guard: DiskGuard;
  readonly hash: Hash;
  readonly submit: (event: AgentEvent) => void;
}

export class BlockIntake {
  readonly #options: BlockIntakeOptions;

  constructor(options: BlockIntakeOptions) {
    this.#options = options;
  }

  /** Verifies and writes blocks that came through a lane. @throws UserError when the disk fails; the state machine is told */
  async writeBlocks(run: BlockRun, bytes: Uint8Array): Promise<{ readonly bad: readonly number[] }> {
    return run.order === "content" ? this.#writeContent(run, bytes) : { bad: this.#badPieces(run, bytes) };
  }

  /** Verifies and writes what a publisher hands over (claims 20 to 23). */
  async acceptPushed(batch: PushedBatch): Promise<PushOutcome> {
    return batch.order === "content" ? this.#acceptContent(batch) : this.#acceptPieces(batch);
  }

  async #writeContent(
    run: Pick<BlockRun, "fileSet" | "start" | "end">,
    bytes: Uint8Array,
  ): Promise<{ readonly bad: readonly number[] }> {
    const { store, guard, submit } = this.#options;
    const { fileSet, start, end } = run;
    try {
      await guard.admit(bytes.length);
      const { bad, alsoStored } = await store.writeBlocks(fileSet, start, end, bytes);
      alsoStored.forEach((from, to) => {
        submit({ type: "stored", fileSet, order: "content", start: from, end: to, laneId: undefined });
      });
      return { bad };
    } catch (error) {
      // What was deleted meanwhile is nobody's failure.
      if (this.#options.machine.takesBlocks(fileSet)) {
        submit({ type: "storeFailed", fileSet, problem: problemOf(error) });
      }
      throw error;
    }
  }

  #badPieces({ fileSet, start, end }: BlockRun, bytes: Uint8Array): number[] {
    const summary = this.#options.machine.manifestSummary(fileSet);
    const bad: number[] = [];
    let offset = 0;
    for (let index = start; index < end; index += 1) {
      if (summary === undefined || index >= pieceCount(summary)) continue;
      const range = pieceRange(summary, index);
      const piece = bytes.subarray(offset, offset + range.end - range.start);
      offset += piece.length;
      if (!verifyPiece(this.#options.hash, summary, index, piece)) bad.push(index);
    }
    return bad;
  }

  async #acceptContent({ fileSet, entries, bytes }: PushedBatch): Promise<PushOutcome> {
    const manifest = this.#options.machine.manifest(fileSet);
    const last = entries.at(-1);
    if (manifest === undefined || last === undefined || !this.#options.machine.takesBlocks(fileSet)) {
      return { type: "unknown" };
    }
    if (last.block >= manifest.blockCount) return { type: "unknown" };
    const wrong = entries.filter((entry) => !isOfManifest(manifest, entry)).map(({ block }) => block);
    if (wrong.length > 0) return { type: "rejected", kind: "badChecksum", blocks: wrong };
    const bad: number[] = [];
    for (const run of runsOf(entries)) {
      const part = bytes.subarray(run.offsetBytes, run.offsetBytes + run.lengthBytes);
      const written = await this.#writeContent({ fileSet, ...run }, part);
      bad.push(...written.bad);
      this.#tellStored(fileSet, run.start, run.end, written.bad);
    }
    return bad.length === 0 ? { type: "taken" } : { type: "rejected", kind: "badChecksum", blocks: bad };
  }

  #tellStored(fileSet: FileSetKey, start: number, end: number, bad: readonly number[]): void {
    let from = start;
    for (const block of [...bad, end]) {
      if (block > from) {
        this.#options.submit({ type: "stored", fileSet, order: "content", start: from, end: block, laneId: undefined });
      }
      from = block + 1;
    }
  }

  #acceptPieces({ fileSet, entries, bytes }: PushedBatch): PushOutcome {
    const { machine, submit, hash } = this.#options;
    const summary = machine.manifestSummary(fileSet);
    const last = entries.at(-1);
    if (summary === undefined || last === undefined || last.block >= pieceCount(summary)) return { type: "unknown" };
    const bad: number[] = [];
    let offset = 0;
    for (const { block, lengthBytes, checksum } of entries) {
      const piece = bytes.slice(offset, offset + lengthBytes);
      offset += lengthBytes;
      const expected = summary.pieceChecksums.subarray(block * checksumLengthBytes, (block + 1) * checksumLengthBytes);
      if (!equalBytes(checksum, expected) || !verifyPiece(hash, summary, block, piece)) bad.push(block);
      else {
        const stored = { type: "stored", fileSet, order: "manifest", laneId: undefined } as const;
        submit({ ...stored, start: block, end: block + 1, bytes: piece });
      }
    }
    return bad.length === 0 ? { type: "taken" } : { type: "rejected", kind: "badChecksum", blocks: bad };
  }
}

/** Whether a block that is handed over claims to be what the manifest says. */
function isOfManifest(manifest: Manifest, { block, lengthBytes, final, checksum }: PushEntry): boolean {
  if (manifest.blockLengthBytes(block) !== lengthBytes) return false;
  // That a growing file ended with a block may have become known only after that block was made.
  if (final && !manifest.isFinalBlock(block)) return false;
  return equalBytes(manifest.blockChecksum(block), checksum);
}

interface PushedRun {
  readonly start: number;
  readonly end: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

/** Entries that follow each other, as runs. */
function runsOf(entries: readonly PushEntry[]): PushedRun[] {
  const runs: PushedRun[] = [];
  let offsetBytes = 0;
  for (const { block, lengthBytes } of entries) {
    const last = runs.at(-1);
    if (last?.end === block) {
      runs[runs.length - 1] = { ...last, end: block + 1, lengthBytes: last.lengthBytes + lengthBytes };
    } else runs.push({ start: block, end: block + 1, offsetBytes, lengthBytes });
    offsetBytes += lengthBytes;
  }
  return runs;
}

/** Whether these are the bytes of a block with this checksum, as text. */
export function isBlock(hash: Hash, checksum: string, bytes: Uint8Array): boolean {
  const { algorithm, checksum: expected } = parseChecksum(checksum);
  return equalBytes(hash(algorithm, bytes), expected);
}
