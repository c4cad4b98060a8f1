/**
 * A connection at the end that dials, kept for as long as it is of use: dialled when there is something to say, shared by
 * all lanes to that address, closed when no lane is left for a while. It promises to say once why it failed.
 */
import type { Socket } from "node:net";
import { encodeFrame, frameType, ProtocolViolation } from "../../protocol/frames.ts";
import type { FailureKind } from "../../protocol/parts.ts";
import { parseAddress } from "../address.ts";
import { dial, DialError, type Dialled } from "../dial.ts";
import { FrameReader } from "./frame-reader.ts";
import type { FrameSink } from "./frame-reader.ts";
import { idleConnectionMilliseconds } from "./limits.ts";
import { ReadGate } from "./read-gate.ts";
import { blockStreamPath, blockStreamProtocol, peerIdField } from "./stream-server.ts";

export interface OutgoingConnectionOptions {
  readonly address: string;
  /** Who this end is: an agent's id or a publish id. */
  readonly peerId: string;
  readonly connectTimeoutMilliseconds: number | undefined;
  readonly sink: FrameSink;
  /** With how long words to the peer and back take. */
  readonly onOpen: (socket: Socket, roundTripNanoseconds: number) => void;
  /** It could not be opened, broke, or the peer did not keep to the protocol. Not called after `close`. */
  readonly onFailed: (kind: FailureKind, detail: string) => void;
  /** More has been read; the last read was `isShort`: everything that had come. */
  readonly onRead: (isShort: boolean) => void;
}

type State =
  | { readonly type: "closed" }
  | { readonly type: "dialling"; isCancelled: boolean }
  | { readonly type: "open"; readonly socket: Socket; readonly gate: ReadGate; readonly reader: FrameReader };

export class OutgoingConnection {
  readonly #options: OutgoingConnectionOptions;
  #state: State = { type: "closed" };

  constructor(options: OutgoingConnectionOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#state.type === "open";
  }

  get gate(): ReadGate | undefined {
    return this.#state.type === "open" ? this.#state.gate : undefined;
  }

  /** Dials unless it is open or being dialled. */
  ensureOpen(): void {
    if (this.#state.type !== "closed") return;
    const state: State = { type: "dialling", isCancelled: false };
    this.#state = state;
    const reader = new FrameReader(this.#options.sink, "fromAccepter");
    const { peerId, connectTimeoutMilliseconds } = this.#options;
    void this.#dial(reader, {
      path: blockStreamPath,
      upgrade: blockStreamProtocol,
      headers: { [peerIdField]: peerId },
      ...(connectTimeoutMilliseconds === undefined ? {} : { connectTimeoutMilliseconds }),
    }).then(
      (dialled) => {
        if (state.isCancelled) dialled.socket.destroy();
        else this.#opened(dialled, reader);
      },
      (error: unknown) => {
        if (state.isCancelled) return;
        this.#state = { type: "closed" };
        const kind = error instanceof DialError ? error.kind : "refused";
        this.#options.onFailed(kind, error instanceof Error ? error.message : String(error));
      },
    );
  }

  /** Sends a small frame. Only while it is open. */
  send(frame: Uint8Array): void {
    if (this.#state.type === "open" && this.#state.socket.writable) this.#state.socket.write(frame);
  }

  /** Memory has become free: goes on with what came meanwhile. */
  retry(): void {
    const state = this.#state;
    if (state.type !== "open") return;
    this.#guard(() => state.gate.setOutOfMemory(!state.reader.retry()));
  }

  /** Closes without a word. */
  close(): void {
    const state = this.#state;
    this.#state = { type: "closed" };
    if (state.type === "dialling") state.isCancelled = true;
    if (state.type === "open") state.socket.destroy();
  }

  #dial(reader: FrameReader, options: Omit<Parameters<typeof dial>[0], "host" | "port">): ReturnType<typeof dial> {
    try {
      const { host, port } = parseAddress(this.#options.address);
      const receiver = {
        buffer: () => reader.buffer(),
        received: (byteCount: number, buffer: Uint8Array) => {
          this.#guard(() => {
            reader.received(byteCount, buffer);
            if (reader.isWaiting) this.gate?.setOutOfMemory(true);
            else this.#options.onRead(byteCount < buffer.length);
          });
          return true;
        },
      };
      return dial({ ...options, host, port, receiver });
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #opened({ socket, head, roundTripNanoseconds }: Dialled, reader: FrameReader): void {
    const gate = new ReadGate(socket);
    this.#state = { type: "open", socket, gate, reader };
    let reason: string | undefined;
    socket.on("error", (error) => {
      reason = error.message;
    });
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      gate.close();
      reader.stop();
      if (this.#state.type !== "open" || this.#state.socket !== socket) return;
      this.#state = { type: "closed" };
      this.#options.onFailed(
        "reset",
        `the connection to ${this.#options.address} broke: ${reason ?? "closed by the peer"}`,
      );
    });
    this.#options.onOpen(socket, roundTripNanoseconds);
    this.#guard(() => {
      if (head.length > 0) throw new ProtocolViolation("frames before any was asked for");
    });
    if (!socket.destroyed) socket.resume();
  }

  /** Runs what the peer's bytes may make fail. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      const state = this.#state;
      this.#state = { type: "closed" };
      if (state.type === "open") {
        state.reader.stop();
        state.socket.destroy();
      }
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#options.onFailed("protocol", `${this.#options.address} does not keep to the protocol: ${error.message}`);
    }
  }
}

/** Gives every lane of a connection a tag, and the connection up when no lane is left for a while. */
export class LaneTags {
  #next = 1;
  #timer: NodeJS.Timeout | undefined;

  next(): number {
    return this.#next++;
  }

  /** `close` is called unless `busy` is before it is time. */
  idle(close: () => void): void {
    this.busy();
    this.#timer = setTimeout(close, idleConnectionMilliseconds / 2);
    this.#timer.unref();
  }

  busy(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

export function cancelFrame(laneTag: number): Uint8Array {
  return encodeFrame(frameType.cancel, { tag: laneTag });
}
