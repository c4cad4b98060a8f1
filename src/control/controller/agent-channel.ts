/**
 * An agent's side of the loop (claims 1, 10 to 12, 38): who it is, its whole state after a welcome, then its changes.
 * State goes into availability, lanes and failure counts; what the agent lacks to know is sent back.
 */
import { RangeSet } from "../../std/ranges.ts";
import { protocolMismatch, protocolVersion } from "../../protocol/version.ts";
import type { Refused } from "../../protocol/controller-messages.ts";
import type { FileSetState, Hello, StateMessage } from "../../protocol/agent-messages.ts";
import { reconcileAgent, reconcileFileSet, refreshWants, unassign } from "./assignments.ts";
import { countFailures } from "./failure-reports.ts";
import { noteManifestHeld } from "./file-sets.ts";
import { applyOperatorWish } from "./members.ts";
import { noteArrived, recountArrived } from "./publish-progress.ts";
import { endRelays } from "./relays.ts";
import { nanosecondsPerMillisecond } from "./settings.ts";
import { answersEchoes, beginEchoes } from "./echoes.ts";
import { storeAgent, type Agent, type Connection, type ControllerState, type FileSet } from "./state.ts";

/** Takes a hello: welcomes or refuses. */
export function handleHello(state: ControllerState, connectionId: number, connection: Connection, hello: Hello): void {
  const refusal = refusalOf(state, hello);
  if (refusal !== undefined) {
    state.out.sendAgent(connectionId, { type: "refused", ...refusal });
    state.out.close(connectionId);
    return;
  }
  const agent = enterAgent(state, hello);
  if (agent.connectionId !== undefined && agent.connectionId !== connectionId) {
    const old = state.connections.get(agent.connectionId);
    if (old !== undefined) old.agent = undefined;
    state.out.close(agent.connectionId);
  }
  connection.agent = agent;
  agent.connectionId = connectionId;
  agent.ready = false;
  agent.lastHeardNanoseconds = state.now;
  agent.goneAtNanoseconds = undefined;
  agent.sent.clear();
  agent.sentActive.clear();
  agent.welcomedNanoseconds = state.now;
  agent.answersEchoes = answersEchoes(hello.protocol);
  agent.echo = undefined;
  storeAgent(state, agent);
  const { heartbeatMilliseconds, reportMilliseconds, stallMilliseconds, keepVersions } = state.settings;
  state.out.sendAgent(connectionId, {
    type: "welcome",
    term: state.term,
    protocol: protocolVersion,
    settings: { heartbeatMilliseconds, reportMilliseconds, stallMilliseconds, keepVersions },
  });
}

function refusalOf(state: ControllerState, hello: Hello): Omit<Refused, "type"> | undefined {
  const mismatch = protocolMismatch(hello.protocol, `agent ${hello.name}`);
  if (mismatch !== undefined) return { code: "protocol", reason: mismatch, retry: false };
  const { topology } = state.scheduler.world;
  if (!topology.isUnlimited && !topology.sites.has(hello.site)) {
    return {
      code: "unknownSite",
      reason: `site ${hello.site} is not in the topology: add it there, or give the agent one of ${[...topology.sites.keys()].join(", ")}`,
      // A new agent was started wrongly; one that is known has lost its site from the topology and may get it back.
      retry: state.agents.has(hello.agentId),
    };
  }
  if (hello.term > state.term) {
    return {
      code: "identity",
      reason: `agent ${hello.name} has obeyed a later controller (term ${hello.term}, this one's is ${state.term}): this controller's data is out of date`,
      retry: true,
    };
  }
  const holder = state.agentsByName.get(hello.name);
  if (holder !== undefined && holder.row.agentId !== hello.agentId) {
    if (holder.connectionId !== undefined) {
      return {
        code: "nameInUse",
        reason: `another agent is connected as ${hello.name}: choose another --name, or stop that one`,
        retry: false,
      };
    }
    if (holder.goneAtNanoseconds !== undefined) {
      return {
        code: "nameInUse",
        reason: `the name ${hello.name} belonged to another agent until a moment ago`,
        retry: true,
      };
    }
  }
  if (holder?.row.blocked === true || state.agents.get(hello.agentId)?.row.blocked === true) {
    return {
      code: "blocked",
      reason: `agent ${hello.name} is blocked by the operator (sluice agent unblock ${hello.name})`,
      retry: true,
    };
  }
  return undefined;
}

/** The agent's record; a new one may take over the name of one that is gone, holding nothing. */
function enterAgent(state: ControllerState, hello: Hello): Agent {
  const { agentId, name, site, labels, address } = hello;
  const holder = state.agentsByName.get(name);
  if (holder !== undefined && holder.row.agentId !== agentId) {
    state.out.note("info", `agent ${name} (${holder.row.agentId}) is gone; its name is taken over by ${agentId}`, {
      agent: name,
      agentId,
    });
    forgetMember(state, holder);
    state.agents.delete(holder.row.agentId);
    state.out.store({ table: "agents", key: holder.row.agentId, value: undefined });
  }
  const known = state.agents.get(agentId);
  const row = {
    agentId,
    name,
    site,
    labels,
    address,
    drained: known?.row.drained ?? false,
    blocked: known?.row.blocked ?? false,
    online: true,
    lastFailureId: known?.row.lastFailureId ?? -1,
  };
  if (known !== undefined) {
    if (known.row.name !== name || known.row.site !== site || known.row.address !== address) forgetMember(state, known);
    if (state.agentsByName.get(known.row.name) === known) state.agentsByName.delete(known.row.name);
    known.row = row;
    state.agentsByName.set(name, known);
    return known;
  }
  const agent = newAgent(row);
  state.agents.set(agentId, agent);
  state.agentsByName.set(name, agent);
  return agent;
}

