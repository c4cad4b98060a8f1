/** Bounds and times of the agent's state machine. What a controller says can never make an agent grow beyond these. */
import { nanosecondsPerMillisecond, nanosecondsPerSecond } from "../../std/units.ts";

/** File sets that one agent knows at a time; an assignment beyond it is refused with a note. */
export const maximumFileSets = 10_000;
/** Lanes that one agent pulls through at a time; an instruction beyond it is answered by the end of that lane. */
export const maximumLanes = 1_024;
/** Ranges of blocks that are due on one lane; a transfer beyond it ends the lane. */
export const maximumDueRangesPerLane = 100_000;
/** Failures that wait for the controller's acknowledgement; the oldest are forgotten beyond it. */
export const maximumUnacknowledgedFailures = 1_000;
/** Probes that are under way at once; further ones are not answered. */
export const maximumProbes = 16;
/** Challenges that are being read at once; further ones are not answered. */
export const maximumChallenges = 16;
/** Ranges that one state message carries at most; a state with more is split over several. */
export const rangesPerReport = 10_000;
/** Entries (file sets, lanes, failures) that one state message carries at most. */
export const entriesPerReport = 1_000;
/** Agents that were reached, of which one state message tells at most; what is more is left out. */
export const reachedPerReport = 256;
/** Versions that were active before, remembered for each name of a file set. */
export const maximumPreviousVersions = 16;

/** A lane that will have nothing left to bring within this time is reported at once, so that it is refilled ahead. */
export const dryAheadNanoseconds = nanosecondsPerSecond / 2;
/** The pause before a file set whose storage failed is tried again: doubled each time, up to the longest. */
export const shortestRetryNanoseconds = nanosecondsPerSecond;
export const longestRetryNanoseconds = 60 * nanosecondsPerSecond;
/** A probe that has brought nothing after this many stall times has failed. */
export const probeStallTimes = 2;

/** What an agent goes by until a controller has welcomed it. */
export const defaultAgentSettings = {
  heartbeatNanoseconds: 5 * nanosecondsPerSecond,
  reportNanoseconds: 200 * nanosecondsPerMillisecond,
  stallNanoseconds: 10 * nanosecondsPerSecond,
  keepVersions: 2,
} as const;
