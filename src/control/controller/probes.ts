/**
 * Probes: where one observation cannot tell which component failed, another agent is asked to fetch one block, over a
 * path that shares only one of the suspects. Also how a component that is out of use is tried again. A probe is a lane:
 * it is charged to the ledger while it runs.
 */
import { toHex } from "../../std/hex.ts";
import { encodeTicket } from "../../protocol/ticket.ts";
import type { Failure } from "../../protocol/parts.ts";
import type { ProbeResult } from "../../protocol/agent-messages.ts";
import type { Component } from "../../scheduler/component-failures.ts";
import { countFailure, putBack } from "./components.ts";
import { nanosecondsPerMillisecond } from "./settings.ts";
import type { Agent, ControllerState, FileSet, Probe } from "./state.ts";

/** Probes at once; further suspicions are dropped: they come again if they are true. */
const maximumProbes = 64;
/** The most that a probe takes of its path. */
const probeBitsPerSecond = 50_000_000;

/**
 * One agent saw a source fail that might as well be the way to it. An agent of the source's own site is asked: if it
 * gets its block, the ways between sites are to blame, else the source is.
 */
export function suspect(state: ControllerState, reporter: Agent, failure: Failure, reason: string): void {
  const source = failure.sourceName === undefined ? undefined : state.agentsByName.get(failure.sourceName);
  if (source === undefined) return;
  const links = [failure.component, ...failure.alsoSuspected].filter((name) => !name.startsWith("agents."));
  const prober =
    findProber(state, source, (agent) => agent.row.site === source.row.site && agent !== reporter) ??
    findProber(state, source, (agent) => agent !== reporter);
  if (prober === undefined) return;
  start(state, prober, source, (good) => {
    if (!good) countFailure(state, `agents.${source.row.name}`, reason);
    else if (prober.row.site === source.row.site) {
      for (const link of links) countFailure(state, link, `suspected: ${reason}`);
    }
  });
}

/** Tries a component that is out of use. */
export function retry(state: ControllerState, component: Component): void {
  if (component.name.endsWith(".disk")) {
    putBack(state, component.name);
    return;
  }
  const pair = pairOver(state, component.name);
  const settled = (good: boolean): void => {
    if (good) putBack(state, component.name);
    else state.failures.retryFailed(component, state.now);
  };
  // Nobody can try it now: it is asked for again after the same time.
  component.retryAtNanoseconds = state.now + component.retryIntervalNanoseconds;
  if (pair !== undefined) start(state, pair.prober, pair.source, settled);
}

/** Two agents whose way to each other leads over a component, the source holding something. */
function pairOver(state: ControllerState, name: string): { prober: Agent; source: Agent } | undefined {
  for (const source of state.agents.values()) {
    if (source.member === undefined || !source.ready || heldBlock(state, source) === undefined) continue;
    for (const prober of state.agents.values()) {
      if (prober === source || prober.member === undefined || !prober.ready) continue;
      const names = [`agents.${source.row.name}`, ...state.scheduler.world.pathNames(source.member, prober.member)];
      if (names.includes(name)) return { prober, source };
    }
  }
  return undefined;
}

function findProber(state: ControllerState, source: Agent, suits: (agent: Agent) => boolean): Agent | undefined {
  if (source.member === undefined || heldBlock(state, source) === undefined) return undefined;
  return [...state.agents.values()].find(
    (agent) => agent !== source && agent.ready && agent.member !== undefined && suits(agent),
  );
}

/** A block that the agent says it holds. */
function heldBlock(state: ControllerState, agent: Agent): { fileSet: FileSet; block: number } | undefined {
  for (const [key, known] of agent.fileSets) {
    const fileSet = state.fileSets.get(key);
    if (fileSet === undefined || known.held.isEmpty) continue;
    return { fileSet, block: known.held.nth(state.random.nextBelow(known.held.count)) };
  }
  return undefined;
}

function start(state: ControllerState, prober: Agent, source: Agent, onOutcome: (good: boolean) => void): void {
  const choice = heldBlock(state, source);
  if (
    choice === undefined ||
    prober.member === undefined ||
    source.member === undefined ||
    state.probes.size >= maximumProbes
  ) {
    return;
  }
  const { world } = state.scheduler;
  const path = world.path(source.member, prober.member);
  const rateBitsPerSecond = Math.floor(Math.min(world.ledger.free(path), probeBitsPerSecond));
  if (rateBitsPerSecond < 1) return;
  world.ledger.allocate(path, rateBitsPerSecond);
  const { fileSet, block } = choice;
  const laneId = state.scheduler.takeLaneId();
  const probeId = laneId;
  const lengthBytes = fileSet.manifest.blockLengthBytes(block);
  const timeout = state.settings.probeTimeoutMilliseconds + Math.ceil((lengthBytes * 8_000) / rateBitsPerSecond);
  state.probes.set(probeId, {
    probeId,
    path,
    rateBitsPerSecond,
    onOutcome,
    proberId: prober.row.agentId,
    deadlineNanoseconds: state.now + 2 * timeout * nanosecondsPerMillisecond,
  });
  state.out.sendAgent(prober.connectionId, {
    type: "probe",
    term: state.term,
    probeId,
    lane: {
      laneId,
      rateBitsPerSecond,
      holderName: source.row.name,
      holderId: source.row.agentId,
      address: source.row.address,
      path: world.pathNames(source.member, prober.member),
    },
    ticket: encodeTicket({
      term: state.term,
      laneId,
      revision: 0,
      use: "probe",
      rateBitsPerSecond,
      holderId: source.row.agentId,
      peerId: prober.row.agentId,
      peerName: prober.row.name,
      portions: [{ fileSet: fileSet.key, order: "content", ranges: [block, block + 1] }],
      durationMilliseconds: timeout,
      signature: "",
    }),
    fileSet: fileSet.key,
    block,
    lengthBytes,
    checksum: `${fileSet.row.algorithm}:${toHex(fileSet.manifest.blockChecksum(block))}`,
  });
}

/** The prober's answer. */
export function handleProbeResult(state: ControllerState, agent: Agent, result: ProbeResult): void {
  const probe = state.probes.get(result.probeId);
  if (probe === undefined || probe.proberId !== agent.row.agentId) return;
  settle(state, probe, result.outcome === "good" || result.kind === "notHeld");
}

/** Gives up probes whose prober does not answer: it says nothing of the suspect. Gives the next deadline. */
export function expireProbes(state: ControllerState): number | undefined {
  let next: number | undefined;
  for (const probe of state.probes.values()) {
    if (probe.deadlineNanoseconds <= state.now) release(state, probe);
    else next = Math.min(next ?? Infinity, probe.deadlineNanoseconds);
  }
  return next;
}

function settle(state: ControllerState, probe: Probe, good: boolean): void {
  release(state, probe);
  probe.onOutcome(good);
}

function release(state: ControllerState, probe: Probe): void {
  state.probes.delete(probe.probeId);
  state.scheduler.world.ledger.release(probe.path, probe.rateBitsPerSecond);
}
