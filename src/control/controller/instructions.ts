/**
 * Turns the scheduler's decisions into instructions (claims 1, 13, 28): to the target, which pulls, or to a publisher,
 * which hands over; each with the ticket that the other end checks. Tickets are renewed while their lane has work.
 */
import type { Instruct } from "../../protocol/controller-messages.ts";
import type { Portion } from "../../protocol/parts.ts";
import type { Decisions } from "../../scheduler/decisions.ts";
import type { Lane } from "../../scheduler/lane.ts";
import { nanosecondsPerMillisecond } from "./settings.ts";
import type { ControllerState } from "./state.ts";
import type { TicketTimes } from "./ticket-times.ts";

type Draft = { close: number[]; open: Instruct["open"]; transfers: Instruct["transfers"]; rates: Instruct["rates"] };

export function sendDecisions(state: ControllerState, decisions: Decisions, times: TicketTimes): void {
  const drafts = new Map<string, Draft>();
  const draftFor = (lane: Lane): Draft => {
    const id = lane.source.kind === "publisher" ? lane.source.id : lane.target.id;
    let draft = drafts.get(id);
    if (draft === undefined) {
      draft = { close: [], open: [], transfers: [], rates: [] };
      drafts.set(id, draft);
    }
    return draft;
  };
  const closed = new Set(decisions.closed);
  for (const lane of decisions.closed) {
    times.forget(lane.laneId);
    draftFor(lane).close.push(lane.laneId);
  }
  const opened = decisions.opened.filter((lane) => !closed.has(lane));
  for (const lane of opened) draftFor(lane).open.push(openingOf(state, lane));
  const ticketed = new Set<Lane>();
  for (const [lane, portions] of portionsByLane(decisions)) {
    if (closed.has(lane)) continue;
    ticketed.add(lane);
    draftFor(lane).transfers.push({ laneId: lane.laneId, portions, ticket: ticketFor(state, lane, portions, times) });
  }
  const isNew = new Set(decisions.rerated.size > 0 ? opened : []);
  for (const lane of decisions.rerated) {
    if (closed.has(lane) || (ticketed.has(lane) && isNew.has(lane))) continue;
    draftFor(lane).rates.push(rateOf(state, lane, times));
  }
  for (const [id, draft] of drafts) send(state, id, draft);
}

/** Renews tickets of lanes that still have work. Gives when the next one has to be renewed. */
export function renewTickets(state: ControllerState, times: TicketTimes): number | undefined {
  const margin = (state.settings.scheduler.ticketMilliseconds / 2) * nanosecondsPerMillisecond;
  const { lanes } = state.scheduler;
  const due = times.takeUntil(state.now + margin, lanes);
  if (due.length > 0) {
    const drafts = new Map<string, Draft>();
    for (const laneId of due) {
      const lane = lanes.get(laneId);
      // What is queued into it later comes with a ticket of its own.
      if (lane === undefined || lane.pendingBytes === 0) continue;
      const id = lane.source.kind === "publisher" ? lane.source.id : lane.target.id;
      const draft = drafts.get(id) ?? { close: [], open: [], transfers: [], rates: [] };
      draft.rates.push(rateOf(state, lane, times));
      drafts.set(id, draft);
    }
    for (const [id, draft] of drafts) send(state, id, draft);
  }
  const first = times.firstNanoseconds;
  return first === undefined ? undefined : first - margin;
}

function send(state: ControllerState, id: string, draft: Draft): void {
  const message: Instruct = { type: "instruct", term: state.term, ...draft };
  const agent = state.agents.get(id);
  if (agent !== undefined) state.out.sendAgent(agent.connectionId, message);
  else state.out.sendPublisher(state.publishes.get(id)?.connectionId, message);
}

function openingOf(state: ControllerState, lane: Lane): Instruct["open"][number] {
  const holder = state.agents.get(holderOf(lane).id);
  return {
    laneId: lane.laneId,
    holderName: holderOf(lane).name,
    holderId: holderOf(lane).id,
    address: holder?.row.address ?? "",
    rateBitsPerSecond: lane.rateBitsPerSecond,
    ...(lane.isShort ? { endsWhenEmpty: true } : {}),
    ...after(lane.predecessors.filter(({ source, target }) => source === lane.source || target === lane.target)),
    path: state.scheduler.world.pathNames(lane.source, lane.target),
  };
}

/** The end that is dialled: the source that is pulled from, or the agent that a publisher hands over to. */
function holderOf(lane: Lane): Lane["source"] {
  return lane.source.kind === "publisher" ? lane.target : lane.source;
}

function rateOf(state: ControllerState, lane: Lane, times: TicketTimes): Instruct["rates"][number] {
  return { laneId: lane.laneId, rateBitsPerSecond: lane.rateBitsPerSecond, ticket: ticketFor(state, lane, [], times) };
}

function ticketFor(state: ControllerState, lane: Lane, portions: Portion[], times: TicketTimes): string {
  const handOver = lane.source.kind === "publisher";
  const peer = handOver ? lane.source : lane.target;
  lane.revision += 1;
  const durationMilliseconds = state.settings.scheduler.ticketMilliseconds;
  times.issued(lane.laneId, state.now + durationMilliseconds * nanosecondsPerMillisecond);
  return state.tickets.encode({
    term: state.term,
    laneId: lane.laneId,
    revision: lane.revision,
    use: handOver ? "handOver" : "fetch",
    holderId: holderOf(lane).id,
    peerId: peer.id,
    peerName: peer.name,
    ...(peer.site === undefined ? {} : { peerSite: peer.site }),
    ...after(lane.predecessors.filter(({ source }) => source === lane.source)),
    portions,
    rateBitsPerSecond: lane.rateBitsPerSecond,
    durationMilliseconds,
    signature: "",
  });
}

/** Which lanes one follows; nothing where it follows none. */
function after(lanes: readonly Lane[]): { after?: number[] } {
  return lanes.length === 0 ? {} : { after: lanes.map(({ laneId }) => laneId) };
}

function portionsByLane(decisions: Decisions): Map<Lane, Portion[]> {
  const byLane = new Map<Lane, Portion[]>();
  for (const { lane, order, ranges } of decisions.queued) {
    const portions = byLane.get(lane) ?? [];
    portions.push({ fileSet: order.description.fileSet, order: order.description.kind, ranges: ranges.toFlat() });
    byLane.set(lane, portions);
  }
  return byLane;
}
