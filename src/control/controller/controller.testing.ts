/**
 * A small stage for tests of the controller: agents and publishers that are driven by hand, and every message written
 * down as a line that a person can read.
 */
import { encodeUtf8 } from "../../std/utf8.ts";
import { toBase64 } from "../../std/base64.ts";
import { ManifestBuilder } from "../../model/manifest-builder.ts";
import { summarizeManifest } from "../../model/manifest-root.ts";
import type { Hash } from "../../model/checksum.ts";
import { emptyTopology, parseTopology, type Topology } from "../../model/topology.ts";
import type { AgentMessage, FileSetState, StateMessage } from "../../protocol/agent-messages.ts";
import type { PublisherMessage } from "../../protocol/publisher-messages.ts";
import type { OperatorRequest } from "../../protocol/views.ts";
import type { StoredRow } from "../store-port.ts";
import { ControllerCore } from "./controller-core.ts";
import type { ControllerCommand, ControllerEvent, OperatorReply } from "./controller-events.ts";
import type { ControllerSettings } from "./settings.ts";

/** Not a good hash, but quick, 32 bytes long and different for different bytes of a test. */
export const testHash: Hash = (_algorithm, bytes) => {
  const result = new Uint8Array(32);
  const view = new DataView(result.buffer);
  for (let lane = 0; lane < 8; lane += 1) {
    let state = (0x811c9dc5 ^ (lane * 0x9e3779b1)) >>> 0;
    for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193 + 2 * lane) >>> 0;
    view.setUint32(lane * 4, state);
  }
  return result;
};

export interface TestFileSet {
  readonly name: string;
  readonly version: string;
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly root: string;
  readonly blocks: number;
}

/** A file set of one file with so many blocks of 256 KiB. */
export function testFileSet(name: string, version: string, blocks: number, salt = ""): TestFileSet {
  const builder = new ManifestBuilder("blake3");
  const checksums = new Uint8Array(blocks * 32);
  for (let block = 0; block < blocks; block += 1) {
    checksums.set(testHash("blake3", encodeUtf8(`${salt}${name}/${block}`)), block * 32);
  }
  builder.addFile({
    path: "data.bin",
    mode: 0o644,
    modifiedMilliseconds: 1_700_000_000_000,
    version: 1,
    blockBytes: 262_144,
    lengthBytes: blocks * 262_144,
    checksums,
  });
  builder.end();
  const bytes = builder.toBytes();
  const { root } = summarizeManifest(testHash, "blake3", bytes, 65_536);
  return { name, version, key: `${name}@${version}`, bytes, root, blocks };
}

export function agentIdOf(name: string): string {
  return Array.from(name)
    .map((letter) => letter.charCodeAt(0).toString(16).padStart(2, "0"))
    .join("")
    .padEnd(32, "0")
    .slice(0, 32);
}

/** What is decided may bring up one thing more, but not one after another without end. */
const mostWakesAtOnce = 4;

/** A controller, its store, and its lines. */
export class Stage {
  core: ControllerCore;
  readonly lines: string[] = [];
  readonly store = new Map<string, StoredRow>();
  readonly replies = new Map<number, OperatorReply>();
  readonly sent: ControllerCommand[] = [];
  readonly #names = new Map<number, string>();
  readonly #settings: Partial<ControllerSettings>;
  topology: Topology;
  now = 0;
  term = 0;
  wakeAt: number | undefined;
  #nextConnection = 1;
  #nextRequest = 1;

  constructor(topology?: unknown, settings: Partial<ControllerSettings> = {}) {
    this.topology = topology === undefined ? emptyTopology() : parseTopology(topology);
    this.#settings = settings;
    this.core = this.start();
  }

