/**
 * The controller's end of the channels that agents and publishers dial: JSON texts over WebSockets.
 *
 * Promises: only messages that fit their schema and size reach the state machine, in the order they came; one that does
 * not closes its connection, with one line in the log; the number of connections, and what waits to go out on each, is
 * bounded. Each connection is announced once (`opened`) and taken leave of once (`closed`).
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { RawData, WebSocket } from "ws";
import type { z } from "zod";
import type { ControllerEvent } from "../../control/controller/controller-events.ts";
import { refuse } from "../../platform/accept.ts";
import type { Logger } from "../../platform/log.ts";
import { agentMessageSchema } from "../../protocol/agent-messages.ts";
import { maximumMessageBytes } from "../../protocol/limits.ts";
import { publisherMessageSchema } from "../../protocol/publisher-messages.ts";
import {
  closeTimeoutMilliseconds,
  firstMessageTimeoutMilliseconds,
  maximumChannelBufferedBytes,
  maximumChannels,
} from "./limits.ts";

export type ChannelRole = "agent" | "publisher";

/** Where each role dials. */
export const channelPaths: Readonly<Record<ChannelRole, string>> = {
  agent: "/v1/agent-channel",
  publisher: "/v1/publisher-channel",
};

export interface ControllerChannelsOptions {
  readonly submit: (event: ControllerEvent) => void;
  readonly logger: Logger;
  /** Smaller ones are for tests. */
  readonly maximumChannels?: number;
  readonly maximumBufferedBytes?: number;
  readonly firstMessageTimeoutMilliseconds?: number;
}

/** WebSocket close codes (RFC 6455, section 7.4.1). */
const closeCodes = { normal: 1000, goingAway: 1001, unacceptable: 1003, policy: 1008 } as const;

interface Channel {
  readonly connectionId: number;
  readonly role: ChannelRole;
  readonly socket: WebSocket;
  readonly remoteAddress: string;
  /** Until the first message has come. */
  greetingTimer: NodeJS.Timeout | undefined;
  /** Being closed: nothing more is taken from it or sent to it. */
  closing: boolean;
}

export class ControllerChannels {
  readonly #options: ControllerChannelsOptions;
  readonly #server: WebSocketServer;
  readonly #channels = new Map<number, Channel>();
  #nextId = 1;
  #paused = false;

