/**
 * The one place that accepts connections: the HTTP server of a program on its one port, with upgrades handed to whoever
 * speaks that protocol. TLS and an identity for each end will drop in here.
 *
 * It promises one clear line when it cannot listen, answers for protocols that nobody here speaks and for peers of
 * another major version, and that after `close` no connection is left.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { UserError } from "../std/errors.ts";
import { protocolMismatch } from "../protocol/version.ts";
import { formatAddress } from "./address.ts";
import type { HostAndPort } from "./address.ts";

/** How long a client may take to send the head of a request. */
export const headTimeoutMilliseconds = 15_000;
/** How long a client may take to send a whole request. */
export const requestTimeoutMilliseconds = 120_000;
/** The longest head of a request. */
export const maximumRequestHeadBytes = 16 * 1024;
/** Connections at once, of every kind. */
export const maximumConnections = 20_000;

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void;
/** Takes over an upgraded connection; `head` are bytes that came behind the request. It answers the request itself. */
export type UpgradeHandler = (request: IncomingMessage, socket: Socket, head: Uint8Array) => void;

export interface AcceptOptions {
  /** Name or address to listen on; IPv6 without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly onRequest: RequestHandler;
  /** By the name in the request's `Upgrade` field, in lower case. */
  readonly upgrades: Readonly<Record<string, UpgradeHandler>>;
}

export interface Accepting {
  /** Where it listens, with the port that was chosen. */
  readonly address: HostAndPort;
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** Stops listening and breaks every connection. Ends when all of them are gone. */
  close(): Promise<void>;
}

/**
 * Listens.
 * @throws UserError (as a rejection) when the port is in use, not allowed, or the address not of this host
 */
export async function accept(options: AcceptOptions): Promise<Accepting> {
  const server = createServer(
    {
      maxHeaderSize: maximumRequestHeadBytes,
      headersTimeout: headTimeoutMilliseconds,
      requestTimeout: requestTimeoutMilliseconds,
      noDelay: true,
      keepAlive: true,
    },
    options.onRequest,
  );
  server.maxConnections = maximumConnections;
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    upgrade(options, request, stream as Socket, head);
  });
  server.on("clientError", (_error: Error, stream: Duplex) => refuse(stream, 400, "the request is malformed"));
  const address = await listen(server, options);
  return {
    address,
    url: `http://${formatAddress(address)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Answers an upgrade request with a refusal that `dial` reports in its error, and closes the connection. */
export function refuse(socket: Duplex, status: number, reason: string): void {
  socket.on("error", () => undefined);
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const text = reason.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 300);
  socket.end(
    `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nSluice-Reason: ${text}\r\n` +
      `Content-Type: text/plain\r\nContent-Length: ${text.length + 1}\r\n\r\n${text}\n`,
    () => socket.destroy(),
  );
}

/** Answers an upgrade request with yes. */
export function switchProtocols(socket: Duplex, upgradeName: string): void {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${upgradeName}\r\n\r\n`);
}

function upgrade(options: AcceptOptions, request: IncomingMessage, socket: Socket, head: Uint8Array): void {
  const name = (request.headers.upgrade ?? "").toLowerCase();
  const handler = Object.hasOwn(options.upgrades, name) ? options.upgrades[name] : undefined;
  if (handler === undefined) {
    refuse(socket, 400, "this port does not speak that protocol");
    return;
  }
  const version = request.headers["sluice-protocol"];
  if (version !== undefined) {
    const match = /^([0-9]{1,5})\.([0-9]{1,5})$/.exec(String(version));
    const problem =
      match === null
        ? "the protocol version is malformed"
        : protocolMismatch({ major: Number(match[1]), minor: Number(match[2]) }, "the caller");
    if (problem !== undefined) {
      refuse(socket, 400, problem);
      return;
    }
  }
  handler(request, socket, head);
}

function listen(server: Server, { host, port }: AcceptOptions): Promise<HostAndPort> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, { host, port }));
    server.once("error", onError);
    server.listen({ host, port }, () => {
      server.off("error", onError);
      // Of what happens later to a listening socket (out of file descriptors, say) the next connection is the cure.
      server.on("error", () => undefined);
      const address = server.address();
      if (address === null || typeof address === "string") {
        reject(new Error("the server has no address"));
        return;
      }
      resolve({ host: address.address, port: address.port });
    });
  });
}

function listenError(error: NodeJS.ErrnoException, address: HostAndPort): Error {
  const where = formatAddress(address);
  switch (error.code) {
    case "EADDRINUSE":
      return new UserError(`${where} is in use by another program`, {
        hint: "stop that program, or listen on another port",
        cause: error,
      });
    case "EACCES":
      return new UserError(`no permission to listen on ${where}`, {
        hint: "take a port above 1023",
        cause: error,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new UserError(`${address.host} is not an address of this host`, {
        hint: "listen on 0.0.0.0 or [::] for every address",
        cause: error,
      });
    default:
      return new UserError(`cannot listen on ${where}: ${error.message}`, { cause: error });
  }
}