  /** Starts (again) from what is stored. */
  start(): ControllerCore {
    this.term += 1;
    this.core = new ControllerCore({ ports: { hash: testHash, seed: 1 }, settings: this.#settings });
    this.#names.clear();
    const rows = [...this.store.values()];
    this.handle({
      type: "started",
      term: this.term,
      rows,
      topology: this.topology,
      dateMilliseconds: 1_700_000_000_000,
    });
    return this.core;
  }

  /** Takes an event and, as the program does, wakes the controller when it has something to decide at once. */
  handle(event: ControllerEvent): ControllerCommand[] {
    const commands = this.#handleOne(event);
    for (let wakes = 0; this.wakeAt !== undefined && this.wakeAt <= this.now; wakes += 1) {
      if (wakes >= mostWakesAtOnce) throw new Error("the controller wants to be woken again and again at one instant");
      commands.push(...this.#handleOne({ type: "timer" }));
    }
    return commands;
  }

  #handleOne(event: ControllerEvent): ControllerCommand[] {
    const output = this.core.handle(event, this.now);
    this.wakeAt = output.wakeAtNanoseconds;
    for (const change of output.changes) {
      const id = `${change.table} ${change.key}`;
      if (change.value === undefined) this.store.delete(id);
      else this.store.set(id, { table: change.table, key: change.key, value: change.value });
      this.lines.push(`  store ${change.value === undefined ? "delete " : ""}${id}`);
    }
    for (const command of output.commands) {
      this.sent.push(command);
      this.lines.push(`  ${this.#describe(command)}`);
      if (command.type === "reply") this.replies.set(command.requestId, command.reply);
    }
    return [...output.commands];
  }

  /** Lets time pass, waking the controller whenever it asked for it. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds * 1_000_000;
    while (this.wakeAt !== undefined && this.wakeAt <= end) {
      this.now = Math.max(this.now + 1, this.wakeAt);
      this.handle({ type: "timer" });
    }
    this.now = end;
  }

  /** @param minor of the protocol that it speaks; 0: it knows no echoes */
  connect(name: string, site: string, fileSets: FileSetState[] = [], agentId = agentIdOf(name), minor = 0): number {
    const connectionId = this.#open("agent", name);
    this.agent(connectionId, {
      type: "hello",
      protocol: { major: 1, minor },
      agentId,
      name,
      site,
      labels: {},
      address: `${name}.example:7000`,
      term: 0,
      programVersion: "test",
    });
    this.agent(connectionId, { ...emptyState, whole: true, fileSets });
    return connectionId;
  }

  agent(connectionId: number, message: AgentMessage): ControllerCommand[] {
    this.lines.push(`${this.#names.get(connectionId)} says ${describeAgentMessage(message)}`);
    return this.handle({ type: "agentMessage", connectionId, message });
  }

  state(connectionId: number, change: Partial<StateMessage>): ControllerCommand[] {
    return this.agent(connectionId, { ...emptyState, ...change });
  }

  publisher(name: string): number {
    return this.#open("publisher", name);
  }

  publish(connectionId: number, message: PublisherMessage): ControllerCommand[] {
    this.lines.push(`${this.#names.get(connectionId)} says ${message.type}`);
    return this.handle({ type: "publisherMessage", connectionId, message });
  }

  /** Begins a publish and sends the manifest. */
  publishFileSet(
    connectionId: number,
    fileSet: TestFileSet,
    wish: { selector?: string; activate?: boolean; agent?: string; priority?: number } = {},
  ): string {
    const publishId = agentIdOf(`p${fileSet.key}`);
    this.publish(connectionId, {
      type: "begin",
      protocol: { major: 1, minor: 0 },
      publishId,
      name: fileSet.name,
      version: fileSet.version,
      selector: wish.selector ?? "all",
      priority: wish.priority ?? 0,
      activate: wish.activate ?? true,
      growing: false,
      algorithm: "blake3",
      pieceBytes: 65_536,
      root: fileSet.root,
      manifestBytes: fileSet.bytes.length,
      ...(wish.agent === undefined ? {} : { agent: wish.agent }),
    });
    this.publish(connectionId, {
      type: "append",
      publishId,
      offset: 0,
      bytes: toBase64(fileSet.bytes),
      root: fileSet.root,
    });
    return publishId;
  }

  close(connectionId: number): void {
    this.lines.push(`${this.#names.get(connectionId)} is disconnected`);
    this.handle({ type: "closed", connectionId });
  }

  request(request: OperatorRequest): OperatorReply | undefined {
    const requestId = this.#nextRequest;
    this.#nextRequest += 1;
    this.lines.push(`the operator asks for ${JSON.stringify(request)}`);
    this.handle({ type: "request", requestId, request });
    return this.replies.get(requestId);
  }

  #open(role: "agent" | "publisher", name: string): number {
    const connectionId = this.#nextConnection;
    this.#nextConnection += 1;
    this.#names.set(connectionId, name);
    this.handle({ type: "opened", connectionId, role });
    return connectionId;
  }

  #describe(command: ControllerCommand): string {
    switch (command.type) {
      case "sendAgent":
        return `to ${this.#names.get(command.connectionId)}: ${describeMessage(command.message)}`;
      case "sendPublisher":
        return `to ${this.#names.get(command.connectionId)}: ${describeMessage(command.message)}`;
      case "close":
        return `close ${this.#names.get(command.connectionId)}`;
      case "reply":
        return `reply ${JSON.stringify(command.reply)}`;
      default:
        return `note ${command.level}: ${command.text}`;
    }
  }
}

