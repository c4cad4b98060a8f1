/**
 * Failures, as agents report them (claims 16, 17): those whose component is certain are counted; suspicions are handed
 * to the prober. Each is counted once, however often it is reported, and acknowledged when that is durable.
 */
import type { Failure } from "../../protocol/parts.ts";
import { countFailure, harmlessKinds } from "./components.ts";
import { suspect } from "./probes.ts";
import { storeAgent, type Agent, type ControllerState } from "./state.ts";
import { withinSight } from "./within-sight.ts";

/** Counts an agent's failures and acknowledges them; one that was counted before is only acknowledged. */
export function countFailures(state: ControllerState, agent: Agent, failures: readonly Failure[]): void {
  if (failures.length === 0) return;
  let last = agent.row.lastFailureId;
  for (const reported of failures) {
    if (reported.failureId <= agent.row.lastFailureId) continue;
    last = Math.max(last, reported.failureId);
    const failure = harmlessKinds.has(reported.kind) ? undefined : withinSight(state, agent, reported);
    if (failure === undefined) continue;
    const reason = `${failure.kind}, seen by ${agent.row.name}: ${failure.detail}`;
    if (failure.certain) countFailure(state, failure.component, reason);
    else suspect(state, agent, failure, reason);
  }
  if (last !== agent.row.lastFailureId) {
    agent.row = { ...agent.row, lastFailureId: last };
    storeAgent(state, agent);
  }
  state.out.sendAgent(agent.connectionId, {
    type: "acknowledge",
    term: state.term,
    failureIds: failures.map((failure) => failure.failureId),
  });
}
