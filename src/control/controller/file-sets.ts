/**
 * The controller's file sets: taking one in from its manifest, letting it grow, taking it out; each with its durable
 * rows, its orders in the scheduler and its assignments. A manifest is taken only if it is what its root names.
 */
import { UserError } from "../../std/errors.ts";
import { RangeSet } from "../../std/ranges.ts";
import { Manifest } from "../../model/manifest.ts";
import { ManifestSummarizer, pieceCount } from "../../model/manifest-root.ts";
import { parseSelector } from "../../model/selector.ts";
import { inlineManifestTailBytes } from "../../model/limits.ts";
import { messagePayloadBytes } from "../../protocol/limits.ts";
import { reconcileFileSet, unassign } from "./assignments.ts";
import { forgetPlan } from "./plans.ts";
import { manifestRowKey, putRow, removedPrefix, type FileSetRow } from "./records.ts";
import { storeFileSet, type Agent, type ControllerState, type FileSet } from "./state.ts";

/**
 * Takes a file set in, from its row and the stretches of its manifest in order.
 * @throws UserError when the manifest is not valid or is not what the row's root names
 */
export function enterFileSet(state: ControllerState, row: FileSetRow, stretches: readonly Uint8Array[]): FileSet {
  const key = `${row.name}@${row.version}`;
  const [first, ...rest] = stretches;
  if (first === undefined) throw new UserError(`${key}: its manifest is missing`);
  const manifest = Manifest.decode(first);
  if (manifest.algorithm !== row.algorithm) {
    throw new UserError(`${key}: its manifest uses ${manifest.algorithm}, not ${row.algorithm}`);
  }
  const summarizer = new ManifestSummarizer(state.hash, row.algorithm, row.pieceBytes);
  summarizer.append(first);
  const content = state.scheduler.addOrder({
    key: `${key}/content`,
    fileSet: key,
    kind: "content",
    priority: row.priority,
    sequence: row.sequence,
    fromTheFront: manifest.files.some((file) => file.growing),
    bytesInRange: (start, end) => manifest.bytesInRange(start, end),
  });
  const summary = summarizer.summary();
  const fileSet: FileSet = {
    key,
    row,
    manifest,
    summarizer,
    summary,
    content,
    selector: parseSelector(row.selector),
    bytes: first,
    checkpoints: [{ root: summary.root, manifestBytes: first.length }],
    manifestOrder: undefined,
    encodedStep: undefined,
    relays: isRelayed(state, row) ? new Set() : undefined,
  };
  try {
    for (const stretch of rest) takeStretch(fileSet, stretch);
    if (fileSet.summary.root !== row.root) throw new UserError(`${key}: its manifest is not what its root names`);
  } catch (error) {
    state.scheduler.removeOrder(content.description.key);
    throw error;
  }
  state.fileSets.set(key, fileSet);
  content.paused = row.paused;
  refreshOrders(state, fileSet);
  return fileSet;
}

/** Policies to compare with know of no relays: in a swarm everybody wants what it has. */
function isRelayed({ settings }: ControllerState, row: FileSetRow): boolean {
  return settings.relays === "all" && settings.policy === "cost" && row.state === "publishing";
}

/** Extends a growing file set by further bytes of its manifest. @throws UserError when they are not what the root names */
export function extendFileSet(state: ControllerState, fileSet: FileSet, bytes: Uint8Array, root: string): void {
  const offset = fileSet.bytes.length;
  takeStretch(fileSet, bytes);
  if (fileSet.summary.root !== root) throw new UserError(`${fileSet.key}: the extension is not what its root names`);
  fileSet.row = { ...fileSet.row, root, manifestBytes: fileSet.bytes.length };
  storeManifest(state, fileSet.key, offset, bytes);
  storeFileSet(state, fileSet);
  refreshOrders(state, fileSet);
  reconcileFileSet(state, fileSet);
}

function takeStretch(fileSet: FileSet, bytes: Uint8Array): void {
  fileSet.manifest.append(bytes);
  fileSet.summarizer.append(bytes);
  const longer = new Uint8Array(fileSet.bytes.length + bytes.length);
  longer.set(fileSet.bytes);
  longer.set(bytes, fileSet.bytes.length);
  fileSet.bytes = longer;
  fileSet.summary = fileSet.summarizer.summary();
  fileSet.checkpoints.push({ root: fileSet.summary.root, manifestBytes: longer.length });
}

