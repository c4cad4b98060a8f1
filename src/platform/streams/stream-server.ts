/**
 * The end of block streams that accepts connections: an agent serves blocks to other agents and takes over blocks from
 * publishers, both through the upgrade `sluice-blocks` at `/v1/blocks` of its one port. It promises: nothing without a
 * ticket, nothing above a lane's rate, memory within its two pools, and no peer that can disturb another one.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import { agentIdSchema } from "../../protocol/parts.ts";
import { refuse, switchProtocols } from "../accept.ts";
import { monotonicNanoseconds } from "../clock.ts";
import { receivePoolBytes, rescanMilliseconds, sendPoolBytes } from "./limits.ts";
import { ServerConnection } from "./server-connection.ts";
import { SlotPool } from "./slot-pool.ts";
import { TicketBook } from "./ticket-book.ts";
import type { StreamServerPorts } from "./types.ts";

/** Name of the upgrade. */
export const blockStreamProtocol = "sluice-blocks";
export const blockStreamPath = "/v1/blocks";
/** Header field in which the end that dials says who it is. */
export const peerIdField = "sluice-peer";

export interface StreamServerOptions extends StreamServerPorts {
  /** Shared with the agent's PullClient: both receive into it. */
  readonly receivePool?: SlotPool;
  readonly sendPool?: SlotPool;
  /** See unknownFileSetMilliseconds. */
  readonly unknownMilliseconds?: number;
}

export class StreamServer {
  readonly #ports: StreamServerOptions;
  readonly #sendPool: SlotPool;
  readonly #receivePool: SlotPool;
  readonly #tickets = new TicketBook();
  readonly #connections = new Set<ServerConnection>();
  readonly #timer: NodeJS.Timeout;

  constructor(options: StreamServerOptions) {
    this.#ports = options;
    this.#sendPool = options.sendPool ?? new SlotPool(sendPoolBytes);
    this.#receivePool = options.receivePool ?? new SlotPool(receivePoolBytes);
    this.#timer = setInterval(() => this.#rescan(), rescanMilliseconds);
    this.#timer.unref();
  }

  /** How many peers are connected. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Memory in use for what is being sent. */
  get sendingBytes(): number {
    return this.#sendPool.usedBytes;
  }

  /** To be given to `accept` as `upgrades["sluice-blocks"]`. */
  readonly upgrade = (request: IncomingMessage, socket: Socket, head: Uint8Array): void => {
    if (request.method !== "GET" || request.url !== blockStreamPath) {
      refuse(socket, 404, `block streams are at ${blockStreamPath}`);
      return;
    }
    const peerId = agentIdSchema.safeParse(request.headers[peerIdField]);
    switchProtocols(socket, blockStreamProtocol);
    const connection = new ServerConnection({
      socket,
      peerId: peerId.success ? peerId.data : "",
      ports: this.#ports,
      tickets: this.#tickets,
      sendPool: this.#sendPool,
      receivePool: this.#receivePool,
      unknownMilliseconds: this.#ports.unknownMilliseconds,
      onClose: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.begin(head);
  };

  /** Blocks are verified and can be served: whoever waits for them gets them now. */
  notifyStored(fileSet: FileSetKey, order: BlockOrderName, start: number, end: number): void {
    for (const connection of this.#connections) connection.stored(fileSet, order, start, end);
  }

  /** A file set was assigned or its manifest has grown: hand-overs that wait for that are tried again. */
  notifyAssigned(): void {
    for (const connection of this.#connections) connection.wake();
  }

  /** Breaks every connection. */
  close(): void {
    clearInterval(this.#timer);
    for (const connection of this.#connections) connection.destroy();
  }

  #rescan(): void {
    const now = monotonicNanoseconds();
    for (const connection of this.#connections) connection.rescan(now);
  }
}
