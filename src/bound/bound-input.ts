/** What a lower bound is worked out from: who there is, what the links carry and when, who has what and who wants it. */
import type { RangeSet } from "../std/ranges.ts";
import type { NicCapability, Topology } from "../model/topology.ts";

export interface BoundAgent {
  readonly name: string;
  readonly site: string;
  /** What its group says of its interface. */
  readonly nic?: NicCapability | undefined;
  /** What its interface really does, as a part of what is declared; left out: all of it. */
  readonly trueRate?: number | undefined;
}

/** From then on, these are the capabilities; the first counts before that too. */
export interface BoundEpoch {
  readonly fromSeconds: number;
  readonly topology: Topology;
}

/** The blocks of a file set, in its order. */
export interface BoundBlocks {
  readonly count: number;
  readonly totalBytes: number;
  /** The length of the shortest block; 0 if there is none. */
  readonly shortestBytes: number;
  bytesOf(blocks: RangeSet): number;
}

export interface BoundFileSet {
  readonly startSeconds: number;
  readonly blocks: BoundBlocks;
  /** Agents that have all of it from the start, or as it grows. None: it comes from outside, where nothing is known of. */
  readonly origins: readonly string[];
  /** Agents that want it; origins among them have it already. */
  readonly targets: readonly string[];
  /** Whether agents that do not want it may pass it on. */
  readonly relays: "targets" | "all";
  /** What agents that are no origins have of it at the start. */
  readonly held?: ReadonlyMap<string, RangeSet> | undefined;
  /** It is produced at this rate from the start on. */
  readonly growthBitsPerSecond?: number | undefined;
}

export interface BoundInput {
  readonly agents: readonly BoundAgent[];
  /** At least one, in order of time. */
  readonly epochs: readonly BoundEpoch[];
  readonly fileSets: readonly BoundFileSet[];
}

/** Blocks of equal length, but for the last one of each file, from what is told of a file set. */
export function equalBlocks(totalBytes: number, blockBytes: number): BoundBlocks {
  const count = Math.ceil(totalBytes / blockBytes);
  const lastBytes = totalBytes - Math.max(0, count - 1) * blockBytes;
  return {
    count,
    totalBytes,
    shortestBytes: count === 0 ? 0 : Math.min(blockBytes, lastBytes),
    bytesOf: (blocks) => blocks.count * blockBytes - (blocks.has(count - 1) ? blockBytes - lastBytes : 0),
  };
}
