/**
 * What one agent can have seen fail: the ends and links of ways that lead to it. Reports come from the network, so what
 * they name is checked before it is counted: nobody takes links of other sites out of use, nor fills the store with
 * names of things that do not exist.
 */
import { parseResourceName } from "../../model/resources.ts";
import type { ResourceReference } from "../../model/resources.ts";
import type { Failure } from "../../protocol/parts.ts";
import type { Agent, ControllerState } from "./state.ts";

/** The failure with only those suspects that this agent can have seen fail; undefined if none of them is left. */
export function withinSight(state: ControllerState, reporter: Agent, failure: Failure): Failure | undefined {
  if (failure.certain) return canSee(state, reporter, failure.component) ? failure : undefined;
  const [component, ...alsoSuspected] = [failure.component, ...failure.alsoSuspected].filter((name) =>
    canSee(state, reporter, name),
  );
  return component === undefined ? undefined : { ...failure, component, alsoSuspected };
}

function canSee(state: ControllerState, { row: { name, site } }: Agent, component: string): boolean {
  if (component === `agents.${name}.disk`) return true;
  if (component.startsWith("agents.") && state.agentsByName.has(component.slice("agents.".length))) return true;
  const reference = resourceOf(component);
  switch (reference?.kind) {
    case "agentNicUp":
      return state.agentsByName.has(reference.agent);
    case "agentNicDown":
      return reference.agent === name;
    case "siteUplink":
      return [...state.agents.values()].some((agent) => agent.row.site === reference.site);
    case "siteDownlink":
      return reference.site === site;
    case "link": {
      const ways = state.scheduler.world.topology.paths;
      return ways.some((way) => way.to === site && way.through.includes(reference.name));
    }
    default:
      return false;
  }
}

function resourceOf(component: string): ResourceReference | undefined {
  try {
    return parseResourceName(component);
  } catch {
    return undefined;
  }
}
