/**
 * A publish, from begin on (claims 20 to 23, 29, 38): who may publish what, and the manifest, which is taken only when
 * it is what its root names. Targets take part from the first block on; the file set becomes active only when the
 * publisher commits.
 */
import { didYouMean } from "../../std/nearest.ts";
import { fromBase64 } from "../../std/base64.ts";
import { concatenateBytes } from "../../std/bytes.ts";
import { UserError } from "../../std/errors.ts";
import { maximumManifestBytes } from "../../model/limits.ts";
import { parseSelector, matchesSelector } from "../../model/selector.ts";
import { protocolMismatch } from "../../protocol/version.ts";
import type { Append, Begin, PublisherMessage, Rejected } from "../../protocol/publisher-messages.ts";
import { reconcileFileSet } from "./assignments.ts";
import { enterFileSet, extendFileSet, removeFileSet, storeManifest } from "./file-sets.ts";
import { offerFromPublisher, resume } from "./publish-member.ts";
import { heldElsewhere, knownBlocks } from "./plausible.ts";
import { abortPublish, commit, endPublish, handedOver, publishOf, reject } from "./publish-progress.ts";
import { putRow } from "./records.ts";
import { nanosecondsPerMillisecond } from "./settings.ts";
import { dateMilliseconds, storeFileSet, type Connection, type ControllerState, type FileSet } from "./state.ts";

/** A begun publish whose manifest is not whole yet: nothing of it is durable, or known to agents. */
export interface Draft {
  readonly begin: Begin;
  readonly bytes: Uint8Array[];
  length: number;
}

/** Manifests that are begun and not whole yet are kept in memory up to this many bytes in all; a further one is refused. */
const maximumDraftBytes = maximumManifestBytes;
/** Publishes that one connection may have begun at once. */
const maximumPublishesPerConnection = 16;

/** Drafts by publish id. */
export type Drafts = Map<string, Draft>;

export function handlePublisherMessage(
  state: ControllerState,
  drafts: Drafts,
  connectionId: number,
  connection: Connection,
  message: PublisherMessage,
): void {
  switch (message.type) {
    case "begin":
      begin(state, drafts, connectionId, connection, message);
      return;
    case "append":
      append(state, drafts, connectionId, message);
      return;
    default:
      break;
  }
  const publish = state.publishes.get(message.publishId);
  if (publish === undefined) {
    if (message.type === "abort") drafts.delete(message.publishId);
    else if (message.type !== "alive") {
      reject(
        state,
        connectionId,
        message.publishId,
        "unknownPublish",
        "this publish is not known (it may have been aborted): publish again",
      );
    }
    return;
  }
  if (message.type === "handedOver") handedOver(state, publish, message);
  else if (message.type === "commit") commit(state, publish);
  else if (message.type === "abort") abortPublish(state, publish, message.reason);
}

function begin(
  state: ControllerState,
  drafts: Drafts,
  connectionId: number,
  connection: Connection,
  message: Begin,
): void {
  const { publishId } = message;
  const mismatch = protocolMismatch(message.protocol, "the publisher");
  if (mismatch !== undefined) return reject(state, connectionId, publishId, "protocol", mismatch);
  const key = `${message.name}@${message.version}`;
  const existing = state.fileSets.get(key);
  if (existing !== undefined) {
    if (existing.row.publishId === publishId && existing.row.state === "published") {
      return state.out.sendPublisher(connectionId, { type: "committed", publishId });
    }
    if (existing.row.state === "published") {
      if (message.root === existing.row.root) {
        return state.out.sendPublisher(connectionId, { type: "already", publishId });
      }
      return reject(
        state,
        connectionId,
        publishId,
        "exists",
        `${key} exists already with other content: publish under another version, or remove it first (sluice fileset rm)`,
      );
    }
    if (existing.row.publishId !== publishId && !takeOver(state, existing, message)) {
      return reject(
        state,
        connectionId,
        publishId,
        "busy",
        `${key} is being published by another publisher at the moment`,
      );
    }
  }
  const refusal = refusalOf(state, message);
  if (refusal !== undefined) return reject(state, connectionId, publishId, refusal.code, refusal.reason);
  if (!connection.publishIds.has(publishId) && connection.publishIds.size >= maximumPublishesPerConnection) {
    return reject(
      state,
      connectionId,
      publishId,
      "busy",
      "too many publishes at once over one connection: open another",
    );
  }
  connection.publishIds.add(publishId);
  const present = state.fileSets.get(key);
  if (present === undefined) drafts.set(publishId, { begin: message, bytes: [], length: 0 });
  state.out.sendPublisher(connectionId, {
    type: "accepted",
    publishId,
    term: state.term,
    manifestBytes: present?.row.manifestBytes ?? 0,
    heartbeatMilliseconds: state.settings.heartbeatMilliseconds,
  });
  if (present !== undefined) resume(state, present, connectionId);
}

/** Another publisher comes for a version whose own is away: the same content goes on, any other starts anew. */
function takeOver(state: ControllerState, existing: FileSet, message: Begin): boolean {
  const publish = state.publishes.get(existing.row.publishId);
  if (publish?.connectionId !== undefined) return false;
  if (publish !== undefined) {
    endPublish(state, publish);
    if (message.root !== existing.row.root || message.growing) removeFileSet(state, existing);
    else existing.row = { ...existing.row, publishId: message.publishId };
  }
  return true;
}

