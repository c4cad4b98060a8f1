/** The time of day as everything in a race writes it down. */

/** Milliseconds since 1970, with a fraction. */
export function nowMilliseconds(): number {
  return performance.timeOrigin + performance.now();
}
