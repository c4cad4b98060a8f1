/** Bounds and times of a publish, as its state machine keeps them. */

/** How long a publish that the controller has not accepted yet tries to reach it, unless told otherwise: 30 s. */
export const defaultControllerPatienceNanoseconds = 30_000_000_000;
/** How long a publish that was under way waits for its controller to come back: 15 min. */
export const runningPatienceNanoseconds = 900_000_000_000;
/** How long an abort is kept for a controller that cannot be reached just now: 5 s. */
export const abortPatienceNanoseconds = 5_000_000_000;
/** Pause before a publish that cannot go on just now (agents are still coming back, say) is begun anew: 1 s. */
export const beginAgainNanoseconds = 1_000_000_000;
/** The controller is not told more often than this that the publisher is still there, whatever it asks for: 50 ms. */
export const shortestHeartbeatNanoseconds = 50_000_000;
/** Bytes of the manifest that are sent before the channel is asked whether it has room for more. */
export const manifestWindowBytes = 1024 * 1024;
/**
 * Bytes of a growing manifest that one message carries, before base64. The controller takes an extension only together
 * with its root, so this bounds what a publish may add while its controller is away.
 */
export const extensionPayloadBytes = 4 * 1024 * 1024;
/** A growing file's block is cut at this size. */
export const growingBlockBytes = 4 * 1024 * 1024;
/** A growing file's block is cut when its first byte has waited this long: 200 ms. */
export const growingCutNanoseconds = 200_000_000;
/**
 * The newest byte of a growing file waits at most this long for the next one or for the end, so that the last block can
 * be cut knowing that it is the last: 1 s.
 */
export const growingHoldBackNanoseconds = 1_000_000_000;
/** What agents say they hold is durable there after this long without any doing of the publisher: 30 s. */
export const heldIsDurableAfterNanoseconds = 30_000_000_000;
