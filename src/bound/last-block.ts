/**
 * What the indivisibility of blocks adds: a block is of use to others only when it is whole, so those that have a given
 * block can at best double in the time that one takes.
 *
 * Mundinger, Weber, Weiss (Optimal scheduling of peer-to-peer file dissemination, 2008, theorem 1): one origin, N
 * peers, M equal blocks, all uploads u: nobody can do better than (F / u)(1 + floor(log2 N) / M), whatever the downloads.
 * With unequal uploads all are taken for as fast as the fastest, and blocks for as short as the shortest.
 */

/** How many times something must double to grow from `from` to at least `to`. */
export function doublings(from: number, to: number): number {
  let count = 0;
  for (let reached = from; reached < to; reached *= 2) count += 1;
  return count;
}

/** floor(log2 count), for a count of at least 1. */
export function floorLog2(count: number): number {
  let log = 0;
  while (2 ** (log + 1) <= count) log += 1;
  return log;
}

/** Seconds for one origin and `peers` others that have nothing; 0 without a limit. */
export function disseminationSeconds(
  totalBytes: number,
  shortestBytes: number,
  peers: number,
  fastestUpBitsPerSecond: number,
): number {
  if (peers === 0 || fastestUpBitsPerSecond === Infinity) return 0;
  return ((totalBytes + floorLog2(peers) * shortestBytes) * 8) / fastestUpBitsPerSecond;
}

/** Seconds until a block that `holders` agents have is with `peers` more. */
export function spreadSeconds(
  blockBytes: number,
  holders: number,
  peers: number,
  fastestUpBitsPerSecond: number,
): number {
  if (peers === 0 || holders === 0 || fastestUpBitsPerSecond === Infinity) return 0;
  return (doublings(holders, holders + peers) * blockBytes * 8) / fastestUpBitsPerSecond;
}
