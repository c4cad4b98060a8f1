/**
 * The client's end of a channel to the controller: JSON texts over one WebSocket that is dialled again whenever it is
 * lost. Agents (`/v1/agent-channel`) and publishers (`/v1/publisher-channel`) use it alike.
 *
 * It promises: every message handed up fits its schema and its size bound, in the order it was sent; nothing is queued
 * while no connection is open (`send` says false); what waits to go out is bounded; a peer that went silent is noticed.
 * A message that does not fit ends the connection, which is then dialled anew after a growing pause.
 */
import type { ClientRequestArgs } from "node:http";
import { WebSocket } from "ws";
import type { z } from "zod";
import { UserError } from "../std/errors.ts";
import { maximumMessageBytes } from "../protocol/limits.ts";
import { openSocket } from "./dial.ts";
import { retryPauseMilliseconds } from "./retry-pause.ts";
import {
  channelCloseTimeoutMilliseconds,
  channelDialTimeoutMilliseconds,
  channelDrainedBytes,
  channelQuietMilliseconds,
  maximumChannelBufferedBytes,
} from "./channel-limits.ts";

/** Why no connection could be made, and when the next try comes. */
export interface ChannelProblem {
  readonly reason: string;
  /** Tries in vain since the last connection that worked, this one included. */
  readonly attempts: number;
  readonly retryInMilliseconds: number;
}

export interface ChannelOptions<Incoming> {
  /** The controller's URL, `http://HOST:PORT` or `https://...`, as users write it. */
  readonly url: string;
  /** Of the channel, such as `/v1/agent-channel`. */
  readonly path: string;
  /** What the other end may say. */
  readonly incoming: z.ZodType<Incoming>;
  readonly onOpen: () => void;
  readonly onMessage: (message: Incoming) => void;
  /** A connection that was open is no more (not called after `close`). It is dialled again by itself. */
  readonly onClosed: (reason: string) => void;
  /** A try to connect failed. */
  readonly onUnreachable?: (problem: ChannelProblem) => void;
  /** For the jitter of the pauses; Math.random when not given. */
  readonly random?: () => number;
  /** See channelQuietMilliseconds. */
  readonly quietMilliseconds?: number;
}

export interface Channel<Outgoing> {
  readonly isOpen: boolean;
  /** Bytes that wait to go out. */
  readonly bufferedBytes: number;
  /** Sends, or says false when no connection is open. @throws RangeError when the message is over the bound. */
  send(message: Outgoing): boolean;
  /** Resolves when little waits to go out, or the connection is gone. */
  drained(): Promise<void>;
  /** While paused nothing is handed up, and the other end feels it. */
  setPaused(paused: boolean): void;
  /** Ends this connection, if there is one, and dials anew after a pause (a growing one when not given). */
  restart(reason: string, pauseMilliseconds?: number): void;
  /** Sends what is waiting, ends the connection and dials no more. */
  close(): Promise<void>;
}

/** The WebSocket address of a path of the controller. @throws UserError when the URL is none of http or https */
export function channelAddress(url: string, path: string): string {
  const address = parseControllerUrl(url);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.pathname = address.pathname.replace(/\/+$/, "") + path;
  return address.href;
}

/** Checks a controller's URL as a user gave it. @throws UserError when it cannot be one */
export function parseControllerUrl(text: string): URL {
  const hint = "give it as http://HOST:PORT";
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new UserError(`${JSON.stringify(text)} is no URL of a controller`, { hint, exitCode: 2, cause: error });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new UserError(`${JSON.stringify(text)} is no URL of a controller`, { hint, exitCode: 2 });
  }
  url.search = "";
  url.hash = "";
  return url;
}

/** Opens a channel and keeps it open until `close`. @throws UserError when the URL cannot be one of a controller */
export function openChannel<Incoming, Outgoing>(options: ChannelOptions<Incoming>): Channel<Outgoing> {
  return new ReconnectingChannel<Incoming, Outgoing>(options);
}

class ReconnectingChannel<Incoming, Outgoing> implements Channel<Outgoing> {
  readonly #options: ChannelOptions<Incoming>;
  readonly #address: string;
  readonly #random: () => number;
  #socket: WebSocket | undefined;
  #retryTimer: NodeJS.Timeout | undefined;
  #attempts = 0;
  #closed = false;
  #paused = false;
  #drainWaiters: (() => void)[] = [];

