/**
 * Relays (`--relays all`): while a file set that was just published is on its way, agents that are none of its targets
 * take it too, and give it on: ways of which no target is at the end carry it as well. When all targets that are there
 * have it, relays delete it.
 *
 * A relay never activates what it carries. A controller that was started anew has none for what was published before.
 */
import { isTarget, unassign } from "./assignments.ts";
import type { ControllerState, FileSet } from "./state.ts";

/** To be called when an agent has completed a file set, and when it is committed: ends relaying if nobody needs it any more. */
export function endRelays(state: ControllerState, fileSet: FileSet): void {
  const { relays, content, key } = fileSet;
  // Mostly more lack it than carry it: no need to look at them one by one.
  if (relays === undefined || fileSet.row.state === "publishing" || content.hungry.size > relays.size) return;
  for (const agent of state.agents.values()) {
    if (!agent.row.online || agent.fileSets.get(key)?.status === "held") continue;
    if (isTarget(state, agent, fileSet)) return;
  }
  fileSet.relays = undefined;
  for (const agent of relays) if (agent.ready) unassign(state, agent, key, true);
}
