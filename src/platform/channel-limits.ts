/** Bounds and times of channels (platform/channel.ts). */

/** A dial of the channel, from the name's look-up to the end of the handshake. */
export const channelDialTimeoutMilliseconds = 10_000;
/** Pause before the first try after a connection that had worked. */
export const firstRetryPauseMilliseconds = 200;
/** Pause before the second try; each further one is twice as long. */
export const secondRetryPauseMilliseconds = 1_000;
/** No pause is longer than this, before jitter. */
export const longestRetryPauseMilliseconds = 30_000;
/** Without a sign of the other end for this long, it is asked for one; after three times this it is taken for gone. */
export const channelQuietMilliseconds = 10_000;
/** More than this waiting to go out means that the other end does not read: the connection is given up. */
export const maximumChannelBufferedBytes = 64 * 1024 * 1024;
/** `drained` resolves when less than this waits to go out. */
export const channelDrainedBytes = 1024 * 1024;
/** How long closing waits for the other end's answer. */
export const channelCloseTimeoutMilliseconds = 2_000;
