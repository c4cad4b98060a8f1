/**
 * Deciding ahead of the news. Words to an agent and back take time. Before a lane runs dry another portion is queued into it,
 * so early that words of it get to its target in time: it goes on without a pause, and no link carries more than one
 * lane's rate, however far off expectations are. After some time it is let end, and its two ends are matched anew.
 *
 * How long words take is known from an agent's first answer, and from any quicker news since; how far off expectations are
 * is learned from each transfer.
 */
import type { Lane } from "./lane.ts";

export interface Delay {
  /** To the agent and back, in nanoseconds, as the quickest answer showed. */
  roundTripNanoseconds: number;
  /** How much later than that news comes, on average. */
  deviationNanoseconds: number;
}

export function newDelay(): Delay {
  return { roundTripNanoseconds: 0, deviationNanoseconds: 0 };
}

/** Words that take no longer are not worth deciding ahead of. */
const negligibleNanoseconds = 50_000;
const deviationShare = 1 / 8;
/** A lane is matched anew after so many pauses: within a site who feeds whom matters, ways between sites are worth keeping. */
const withinSitePauses = 10;
const betweenSitesPauses = 100;
/** ... for so long at least. */
const betweenSitesNanoseconds = 2_000_000_000;
/** Words are sent earlier by this part of the round trip. */
const marginShare = 0.25;

/** How long a transfer takes. @param wireShare bytes on the wire for each byte of payload */
export function durationNanoseconds(bytes: number, rateBitsPerSecond: number, wireShare: number): number {
  return Math.ceil((bytes * wireShare * 8 * 1_000_000_000) / rateBitsPerSecond);
}

/** Learns from the news of a transfer's end. */
export function learn(delay: Delay, elapsedNanoseconds: number, expectedNanoseconds: number): void {
  const observed = Math.max(0, elapsedNanoseconds - expectedNanoseconds);
  delay.roundTripNanoseconds = Math.min(delay.roundTripNanoseconds, observed);
  const later = observed - delay.roundTripNanoseconds;
  delay.deviationNanoseconds += Math.round((later - delay.deviationNanoseconds) * deviationShare);
}

/**
 * When more is to be queued into a lane so that it does not run dry before words about that get to its target.
 * @returns undefined: not before it is empty, since words take no time or it has lasted long enough to be matched anew
 */
export function extendAt(lane: Lane, durationOfLane: number, lagNanoseconds: number): number | undefined {
  const { roundTripNanoseconds, deviationNanoseconds } = lane.target.delay;
  if (roundTripNanoseconds <= negligibleNanoseconds) return undefined;
  const pause = roundTripNanoseconds + lagNanoseconds;
  const isWithin = lane.source.site === lane.target.site;
  const longest = isWithin ? withinSitePauses * pause : Math.max(betweenSitesNanoseconds, betweenSitesPauses * pause);
  if (durationOfLane >= longest) return undefined;
  const margin = roundTripNanoseconds * marginShare + 2 * deviationNanoseconds + lagNanoseconds;
  return Math.max(lane.openedNanoseconds, Math.floor(lane.openedNanoseconds + durationOfLane - margin));
}
