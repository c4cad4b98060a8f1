/** Waiting for what programs do by themselves: conditions are polled, never guessed at with a fixed pause. */
import { setTimeout as pause } from "node:timers/promises";

const pollMilliseconds = 50;
/** Generous: a loaded machine is slow, and a condition that comes true ends the wait at once. */
const defaultTimeoutMilliseconds = 30_000;

/**
 * Waits until `look` gives something else than undefined or false, and returns that. What `look` throws counts as "not
 * yet": programs that are starting or stopping refuse connections.
 * @throws Error naming `what` when the time is over
 */
export async function waitUntil<Found>(
  what: string,
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  timeoutMilliseconds: number = defaultTimeoutMilliseconds,
): Promise<Found> {
  const giveUpAt = performance.now() + timeoutMilliseconds;
  let problem: unknown;
  for (;;) {
    try {
      problem = undefined;
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      problem = error;
    }
    if (performance.now() > giveUpAt) {
      const last = problem instanceof Error ? `: ${problem.message}` : "";
      throw new Error(`not within ${timeoutMilliseconds} ms: ${what}${last}`, { cause: problem });
    }
    await pause(pollMilliseconds);
  }
}

/** Fails when the promise takes longer. */
export async function within<Result>(
  what: string,
  timeoutMilliseconds: number,
  promise: Promise<Result>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${timeoutMilliseconds} ms: ${what}`)), timeoutMilliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
