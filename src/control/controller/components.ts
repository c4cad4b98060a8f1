/**
 * Components of the network and their failures (claim 17): counted durably; at the set count a component goes out of
 * use, the operator is told which and why, and lanes over it end; when it works again it is put back.
 */
import type { FailureKind } from "../../protocol/parts.ts";
import { applyOperatorWish } from "./members.ts";
import { putRow } from "./records.ts";
import type { ControllerState } from "./state.ts";

/** Kinds that say nothing bad of anyone: the plan and reality differed for a moment. */
export const harmlessKinds: ReadonlySet<FailureKind> = new Set(["notHeld", "ticketRefused"]);

/** Counts one failure of a component. */
export function countFailure(state: ControllerState, name: string, reason: string): void {
  const { component, wentOut } = state.failures.count(name, reason, state.now);
  storeComponent(state, name);
  if (!wentOut) return;
  state.out.note(
    "warn",
    `${name} is out of use after ${component.count} failures (the last: ${reason}); it will be tried again`,
    { component: name },
  );
  applyComponent(state, name, true);
}

/** A publisher could not hand over to this agent. */
export function blameOnReceiver(state: ControllerState, receiver: string, kind: FailureKind, detail: string): void {
  if (harmlessKinds.has(kind)) return;
  // Only losing touch counts: bytes that are wrong came from the publisher.
  if (kind === "refused" || kind === "stalled") {
    countFailure(state, `agents.${receiver}`, `${kind}, seen by a publisher: ${detail}`);
  }
}

/** It is to be used again. @param why for the log */
export function putBack(state: ControllerState, name: string, why = "works again"): void {
  state.failures.putBack(name);
  storeComponent(state, name);
  state.out.note("info", `${name} ${why} and is back in use`, { component: name });
  applyComponent(state, name, false);
}

/** Lets the scheduler know; lanes over a component that went out of use are ended. */
export function applyComponent(state: ControllerState, name: string, out: boolean): void {
  const { scheduler } = state;
  scheduler.world.setOutOfUse(name, out);
  if (out) {
    for (const lane of [...scheduler.lanes.values()]) {
      if (!scheduler.world.usable(lane.source, lane.target)) scheduler.closeLane(lane);
    }
  }
  if (name.endsWith(".disk")) {
    for (const agent of state.agents.values()) {
      if (name === `agents.${agent.row.name}.disk`) applyOperatorWish(state, agent);
    }
  }
  scheduler.touchAll();
}

export function storeComponent(state: ControllerState, name: string): void {
  const component = state.failures.get(name);
  if (component === undefined) {
    state.out.store({ table: "components", key: name, value: undefined });
    return;
  }
  const { count, outOfUse, reason } = component;
  state.out.store(putRow("components", name, { count, outOfUse, reason }));
}
