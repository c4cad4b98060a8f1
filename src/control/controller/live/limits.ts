/** How often, how much and how long: what keeps the live views cheap, however large the fleet. */

/** Topics that are drawn moving are brought up to date this often while someone listens. */
export const quickTopicMilliseconds = 400;
/** Topics with a row for each agent or resource: so often. */
export const slowTopicMilliseconds = 1_000;
/** While nobody listens, use of resources and progress are counted this often. */
export const idleTickMilliseconds = 1_000;
/** A sample of every unfinished file set is kept this often, listened to or not; less often once there are many. */
export const progressSampleMilliseconds = 1_000;
/** A sample of every site's and link's use is kept this often, listened to or not. */
export const usageSampleMilliseconds = 5_000;
/** File sets for which it is worked out at one sample how soon they could be complete at best, as they begin. */
export const maximumBoundsPerSample = 5;
/** Samples of one file set or resource; then every second one is dropped, or the oldest. */
export const maximumSamples = 720;
/** Pairs of file set and agent that are looked at in one go; the rest waits for the next. */
export const maximumPairsPerTick = 50_000;
/** Flows that the topic of transfers lists: the largest. */
export const maximumListedFlows = 1_000;
/** Failures that are remembered for showing. */
export const maximumListedFailures = 200;
/** A flow without a lane is shown for this much longer: lanes may be short, and pages should not flicker. */
export const flowLingerMilliseconds = 2_000;
/** Measured rates follow what is measured with this delay. */
export const rateSmoothingSeconds = 2;
/** How often it is worked out anew at most what holds a file set back. */
export const heldBackMilliseconds = 2_000;
/** File sets for which that is worked out in one go; the rest waits for the next. */
export const maximumHeldBackPerTick = 20;
/** How often the rarity of a file set's blocks is counted. */
export const rarityMilliseconds = 2_000;
/** Bytes on the wire for each byte of content: a full Ethernet frame carries 1,448 of 1,514. */
export const wireShare = 1_514 / 1_448;
