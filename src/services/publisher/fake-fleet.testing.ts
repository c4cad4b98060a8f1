/**
 * A controller of few words and agents that keep what they are handed in memory: enough of a fleet to publish to, with
 * ways to disturb it. Everything goes over real sockets.
 */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import { fromBase64 } from "../../std/base64.ts";
import { equalBytes } from "../../std/bytes.ts";
import { RangeSet } from "../../std/ranges.ts";
import { Manifest } from "../../model/manifest.ts";
import { ManifestSummarizer } from "../../model/manifest-root.ts";
import type { ControllerToPublisher, PublisherMessage } from "../../protocol/publisher-messages.ts";
import { publisherMessageSchema } from "../../protocol/publisher-messages.ts";
import { decodeTicket, encodeTicket } from "../../protocol/ticket.ts";
import { accept, type Accepting } from "../../platform/accept.ts";
import { formatAddress } from "../../platform/address.ts";
import { hash } from "../../platform/hashing.ts";
import { StreamServer } from "../../platform/streams/stream-server.ts";

type Begin = Extract<PublisherMessage, { type: "begin" }>;

/** A receiving agent. */
export class FakeReceiver {
  readonly agentId: string;
  /** By block: bytes that were verified. */
  readonly blocks = new Map<number, Uint8Array>();
  readonly finals = new Set<number>();
  flushes = 0;
  /** Awaited before a flush is answered. */
  flushGate: Promise<void> = Promise.resolve();
  address = "";
  readonly #server: StreamServer;
  #accepting: Accepting | undefined;

  constructor(digit: number, onArrived: (receiver: FakeReceiver, blocks: number[]) => void) {
    this.agentId = String(digit).repeat(32);
    this.#server = new StreamServer({
      authorize: (text) => ({ accepted: true, ticket: decodeTicket(text) }),
      holding: () => "absent",
      blockLengthBytes: () => undefined,
      readBlocks: async () => "absent",
      acceptPushed: async ({ order, entries, bytes }) => {
        let offset = 0;
        for (const { block, lengthBytes, checksum, final } of entries) {
          const copy = bytes.slice(offset, offset + lengthBytes);
          offset += lengthBytes;
          if (!equalBytes(hash("blake3", copy), checksum)) {
            return { type: "rejected", kind: "badChecksum", blocks: [block] };
          }
          if (order !== "content") continue;
          this.blocks.set(block, copy);
          if (final) this.finals.add(block);
        }
        const arrived = entries.map(({ block }) => block);
        if (order === "content") setImmediate(() => onArrived(this, arrived));
        return { type: "taken" };
      },
      flush: async () => {
        await this.flushGate;
        this.flushes += 1;
      },
      log: () => undefined,
    });
  }

  async start(): Promise<void> {
    this.#accepting = await accept({
      host: "127.0.0.1",
      port: 0,
      onRequest: (_request, response) => response.end(),
      upgrades: { "sluice-blocks": this.#server.upgrade },
    });
    this.address = formatAddress(this.#accepting.address);
  }

  async stop(): Promise<void> {
    this.#server.close();
    await this.#accepting?.close();
  }
}

export interface FakeFleetOptions {
  readonly receivers?: number;
  readonly rateBitsPerSecond?: number;
  /** What the base-manifest request answers. */
  readonly base?: { readonly bytes: Uint8Array; readonly isSame: boolean };
  /** Answers a begin in place of "accepted". */
  readonly onBegin?: (message: Begin) => ControllerToPublisher | undefined;
  /** Runs when so many blocks have come. */
  readonly onArrived?: (count: number, fleet: FakeFleet) => void;
}

export class FakeFleet {
  readonly receivers: FakeReceiver[];
  readonly heard: PublisherMessage[] = [];
  manifest = new Manifest();
  manifestBytes = Buffer.alloc(0);
  root: string | undefined;
  isCommitted = false;
  url = "";
  readonly #options: FakeFleetOptions;
  readonly #sockets = new WebSocketServer({ noServer: true });
  #accepting: Accepting | undefined;
  #port = 0;
  #socket: WebSocket | undefined;
  #begin: Begin | undefined;
  #term = 1;
  #nextLane = 1;
  #lanes: number[] = [];
  readonly #arrived = new RangeSet();
  readonly #instructed = new RangeSet();
  #isFlushing = false;
  #summarizer: ManifestSummarizer | undefined;

