/**
 * Deciding ahead of the news. Words to an agent and back take time. Where that is little, another portion is queued into a
 * lane before it runs dry; after some time it is let end, and its two ends are matched anew. Where it is much, a lane's end
 * is foreseen, so early that words about what follows get to the agents by then (`succession.ts`); unless transfers end far from when they should, as on busy machines: then lanes are filled again there, too.
 *
 * How long words take is known from what agents answer to echoes (`control/controller/echoes.ts`), until the first of them
 * from its first answer at all, and from any quicker news since; how far off expectations
 * are is learned from each transfer.
 */
import type { Lane } from "./lane.ts";
import { isLongWay } from "./way-shares.ts";
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
/** ... if expectations are no further off than this part of the words' time: on busy machines what is to follow comes too late, lane after lane. */
const exactShare = 1 / 100;
/** A lane is matched anew after so many pauses: within a site who feeds whom matters, ways between sites are worth keeping. */
const withinSitePauses = 10;
const betweenSitesPauses = 100;
/** ... for so long at least. */
const betweenSitesNanoseconds = 2_000_000_000;
/** Over long ways lanes are filled again however far the controller is, and matched anew after so many pauses. */
const longWayPauses = 8;
/** ... or after so many, where its rate is its share of the way (`way-shares.ts`): to begin anew costs more than it brings. */
const sharedWayPauses = 100;
/** What has come in this time its target may not have told of yet. */
const untoldNanoseconds = 500_000_000;
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
  const isLong = isLongWay(lane.wayNanoseconds);
  const isFar = areEndsForeseen(roundTripNanoseconds, lagNanoseconds);
  if (!isLong && (isFar || roundTripNanoseconds <= negligibleNanoseconds)) return undefined;
  const pause = roundTripNanoseconds + lagNanoseconds + lane.wayNanoseconds;
  const isWithin = lane.source.site === lane.target.site;
  const longWay = (lane.isShare ? sharedWayPauses : longWayPauses) * pause;
  const betweenSites = isLong ? longWay : Math.max(betweenSitesNanoseconds, betweenSitesPauses * pause);
  const longest = isWithin ? withinSitePauses * pause : betweenSites;
  if (durationOfLane >= longest) return undefined;
  const margin = (pause - lagNanoseconds) * extendMarginShare + 2 * deviationNanoseconds + lagNanoseconds;
  return Math.max(lane.openedNanoseconds, Math.floor(lane.openedNanoseconds + durationOfLane - margin));
}

/**
 * Until when a lane over a long way is not filled again, since it is behind: what is queued in it is kept from others.
 * @returns undefined: it is not
 */
export function behindUntil(
  lane: Lane,
  now: number,
  lagNanoseconds: number,
  durationOfPending: number,
): number | undefined {
  if (!isLongWay(lane.wayNanoseconds)) return undefined;
  const pause = lane.target.delay.roundTripNanoseconds + lagNanoseconds + lane.wayNanoseconds;
  const behind = durationOfPending - 2 * pause - untoldNanoseconds;
  return behind > 0 ? now + behind : undefined;
}

/** Whether words take so long, and transfers end so exactly when they should, that what follows is decided before they end. */
function areEndsForeseen(roundTripNanoseconds: number, lagNanoseconds: number): boolean {
  return roundTripNanoseconds >= farNanoseconds && lagNanoseconds <= roundTripNanoseconds * exactShare;
}

/** When it is time to decide what follows a lane; undefined: when it has ended, since words take little time. */
export function foreseeAt(lane: Lane, lagNanoseconds: number): number | undefined {
  const { roundTripNanoseconds, deviationNanoseconds } = lane.target.delay;
  if (!areEndsForeseen(roundTripNanoseconds, lagNanoseconds) || isLongWay(lane.wayNanoseconds)) return undefined;
  const margin = roundTripNanoseconds * marginShare + 2 * deviationNanoseconds + lagNanoseconds;
  return Math.floor(lane.expectedEndNanoseconds - roundTripNanoseconds / 2 - margin);
}

/** Whether the news of a lane's end should have come: what was to follow from it is not relied on any further. */
export function isOverdue(lane: Lane, now: number, lagNanoseconds: number): boolean {
  const { roundTripNanoseconds, deviationNanoseconds } = lane.target.delay;
  const margin = roundTripNanoseconds * marginShare + 4 * deviationNanoseconds + 2 * lagNanoseconds;
  return now > lane.expectedEndNanoseconds + roundTripNanoseconds / 2 + margin;
}
