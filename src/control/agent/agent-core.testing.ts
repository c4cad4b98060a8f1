/** A world for tests of the agent's state machine: it drives one core and writes down, line by line, what it orders. */
import { testHash } from "../../model/manifest.testing.ts";
import { ManifestBuilder } from "../../model/manifest-builder.ts";
import { summarizeManifest } from "../../model/manifest-root.ts";
import type { ManifestSummary } from "../../model/manifest-root.ts";
import { checksumLengthBytes } from "../../model/checksum.ts";
import type { Assign, ControllerMessage, OpenLane } from "../../protocol/controller-messages.ts";
import type { AgentMessage } from "../../protocol/agent-messages.ts";
import type { FileSetKey } from "../../protocol/parts.ts";
import { encodeTicket } from "../../protocol/ticket.ts";
import { toBase64 } from "../../std/base64.ts";
import { RangeSet } from "../../std/ranges.ts";
import { AgentCore } from "./agent-core.ts";
import type { AgentDocument } from "./agent-document.ts";
import type { AgentCommand, AgentEvent, StoredFileSet } from "./agent-events.ts";
import type { AgentCoreIdentity } from "./context.ts";

export const agentId = "0".repeat(31) + "1";
export const pieceBytes = 65_536;

export const identity: AgentCoreIdentity = {
  agentId,
  name: "fra-1",
  site: "fra",
  labels: { tier: "web" },
  address: "127.0.0.1:7000",
  programVersion: "0.1.0",
};

/** A manifest of one file with this many blocks of 1,000 bytes; `contents[i]` names what is in block i. */
export function manifestOf(contents: readonly number[]): Uint8Array {
  const builder = new ManifestBuilder("sha256");
  const checksums = new Uint8Array(contents.length * checksumLengthBytes);
  contents.forEach((content, index) => checksums.set(checksumOf(content), index * checksumLengthBytes));
  builder.addFile({
    path: "file",
    mode: 0o644,
    modifiedMilliseconds: 1_000,
    version: 1,
    blockBytes: 1_000,
    lengthBytes: contents.length * 1_000,
    checksums,
  });
  builder.end();
  return builder.toBytes();
}

export function checksumOf(content: number): Uint8Array {
  return testHash("sha256", Uint8Array.of(content & 0xff, content >>> 8));
}

export function summaryOf(bytes: Uint8Array): ManifestSummary {
  return summarizeManifest(testHash, "sha256", bytes, pieceBytes);
}

/** An assignment; `tail`: from which byte on the manifest is inside. */
export function assign(
  fileSet: FileSetKey,
  bytes: Uint8Array,
  options: { term?: number; sequence?: number; firstPiece?: number; tail?: number } = {},
): Assign {
  const { term = 1, sequence = 1, firstPiece = 0, tail } = options;
  const summary = summaryOf(bytes);
  return {
    type: "assign",
    term,
    fileSet,
    sequence,
    priority: 0,
    algorithm: "sha256",
    root: summary.root,
    manifestBytes: bytes.length,
    pieceBytes,
    firstPiece,
    pieceChecksums: toBase64(summary.pieceChecksums.subarray(firstPiece * checksumLengthBytes)),
    ...(tail === undefined ? {} : { tail: { offset: tail, bytes: toBase64(bytes.subarray(tail)) } }),
  };
}

export function openLane(laneId: number, holderName: string, path: readonly string[] = []): OpenLane {
  return {
    laneId,
    holderName,
    holderId: holderName
      .charCodeAt(holderName.length - 1)
      .toString(16)
      .padStart(32, "a"),
    address: "127.0.0.1:7001",
    rateBitsPerSecond: 8_000_000,
    path: [...path],
  };
}

export const ticket = encodeTicket({
  term: 1,
  laneId: 1,
  revision: 1,
  use: "fetch",
  holderId: agentId,
  peerId: "a".repeat(32),
  peerName: "fra-2",
  portions: [],
  rateBitsPerSecond: 1,
  durationMilliseconds: 1,
  signature: "",
});

export interface TestAgent {
  readonly core: AgentCore;
  /** What it last asked to be remembered. */
  readonly document: () => AgentDocument | undefined;
  /** Seconds since the start. */
  readonly at: (seconds: number) => void;
  readonly event: (event: AgentEvent) => AgentCommand[];
  readonly hear: (message: ControllerMessage) => AgentCommand[];
  /** Lets time pass, waking the core when it asks to be. */
  readonly passUntil: (seconds: number) => AgentCommand[];
  /** The lines since the last call. */
  readonly trace: () => string;
}

export interface TestAgentOptions {
  readonly document?: AgentDocument | undefined;
  readonly stored?: readonly StoredFileSet[];
  readonly current?: readonly { name: string; version: string }[];
  readonly keepVersions?: number;
}

