/**
 * Deciding ahead of the news. Words to an agent and back take time. A transfer whose end is to be expected counts as ended
 * when it would end if words took none: what is decided then gets to its agents just as the transfer really ends. So all
 * decisions are as if the controller were near, and everything happens one word's way later.
 *
 * How long words take is known from an agent's first answer, and from any quicker news since; how far off expectations are
 * is learned from each transfer. Where news is overdue at one of a transfer's ends, nothing more is decided ahead there.
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
/** Ends are to be expected where they are off by no more than this part of the round trip: else more is lost than won. */
const steadyShare = 0.25;
/** News is overdue after so many deviations, and so much of the round trip. */
const overdueDeviations = 4;
const overdueShare = 0.25;

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

/** What passes at a member between the end of one transfer and the start of the next: nothing, where ends are decided on ahead. */
export function pauseNanoseconds({ delay }: Member): number {
  return isSteady(delay) ? 0 : delay.roundTripNanoseconds;
}

function isSteady({ roundTripNanoseconds, deviationNanoseconds }: Delay): boolean {
  return deviationNanoseconds <= roundTripNanoseconds * steadyShare;
}

/** When a transfer that was decided on counts as ended; undefined: when the news of it comes. */
export function endsAt(lane: Lane, durationOfLane: number): number | undefined {
  const { roundTripNanoseconds, deviationNanoseconds } = lane.target.delay;
  if (roundTripNanoseconds <= negligibleNanoseconds) return undefined;
  if (!isSteady(lane.target.delay)) return undefined;
  return lane.openedNanoseconds + durationOfLane + Math.min(deviationNanoseconds, roundTripNanoseconds);
}

/** Whether news is overdue at a member: then it is not as fast as was thought, and nothing is decided ahead for it. */
export function isOverdue(member: Member, now: number, expectedEnd: (lane: Lane) => number): boolean {
  for (const lane of member.endingIn) if (isLaneOverdue(lane, now, expectedEnd)) return true;
  for (const lane of member.endingOut) if (isLaneOverdue(lane, now, expectedEnd)) return true;
  return false;
}

function isLaneOverdue(lane: Lane, now: number, expectedEnd: (lane: Lane) => number): boolean {
  const { roundTripNanoseconds, deviationNanoseconds } = lane.target.delay;
  const slack = overdueDeviations * deviationNanoseconds + overdueShare * roundTripNanoseconds;
  return now > expectedEnd(lane) + roundTripNanoseconds + slack;
}
