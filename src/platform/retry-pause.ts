/**
 * How long to wait before dialling again: quickly once, since a restart is often short, then from a second on twice as
 * long each time up to a limit, spread by chance so that a thousand clients of a restarted server do not come at once.
 */
import {
  firstRetryPauseMilliseconds,
  longestRetryPauseMilliseconds,
  secondRetryPauseMilliseconds,
} from "./channel-limits.ts";

/**
 * Milliseconds to wait before try number `attempt`.
 * @param attempt 0 for the first try after a connection that worked, or after the very first dial failed
 * @param random gives a number in [0, 1); the pause is 0.5 to 1.5 times the plain one
 */
export function retryPauseMilliseconds(attempt: number, random: () => number): number {
  const plain =
    attempt === 0
      ? firstRetryPauseMilliseconds
      : Math.min(longestRetryPauseMilliseconds, secondRetryPauseMilliseconds * 2 ** Math.min(attempt - 1, 30));
  return Math.round(plain * (0.5 + random()));
}