/** An agent of which nothing is known but its row. */
export function newAgent(row: Agent["row"]): Agent {
  return {
    row,
    connectionId: undefined,
    ready: false,
    lastHeardNanoseconds: 0,
    goneAtNanoseconds: undefined,
    welcomedNanoseconds: undefined,
    answersEchoes: false,
    echo: undefined,
    member: undefined,
    fileSets: new Map(),
    sent: new Map(),
    sentActive: new Map(),
    current: new Map(),
    freeDiskBytes: undefined,
  };
}

/** Takes an agent's state, whole or changed (claims 2, 31). */
export function handleState(state: ControllerState, agent: Agent, message: StateMessage): void {
  if (message.whole) takeWhole(state, agent, message);
  else if (!agent.ready) return;
  for (const entry of message.fileSets) takeFileSetState(state, agent, entry, message.whole);
  for (const key of message.deleted) dropFileSet(state, agent, key);
  for (const { name, version } of message.current) agent.current.set(name, version);
  if (message.freeDiskBytes !== undefined) agent.freeDiskBytes = message.freeDiskBytes;
  for (const { agentId, roundTripNanoseconds } of message.reached ?? []) {
    const source = state.agents.get(agentId)?.member;
    if (source !== undefined && agent.member !== undefined) {
      state.scheduler.world.ways.reached(source, agent.member, roundTripNanoseconds);
    }
  }
  for (const lane of message.lanes) {
    const known = state.scheduler.lanes.get(lane.laneId);
    if (known === undefined || known.target !== agent.member) {
      if (lane.ended === undefined) closeUnknown(state, agent, lane.laneId);
      continue;
    }
    state.scheduler.laneMeasured(lane.laneId, lane.receivedBytes, state.now);
    if (lane.ended !== undefined) state.scheduler.laneEnded(lane.laneId, lane.ended === "failed", state.now);
  }
  countFailures(state, agent, message.failures);
  if (message.whole) {
    state.awaitedAgents.delete(agent.row.agentId);
    reconcileAgent(state, agent);
  }
}

function closeUnknown(state: ControllerState, agent: Agent, laneId: number): void {
  state.out.sendAgent(agent.connectionId, {
    type: "instruct",
    term: state.term,
    close: [laneId],
    open: [],
    transfers: [],
    rates: [],
  });
}

/** After a welcome: the agent becomes a member of the scheduler's world; what it does not name, it does not hold. */
function takeWhole(state: ControllerState, agent: Agent, message: StateMessage): void {
  const { scheduler } = state;
  if (agent.member === undefined) {
    agent.member = scheduler.addMember({
      id: agent.row.agentId,
      name: agent.row.name,
      site: agent.row.site,
      kind: "agent",
      receivers: undefined,
      sameHost: false,
      online: true,
      serves: "yes",
      fetches: true,
    });
  }
  const running = new Set(message.lanes.map((lane) => lane.laneId));
  for (const lane of [...agent.member.lanesIn]) {
    if (lane.source.kind !== "agent") continue;
    // Nobody knows which instructions were lost with the channel: what is still to come is given anew.
    if (running.has(lane.laneId)) scheduler.closeLane(lane);
    else scheduler.laneEnded(lane.laneId, false, state.now);
  }
  if (agent.welcomedNanoseconds !== undefined) {
    agent.member.delay.roundTripNanoseconds = state.now - agent.welcomedNanoseconds;
    agent.welcomedNanoseconds = undefined;
    beginEchoes(state, agent);
  }
  agent.ready = true;
  agent.current.clear();
  applyOperatorWish(state, agent);
  const named = new Set(message.fileSets.map((entry) => entry.fileSet));
  for (const key of [...agent.fileSets.keys()]) if (!named.has(key)) dropFileSet(state, agent, key);
}

