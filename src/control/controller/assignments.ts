/**
 * Which agent has to hold which file set, and telling it so (claims 9, 24): the file set, its extensions while it
 * grows, which version is active, and what it need not hold any longer.
 *
 * An agent that matches a file set's selector has to hold the active version and later ones that were never active. The one before stays
 * with those that have it, as long as their own `keepVersions` lets it; it still is a source.
 */
import { toBase64 } from "../../std/base64.ts";
import { matchesSelector } from "../../model/selector.ts";
import { checksumLengthBytes } from "../../model/checksum.ts";
import { pieceCount } from "../../model/manifest-root.ts";
import { inlineManifestTailBytes } from "../../model/limits.ts";
import { messagePayloadBytes } from "../../protocol/limits.ts";
import type { Agent, Checkpoint, ControllerState, EncodedStep, FileSet } from "./state.ts";

/**
 * Whether the version is one that targets have to obtain: the active one, a later one that is yet to be active, or one
 * that is being published.
 */
export function isDue(state: ControllerState, fileSet: FileSet): boolean {
  if (fileSet.row.state === "publishing") return true;
  const activeVersion = state.active.get(fileSet.row.name);
  if (activeVersion === undefined || activeVersion === null) return true;
  const active = state.fileSets.get(`${fileSet.row.name}@${activeVersion}`);
  if (active === undefined || active === fileSet) return true;
  return fileSet.row.sequence > active.row.sequence && !fileSet.row.wasActive;
}

function matches(state: ControllerState, agent: Agent, fileSet: FileSet): boolean {
  return isDue(state, fileSet) && matchesSelector(fileSet.selector, agent.row);
}

/** Whether the agent is a target of the file set, and is waited for. */
export function isTarget(state: ControllerState, agent: Agent, fileSet: FileSet): boolean {
  return !agent.row.drained && !agent.row.blocked && matches(state, agent, fileSet);
}

/** Whether the agent carries the file set for others: it is none of its targets, and others still lack it. */
function isRelay(state: ControllerState, agent: Agent, fileSet: FileSet): boolean {
  if (fileSet.relays === undefined || agent.row.drained || agent.row.blocked) return false;
  return isDue(state, fileSet) && !matchesSelector(fileSet.selector, agent.row);
}

/** Whether the agent is the one through which the file set comes in. */
export function isOrigin(agent: Agent, fileSet: FileSet): boolean {
  return fileSet.row.agent === agent.row.name;
}

/** Whether the agent is to obtain the file set, or to mend what its `current` points to. */
export function mayFetch(state: ControllerState, agent: Agent, fileSet: FileSet): boolean {
  return isAssigned(state, agent, fileSet) || isCurrent(agent, fileSet);
}

/** What the agent is to be sent, going by where it says that it stands. */
export function refreshWants(state: ControllerState, agent: Agent, fileSet: FileSet): void {
  const known = agent.fileSets.get(fileSet.key);
  if (agent.member === undefined || known === undefined) return;
  const may = mayFetch(state, agent, fileSet);
  state.scheduler.setWants(agent.member, fileSet.content, may && known.status === "fetching");
  const order = fileSet.manifestOrder;
  if (order === undefined) return;
  state.scheduler.setWants(agent.member, order, may && known.status === "manifest" && known.root === fileSet.row.root);
}

function isAssigned(state: ControllerState, agent: Agent, fileSet: FileSet): boolean {
  if (isOrigin(agent, fileSet) && isDue(state, fileSet)) return true;
  // A drained agent gets nothing new, and keeps what it has been given.
  if (agent.row.drained && !agent.fileSets.has(fileSet.key)) return false;
  return matches(state, agent, fileSet) || isRelay(state, agent, fileSet);
}

/** Sends an agent whatever it does not know yet of its file sets. */
export function reconcileAgent(state: ControllerState, agent: Agent): void {
  if (!agent.ready) return;
  for (const key of new Set([...agent.fileSets.keys(), ...agent.sent.keys()])) {
    if (state.fileSets.has(key)) continue;
    unassign(state, agent, key, state.removed.has(key));
  }
  for (const fileSet of state.fileSets.values()) reconcileFileSetOf(state, agent, fileSet);
  for (const name of new Set([...state.fileSets.values()].map((fileSet) => fileSet.row.name))) {
    sendActive(state, agent, name);
  }
}