/** Makes a stretch of a manifest durable, in rows that fit a message. */
export function storeManifest(state: ControllerState, key: string, offset: number, bytes: Uint8Array): void {
  for (let from = 0; from < bytes.length; from += messagePayloadBytes) {
    const value = bytes.slice(from, from + messagePayloadBytes);
    state.out.store({ table: "manifests", key: manifestRowKey(key, offset + from), value });
  }
}

/** Lets the scheduler's orders follow the manifest. */
function refreshOrders(state: ControllerState, fileSet: FileSet): void {
  const { manifest, content, row } = fileSet;
  state.scheduler.growOrder(content, manifest.blockCount, manifest.duplicates());
  if (!manifest.isComplete || fileSet.manifestOrder !== undefined || row.manifestBytes <= inlineManifestTailBytes) {
    return;
  }
  const order = state.scheduler.addOrder({
    key: `${fileSet.key}/manifest`,
    fileSet: fileSet.key,
    kind: "manifest",
    priority: row.priority,
    sequence: row.sequence,
    // An agent serves a piece when it has those before it.
    fromTheFront: true,
    bytesInRange: (start, end) => Math.min(end * row.pieceBytes, row.manifestBytes) - start * row.pieceBytes,
  });
  const pieces = pieceCount({ lengthBytes: row.manifestBytes, pieceBytes: row.pieceBytes });
  state.scheduler.growOrder(order, pieces, new RangeSet());
  order.paused = row.paused;
  fileSet.manifestOrder = order;
  for (const agent of state.agents.values()) noteManifestHeld(state, agent, fileSet);
}

/** An agent that reported the present root and is past the manifest holds every piece of it. */
export function noteManifestHeld(state: ControllerState, agent: Agent, fileSet: FileSet): void {
  const known = agent.fileSets.get(fileSet.key);
  const order = fileSet.manifestOrder;
  if (order === undefined || agent.member === undefined || known === undefined) return;
  if (known.root === fileSet.row.root && known.status !== "manifest") {
    state.scheduler.addHeld(agent.member, order, RangeSet.of(0, order.blockCount), state.now);
  }
}

/** Takes a file set out, everywhere: rows, orders, and what agents hold of it. */
export function removeFileSet(state: ControllerState, fileSet: FileSet): void {
  forgetPlan(state, fileSet.key);
  state.fileSets.delete(fileSet.key);
  state.scheduler.removeOrder(fileSet.content.description.key);
  if (fileSet.manifestOrder !== undefined) state.scheduler.removeOrder(fileSet.manifestOrder.description.key);
  state.out.store({ table: "fileSets", key: fileSet.key, value: undefined });
  rememberRemoved(state, fileSet);
  for (const stretch of storedStretches(fileSet)) {
    state.out.store({ table: "manifests", key: manifestRowKey(fileSet.key, stretch), value: undefined });
  }
  for (const agent of state.agents.values()) {
    if (agent.sent.has(fileSet.key) || agent.fileSets.has(fileSet.key)) unassign(state, agent, fileSet.key, true);
  }
}

/** An agent that is away now will have it when it comes back. The oldest are forgotten: such an agent keeps what it has. */
function rememberRemoved(state: ControllerState, fileSet: FileSet): void {
  state.removed.delete(fileSet.key);
  state.removed.add(fileSet.key);
  state.out.store(putRow("meta", `${removedPrefix}${fileSet.key}`, {}));
  const [oldest] = state.removed;
  if (state.removed.size <= rememberedRemovals || oldest === undefined) return;
  state.removed.delete(oldest);
  state.out.store({ table: "meta", key: `${removedPrefix}${oldest}`, value: undefined });
}

/** Removed file sets that are remembered. */
const rememberedRemovals = 10_000;

/** Offsets of the rows that hold a file set's manifest. */
function storedStretches(fileSet: FileSet): number[] {
  const offsets: number[] = [];
  let start = 0;
  for (const { manifestBytes } of fileSet.checkpoints) {
    for (let from = start; from < manifestBytes; from += messagePayloadBytes) offsets.push(from);
    start = manifestBytes;
  }
  return offsets;
}

export function setPaused(state: ControllerState, fileSet: FileSet, paused: boolean): void {
  fileSet.row = { ...fileSet.row, paused };
  fileSet.content.paused = paused;
  if (fileSet.manifestOrder !== undefined) fileSet.manifestOrder.paused = paused;
  storeFileSet(state, fileSet);
  state.scheduler.touchAll();
}