  constructor(options: FakeFleetOptions = {}) {
    this.#options = options;
    this.receivers = Array.from(
      { length: options.receivers ?? 2 },
      (_, index) => new FakeReceiver(index + 1, (_receiver, blocks) => this.#blocksArrived(blocks)),
    );
  }

  async start(): Promise<void> {
    for (const receiver of this.receivers) await receiver.start();
    await this.startController();
  }

  async startController(): Promise<void> {
    this.#term += 1;
    this.#accepting = await accept({
      host: "127.0.0.1",
      port: this.#port,
      onRequest: (request, response) => this.#answer(request, response),
      upgrades: {
        websocket: (request, socket, head) =>
          this.#sockets.handleUpgrade(request, socket, Buffer.from(head), (webSocket) => this.#connected(webSocket)),
      },
    });
    this.#port = this.#accepting.address.port;
    this.url = this.#accepting.url;
  }

  async stopController(): Promise<void> {
    this.#socket?.terminate();
    await this.#accepting?.close();
  }

  async stop(): Promise<void> {
    await this.stopController();
    for (const receiver of this.receivers) await receiver.stop();
  }

  /** Breaks the publisher's connection. */
  disconnect(): void {
    this.#socket?.terminate();
  }

  /** A file's bytes, put together from what all receivers hold. */
  content(path: string): Buffer {
    const file = this.manifest.files.find((entry) => entry.path === path);
    assert.ok(file !== undefined, `${path} is not in the manifest`);
    const parts: Uint8Array[] = [];
    for (let block = file.firstBlock; block < file.firstBlock + file.blockCount; block += 1) {
      const first = this.manifest.duplicateOf(block);
      const bytes = this.#held(first < 0 ? block : first);
      assert.ok(bytes !== undefined, `nobody holds block ${block}`);
      assert.ok(equalBytes(hash(this.manifest.algorithm, bytes), this.manifest.blockChecksum(block)));
      parts.push(bytes);
    }
    return Buffer.concat(parts);
  }

  /** Bytes of content that receivers hold. */
  get heldBytes(): number {
    let bytes = 0;
    for (const receiver of this.receivers) for (const block of receiver.blocks.values()) bytes += block.length;
    return bytes;
  }

  #held(block: number): Uint8Array | undefined {
    return this.receivers.map((receiver) => receiver.blocks.get(block)).find((bytes) => bytes !== undefined);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { base } = this.#options;
    if (request.url?.endsWith("/base-manifest") !== true || base === undefined) {
      response.writeHead(404).end(JSON.stringify({ error: { code: "notFound", message: "nothing there" } }));
      return;
    }
    response.setHeader("sluice-base", base.isSame ? "same" : "predecessor");
    response.end(base.bytes);
  }

  #connected(socket: WebSocket): void {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#hear(publisherMessageSchema.parse(JSON.parse(data.toString()))));
    socket.on("error", () => undefined);
  }

  #say(message: ControllerToPublisher): void {
    this.#socket?.send(JSON.stringify(message));
  }

  #hear(message: PublisherMessage): void {
    this.heard.push(message);
    const { publishId } = message;
    if (message.type === "begin") {
      const answer = this.#options.onBegin?.(message);
      if (answer !== undefined) return this.#say(answer);
      this.#begin = message;
      this.#summarizer ??= new ManifestSummarizer(hash, message.algorithm, message.pieceBytes);
      const manifestBytes = this.manifestBytes.length;
      this.#say({ type: "accepted", publishId, term: this.#term, manifestBytes, heartbeatMilliseconds: 500 });
      this.#lanes = [];
      this.#isFlushing = false;
      this.#instructed.clear();
      this.#instructed.addAll(this.#arrived);
      this.#instruct();
    } else if (message.type === "append") this.#append(message);
    else if (message.type === "commit") {
      this.isCommitted = true;
      this.#say({ type: "committed", publishId });
    } else if (message.type === "handedOver") {
      for (const { ended } of message.lanes) assert.notEqual(ended, "failed", JSON.stringify(message));
    }
  }

  #append(message: Extract<PublisherMessage, { type: "append" }>): void {
    const bytes = fromBase64(message.bytes);
    assert.equal(message.offset, this.manifestBytes.length);
    this.manifestBytes = Buffer.concat([this.manifestBytes, bytes]);
    this.manifest.append(bytes);
    this.#summarizer?.append(bytes);
    if (message.root === undefined) return;
    assert.equal(this.#summarizer?.summary().root, message.root);
    this.root = message.root;
    this.#instruct();
  }

  /** Spreads what was not instructed yet over the receivers. */
  #instruct(): void {
    const begin = this.#begin;
    if (begin === undefined) return;
    const wanted = new RangeSet();
    if (this.manifest.blockCount > 0) wanted.add(0, this.manifest.blockCount);
    wanted.removeAll(this.manifest.duplicates());
    const news = wanted.difference(this.#instructed);
    this.#instructed.addAll(news);
    const isOpening = this.#lanes.length === 0;
    if (isOpening) this.#lanes = this.receivers.map(() => this.#nextLane++);
    const share = Math.ceil(news.count / this.receivers.length);
    const fileSet = `${begin.name}@${begin.version}`;
    const rateBitsPerSecond = this.#options.rateBitsPerSecond ?? 8_000_000_000;
    const open = this.receivers.map((receiver, index) => ({
      laneId: this.#lanes[index] ?? 0,
      holderName: `agent-${index}`,
      holderId: receiver.agentId,
      address: receiver.address,
      rateBitsPerSecond,
      path: [],
    }));
    const transfers = this.receivers.flatMap((receiver, index) => {
      const mine = news.take(share);
      news.removeAll(mine);
      const laneId = this.#lanes[index] ?? 0;
      const portions = [{ fileSet, order: "content" as const, ranges: mine.toFlat() }];
      return mine.isEmpty ? [] : [{ laneId, portions, ticket: this.#ticket(receiver, laneId, portions) }];
    });
    this.#say({ type: "instruct", term: this.#term, close: [], open: isOpening ? open : [], transfers, rates: [] });
    this.#checkWhole();
  }

  #ticket(
    receiver: FakeReceiver,
    laneId: number,
    portions: { fileSet: string; order: "content"; ranges: number[] }[],
  ): string {
    return encodeTicket({
      term: this.#term,
      laneId,
      revision: 1,
      use: "handOver",
      holderId: receiver.agentId,
      peerId: this.#begin?.publishId ?? "",
      peerName: "publisher",
      portions,
      rateBitsPerSecond: this.#options.rateBitsPerSecond ?? 8_000_000_000,
      durationMilliseconds: 60_000,
      signature: "",
    });
  }

  #blocksArrived(blocks: number[]): void {
    for (const block of blocks) this.#arrived.add(block, block + 1);
    this.#options.onArrived?.(this.#arrived.count, this);
    const publishId = this.#begin?.publishId ?? "";
    this.#say({ type: "held", publishId, order: "content", ranges: this.#arrived.toFlat() });
    this.#checkWhole();
  }

  #checkWhole(): void {
    const begin = this.#begin;
    if (begin === undefined || this.#isFlushing || !this.manifest.isComplete) return;
    if (this.#arrived.count < this.manifest.blockCount - this.manifest.duplicates().count) return;
    this.#isFlushing = true;
    const fileSet = `${begin.name}@${begin.version}`;
    const receivers = this.receivers.map((receiver) => {
      const laneId = this.#nextLane++;
      const portions = [{ fileSet, order: "content" as const, ranges: [] }];
      const ticket = this.#ticket(receiver, laneId, portions);
      return { agentId: receiver.agentId, address: receiver.address, laneId, ticket };
    });
    this.#say({ type: "allHandedOver", publishId: begin.publishId, fileSet, receivers });
  }
}
