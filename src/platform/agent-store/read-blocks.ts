/**
 * Reading held blocks for other agents. What is read is what was verified: the files must look as they did when the
 * store last touched them, or the blocks are not held any more until they have been hashed again.
 */
import { RangeSet } from "../../std/ranges.ts";
import type { ReadJob } from "./disk-jobs.ts";
import type { BlockPlace, FileSetState } from "./file-set-state.ts";
import type { FileStamp } from "./file-stamps.ts";
import type { StoreContext } from "./store-context.ts";
import { noteDamaged } from "./store-context.ts";
import { heldOf } from "./write-plan.ts";

interface Part {
  readonly place: BlockPlace;
  /** Where it starts in its file. */
  readonly offsetBytes: number;
  readonly firstBlock: number;
  lengthBytes: number;
  readonly stamp: FileStamp | undefined;
  readonly wasBeingWritten: boolean;
}

/** A waiting block may be put in line between looking up where it is and reading it: then it is looked up once more. */
const attempts = 3;

/** See AgentStore.readBlocks. Throws the error of the file system where a file is there but cannot be read. */
export async function readRun(
  context: StoreContext,
  state: FileSetState,
  start: number,
  end: number,
  into: Uint8Array,
  offsetBytes: number,
): Promise<"read" | "changed" | "absent"> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (state.isDeleted || state.manifest === undefined || !state.held.hasRange(start, end)) return "absent";
    if (start >= end || offsetBytes < 0 || offsetBytes + into.length > state.manifest.bytesInRange(start, end)) {
      throw new RangeError(`${start}..${end} of ${state.key} has not ${into.length} bytes from ${offsetBytes} on`);
    }
    if (context.memory.read(state.key, start, end, into, offsetBytes)) return "read";
    const parts = partsOf(state, start, end, { from: offsetBytes, to: offsetBytes + into.length });
    const { writesBegun } = state;
    const isShared = into.buffer instanceof SharedArrayBuffer;
    const shared = isShared ? into : new Uint8Array(new SharedArrayBuffer(into.length));
    const result = await context.reader.run("read", { into: shared, files: parts.map(describePart) });
    const changed = new Set(result.changed);
    for (const [index, part] of parts.entries()) {
      if (changed.has(index) || part.stamp === undefined) continue;
      const modified = result.modifiedMilliseconds[index];
      // The store's own writing moves the time for a moment.
      const isOurs = part.wasBeingWritten || state.writesBegun !== writesBegun;
      if (modified !== part.stamp.modifiedMilliseconds && !isOurs) changed.add(index);
    }
    if (changed.size === 0) {
      if (!isShared) into.set(shared);
      return "read";
    }
    const touched = parts.filter((_, index) => changed.has(index));
    if (noteChanged(context, state, touched)) return "changed";
  }
  return "changed";
}

/** The parts of files that the bytes from..to - 1 of a run of blocks stand in. */
function partsOf(state: FileSetState, start: number, end: number, wanted: { from: number; to: number }): Part[] {
  const manifest = state.needManifest();
  const parts: Part[] = [];
  let position = 0;
  for (let block = start; block < end; block += 1) {
    const blockBytes = manifest.blockLengthBytes(block);
    const skippedBytes = Math.max(0, wanted.from - position);
    const lengthBytes = Math.min(blockBytes, wanted.to - position) - skippedBytes;
    position += blockBytes;
    if (lengthBytes <= 0) continue;
    const place = state.place(block);
    const last = parts.at(-1);
    if (last !== undefined && last.place.path === place.path && !place.isWaiting) {
      last.lengthBytes += lengthBytes;
      continue;
    }
    const { index } = place.file;
    const stamp = place.isWaiting ? undefined : state.stamps.get(index);
    const offsetBytes = place.offsetBytes + skippedBytes;
    const wasBeingWritten = state.isBeingWritten(index);
    parts.push({ place, offsetBytes, firstBlock: block, lengthBytes, stamp, wasBeingWritten });
  }
  return parts;
}

function describePart({ place, offsetBytes, lengthBytes, stamp }: Part): ReadJob["files"][number] {
  const { path, file, isWaiting } = place;
  // A file that is appended to is at least as long as the part; any other has its own length.
  const grows = file.growing || isWaiting;
  const sizeBytes = grows ? offsetBytes + lengthBytes : file.lengthBytes;
  return { path, offsetBytes, lengthBytes, sizeBytes, grows, inode: stamp?.inode ?? 0 };
}

/** False: blocks have only moved since they were looked up. */
function noteChanged(context: StoreContext, state: FileSetState, parts: readonly Part[]): boolean {
  const lost = new RangeSet();
  for (const { place, firstBlock } of parts) {
    if (state.isDeleted) return true;
    if (!place.isWaiting) lost.addAll(heldOf(state, place.file));
    else if (state.place(firstBlock).isWaiting) lost.add(firstBlock, firstBlock + 1);
  }
  if (lost.isEmpty) return false;
  noteDamaged(context, state, lost);
  return true;
}