/** Brings all agents up to date with one file set. */
export function reconcileFileSet(state: ControllerState, fileSet: FileSet): void {
  for (const agent of state.agents.values()) {
    if (!agent.ready) continue;
    reconcileFileSetOf(state, agent, fileSet);
    sendActive(state, agent, fileSet.row.name);
  }
}

function reconcileFileSetOf(state: ControllerState, agent: Agent, fileSet: FileSet): void {
  if (isAssigned(state, agent, fileSet)) {
    if (isRelay(state, agent, fileSet) && !isOrigin(agent, fileSet)) fileSet.relays?.add(agent);
    sendAssignment(state, agent, fileSet);
    refreshWants(state, agent, fileSet);
  } else if (agent.sent.has(fileSet.key) || (isFetching(agent, fileSet) && !isCurrent(agent, fileSet))) {
    unassign(state, agent, fileSet.key, false);
  }
}

function isFetching(agent: Agent, fileSet: FileSet): boolean {
  return agent.fileSets.get(fileSet.key)?.status === "fetching";
}

/** Whether the agent's `current` points to it: it is kept whole there, whatever is active, until another takes its place. */
function isCurrent(agent: Agent, fileSet: FileSet): boolean {
  return agent.current.get(fileSet.row.name) === fileSet.row.version;
}

/** Tells an agent that it need not, or must not, hold a file set. */
export function unassign(state: ControllerState, agent: Agent, key: string, deleted: boolean): void {
  agent.sent.delete(key);
  state.out.sendAgent(agent.connectionId, { type: "unassign", term: state.term, fileSet: key, delete: deleted });
  const fileSet = state.fileSets.get(key);
  if (fileSet === undefined || agent.member === undefined || isCurrent(agent, fileSet)) return;
  fileSet.content.setWants(agent.member, false);
  fileSet.manifestOrder?.setWants(agent.member, false);
}

function sendActive(state: ControllerState, agent: Agent, name: string): void {
  const version = state.active.get(name) ?? null;
  // What it only carries for others is not for it to use.
  const knows = [...agent.sent.keys(), ...agent.fileSets.keys()].some(
    (key) => key.startsWith(`${name}@`) && state.fileSets.get(key)?.relays?.has(agent) !== true,
  );
  if (!knows || agent.sentActive.get(name) === version) return;
  if (version === null && !agent.sentActive.has(name) && !agent.current.get(name)) return;
  agent.sentActive.set(name, version);
  state.out.sendAgent(agent.connectionId, { type: "activate", term: state.term, name, version });
}

/** Sends the assignment, if the agent has not had it with this root; a growing one in as many steps as its tails need. */
function sendAssignment(state: ControllerState, agent: Agent, fileSet: FileSet): void {
  const sent = agent.sent.get(fileSet.key);
  if (sent !== undefined && sent.root === fileSet.row.root && sent.sequence === fileSet.row.sequence) return;
  let knownBytes = sent?.sequence === fileSet.row.sequence ? sent.manifestBytes : knownPrefix(agent, fileSet);
  if (fileSet.manifest.isComplete) {
    sendStep(state, agent, fileSet, knownBytes, lastCheckpoint(fileSet), inlineManifestTailBytes);
  } else {
    for (const checkpoint of steps(fileSet, knownBytes)) {
      sendStep(state, agent, fileSet, knownBytes, checkpoint, Infinity);
      knownBytes = checkpoint.manifestBytes;
    }
  }
  agent.sent.set(fileSet.key, {
    root: fileSet.row.root,
    manifestBytes: fileSet.row.manifestBytes,
    sequence: fileSet.row.sequence,
  });
}

