/** Bounds of the lab's network, and what a shaped link is. */

/** Sites of one lab: each has a part of 10.0.0.0/8 of its own. */
export const maximumLabSites = 200;
/** Hosts of one lab: each runs programs, on one machine. */
export const maximumLabHosts = 250;
/** Links by name of one lab. */
export const maximumLabLinks = 200;

/** A shaped link lets so much time of its rate pass at once, */
export const shapedBurstMilliseconds = 10;
/** but no less than this, which is the largest packet that a host hands to its network at once. */
export const leastShapedBurstBytes = 65_536;
/** What a shaped link keeps waiting at most; what comes on top is lost. */
export const shapedQueueMilliseconds = 60;

/** A site's link without a limit has this one, which no race reaches: its bytes are counted there. */
export const countingBitsPerSecond = 10_000_000_000;

/** How long a device that delays packets may take to appear. */
export const delayReadyMilliseconds = 5_000;
/** One call of ip or tc; a set-up with all its hosts is a few of them. */
export const commandTimeoutMilliseconds = 30_000;
