/** Bounds and times of the controller's program. */

/**
 * Channels, agents' and publishers' together. One more is turned away and asked to come back. Fewer than the connections
 * that the port takes, so that operators still get through.
 */
export const maximumChannels = 19_000;
/** More than this waiting to go out to one end means that it does not read: its connection is given up. */
export const maximumChannelBufferedBytes = 64 * 1024 * 1024;
/** Messages that wait for the state machine; above it nothing more is read from any channel until it has caught up. */
export const maximumQueuedEvents = 10_000;
/** A new channel must say something within this time. */
export const firstMessageTimeoutMilliseconds = 10_000;
/** Operators' requests that wait for their answer at once. */
export const maximumPendingRequests = 1_000;
/** An answer that the state machine owes an operator for longer than this is not waited for any more. */
export const requestTimeoutMilliseconds = 15 * 60_000;
/** The body of a request to the API that is not a topology. */
export const maximumRequestBodyBytes = 64 * 1024;
/** How long stopping waits for channels to close in good order. */
export const closeTimeoutMilliseconds = 2_000;
/** The longest time a timer of Node can be set to. */
export const longestTimerMilliseconds = 2_147_483_647;
/** Event streams at once; a page uses one. */
export const maximumEventStreams = 200;
/** Topics that one event stream carries. */
export const maximumTopicsPerStream = 8;
/** Events that wait for one follower; above it events are left out, and a snapshot takes their place. */
export const maximumFollowerBytes = 4 * 1024 * 1024;
/** A follower that has nothing to be told is told so. */
export const streamKeepAliveMilliseconds = 5_000;
/** After which time browsers connect again when a stream broke. */
export const streamRetryMilliseconds = 1_000;
/** A topic that nobody follows any more is kept up for so long, for whoever comes back. */
export const topicLingerMilliseconds = 15_000;
/** Events of a topic that are kept for whoever comes back. */
export const maximumRecentEvents = 64;
/** Bytes of events of a topic that are kept for whoever comes back. */
export const maximumRecentEventBytes = 8 * 1024 * 1024;
