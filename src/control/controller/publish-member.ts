/**
 * The publisher of a file set as a member of the scheduler's world: it hands over instead of being pulled from, to a
 * subset of the agents, and comes back after a break where it was.
 */
import { RangeSet } from "../../std/ranges.ts";
import { isTarget } from "./assignments.ts";
import { noteArrived, publishOf } from "./publish-progress.ts";
import type { Agent, ControllerState, FileSet, Publish } from "./state.ts";

/** The publisher of a file set that is known is here (again). */
export function resume(state: ControllerState, fileSet: FileSet, connectionId: number): void {
  const publish = publishOf(state, fileSet);
  publish.connectionId = connectionId;
  publish.goneAtNanoseconds = undefined;
  publish.told.clear();
  publish.flushing = false;
  if (publish.member !== undefined) state.scheduler.removeMember(publish.member);
  publish.member = state.scheduler.addMember({
    id: publish.publishId,
    name: `publisher of ${fileSet.key}`,
    site: fileSet.row.agent === undefined ? fileSet.row.site : undefined,
    kind: "publisher",
    receivers: receiversOf(state, fileSet),
    sameHost: fileSet.row.agent !== undefined,
    online: true,
    serves: "yes",
    fetches: false,
  });
  offerFromPublisher(state, publish, fileSet);
}

/** The subset of agents that a publisher hands blocks to: those of its own site first, else spread over the sites. */
function receiversOf(state: ControllerState, fileSet: FileSet): ReadonlySet<string> {
  const { row } = fileSet;
  if (row.agent !== undefined) {
    const agent = state.agentsByName.get(row.agent);
    return new Set(agent === undefined ? [] : [agent.row.agentId]);
  }
  const targets = [...state.agents.values()].filter((agent) => agent.row.online && isTarget(state, agent, fileSet));
  const able = targets.filter((agent) => mayReceive(state, agent));
  const choice = able.length > 0 ? able : targets;
  const near = choice.filter((agent) => agent.row.site === row.site);
  const chosen = spreadOverSites(near.length > 0 ? near : choice, state.settings.receivers);
  return new Set(chosen.map((agent) => agent.row.agentId));
}

/** Connected, and not out of use after failures. */
function mayReceive(state: ControllerState, agent: Agent | undefined): boolean {
  if (agent?.connectionId === undefined) return false;
  return state.failures.get(`agents.${agent.row.name}`)?.outOfUse !== true;
}

function spreadOverSites(agents: readonly Agent[], count: number): Agent[] {
  const bySite = new Map<string, Agent[]>();
  for (const agent of [...agents].sort((a, b) => (a.row.name < b.row.name ? -1 : 1))) {
    const list = bySite.get(agent.row.site) ?? [];
    list.push(agent);
    bySite.set(agent.row.site, list);
  }
  const chosen: Agent[] = [];
  for (let round = 0; chosen.length < count; round += 1) {
    const layer = [...bySite.values()].flatMap((list) => list.slice(round, round + 1));
    if (layer.length === 0) break;
    chosen.push(...layer);
  }
  return chosen.slice(0, count);
}

/** When receivers have come or gone, the subset is chosen anew. */
export function refreshReceivers(state: ControllerState): void {
  for (const publish of state.publishes.values()) {
    const fileSet = state.fileSets.get(publish.key);
    if (fileSet === undefined || publish.member === undefined) continue;
    const current = [...(publish.member.receivers ?? [])];
    const someServe = current.some((id) => mayReceive(state, state.agents.get(id)));
    if (!someServe) publish.member.receivers = receiversOf(state, fileSet);
  }
}

export function offerFromPublisher(state: ControllerState, publish: Publish, fileSet: FileSet): void {
  if (publish.member === undefined) return;
  for (const order of [fileSet.content, fileSet.manifestOrder]) {
    if (order !== undefined && order.blockCount > 0) {
      state.scheduler.addHeld(publish.member, order, RangeSet.of(0, order.blockCount), state.now);
    }
  }
  state.scheduler.touchAll();
  noteArrived(state, fileSet, undefined, new RangeSet());
}
