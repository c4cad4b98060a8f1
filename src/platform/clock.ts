/** The clock of every program: monotonic, never set back, of no meaning outside this process. */
import { performance } from "node:perf_hooks";
import { nanosecondsPerMillisecond } from "../std/units.ts";

/** Whole nanoseconds since this process started; what pure code is handed as `nowNanoseconds`. */
export function monotonicNanoseconds(): number {
  return Math.round(performance.now() * nanosecondsPerMillisecond);
}