  constructor(options: ChannelOptions<Incoming>) {
    this.#options = options;
    this.#address = channelAddress(options.url, options.path);
    this.#random = options.random ?? Math.random;
    this.#dial();
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  send(message: Outgoing): boolean {
    const socket = this.#socket;
    if (socket === undefined || socket.readyState !== WebSocket.OPEN) return false;
    const text = Buffer.from(JSON.stringify(message));
    if (text.length > maximumMessageBytes) {
      throw new RangeError(`a message of ${text.length} bytes is over the bound of ${maximumMessageBytes}`);
    }
    if (socket.bufferedAmount + text.length > maximumChannelBufferedBytes) {
      this.restart("the other end does not read what it is sent");
      return false;
    }
    socket.send(text, { binary: false }, () => this.#wakeDrained());
    return true;
  }

  async drained(): Promise<void> {
    if (!this.isOpen || this.bufferedBytes < channelDrainedBytes) return;
    await new Promise<void>((resolve) => {
      this.#drainWaiters.push(resolve);
    });
  }

  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (!this.isOpen) return;
    if (paused) this.#socket?.pause();
    else this.#socket?.resume();
  }

  restart(reason: string, pauseMilliseconds?: number): void {
    if (this.#closed) return;
    const socket = this.#socket;
    const wasOpen = this.isOpen;
    this.#socket = undefined;
    if (socket !== undefined) void endSocket(socket);
    this.#wakeDrained();
    this.#retryLater(pauseMilliseconds);
    if (wasOpen) this.#options.onClosed(reason);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    this.#wakeDrained();
    if (socket !== undefined) await endSocket(socket);
  }

  #dial(): void {
    const socket = new WebSocket(this.#address, {
      perMessageDeflate: false,
      maxPayload: maximumMessageBytes,
      handshakeTimeout: channelDialTimeoutMilliseconds,
      ...connectionMaker(this.#address),
    });
    this.#socket = socket;
    const isOurs = (): boolean => this.#socket === socket;
    let opened = false;
    let problem: string | undefined;
    socket.on("open", () => {
      if (!isOurs()) return;
      opened = true;
      watchQuiet(socket, this.#options.quietMilliseconds ?? channelQuietMilliseconds, (reason) => {
        problem = reason;
      });
      if (this.#paused) socket.pause();
      this.#options.onOpen();
    });
    socket.on("message", (data, isBinary) => {
      if (!isOurs()) return;
      const problemOfMessage = this.#receive(data, isBinary);
      if (problemOfMessage !== undefined) this.restart(problemOfMessage);
    });
    socket.on("error", (error) => {
      problem ??= describe(error);
    });
    socket.on("close", (code, reason) => {
      if (!isOurs()) return;
      this.#socket = undefined;
      this.#wakeDrained();
      this.#ended(opened, problem ?? (reason.length > 0 ? reason.toString() : `connection ended with code ${code}`));
    });
  }

  /** Hands a message up, or says what is wrong with it. */
  #receive(data: WebSocket.RawData, isBinary: boolean): string | undefined {
    if (isBinary) return "a binary message came where texts are spoken";
    let value: unknown;
    try {
      value = JSON.parse(textOf(data));
    } catch {
      return "a message that is not JSON came";
    }
    const parsed = this.#options.incoming.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      const where = issue === undefined ? "" : ` at ${issue.path.join(".") || "its top"}: ${issue.message}`;
      return `a message that does not fit the protocol came${where}`;
    }
    this.#attempts = 0;
    this.#options.onMessage(parsed.data);
    return undefined;
  }

  #ended(opened: boolean, reason: string): void {
    const retryInMilliseconds = this.#retryLater(undefined);
    if (opened) this.#options.onClosed(reason);
    else this.#options.onUnreachable?.({ reason, attempts: this.#attempts, retryInMilliseconds });
  }

  #retryLater(pauseMilliseconds: number | undefined): number {
    const pause = pauseMilliseconds ?? retryPauseMilliseconds(this.#attempts, this.#random);
    this.#attempts += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => {
      if (!this.#closed) this.#dial();
    }, pause);
    return pause;
  }

  #wakeDrained(): void {
    if (this.isOpen && this.bufferedBytes >= channelDrainedBytes) return;
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const wake of waiters) wake();
  }
}

/** Plain connections are opened where all are opened; the library adds TLS by itself. */
function connectionMaker(address: string): Pick<ClientRequestArgs, "createConnection"> {
  const { protocol, hostname, port } = new URL(address);
  if (protocol !== "ws:") return {};
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return { createConnection: () => openSocket({ host, port: port === "" ? 80 : Number(port) }) };
}

/** Says goodbye, and cuts the connection when no answer comes. */
async function endSocket(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  socket.resume();
  if (socket.readyState === WebSocket.CONNECTING) {
    socket.terminate();
    return;
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => socket.terminate(), channelCloseTimeoutMilliseconds);
    socket.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.close(1000);
  });
}

/** Asks a silent peer for a sign of life and cuts the connection when none comes. */
function watchQuiet(socket: WebSocket, quietMilliseconds: number, onSilent: (reason: string) => void): void {
  let heardAt = performance.now();
  const heard = (): void => {
    heardAt = performance.now();
  };
  socket.on("message", heard);
  socket.on("ping", heard);
  socket.on("pong", heard);
  const timer = setInterval(() => {
    const quiet = performance.now() - heardAt;
    if (socket.isPaused) heard();
    else if (quiet >= 3 * quietMilliseconds) {
      onSilent("the other end has fallen silent");
      socket.terminate();
    } else if (quiet >= quietMilliseconds && socket.readyState === WebSocket.OPEN) socket.ping();
  }, quietMilliseconds / 2);
  socket.once("close", () => clearInterval(timer));
}

function textOf(data: WebSocket.RawData): string {
  if (Buffer.isBuffer(data)) return data.toString();
  return Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data).toString();
}

/** One line for a person out of what a failed dial throws. */
function describe(error: Error): string {
  // A name with several addresses gives one error for each, and no message of its own.
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return describe(error.errors[0]);
  const code = "code" in error ? error.code : undefined;
  if (code === "ECONNREFUSED") return "nothing answers there (connection refused)";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its host name is not known";
  if (code === "EHOSTUNREACH" || code === "ENETUNREACH") return "there is no route to it";
  if (code === "ETIMEDOUT") return "no answer came in time";
  if (code === "ECONNRESET" || code === "EPIPE") return "the connection broke";
  return error.message === "" ? error.name : error.message;
}
