/**
 * How far a publish has come: what agents hold of it, the flush when all is handed over, the commit, and the abort,
 * after which nothing of it stays.
 */
import { RangeSet } from "../../std/ranges.ts";
import type { AllHandedOver, HandedOver, Rejected } from "../../protocol/publisher-messages.ts";
import type { Decisions } from "../../scheduler/decisions.ts";
import type { Member } from "../../scheduler/world.ts";
import { activateVersion } from "./activation.ts";
import { blameOnReceiver } from "./components.ts";
import { removeFileSet } from "./file-sets.ts";
import { endRelays } from "./relays.ts";
import { planWhenComplete } from "./plans.ts";
import { nanosecondsPerMillisecond } from "./settings.ts";
import { storeFileSet, type ControllerState, type FileSet, type Publish } from "./state.ts";

export function reject(
  state: ControllerState,
  connectionId: number | undefined,
  publishId: string,
  code: Rejected["code"],
  reason: string,
): void {
  state.out.sendPublisher(connectionId, { type: "rejected", publishId, code, reason });
}

/** The publish of an uncommitted file set; made when it is not known (after a restart). */
export function publishOf(state: ControllerState, fileSet: FileSet): Publish {
  const { publishId } = fileSet.row;
  let publish = state.publishes.get(publishId);
  if (publish === undefined) {
    publish = {
      publishId,
      key: fileSet.key,
      connectionId: undefined,
      goneAtNanoseconds: state.now + state.settings.publisherGoneMilliseconds * nanosecondsPerMillisecond,
      member: undefined,
      plausible: undefined,
      claimants: new Map(),
      trusted: new Set(),
      known: undefined,
      told: new RangeSet(),
      flushing: false,
    };
    state.publishes.set(publishId, publish);
  }
  return publish;
}

/**
 * Blocks that an agent's word is taken for: any agent's, if it can have them; of a publish through one agent only that
 * agent's, which is to be the first holder.
 */
function credible(publish: Publish, fileSet: FileSet, agent: AgentIdentity, ranges: RangeSet): RangeSet {
  if (fileSet.row.agent !== undefined) return fileSet.row.agent === agent.name ? ranges : new RangeSet();
  if (publish.plausible === undefined || publish.trusted.has(agent.agentId)) return ranges;
  const credited = ranges.intersection(publish.plausible);
  if (credited.count < ranges.count && !publish.claimants.has(agent.agentId)) publish.claimants.set(agent.agentId, 0);
  return credited;
}

interface AgentIdentity {
  readonly agentId: string;
  readonly name: string;
}

/** An agent had a block that it was not given: it is believed from now on. */
export function trustAgent(state: ControllerState, fileSet: FileSet, agent: AgentIdentity): void {
  const publish = state.publishes.get(fileSet.row.publishId);
  if (publish === undefined) return;
  publish.claimants.delete(agent.agentId);
  publish.trusted.add(agent.agentId);
  recountArrived(state, publish);
  noteArrived(state, fileSet, agent, new RangeSet());
}

/** What publishers are told to hand over, agents may hold from now on. */
export function noteHandOvers(state: ControllerState, decisions: Decisions): void {
  for (const { lane, order, ranges } of decisions.queued) {
    if (lane.source.kind !== "publisher" || order.description.kind !== "content") continue;
    state.publishes.get(lane.source.id)?.plausible?.addAll(ranges);
  }
}

/** An agent has gone: what only it held has to be handed over again. */
export function recountArrived(state: ControllerState, publish: Publish): void {
  const fileSet = state.fileSets.get(publish.key);
  if (fileSet === undefined) return;
  fileSet.content.arrived = heldByAgents(publish, fileSet, () => true);
}

/** What agents hold of the content, as far as they are believed. */
function heldByAgents(publish: Publish, fileSet: FileSet, which: (member: Member) => boolean): RangeSet {
  const all = new RangeSet();
  for (const [member, { held }] of fileSet.content.holdings) {
    if (member.kind === "publisher" || held.isEmpty || !which(member)) continue;
    all.addAll(credible(publish, fileSet, { agentId: member.id, name: member.name }, held.toRangeSet()));
  }
  return all;
}

/** Blocks have come to an agent: tells the publisher, and asks for the flush when all are there. */
export function noteArrived(
  state: ControllerState,
  fileSet: FileSet,
  agent: AgentIdentity | undefined,
  ranges: RangeSet,
): void {
  if (fileSet.row.state !== "publishing") return;
  const publish = publishOf(state, fileSet);
  const arrived = (fileSet.content.arrived ??= new RangeSet());
  if (agent !== undefined) arrived.addAll(credible(publish, fileSet, agent, ranges));
  if (publish.connectionId === undefined) return;
  const news = arrived.difference(publish.told);
  if (!news.isEmpty) {
    publish.told.addAll(news);
    state.out.sendPublisher(publish.connectionId, {
      type: "held",
      publishId: publish.publishId,
      order: "content",
      ranges: news.toFlat(),
    });
  }
  const { manifest } = fileSet;
  if (publish.flushing || !manifest.isComplete) return;
  const lacking = new RangeSet();
  if (manifest.blockCount > 0) lacking.add(0, manifest.blockCount);
  lacking.removeAll(manifest.duplicates());
  if (!lacking.difference(arrived).isEmpty || !manifestIsOut(fileSet)) return;
  // An agent that is away cannot be asked to make durable what only it has: it may be back in a moment, or gone.
  if (!lacking.difference(heldByAgents(publish, fileSet, (member) => member.online)).isEmpty) return;
  publish.flushing = true;
  // Nothing is handed over any more unless the publish begins anew: its publisher would take it for the end of the flush.
  if (publish.member !== undefined) publish.member.serves = "no";
  planWhenComplete(state, fileSet);
  state.out.sendPublisher(publish.connectionId, {
    type: "allHandedOver",
    publishId: publish.publishId,
    fileSet: fileSet.key,
    receivers: flushTickets(state, publish, fileSet),
  });
}