/** A core that has started; `welcome()` makes it one that a controller has welcomed. */
export function testAgent(options: TestAgentOptions = {}): TestAgent {
  const core = new AgentCore({
    identity,
    ports: { hash: testHash },
    ...(options.keepVersions === undefined ? {} : { keepVersions: options.keepVersions }),
  });
  let now = 0;
  let wakeAt: number | undefined;
  let document: AgentDocument | undefined;
  let lines: string[] = [];
  const event = (event: AgentEvent): AgentCommand[] => {
    const output = core.handle(event, now);
    wakeAt = output.wakeAtNanoseconds;
    if (output.document !== undefined) {
      document = structuredClone(output.document);
      lines.push("remember");
    }
    for (const command of output.commands) lines.push(describe(command));
    return [...output.commands];
  };
  event({ type: "started", document: options.document, stored: options.stored ?? [], current: options.current ?? [] });
  return {
    core,
    document: () => document,
    at: (seconds) => {
      now = seconds * 1_000_000_000;
    },
    event,
    hear: (message) => event({ type: "message", message }),
    passUntil: (seconds) => {
      const end = seconds * 1_000_000_000;
      const commands: AgentCommand[] = [];
      for (let at = wakeAt; at !== undefined && at <= end; at = wakeAt) {
        now = Math.max(now, at);
        commands.push(...event({ type: "timer" }));
      }
      now = end;
      return commands;
    },
    trace: () => {
      const text = lines.join("\n");
      lines = [];
      return text;
    },
  };
}

export const welcome = (term = 1, keepVersions = 2): ControllerMessage => ({
  type: "welcome",
  term,
  protocol: { major: 1, minor: 0 },
  settings: { heartbeatMilliseconds: 60_000, reportMilliseconds: 100, stallMilliseconds: 4_000, keepVersions },
});

/** A core that is connected and welcomed, with an empty trace. */
export function welcomedAgent(options: TestAgentOptions = {}): TestAgent {
  const agent = testAgent(options);
  agent.event({ type: "connected" });
  agent.hear(welcome());
  agent.trace();
  return agent;
}

/** Takes a file set through to being fetched. */
export function fetchingAgent(
  fileSet: FileSetKey,
  contents: readonly number[],
  held: RangeSet = new RangeSet(),
): TestAgent {
  const agent = welcomedAgent();
  giveFileSet(agent, fileSet, contents, held);
  agent.trace();
  return agent;
}

export function giveFileSet(
  agent: TestAgent,
  fileSet: FileSetKey,
  contents: readonly number[],
  held: RangeSet = new RangeSet(),
  sequence = 1,
): void {
  agent.hear(assign(fileSet, manifestOf(contents), { tail: 0, sequence }));
  agent.event({ type: "prepared", fileSet, held });
}

export const instruct = (
  parts: Partial<Omit<Extract<ControllerMessage, { type: "instruct" }>, "type">>,
): ControllerMessage => ({ type: "instruct", term: 1, close: [], open: [], transfers: [], rates: [], ...parts });

function ranges(flat: readonly number[]): string {
  const parts: string[] = [];
  for (let index = 0; index < flat.length; index += 2) parts.push(`${flat[index] ?? ""}-${flat[index + 1] ?? ""}`);
  return parts.join(" ");
}

function describeMessage(message: AgentMessage): string {
  if (message.type === "hello") return `hello ${message.name} term ${message.term}`;
  if (message.type !== "state") return `${message.type} ${JSON.stringify({ ...message, type: undefined })}`;
  const lines = [message.whole ? "whole state" : "state"];
  for (const state of message.fileSets) {
    const parts = [state.fileSet, state.status];
    if (state.manifest.length > 0) parts.push(`pieces ${ranges(state.manifest)}`);
    if (state.content.length > 0) parts.push(`blocks ${ranges(state.content)}`);
    if (state.lost.length > 0) parts.push(`lost ${ranges(state.lost)}`);
    if (state.problem !== undefined) parts.push(`(${state.problem})`);
    lines.push(parts.join(" "));
  }
  for (const fileSet of message.deleted) lines.push(`deleted ${fileSet}`);
  for (const { name, version } of message.current) lines.push(`current ${name} -> ${version ?? "nothing"}`);
  for (const lane of message.lanes) {
    lines.push(`lane ${lane.laneId} ${lane.receivedBytes} bytes ${lane.ended ?? ""}`.trimEnd());
  }
  for (const { agentId, roundTripNanoseconds } of message.reached ?? []) {
    lines.push(`reached ${agentId} in ${roundTripNanoseconds / 1_000_000} ms`);
  }
  for (const failure of message.failures) {
    const certainty = failure.certain ? "" : `?${failure.alsoSuspected.map((other) => ` or ${other}`).join("")}`;
    lines.push(`failure ${failure.failureId} ${failure.kind} ${failure.component}${certainty}`);
  }
  return lines.join("\n    ");
}

function describe(command: AgentCommand): string {
  switch (command.type) {
    case "send":
      return `send ${describeMessage(command.message)}`;
    case "storeManifest":
      return `storeManifest ${command.fileSet} from ${command.offset}`;
    case "prepare":
    case "finish":
    case "delete":
      return `${command.type} ${command.fileSet}`;
    case "discard":
      return `discard ${command.fileSet} ${command.block}`;
    case "activate":
      return `activate ${command.name} -> ${command.version ?? "nothing"}`;
    case "openLane":
      return `openLane ${command.lane.laneId} from ${command.lane.holderName}`;
    case "pull":
      return `pull ${command.laneId} ${command.fileSet} ${command.order} ${ranges(command.ranges)}`;
    case "setRate":
      return `setRate ${command.laneId} ${command.rateBitsPerSecond}`;
    case "closeLane":
      return `closeLane ${command.laneId}`;
    case "note":
      return `${command.level}: ${command.text}`;
    case "disconnect":
      return `disconnect ${command.retry ? "and retry" : "for good"}: ${command.reason}`;
    case "probe":
      return `probe ${command.probeId} ${command.fileSet} ${command.block}`;
    default:
      return `readChallenge ${command.challengeId} ${command.fileSet} ${command.block}`;
  }
}
