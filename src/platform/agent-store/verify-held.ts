/** Re-reading what is held against the checksums, while the agent goes on. */
import { RangeSet } from "../../std/ranges.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import type { FileSetState } from "./file-set-state.ts";
import { hashHeld } from "./hash-held.ts";
import { jobBytes } from "./limits.ts";
import type { StoreContext } from "./store-context.ts";
import { noteDamaged } from "./store-context.ts";

export interface VerifiedFileSet {
  readonly fileSet: FileSetKey;
  readonly checkedBlocks: number;
  readonly checkedBytes: number;
  /** Blocks that were held and are not any more. */
  readonly damaged: RangeSet;
  /** Blocks that this program may not read. */
  readonly unreadable: RangeSet;
}

/** Hashes all held blocks of a file set; damaged ones are dropped and told to the listeners. */
export async function verifyFileSet(context: StoreContext, state: FileSetState): Promise<VerifiedFileSet> {
  const damaged = new RangeSet();
  const unreadable = new RangeSet();
  let checkedBlocks = 0;
  let checkedBytes = 0;
  const { manifest } = state;
  if (manifest === undefined) return { fileSet: state.key, checkedBlocks, checkedBytes, damaged, unreadable };
  let next = state.held.first();
  while (next >= 0 && !state.isDeleted) {
    const start = next;
    // Alone, so that the store's own writing is not taken for a change by others.
    next = await state.lock.alone(async () => {
      const end = endOfBatch(state, start);
      const blocks = RangeSet.of(start, end).intersection(state.held);
      const found = await hashHeld(context.reader, state, blocks);
      const bad = blocks.difference(found.good).difference(found.unreadable);
      unreadable.addAll(found.unreadable);
      checkedBlocks += blocks.count;
      checkedBytes += manifest.bytesInRanges(blocks);
      if (!state.isDeleted) damaged.addAll(noteDamaged(context, state, bad));
      return state.held.nextIn(end);
    });
  }
  return { fileSet: state.key, checkedBlocks, checkedBytes, damaged, unreadable };
}

function endOfBatch(state: FileSetState, start: number): number {
  const manifest = state.needManifest();
  let lengthBytes = 0;
  let end = start;
  while (end < manifest.blockCount && lengthBytes < jobBytes) {
    lengthBytes += manifest.blockLengthBytes(end);
    end += 1;
  }
  return end;
}
