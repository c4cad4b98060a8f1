/**
 * Probes: where one observation cannot tell which component failed, other agents are asked to fetch one block, over a
 * path that shares only some of the suspects. Also how a component that is out of use is tried again. A probe is a lane:
 * it is charged to the ledger while it runs.
 */
import { toHex } from "../../std/hex.ts";
import type { Failure } from "../../protocol/parts.ts";
import type { ProbeResult } from "../../protocol/agent-messages.ts";
import type { Component } from "../../scheduler/component-failures.ts";
import { countFailure, putBack } from "./components.ts";
import { nanosecondsPerMillisecond } from "./settings.ts";
import type { Agent, ControllerState, FileSet, Probe } from "./state.ts";

/** Probes at once; further suspicions are dropped: they come again if they are true. */
const maximumProbes = 64;
/** Probes in a row for one suspicion. */
const maximumSteps = 4;
/** Pairs of agents that are considered for a probe. */
const maximumPairs = 4_000;
/** The most that a probe takes of its path. */
const probeBitsPerSecond = 50_000_000;

/**
 * One observation could not tell which component failed. Pairs of agents whose way shares only a part of the suspects
 * fetch a block, until one suspect is left, which is counted, or no pair parts the rest, and nothing is.
 */
export function suspect(state: ControllerState, reporter: Agent, failure: Failure, reason: string): void {
  narrow(state, new Set([failure.component, ...failure.alsoSuspected]), reporter, `suspected: ${reason}`, maximumSteps);
}

function narrow(
  state: ControllerState,
  suspects: ReadonlySet<string>,
  reporter: Agent,
  reason: string,
  steps: number,
): void {
  const [first, ...rest] = suspects;
  if (first === undefined) return;
  if (rest.every((name) => agentOf(name) !== undefined && agentOf(name) === agentOf(first))) {
    countFailure(state, first, reason);
    return;
  }
  const pair = steps === 0 ? undefined : partingPair(state, suspects, reporter);
  if (pair === undefined) return;
  const covered = coverage(state, pair);
  start(state, pair.prober, pair.source, (good) => {
    const left = [...suspects].filter((name) => covered.has(name) !== good);
    narrow(state, new Set(left), reporter, reason, steps - 1);
  });
}

/** The agent that a component belongs to: its host and its interfaces fail alike as far as others can tell. */
function agentOf(component: string): string | undefined {
  return /^agents\.(.+?)(\.nic\.(up|down)|\.disk)?$/.exec(component)?.[1];
}

interface Pair {
  readonly prober: Agent;
  readonly source: Agent;
}

/** Everything that a fetch from one agent to the other needs. */
function coverage(state: ControllerState, { prober, source }: Pair): ReadonlySet<string> {
  if (prober.member === undefined || source.member === undefined) return new Set();
  return new Set([`agents.${source.row.name}`, ...state.scheduler.world.pathNames(source.member, prober.member)]);
}

/** The pair that parts the suspects most evenly, with as little besides them on its way as can be. */
function partingPair(state: ControllerState, suspects: ReadonlySet<string>, reporter: Agent): Pair | undefined {
  let best: Pair | undefined;
  let bestScore = -Infinity;
  for (const pair of somePairs(state, reporter)) {
    const covered = coverage(state, pair);
    const inside = [...suspects].filter((name) => covered.has(name)).length;
    if (inside === 0 || inside === suspects.size) continue;
    const score = 4 * Math.min(inside, suspects.size - inside) - (covered.size - inside);
    if (score <= bestScore) continue;
    best = pair;
    bestScore = score;
  }
  return best;
}

/** Pairs that could probe: one source and one prober of each site with each other, and all agents of small fleets. */
function* somePairs(state: ControllerState, reporter: Agent): Generator<Pair> {
  const able = [...state.agents.values()].filter(
    (agent) => agent.ready && agent.member !== undefined && agent !== reporter,
  );
  const sources = able.filter((agent) => heldBlock(state, agent) !== undefined);
  let left = maximumPairs;
  for (const source of sources) {
    for (const prober of able) {
      if (prober === source) continue;
      if (left === 0) return;
      left -= 1;
      yield { prober, source };
    }
  }
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
function pairOver(state: ControllerState, name: string): Pair | undefined {
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
    ticket: state.tickets.encode({
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
