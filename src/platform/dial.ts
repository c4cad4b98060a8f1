/**
 * The one place that opens connections. TLS and an identity for each end will drop in here.
 *
 * `openSocket` opens a plain connection (for a library that speaks its own protocol over it); `dial` also makes the
 * HTTP/1.1 upgrade to a protocol of ours. It promises to end within its time-out, to read no more than
 * `maximumResponseHeadBytes` of an answer that may be hostile, and to say what kind of failure it was.
 */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { protocolVersion } from "../protocol/version.ts";
import { formatAddress } from "./address.ts";
import { monotonicNanoseconds } from "./clock.ts";

/** The longest head of an answer (status line and header fields) that is read. */
export const maximumResponseHeadBytes = 8 * 1024;
/** How long connecting and upgrading may take together, unless the caller says otherwise. */
export const defaultConnectTimeoutMilliseconds = 5_000;
/** A silent peer is asked whether it is still there after this long. */
const keepAliveMilliseconds = 15_000;

/**
 * Takes what arrives without a buffer of its own for each read. `buffer` says where the next bytes go (never of length
 * zero); `received` is told how many came into it and returns false to stop reading until `socket.resume()`.
 */
export interface Receiver {
  buffer(): Uint8Array;
  received(byteCount: number, buffer: Uint8Array): boolean;
}

export interface OpenSocketOptions {
  readonly host: string;
  readonly port: number;
  /** Left out: the socket emits `data`. */
  readonly receiver?: Receiver;
}

export interface DialOptions extends OpenSocketOptions {
  /** Path of the upgrade request, such as `/v1/blocks`. */
  readonly path: string;
  /** Name of the protocol to upgrade to. */
  readonly upgrade: string;
  /** Further header fields. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly connectTimeoutMilliseconds?: number;
}

/** An upgraded connection. It does not read until `socket.resume()`; `head` is what came behind the answer already. */
export interface Dialled {
  readonly socket: Socket;
  readonly head: Uint8Array;
  /** How long the peer's host took to answer, in nanoseconds. */
  readonly roundTripNanoseconds: number;
}

/** refused: nobody answers there. reset: the connection broke. protocol: the answer is not ours. */
export type DialFailureKind = "refused" | "reset" | "protocol";

export class DialError extends Error {
  override readonly name = "DialError";
  readonly kind: DialFailureKind;

  constructor(kind: DialFailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}

/** Starts to connect and returns at once; the socket emits `connect` or `error`. */
export function openSocket({ host, port, receiver }: OpenSocketOptions): Socket {
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMilliseconds,
    ...(receiver === undefined
      ? {}
      : {
          onread: {
            buffer: () => receiver.buffer(),
            callback: (byteCount: number, buffer: Uint8Array) => receiver.received(byteCount, buffer),
          },
        }),
  });
  return socket;
}

/**
 * Connects and upgrades.
 * @throws DialError (as a rejection) when it does not come about; the socket is destroyed then
 */
export function dial(options: DialOptions): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    const where = formatAddress(options);
    const response = new ResponseHead();
    let isUpgraded = false;
    let isConnected = false;
    let roundTripNanoseconds = 0;
    const startedAtNanoseconds = monotonicNanoseconds();
    const socket = openSocket({
      host: options.host,
      port: options.port,
      receiver: {
        buffer: () => (isUpgraded && options.receiver !== undefined ? options.receiver.buffer() : response.space()),
        received: (byteCount, buffer) =>
          isUpgraded && options.receiver !== undefined
            ? options.receiver.received(byteCount, buffer)
            : receivedHead(byteCount),
      },
    });
    const timer = setTimeout(
      () => fail(isConnected ? "reset" : "refused", `${where} did not answer in time`),
      options.connectTimeoutMilliseconds ?? defaultConnectTimeoutMilliseconds,
    );
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.once("connect", () => {
      isConnected = true;
      roundTripNanoseconds = monotonicNanoseconds() - startedAtNanoseconds;
      socket.write(requestText(options));
    });

    function receivedHead(byteCount: number): boolean {
      let outcome: HeadOutcome;
      try {
        outcome = response.add(byteCount, options.upgrade);
      } catch (error) {
        fail("protocol", `${where} gave an answer that is not ours: ${textOf(error)}`);
        return false;
      }
      if (outcome === "more") return true;
      isUpgraded = true;
      release();
      resolve({ socket, head: outcome, roundTripNanoseconds });
      return false;
    }
    function onError(error: Error): void {
      fail(isConnected ? "reset" : "refused", `cannot connect to ${where}: ${textOf(error)}`, error);
    }
    function onClose(): void {
      fail(isConnected ? "reset" : "refused", `${where} closed the connection before it was set up`);
    }
    function fail(kind: DialFailureKind, message: string, cause?: unknown): void {
      release();
      // Whatever else it reports while it is torn down interests nobody, and must not end the program.
      socket.on("error", () => undefined);
      socket.destroy();
      reject(new DialError(kind, message, cause));
    }
    function release(): void {
      clearTimeout(timer);
      socket.off("error", onError);
      socket.off("close", onClose);
    }
  });
}

const tokenPattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const fieldValuePattern = /^[\x20-\x7e]*$/;
const pathPattern = /^\/[\x21-\x7e]*$/;

function requestText(options: DialOptions): string {
  if (!pathPattern.test(options.path) || !tokenPattern.test(options.upgrade)) throw new RangeError("not a request");
  const fields: [string, string][] = [
    ["Host", formatAddress(options)],
    ["Connection", "Upgrade"],
    ["Upgrade", options.upgrade],
    ["Sluice-Protocol", `${protocolVersion.major}.${protocolVersion.minor}`],
    ...Object.entries(options.headers ?? {}),
  ];
  for (const [name, value] of fields) {
    if (!tokenPattern.test(name) || !fieldValuePattern.test(value)) throw new RangeError(`not a header field: ${name}`);
  }
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `GET ${options.path} HTTP/1.1\r\n${lines}\r\n`;
}

type HeadOutcome = Uint8Array | "more";

/** Gathers the head of the answer and judges it. */
class ResponseHead {
  readonly #bytes = Buffer.allocUnsafe(maximumResponseHeadBytes);
  #length = 0;

  /** Where the next bytes go. Once it is full the answer has been refused, and only a placeholder is left. */
  space(): Uint8Array {
    return this.#length < this.#bytes.length ? this.#bytes.subarray(this.#length) : Buffer.alloc(1);
  }

  /** What came behind an answer that accepts; `more` while it is not whole. Throws an Error on any other answer. */
  add(byteCount: number, upgrade: string): HeadOutcome {
    this.#length += byteCount;
    const end = this.#bytes.subarray(0, this.#length).indexOf("\r\n\r\n");
    if (end < 0) {
      if (this.#length >= this.#bytes.length) throw new Error("its head is too long");
      return "more";
    }
    judgeHead(this.#bytes.toString("latin1", 0, end), upgrade);
    return this.#bytes.subarray(end + 4, this.#length);
  }
}

function judgeHead(head: string, upgrade: string): void {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = /^HTTP\/1\.1 ([0-9]{3})(?: [\x20-\x7e]*)?$/.exec(statusLine)?.[1];
  if (status === undefined) throw new Error("it does not begin like HTTP/1.1");
  const fields = new Map<string, string>();
  for (const line of lines) {
    const match = /^([A-Za-z0-9-]+):[ \t]*([\x20-\x7e]*?)[ \t]*$/.exec(line);
    if (match === null) throw new Error("a header field of it is malformed");
    fields.set((match[1] ?? "").toLowerCase(), match[2] ?? "");
  }
  if (status !== "101") {
    throw new Error(fields.get("sluice-reason")?.slice(0, 300) ?? `status ${status} instead of 101`);
  }
  const hasUpgradeToken = /(^|[\s,])upgrade($|[\s,])/i.test(fields.get("connection") ?? "");
  if (!hasUpgradeToken || fields.get("upgrade")?.toLowerCase() !== upgrade.toLowerCase()) {
    throw new Error("it upgrades to another protocol");
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
