/** What an invented fleet is made of: its sizes, names, and what is the same at every time. */
import type { FailureRow, RarityRow } from "#src/protocol/api/rows.ts";

export const siteNames = ["ams", "bom", "dub", "fra", "gru", "iad", "nrt", "ord", "pdx", "sin", "syd", "yul"];
export const names = ["search-index", "map-tiles", "model-weights", "game-build", "product-images", "geo-lookup"];
export const gigabit = 1_000_000_000;
export const blockBytes = 4 * 1024 * 1024;
/** So many blocks has each file set. */
export const blocks = 2_048;
export const totalBytes = blocks * blockBytes;
/** A fixed date, so that two runs show the same. */
export const startMilliseconds = Date.UTC(2026, 0, 15, 9, 30);
export const stepMilliseconds = 250;
export const historySamples = 240;

/** From 0 to 1, the same for the same numbers. */
export function noise(...numbers: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const number of numbers) state = Math.imul(state ^ (number + 0x7f4a7c15), 0x85ebca6b) ^ (state >>> 13);
  return ((state ^ (state >>> 16)) >>> 0) / 0x1_0000_0000;
}

export const none = {
  capabilityBitsPerSecond: null,
  allocatedBitsPerSecond: 0,
  measuredBitsPerSecond: 0,
  carriedBytes: 0,
  failures: 0,
  outOfUse: false,
} as const;

export function nic(measuredBitsPerSecond: number) {
  return {
    capabilityBitsPerSecond: 10 * gigabit,
    allocatedBitsPerSecond: Math.round(measuredBitsPerSecond * 1.05),
    measuredBitsPerSecond,
    carriedBytes: totalBytes,
  };
}

export function inventedFailures(fileSet: string, nameOf: (agent: number) => string): FailureRow[] {
  return Array.from({ length: 3 }, (_, index) => ({
    failure: String(index + 1),
    atMilliseconds: startMilliseconds - 40_000 + index * 9_000,
    reporter: nameOf(29 + index),
    kind: "wrongChecksum",
    component: `agents.${nameOf(5)}`,
    certain: index > 0,
    alsoSuspected: [],
    source: nameOf(5),
    fileSet: fileSet,
    detail: `block ${1_711 + index} of parts/part-0042.bin is not what the manifest says`,
  }));
}

export const inventedRarity: RarityRow[] = [3, 4, 7, 12, 40, 160].map((holders, at) => ({
  holders,
  blocks: [2, 9, 31, 74, 420, 1_512][at] ?? 0,
  examples: at < 2 ? [{ firstBlock: 1_977 - at * 40, lastBlock: 1_978 - at * 40, path: "parts/part-0117.bin" }] : [],
}));
