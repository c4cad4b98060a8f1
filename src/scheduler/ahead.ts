/**
 * Deciding ahead of the news. Words to an agent and back take time. Where that is little, another portion is queued into a
 * lane before it runs dry; after some time it is let end, and its two ends are matched anew. Where it is much, a lane's end
 * is foreseen, so early that words about what follows get to the agents by then (`succession.ts`).
 *
 * How long words take is known from what agents answer to echoes (`control/controller/echoes.ts`), until the first of them
 * from its first answer at all, and from any quicker news since; how far off expectations
 * are is learned from each transfer.
 */
import type { Lane } from "./lane.ts";
import type { Member } from "./world.ts";

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
/** From here on ends are foreseen; words that take less are bridged by filling the same lane again. */
const farNanoseconds = 100_000_000;
/** A lane is matched anew after so many pauses: within a site who feeds whom matters, ways between sites are worth keeping. */
const withinSitePauses = 10;
const betweenSitesPauses = 100;
/** ... for so long at least. */
const betweenSitesNanoseconds = 2_000_000_000;
/** Where bytes are under way for longer, there and back, lanes are filled again however far the controller is ... */
const longWayNanoseconds = 5_000_000;
/** ... and matched anew after so many pauses. */
const longWayPauses = 8;
/** It is filled again so much earlier, as a part of the round trip. */
const extendMarginShare = 0.25;
/** Words are sent earlier by this part of the round trip. */
const marginShare = 1 / 8;

/** How long a transfer takes. @param wireShare bytes on the wire for each byte of payload */
export function durationNanoseconds(bytes: number, rateBitsPerSecond: number, wireShare: number): number {
  return Math.ceil((bytes * wireShare * 8 * 1_000_000_000) / rateBitsPerSecond);
}

/** Learns from the news of a transfer's end. */
export function learn(delay: Delay, elapsedNanoseconds: number, expectedNanoseconds: number): void {
  const observed = Math.max(0, elapsedNanoseconds - expectedNanoseconds);
  // A long transfer that was a little quicker than its rate says nothing of words.
  const isTelling = expectedNanoseconds <= delay.roundTripNanoseconds;
  if (isTelling) delay.roundTripNanoseconds = Math.min(delay.roundTripNanoseconds, observed);
  const later = Math.max(0, observed - delay.roundTripNanoseconds);
  delay.deviationNanoseconds += Math.round((later - delay.deviationNanoseconds) * deviationShare);
}

export function wordsNanoseconds(member: Member): number {
  return member.delay.roundTripNanoseconds / 2;
}

/** When a lane should end, if it begins as soon as words of it have come, its source has what it is to give, and all before it have ended. */
export function expectedEnd(lane: Lane, now: number, durationOfLane: number): number {
  let begin = now + wordsNanoseconds(lane.target);
  for (const { expectedEndNanoseconds } of lane.predecessors) begin = Math.max(begin, expectedEndNanoseconds);
  return begin + durationOfLane + lane.wayNanoseconds;
}

/**
 * When more is to be queued into a lane so that it does not run dry before words about that get to its target.
 * @returns undefined: not before it is empty, since words take no time, or so long that its end is foreseen, or it has lasted long enough
 */
export function extendAt(lane: Lane, durationOfLane: number, lagNanoseconds: number): number | undefined {
  const { roundTripNanoseconds, deviationNanoseconds } = lane.target.delay;
  const isLong = isLongWay(lane);
  const isFar = roundTripNanoseconds >= farNanoseconds;
  if (!isLong && (isFar || roundTripNanoseconds <= negligibleNanoseconds)) return undefined;
  const pause = roundTripNanoseconds + lagNanoseconds + lane.wayNanoseconds;
  const isWithin = lane.source.site === lane.target.site;
  const betweenSites = isLong ? longWayPauses * pause : Math.max(betweenSitesNanoseconds, betweenSitesPauses * pause);
  const longest = isWithin ? withinSitePauses * pause : betweenSites;
  if (durationOfLane >= longest) return undefined;
  const margin = (pause - lagNanoseconds) * extendMarginShare + 2 * deviationNanoseconds + lagNanoseconds;
  return Math.max(lane.openedNanoseconds, Math.floor(lane.openedNanoseconds + durationOfLane - margin));
}

/** What its source has sent all of is not there for long yet: the way is lost meanwhile, unless more comes behind it. */
function isLongWay(lane: Lane): boolean {
  return lane.wayNanoseconds > longWayNanoseconds;
}

/** When it is time to decide what follows a lane; undefined: when it has ended, since words take little time. */
export function foreseeAt(lane: Lane, lagNanoseconds: number): number | undefined {
  const { roundTripNanoseconds, deviationNanoseconds } = lane.target.delay;
  if (roundTripNanoseconds < farNanoseconds || isLongWay(lane)) return undefined;
  const margin = roundTripNanoseconds * marginShare + 2 * deviationNanoseconds + lagNanoseconds;
  return Math.floor(lane.expectedEndNanoseconds - roundTripNanoseconds / 2 - margin);
}

/** Whether the news of a lane's end should have come: what was to follow from it is not relied on any further. */
export function isOverdue(lane: Lane, now: number, lagNanoseconds: number): boolean {
  const { roundTripNanoseconds, deviationNanoseconds } = lane.target.delay;
  const margin = roundTripNanoseconds * marginShare + 4 * deviationNanoseconds + 2 * lagNanoseconds;
  return now > lane.expectedEndNanoseconds + roundTripNanoseconds / 2 + margin;
}
