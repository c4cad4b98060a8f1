/**
 * A stretch of network in front of one agent: others dial the relay's address, which passes everything on to the agent.
 * It counts every byte with its time and with who is at the other end, and can be told to damage what the agent sends, to
 * let nothing through, or to hold everything back. The programs are real, and so are the failures that they see.
 */
import { createServer, connect } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { frameHeaderBytes, frameType } from "#src/protocol/frames.ts";
import { peerIdField } from "#src/platform/streams/stream-server.ts";

/** Bytes that passed at a time. */
export interface Passage {
  readonly atMilliseconds: number;
  readonly bytes: number;
  /** sent: by the agent behind the relay; received: by it. */
  readonly direction: "sent" | "received";
  /** The id of the agent (or of the publish) at the other end. */
  readonly peerId: string;
}

export class Relay {
  readonly passages: Passage[] = [];
  /** Flips a bit of every DATA frame that the agent sends. */
  isCorrupting = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isHolding = false;
  #isRefusing = false;
  /** `HOST:PORT` of the agent behind; known once that has started. */
  #target: { host: string; port: number } | undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => this.#relay(socket));
  }

  static async start(): Promise<Relay> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    return new Relay(server);
  }

  /** What the agent is to `--advertise`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** @param url the agent's, as it says when it listens */
  lead(url: string): void {
    const { hostname, port } = new URL(url);
    this.#target = { host: hostname, port: Number(port) };
  }

  /** Breaks all connections and refuses new ones, or ends that. */
  setRefusing(refusing: boolean): void {
    this.#isRefusing = refusing;
    if (refusing) for (const socket of this.#sockets) socket.destroy();
  }

  /** Keeps connections open but lets no byte of them pass, or ends that. */
  setHolding(holding: boolean): void {
    this.#isHolding = holding;
    for (const socket of this.#sockets) {
      if (holding) socket.pause();
      else socket.resume();
    }
  }

  /** Bytes that passed in a direction, of all peers or of those with this id. */
  bytes(direction: Passage["direction"], peerIds?: ReadonlySet<string>): number {
    let sum = 0;
    for (const passage of this.passages) {
      if (passage.direction === direction && (peerIds?.has(passage.peerId) ?? true)) sum += passage.bytes;
    }
    return sum;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #relay(near: Socket): void {
    if (this.#target === undefined || this.#isRefusing) {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.#target);
    const head = new HeadReader();
    const frames = new FrameFinder();
    this.#join(near, far, (bytes) => {
      head.take(bytes);
      this.#count("received", bytes, head.peerId);
      return bytes;
    });
    this.#join(far, near, (bytes) => {
      this.#count("sent", bytes, head.peerId);
      const payloads = frames.find(bytes);
      if (!this.isCorrupting || payloads.length === 0) return bytes;
      const damaged = Buffer.from(bytes);
      for (const offset of payloads) damaged[offset] = (damaged[offset] ?? 0) ^ 0x20;
      return damaged;
    });
  }

  #count(direction: Passage["direction"], bytes: Buffer, peerId: string): void {
    this.passages.push({ atMilliseconds: performance.now(), bytes: bytes.length, direction, peerId });
  }

  /** Passes on what comes from one to the other, no faster than that takes it. */
  #join(from: Socket, to: Socket, pass: (bytes: Buffer) => Buffer): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on("data", (bytes: Buffer) => {
      if (!to.write(pass(bytes))) from.pause();
    });
    to.on("drain", () => {
      if (!this.#isHolding) from.resume();
    });
    from.on("end", () => to.end());
    from.on("error", () => to.destroy());
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
    if (this.#isHolding) from.pause();
  }
}

/** Reads who dials from the head of its HTTP request. */
class HeadReader {
  peerId = "";
  #text: string | undefined = "";

  take(bytes: Buffer): void {
    if (this.#text === undefined) return;
    this.#text += bytes.toString("latin1");
    const end = this.#text.indexOf("\r\n\r\n");
    if (end < 0) return;
    this.peerId = new RegExp(`^${peerIdField}: *(\\S+)`, "im").exec(this.#text.slice(0, end))?.[1] ?? "";
    this.#text = undefined;
  }
}

/** Follows the frames behind the head of an HTTP answer. */
class FrameFinder {
  #isInHead = true;
  #headTail = "";
  readonly #header = Buffer.alloc(frameHeaderBytes);
  #headerLength = 0;
  #payloadLeft = 0;

  /** Where in these bytes the payloads of DATA frames begin. */
  find(bytes: Buffer): number[] {
    const found: number[] = [];
    let offset = this.#isInHead ? this.#skipHead(bytes) : 0;
    while (offset < bytes.length) {
      const skipped = Math.min(this.#payloadLeft, bytes.length - offset);
      this.#payloadLeft -= skipped;
      offset += skipped;
      const copied = bytes.copy(this.#header, this.#headerLength, offset);
      if (copied === 0) break;
      this.#headerLength += copied;
      offset += copied;
      if (this.#headerLength < frameHeaderBytes) break;
      this.#headerLength = 0;
      this.#payloadLeft = this.#header.readUInt32LE(12);
      if (this.#header[0] === frameType.data && this.#payloadLeft > 0 && offset < bytes.length) found.push(offset);
    }
    return found;
  }

  /** @returns the offset behind the head, or the length when it goes on */
  #skipHead(bytes: Buffer): number {
    const before = this.#headTail.length;
    const text = this.#headTail + bytes.toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) {
      this.#headTail = text.slice(-3);
      return bytes.length;
    }
    this.#isInHead = false;
    return end + 4 - before;
  }
}