/** Whether the whole manifest is with agents that are there (a small one goes with the assignment). */
function manifestIsOut(fileSet: FileSet): boolean {
  const order = fileSet.manifestOrder;
  if (order === undefined) return true;
  const out = new RangeSet();
  for (const [member, { held }] of order.holdings) {
    if (member.kind === "agent" && member.online) out.addAll(held.toRangeSet());
  }
  return out.count >= order.blockCount;
}

/** A ticket for each receiver, with nothing but the right to ask for a flush. */
function flushTickets(state: ControllerState, publish: Publish, fileSet: FileSet): AllHandedOver["receivers"] {
  const receivers = [...(publish.member?.receivers ?? [])]
    .map((id) => state.agents.get(id))
    .filter((agent) => agent?.connectionId !== undefined);
  return receivers.flatMap((agent) => {
    if (agent === undefined) return [];
    const laneId = state.scheduler.takeLaneId();
    const ticket = state.tickets.encode({
      term: state.term,
      laneId,
      revision: 0,
      use: "handOver",
      holderId: agent.row.agentId,
      peerId: publish.publishId,
      peerName: `publisher of ${fileSet.key}`,
      portions: [{ fileSet: fileSet.key, order: "content", ranges: [] }],
      rateBitsPerSecond: 1_000_000,
      durationMilliseconds: state.settings.publisherGoneMilliseconds,
      signature: "",
    });
    return [{ agentId: agent.row.agentId, address: agent.row.address, laneId, ticket }];
  });
}

/** What the publisher says of its lanes. */
export function handedOver(state: ControllerState, publish: Publish, message: HandedOver): void {
  for (const { laneId, kind, detail } of message.failures) {
    const lane = state.scheduler.lanes.get(laneId);
    if (lane?.source === publish.member && lane !== undefined) blameOnReceiver(state, lane.target.name, kind, detail);
  }
  for (const { laneId, handedBytes, ended } of message.lanes) {
    const lane = state.scheduler.lanes.get(laneId);
    if (lane === undefined || lane.source !== publish.member) continue;
    state.scheduler.laneMeasured(laneId, handedBytes, state.now);
    if (ended !== undefined) state.scheduler.laneEnded(laneId, ended === "failed", state.now);
  }
}

/** Every receiver has flushed: the file set is published, and active if it was asked for. */
export function commit(state: ControllerState, publish: Publish): void {
  const fileSet = state.fileSets.get(publish.key);
  if (fileSet === undefined || !fileSet.manifest.isComplete || !publish.flushing) {
    return reject(
      state,
      publish.connectionId,
      publish.publishId,
      "unknownPublish",
      "this publish cannot be committed: not everything is handed over",
    );
  }
  const { connectionId, publishId } = publish;
  fileSet.row = { ...fileSet.row, state: "published" };
  storeFileSet(state, fileSet);
  endPublish(state, publish);
  fileSet.content.arrived = undefined;
  state.out.note(
    "info",
    `${fileSet.key} is published: ${fileSet.manifest.files.length} files, ${fileSet.manifest.totalBytes} bytes`,
    { fileSet: fileSet.key, publishId },
  );
  if (fileSet.row.activate) activateVersion(state, fileSet);
  endRelays(state, fileSet);
  state.out.sendPublisher(connectionId, { type: "committed", publishId });
}

/** Nothing of it stays, anywhere. */
export function abortPublish(state: ControllerState, publish: Publish, reason: string): void {
  const fileSet = state.fileSets.get(publish.key);
  state.out.note("warn", `the publish of ${publish.key} is aborted: ${reason}`, {
    fileSet: publish.key,
    publishId: publish.publishId,
  });
  const { connectionId, publishId } = publish;
  endPublish(state, publish);
  reject(state, connectionId, publishId, "aborted", `the publish of ${publish.key} is aborted: ${reason}`);
  if (fileSet !== undefined && fileSet.row.state === "publishing") removeFileSet(state, fileSet);
}

/** Forgets a publish; its publisher is told to stop handing over. */
export function endPublish(state: ControllerState, publish: Publish): void {
  if (publish.member !== undefined) {
    const close = [...publish.member.lanesOut].map((lane) => lane.laneId);
    if (close.length > 0) {
      const message = { type: "instruct" as const, term: state.term, close, open: [], transfers: [], rates: [] };
      state.out.sendPublisher(publish.connectionId, message);
    }
    state.scheduler.removeMember(publish.member);
  }
  publish.member = undefined;
  state.publishes.delete(publish.publishId);
}
