/** The figures of a simulation: percentiles by nearest rank, means, and what they are of. Seconds. */

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** By nearest rank: the smallest value that at least that part of all are not above. All 0 where there are none. */
export function percentilesOf(seconds: readonly number[]): Percentiles {
  const sorted = seconds.toSorted((one, other) => one - other);
  const at = (perMille: number): number => sorted[Math.max(0, Math.ceil((sorted.length * perMille) / 1000) - 1)] ?? 0;
  return { p50: at(500), p99: at(990), p999: at(999), max: at(1000) };
}

/** 0 where there are none. */
export function meanOf(seconds: readonly number[]): number {
  if (seconds.length === 0) return 0;
  let sum = 0;
  for (const value of seconds) sum += value;
  return sum / seconds.length;
}
