/** What the operator's wishes and failed disks mean to the scheduler. */
import type { Agent, ControllerState } from "./state.ts";

/** Drained, blocked, out of use: what that means to the scheduler. */
export function applyOperatorWish(state: ControllerState, agent: Agent): void {
  if (agent.member === undefined) return;
  const { member } = agent;
  const { online, serves, fetches } = member;
  const isOnline = agent.ready && !agent.row.blocked;
  if (isOnline !== online) state.scheduler.setOnline(member, isOnline, state.now);
  member.serves = agent.row.drained ? "lastResort" : "yes";
  member.fetches = !agent.row.drained && state.failures.get(`agents.${agent.row.name}.disk`)?.outOfUse !== true;
  const isSame = member.online === online && member.serves === serves && member.fetches === fetches;
  // Where thousands of agents come at once, each must not have all of them looked at.
  if (!isSame) state.scheduler.touchAll();
}
