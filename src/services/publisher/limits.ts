/** Bounds and times of the publish program. */

/** Names of a folder that are looked at before other work gets its turn. */
export const entriesPerTurn = 2_000;
/** Files of one block that are hashed in one job. */
export const smallFilesPerJob = 128;
/** A job of small files ends at this many bytes, too. */
export const smallFilesJobBytes = 8 * 1024 * 1024;
/** Jobs of small files, or large files, that are given to the hashing threads ahead of time. */
export const hashJobsAhead = 8;
/** Memory for blocks that were read to be handed over and have not gone out yet. */
export const handOverMemoryBytes = 64 * 1024 * 1024;
/** What a lane may have under way: so much time at its rate, */
export const laneAheadNanoseconds = 500_000_000;
/** but no more than this, unless a single block is larger. */
export const largestLaneBytes = 16 * 1024 * 1024;
/** What is pushed in one batch: so much time of the lane's rate. A receiver passes on what came once its batch is whole. */
export const laneBatchNanoseconds = 100_000_000;
/** How long a receiver may take to make durable what it was handed. */
export const flushTimeoutMilliseconds = 120_000;
/** Pause before a lane is given up that was to hand over what a stream's publisher has let go. */
export const absentPauseMilliseconds = 1_000;
/** How much of a file that grew earlier is read in one go to compare it. */
export const compareReadBytes = 2 * 1024 * 1024;
/** Bytes of standard input that no receiver has made durable yet; beyond this it is read no further. */
export const unacknowledgedBytes = 64 * 1024 * 1024;
/** While a stream grows, receivers are asked this often to make durable what they were handed. */
export const growingFlushMilliseconds = 500;
/** How often a followed file is looked at. */
export const followPollMilliseconds = 50;
/** How often the controller is told how much has been handed over. */
export const handedReportMilliseconds = 100;
/** How often targets are looked up while waiting for them. */
export const waitPollMilliseconds = 250;
/** One request to the controller's API. */
export const requestTimeoutMilliseconds = 10_000;
/** Targets that are named when waiting has taken too long. */
export const namedLaggards = 20;
