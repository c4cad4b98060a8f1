/** Who says nothing for three heartbeats is taken for gone; unless it is this controller that did not listen. */
import { nanosecondsPerMillisecond } from "./settings.ts";
import type { ControllerState } from "./state.ts";

/**
 * When this end is to be taken for silent: now or earlier, it is. A controller that notices it half a heartbeat too late
 * had no time to hear what may have been said: the end gets another heartbeat.
 */
export function silentAt(
  { now, settings }: Pick<ControllerState, "now" | "settings">,
  end: { lastHeardNanoseconds: number },
): number {
  const heartbeat = settings.heartbeatMilliseconds * nanosecondsPerMillisecond;
  const due = end.lastHeardNanoseconds + 3 * heartbeat;
  if (due + heartbeat / 2 >= now) return due;
  end.lastHeardNanoseconds = now - 2 * heartbeat;
  return now + heartbeat;
}