function takeFileSetState(state: ControllerState, agent: Agent, entry: FileSetState, whole: boolean): void {
  const fileSet = state.fileSets.get(entry.fileSet);
  const { member } = agent;
  if (member === undefined) return;
  if (fileSet === undefined || isStale(fileSet, entry)) {
    dropFileSet(state, agent, entry.fileSet);
    // What this controller has never heard of is not its to delete: its store may have been lost.
    unassign(state, agent, entry.fileSet, fileSet !== undefined || state.removed.has(entry.fileSet));
    if (fileSet !== undefined) reconcileFileSet(state, fileSet);
    return;
  }
  const known = agent.fileSets.get(entry.fileSet) ?? {
    root: entry.root,
    status: entry.status,
    problem: undefined,
    held: new RangeSet(),
  };
  known.root = entry.root;
  known.status = entry.status;
  known.problem = entry.problem;
  agent.fileSets.set(entry.fileSet, known);
  const content = boundedRanges(entry.content, fileSet.content.blockCount);
  ensureHolding(agent, fileSet, content);
  if (whole) {
    known.held.clear();
    known.held.addAll(content);
    state.scheduler.setHeld(member, fileSet.content, content, state.now);
  } else {
    known.held.addAll(content);
    const lost = boundedRanges(entry.lost, fileSet.content.blockCount);
    // What is lost has come, though it may have gone before it was ever told.
    state.scheduler.addHeld(member, fileSet.content, content.union(lost), state.now);
    if (!lost.isEmpty) {
      known.held.removeAll(lost);
      state.scheduler.removeHeld(member, fileSet.content, lost);
    }
  }
  takeManifestState(state, agent, fileSet, entry);
  refreshWants(state, agent, fileSet);
  noteArrived(state, fileSet, agent.row, content);
  if (entry.status === "held") endRelays(state, fileSet);
}

function takeManifestState(state: ControllerState, agent: Agent, fileSet: FileSet, entry: FileSetState): void {
  const order = fileSet.manifestOrder;
  if (order === undefined || agent.member === undefined) return;
  noteManifestHeld(state, agent, fileSet);
  if (entry.status === "manifest") {
    state.scheduler.addHeld(agent.member, order, boundedRanges(entry.manifest, order.blockCount), state.now);
  }
}

/** Agents of a file set whose copy is not counted, at most: they are looked at one by one. */
const maximumOrigins = 8;

/**
 * An origin's copy does not count for rarity; said when its holding is first made. Who holds all of a file set when it is first heard to
 * hold anything is one too, wherever it has it from: were its copy to count, no block would ever be fresh. A few are enough.
 */
function ensureHolding(agent: Agent, fileSet: FileSet, content: RangeSet): void {
  if (agent.member === undefined) return;
  const { content: order, row } = fileSet;
  const holding = order.holding(agent.member, row.agent !== agent.row.name);
  if (fileSet.relays?.has(agent) === true) order.setCarries(agent.member);
  const isWhole = !order.description.fromTheFront && order.blockCount > 0 && content.hasRange(0, order.blockCount);
  if (isWhole && order.origins.length < maximumOrigins) order.becomeOrigin(holding);
}

/**
 * What the agent tells of is another publication of the same name and version: one that was removed or aborted. Going by
 * the root, not the sequence: the same content published anew, after a store was lost, need not be sent again.
 */
function isStale(fileSet: FileSet, entry: FileSetState): boolean {
  return !fileSet.checkpoints.some((checkpoint) => checkpoint.root === entry.root);
}

/** Ranges cut to the blocks that there are: an agent may claim anything. */
function boundedRanges(flat: readonly number[], blockCount: number): RangeSet {
  const ranges = RangeSet.fromFlat(flat);
  const last = ranges.isEmpty ? 0 : ranges.last() + 1;
  if (last > blockCount) ranges.remove(blockCount, last);
  return ranges;
}

function dropFileSet(state: ControllerState, agent: Agent, key: string): void {
  agent.fileSets.delete(key);
  const fileSet = state.fileSets.get(key);
  if (fileSet === undefined || agent.member === undefined) return;
  for (const order of [fileSet.content, fileSet.manifestOrder]) {
    if (order === undefined) continue;
    state.scheduler.setHeld(agent.member, order, new RangeSet(), state.now);
    state.scheduler.setWants(agent.member, order, false);
  }
  agent.sent.delete(key);
}

/** The connection is lost. Its lanes may run on for a while; they stay charged until the agent is back or gone. */
export function agentDisconnected(state: ControllerState, agent: Agent): void {
  agent.connectionId = undefined;
  agent.echo = undefined;
  agent.ready = false;
  if (agent.member !== undefined) {
    state.scheduler.setOnline(agent.member, false, state.now);
  }
  agent.goneAtNanoseconds = state.now + goneAfter(state);
}

/** How long an agent may be silent, and how long it may be away, before it is taken for gone. */
export function goneAfter(state: ControllerState): number {
  return (
    Math.max(3 * state.settings.heartbeatMilliseconds, state.settings.scheduler.ticketMilliseconds) *
    nanosecondsPerMillisecond
  );
}

/** The agent stays away: what it holds is out of reach, its lanes are over. */
export function agentGone(state: ControllerState, agent: Agent): void {
  agent.goneAtNanoseconds = undefined;
  agent.row = { ...agent.row, online: false };
  storeAgent(state, agent);
  forgetMember(state, agent);
  const { name, agentId, site } = agent.row;
  state.out.note("warn", `agent ${name} is gone`, { agent: name, agentId, site });
}

function forgetMember(state: ControllerState, agent: Agent): void {
  if (agent.member === undefined) return;
  state.scheduler.removeMember(agent.member);
  agent.member = undefined;
  for (const publish of state.publishes.values()) recountArrived(state, publish);
}
