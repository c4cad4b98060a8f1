/** Bounds and times of the agent's program. Those of its thinking stand in control/agent/limits.ts. */

/** Events that wait for the state machine; above this the controller is not read from until they are worked off. */
export const maximumQueuedEvents = 10_000;
/** The longest that a timer of Node can be set for; a later wake-up is set again then. */
export const longestTimerMilliseconds = 2_147_483_647;
/** The pause before a document that could not be saved is tried again: doubled each time, up to the longest. */
export const shortestSaveRetryMilliseconds = 500;
export const longestSaveRetryMilliseconds = 30_000;
/** How often the free space of the disk is looked at. */
export const diskIntervalMilliseconds = 10_000;
/** What of a challenged block is sent at once; pauses keep the rate that the controller allows. */
export const challengeChunkBytes = 192 * 1024;
/** The file system is asked how much is free after this long ... */
export const diskCheckMilliseconds = 1_000;
/** ... and before each write when no more than this is left to write. */
export const diskCheckBytes = 256 * 1024 * 1024;
/** How long stopping waits for what the disk is busy with. */
export const stopTimeoutMilliseconds = 5_000;
/** Lanes, in each direction, that are remembered for counting what they carry. */
export const maximumCountedLanes = 20_000;
