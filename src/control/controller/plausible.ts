/**
 * What agents can hold of a file set that is being published: what its publisher was told to hand over, and what they
 * have in other file sets. An agent that says it holds anything else is mistaken or lies; were it believed, a publish
 * would be committed that nobody holds.
 */
import type { Manifest } from "../../model/manifest.ts";
import { RangeSet } from "../../std/ranges.ts";
import type { ControllerState, FileSet } from "./state.ts";

/** What tells the blocks of all other file sets. */
export type KnownBlocks = ReadonlySet<number>;

/** The blocks that agents can have from other file sets. */
export function knownBlocks(state: ControllerState, fileSet: FileSet): KnownBlocks {
  const known = new Set<number>();
  for (const other of state.fileSets.values()) {
    if (other === fileSet || other.row.algorithm !== fileSet.row.algorithm) continue;
    for (let block = 0; block < other.manifest.blockCount; block += 1) known.add(prefixOf(other.manifest, block));
  }
  return known;
}

/** Blocks of a file set, from one on, that are known. */
export function heldElsewhere(known: KnownBlocks, fileSet: FileSet, firstBlock: number): RangeSet {
  const held = new RangeSet();
  if (known.size === 0) return held;
  for (let block = firstBlock; block < fileSet.manifest.blockCount; block += 1) {
    if (known.has(prefixOf(fileSet.manifest, block))) held.add(block, block + 1);
  }
  return held;
}

/** The first 53 bits of a checksum: enough to tell what is plausible. */
function prefixOf(manifest: Manifest, block: number): number {
  const checksum = manifest.blockChecksum(block);
  let prefix = 0;
  for (let index = 0; index < 6; index += 1) prefix = prefix * 256 + (checksum[index] ?? 0);
  return prefix * 32 + ((checksum[6] ?? 0) >> 3);
}
