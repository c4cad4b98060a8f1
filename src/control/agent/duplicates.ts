/**
 * Blocks of one file set that are equal to an earlier one of it never cross the network: whoever stores the first fills
 * the later ones. Here is the way from a first block to its duplicates, made once for each manifest and grown with it.
 */
import type { Manifest } from "../../model/manifest.ts";

interface Index {
  /** Duplicates up to here are in. */
  scannedBlocks: number;
  readonly byFirst: Map<number, number[]>;
}

/** Agents of one process may share a manifest, and then share this too. */
const indexes = new WeakMap<Manifest, Index>();

/** Calls `visit` with each later duplicate of the blocks start..end - 1. */
export function forEachDuplicate(manifest: Manifest, start: number, end: number, visit: (block: number) => void): void {
  const index = indexOf(manifest);
  if (index.byFirst.size === 0) return;
  if (index.byFirst.size < end - start) {
    for (const [first, later] of index.byFirst) {
      if (first >= start && first < end) for (const block of later) visit(block);
    }
    return;
  }
  for (let block = start; block < end; block += 1) {
    for (const later of index.byFirst.get(block) ?? []) visit(later);
  }
}

function indexOf(manifest: Manifest): Index {
  let index = indexes.get(manifest);
  if (index === undefined) {
    index = { scannedBlocks: 0, byFirst: new Map() };
    indexes.set(manifest, index);
  }
  if (index.scannedBlocks < manifest.blockCount) scan(manifest, index);
  return index;
}

function scan(manifest: Manifest, index: Index): void {
  const duplicates = manifest.duplicates();
  const end = manifest.blockCount;
  for (
    let block = duplicates.nextIn(index.scannedBlocks);
    block >= 0 && block < end;
    block = duplicates.nextIn(block + 1)
  ) {
    const first = manifest.duplicateOf(block);
    const later = index.byFirst.get(first);
    if (later === undefined) index.byFirst.set(first, [block]);
    else later.push(block);
  }
  index.scannedBlocks = end;
}