  constructor(options: ControllerChannelsOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: maximumMessageBytes,
    });
  }

  get count(): number {
    return this.#channels.size;
  }

  /** Takes over a connection whose upgrade to a WebSocket was asked for on the path of this role. */
  accept(role: ChannelRole, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#channels.size >= (this.#options.maximumChannels ?? maximumChannels)) {
      this.#options.logger.warn({ channels: this.#channels.size }, "too many channels: one is turned away");
      refuse(socket, 503, "the controller has as many connections as it takes: try again later");
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#open(role, webSocket, request.socket.remoteAddress ?? "unknown");
    });
  }

  /** Sends; nothing happens if the connection is gone. One that does not read what it is sent is given up. */
  send(connectionId: number, message: object): void {
    const channel = this.#channels.get(connectionId);
    if (channel === undefined || channel.closing) return;
    const text = JSON.stringify(message);
    const limit = this.#options.maximumBufferedBytes ?? maximumChannelBufferedBytes;
    if (channel.socket.bufferedAmount + text.length > limit) {
      this.#log(channel, "does not read what it is sent: closed");
      channel.closing = true;
      channel.socket.terminate();
      return;
    }
    channel.socket.send(text);
  }

  /** Closes after what was sent has gone out. */
  close(connectionId: number): void {
    const channel = this.#channels.get(connectionId);
    if (channel !== undefined) this.#end(channel, closeCodes.normal, "");
  }

  /** While paused nothing is read from any channel, and the other ends feel it. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    for (const { socket } of this.#channels.values()) {
      if (paused) socket.pause();
      else socket.resume();
    }
  }

  /** Closes all channels in good order, and those that take their time about it in no order. */
  async closeAll(): Promise<void> {
    const channels = [...this.#channels.values()];
    await Promise.all(
      channels.map(async (channel) => {
        const gone = new Promise((resolve) => channel.socket.once("close", resolve));
        this.#end(channel, closeCodes.goingAway, "the controller is stopping");
        await gone;
      }),
    );
  }

  #open(role: ChannelRole, socket: WebSocket, remoteAddress: string): void {
    const connectionId = this.#nextId;
    this.#nextId += 1;
    const channel: Channel = { connectionId, role, socket, remoteAddress, greetingTimer: undefined, closing: false };
    channel.greetingTimer = setTimeout(
      () => this.#fail(channel, closeCodes.policy, "said nothing"),
      this.#options.firstMessageTimeoutMilliseconds ?? firstMessageTimeoutMilliseconds,
    );
    this.#channels.set(connectionId, channel);
    this.#options.submit({ type: "opened", connectionId, role });
    if (this.#paused) socket.pause();
    socket.on("message", (data, isBinary) => this.#receive(channel, data, isBinary));
    // What breaks the rules of WebSockets, or the size, ends up here; ws then closes with the code that fits.
    socket.on("error", (error) => this.#log(channel, `broke: ${error.message}`));
    socket.on("close", () => {
      clearTimeout(channel.greetingTimer);
      this.#channels.delete(connectionId);
      this.#options.submit({ type: "closed", connectionId });
    });
  }

  #receive(channel: Channel, data: RawData, isBinary: boolean): void {
    if (channel.closing) return;
    clearTimeout(channel.greetingTimer);
    if (isBinary) {
      this.#fail(channel, closeCodes.unacceptable, "sent bytes where JSON is expected");
      return;
    }
    // ws hands texts over as one Buffer unless it is told otherwise.
    const text = Buffer.isBuffer(data) ? data.toString() : "";
    if (channel.role === "agent") {
      const message = this.#decode(channel, agentMessageSchema, text);
      const { connectionId } = channel;
      if (message !== undefined) this.#options.submit({ type: "agentMessage", connectionId, message });
    } else {
      const message = this.#decode(channel, publisherMessageSchema, text);
      const { connectionId } = channel;
      if (message !== undefined) this.#options.submit({ type: "publisherMessage", connectionId, message });
    }
  }

  #decode<Message>(channel: Channel, schema: z.ZodType<Message>, text: string): Message | undefined {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      this.#fail(channel, closeCodes.policy, "sent a message that is not JSON");
      return undefined;
    }
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    const issue = result.error.issues[0];
    this.#fail(
      channel,
      closeCodes.policy,
      `sent a message that does not fit: ${issue?.path.map(String).join(".") ?? ""}: ${issue?.message ?? ""}`,
    );
    return undefined;
  }

  #fail(channel: Channel, code: number, problem: string): void {
    if (channel.closing) return;
    this.#log(channel, `${problem.slice(0, 300)}: closed`);
    this.#end(channel, code, problem);
  }

  #end(channel: Channel, code: number, reason: string): void {
    if (channel.closing) return;
    channel.closing = true;
    clearTimeout(channel.greetingTimer);
    // A paused socket would never see the other end's answer.
    channel.socket.resume();
    // The reason travels in a control frame, which holds 123 bytes of it.
    channel.socket.close(code, Buffer.from(reason).subarray(0, 120).toString().replaceAll("\ufffd", ""));
    const timer = setTimeout(() => channel.socket.terminate(), closeTimeoutMilliseconds);
    channel.socket.once("close", () => clearTimeout(timer));
  }

  #log(channel: Channel, problem: string): void {
    const { connectionId, remoteAddress, role } = channel;
    this.#options.logger.warn({ connection: connectionId, from: remoteAddress }, `the ${role} channel ${problem}`);
  }
}