export const emptyState: StateMessage = {
  type: "state",
  whole: false,
  fileSets: [],
  deleted: [],
  current: [],
  lanes: [],
  failures: [],
};

/** A file set's state as an agent reports it. */
export function stateOf(fileSet: TestFileSet, status: FileSetState["status"], content: number[] = []): FileSetState {
  return { fileSet: fileSet.key, root: fileSet.root, status, manifest: [], content, lost: [] };
}

function describeAgentMessage(message: AgentMessage): string {
  if (message.type !== "state") return message.type;
  const parts = [
    ...message.fileSets.map(
      (entry) =>
        `${entry.fileSet} ${entry.status} holds${message.whole ? "" : " also"} [${entry.content.join(",")}]${entry.lost.length > 0 ? ` lost [${entry.lost.join(",")}]` : ""}`,
    ),
    ...message.lanes.map((lane) => `lane ${lane.laneId} ${lane.ended ?? "runs"}`),
    ...message.failures.map(
      (failure) => `failure ${failure.kind} of ${failure.component}${failure.certain ? "" : "?"}`,
    ),
    ...message.current.map(({ name, version }) => `current ${name} -> ${version}`),
  ];
  return `${message.whole ? "whole " : ""}state: ${parts.join("; ")}`;
}

function describeMessage(message: { type: string } & Record<string, unknown>): string {
  if (message.type !== "instruct") {
    const { type, fileSet, name, version, code, sequence } = message;
    const given = Object.entries({ fileSet, name, version, code, sequence, delete: message["delete"] }).filter(
      ([, value]) => value !== undefined,
    );
    return [type, ...given.map(([key, value]) => `${key}=${String(value)}`)].join(" ");
  }
  const instruct = message as unknown as {
    close: number[];
    open: { laneId: number; holderName: string; rateBitsPerSecond: number }[];
    transfers: { laneId: number; portions: { fileSet: string; order: string; ranges: number[] }[] }[];
    rates: { laneId: number; rateBitsPerSecond: number }[];
  };
  return [
    "instruct",
    ...instruct.close.map((laneId) => `close ${laneId}`),
    ...instruct.open.map((lane) => `open ${lane.laneId} with ${lane.holderName} at ${lane.rateBitsPerSecond}`),
    ...instruct.transfers.flatMap(({ laneId, portions }) =>
      portions.map((portion) => `lane ${laneId}: ${portion.fileSet} ${portion.order} [${portion.ranges.join(",")}]`),
    ),
    ...instruct.rates.map((rate) => `rate of ${rate.laneId} ${rate.rateBitsPerSecond}`),
  ].join("; ");
}