function refusalOf(state: ControllerState, message: Begin): { code: Rejected["code"]; reason: string } | undefined {
  let selector;
  try {
    selector = parseSelector(message.selector);
  } catch (error) {
    return { code: "selector", reason: error instanceof UserError ? error.message : "the selector cannot be read" };
  }
  const { topology } = state.scheduler.world;
  if (message.site !== undefined && !topology.acceptsSite(message.site)) {
    return {
      code: "unknownSite",
      reason: `site ${message.site} is not in the topology${didYouMean(message.site, topology.sites.keys())}: use one of ${[...topology.sites.keys()].join(", ")}`,
    };
  }
  if (message.agent !== undefined) {
    const agent = state.agentsByName.get(message.agent);
    if (agent === undefined) {
      const nearest = didYouMean(message.agent, state.agentsByName.keys()) || " (see: sluice agent ls)";
      return { code: "unknownAgent", reason: `there is no agent ${message.agent}${nearest}` };
    }
    if (!agent.row.online) return { code: "agentOffline", reason: `agent ${message.agent} is not connected` };
    return undefined;
  }
  const some = [...state.agents.values()].some(
    (agent) => agent.row.online && !agent.row.blocked && matchesSelector(selector, agent.row),
  );
  return some
    ? undefined
    : {
        code: "noTargets",
        reason: `no connected agent matches --to ${message.selector}: there is nobody to hand the data to (see: sluice agent ls)`,
      };
}

function append(state: ControllerState, drafts: Drafts, connectionId: number, message: Append): void {
  const { publishId } = message;
  try {
    const bytes = fromBase64(message.bytes);
    const publish = state.publishes.get(publishId);
    const fileSet = publish === undefined ? undefined : state.fileSets.get(publish.key);
    if (fileSet !== undefined && publish !== undefined) {
      if (message.offset !== fileSet.bytes.length || message.root === undefined) {
        throw new UserError("the extension does not follow what came before");
      }
      const firstBlock = fileSet.manifest.blockCount;
      extendFileSet(state, fileSet, bytes, message.root);
      if (publish.known !== undefined) publish.plausible?.addAll(heldElsewhere(publish.known, fileSet, firstBlock));
      offerFromPublisher(state, publish, fileSet);
      return;
    }
    const draft = drafts.get(publishId);
    if (draft === undefined) {
      return reject(
        state,
        connectionId,
        publishId,
        "unknownPublish",
        "this publish is not known (it may have been aborted): publish again",
      );
    }
    if (message.offset !== draft.length) throw new UserError("the pieces of the manifest do not follow each other");
    if (draftBytes(drafts) + bytes.length > maximumDraftBytes) {
      throw new UserError("it is too large, or too many are being sent at once: try again later");
    }
    draft.bytes.push(bytes);
    draft.length += bytes.length;
    if (message.root === undefined) return;
    drafts.delete(publishId);
    openFileSet(state, draft, message.root, connectionId);
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof RangeError)) throw error;
    drafts.delete(publishId);
    const publish = state.publishes.get(publishId);
    if (publish !== undefined) abortPublish(state, publish, error.message);
    reject(state, connectionId, publishId, "manifest", `the manifest is refused: ${error.message}`);
  }
}

function draftBytes(drafts: Drafts): number {
  let bytes = 0;
  for (const draft of drafts.values()) bytes += draft.length;
  return bytes;
}

/** The manifest is here as far as its root covers it: the file set begins to exist. */
function openFileSet(state: ControllerState, draft: Draft, root: string, connectionId: number): void {
  const { begin: wish } = draft;
  const bytes = concatenateBytes(draft.bytes);
  if (!wish.growing && wish.root !== root) throw new UserError("it is not what the publish began with");
  const row = {
    name: wish.name,
    version: wish.version,
    sequence: state.nextSequence,
    selector: wish.selector,
    priority: wish.priority,
    state: "publishing" as const,
    paused: false,
    activate: wish.activate,
    wasActive: false,
    algorithm: wish.algorithm,
    pieceBytes: wish.pieceBytes,
    root,
    manifestBytes: bytes.length,
    publishId: wish.publishId,
    ...(wish.site === undefined ? {} : { site: wish.site }),
    ...(wish.agent === undefined ? {} : { agent: wish.agent }),
    createdAtMilliseconds: dateMilliseconds(state),
  };
  const fileSet = enterFileSet(state, row, [bytes]);
  if (!wish.growing && !fileSet.manifest.isComplete) {
    removeFileSet(state, fileSet);
    throw new UserError("it has no end");
  }
  state.nextSequence += 1;
  state.out.store(putRow("meta", "sequence", { next: state.nextSequence }));
  storeManifest(state, fileSet.key, 0, bytes);
  storeFileSet(state, fileSet);
  const publish = publishOf(state, fileSet);
  const known = knownBlocks(state, fileSet);
  publish.plausible = heldElsewhere(known, fileSet, 0);
  if (wish.growing) publish.known = known;
  resume(state, fileSet, connectionId);
  reconcileFileSet(state, fileSet);
}

/** The publisher's connection is lost: it has some time to come back. */
export function publisherDisconnected(
  state: ControllerState,
  drafts: Drafts,
  connectionId: number,
  connection: Connection,
): void {
  for (const publishId of connection.publishIds) {
    drafts.delete(publishId);
    const publish = state.publishes.get(publishId);
    if (publish === undefined || publish.connectionId !== connectionId) continue;
    publish.connectionId = undefined;
    publish.goneAtNanoseconds = state.now + state.settings.publisherGoneMilliseconds * nanosecondsPerMillisecond;
    if (publish.member !== undefined) publish.member.online = false;
  }
}