/** How much of the manifest the agent has, going by the root that it reported. */
function knownPrefix(agent: Agent, fileSet: FileSet): number {
  const known = agent.fileSets.get(fileSet.key);
  if (known === undefined || known.status === "manifest") return 0;
  return fileSet.checkpoints.find((checkpoint) => checkpoint.root === known.root)?.manifestBytes ?? 0;
}

function lastCheckpoint(fileSet: FileSet): Checkpoint {
  return { root: fileSet.row.root, manifestBytes: fileSet.row.manifestBytes };
}

/** Checkpoints after a length, thinned so that the bytes between two fit one message. */
function steps(fileSet: FileSet, fromBytes: number): Checkpoint[] {
  const chosen: Checkpoint[] = [];
  let from = fromBytes;
  let last: Checkpoint | undefined;
  for (const checkpoint of fileSet.checkpoints) {
    if (checkpoint.manifestBytes <= fromBytes) continue;
    if (last !== undefined && checkpoint.manifestBytes - from > messagePayloadBytes) {
      chosen.push(last);
      from = last.manifestBytes;
    }
    last = checkpoint;
  }
  if (last !== undefined) chosen.push(last);
  return chosen;
}

function sendStep(
  state: ControllerState,
  agent: Agent,
  fileSet: FileSet,
  knownBytes: number,
  to: Checkpoint,
  tailLimit: number,
): void {
  const { row } = fileSet;
  const tailBytes = to.manifestBytes - knownBytes;
  const encoded = encodedStep(state, fileSet, knownBytes, to, tailBytes <= tailLimit);
  state.out.sendAgent(agent.connectionId, {
    type: "assign",
    term: state.term,
    fileSet: fileSet.key,
    sequence: row.sequence,
    priority: row.priority,
    algorithm: row.algorithm,
    root: to.root,
    manifestBytes: to.manifestBytes,
    pieceBytes: row.pieceBytes,
    firstPiece: Math.floor(knownBytes / row.pieceBytes),
    pieceChecksums: encoded.pieceChecksums,
    ...(encoded.tail === undefined ? {} : { tail: { offset: knownBytes, bytes: encoded.tail } }),
  });
}

/** The bytes of a step, encoded: once for all agents that are at the same place, since mostly all are. */
function encodedStep(
  state: ControllerState,
  fileSet: FileSet,
  knownBytes: number,
  to: Checkpoint,
  withTail: boolean,
): EncodedStep {
  const known = fileSet.encodedStep;
  const isKnown = known?.fromBytes === knownBytes && known.root === to.root;
  if (isKnown && (known.tail !== undefined) === withTail) return known;
  const { row } = fileSet;
  const firstPiece = Math.floor(knownBytes / row.pieceBytes);
  const isLast = to.manifestBytes === row.manifestBytes;
  const checksums = isLast ? fileSet.summary.pieceChecksums : checksumsAt(state, fileSet, to.manifestBytes);
  const pieces = pieceCount({ lengthBytes: to.manifestBytes, pieceBytes: row.pieceBytes });
  fileSet.encodedStep = {
    fromBytes: knownBytes,
    root: to.root,
    pieceChecksums: toBase64(checksums.subarray(firstPiece * checksumLengthBytes, pieces * checksumLengthBytes)),
    tail: withTail ? toBase64(fileSet.bytes.subarray(knownBytes, to.manifestBytes)) : undefined,
  };
  return fileSet.encodedStep;
}

/** The piece checksums that the manifest had at an earlier length: only the last one differs from today's. */
function checksumsAt(state: ControllerState, fileSet: FileSet, manifestBytes: number): Uint8Array {
  const { pieceBytes, algorithm } = fileSet.row;
  const pieces = pieceCount({ lengthBytes: manifestBytes, pieceBytes });
  const checksums = fileSet.summary.pieceChecksums.slice(0, pieces * checksumLengthBytes);
  if (pieces > 0) {
    const lastStart = (pieces - 1) * pieceBytes;
    checksums.set(
      state.hash(algorithm, fileSet.bytes.subarray(lastStart, manifestBytes)),
      (pieces - 1) * checksumLengthBytes,
    );
  }
  return checksums;
}
