/** What the operator's wishes and failed disks mean to the scheduler. */
import type { Agent, ControllerState } from "./state.ts";

/** Drained, blocked, out of use: what that means to the scheduler. */
export function applyOperatorWish(state: ControllerState, agent: Agent): void {
  if (agent.member === undefined) return;
  agent.member.online = agent.ready && !agent.row.blocked;
  agent.member.serves = agent.row.drained ? "lastResort" : "yes";
  agent.member.fetches = !agent.row.drained && state.failures.get(`agents.${agent.row.name}.disk`)?.outOfUse !== true;
  state.scheduler.touchAll();
}
