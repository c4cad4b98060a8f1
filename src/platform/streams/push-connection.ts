/** A publisher's connection to one receiving agent, shared by all lanes to it. */
import {
  decodeBlockList,
  decodeDetail,
  encodeFileSetKey,
  encodeFrame,
  encodePushEntries,
  frameType,
  ProtocolViolation,
  refusalKind,
} from "../../protocol/frames.ts";
import type { FrameHeader } from "../../protocol/frames.ts";
import type { FailureKind } from "../../protocol/parts.ts";
import { encodeUtf8 } from "../../std/utf8.ts";
import type { FrameSink } from "./frame-reader.ts";
import { cancelFrame, LaneTags, OutgoingConnection } from "./outgoing-connection.ts";
import { PacedSender } from "./paced-sender.ts";
import { streamKey } from "./pull-lane.ts";
import { pushRefusals } from "./push-lane.ts";
import type { Pushing, PushLane } from "./push-lane.ts";

export interface PushConnectionOptions {
  readonly address: string;
  readonly peerId: string;
  readonly connectTimeoutMilliseconds: number | undefined;
  readonly onLaneFailed: (lane: PushLane, kind: FailureKind, detail: string) => void;
  readonly onIdle: () => void;
}

export class PushConnection implements FrameSink {
  readonly #options: PushConnectionOptions;
  readonly #connection: OutgoingConnection;
  readonly #tags = new LaneTags();
  readonly #lanes = new Set<PushLane>();
  readonly #tagged = new Map<number, PushLane>();
  readonly #streams = new Map<number, PushLane>();
  #sender: PacedSender | undefined;

  constructor(options: PushConnectionOptions) {
    this.#options = options;
    const { address, peerId, connectTimeoutMilliseconds } = options;
    this.#connection = new OutgoingConnection({
      address,
      peerId,
      connectTimeoutMilliseconds,
      sink: this,
      onOpen: (socket) => {
        this.#sender = new PacedSender(socket);
        for (const lane of this.#lanes) this.#say(lane);
      },
      onFailed: (kind, detail) => this.#failed(kind, detail),
      onRead: () => undefined,
    });
  }

  add(lane: PushLane): void {
    this.#tags.busy();
    this.#lanes.add(lane);
  }

  /** The lane has something new to say, or another rate. */
  speak(lane: PushLane): void {
    if (this.#connection.isOpen) this.#say(lane);
    else if (lane.hasWork) this.#connection.ensureOpen();
  }

  /** Ends a lane whose bookkeeping has ended. */
  end(lane: PushLane): void {
    this.#lanes.delete(lane);
    this.#sender?.removeLane(lane.output);
    if (lane.tag !== 0) this.#connection.send(cancelFrame(lane.tag));
    if (this.#lanes.size === 0) this.#tags.idle(this.#options.onIdle);
  }

  close(): void {
    this.#tags.busy();
    this.#connection.close();
    this.#forget();
  }

  frame(header: FrameHeader, payload: Uint8Array): void {
    switch (header.type) {
      case frameType.accepted:
      case frameType.flushed:
        this.#answered(header)?.settle({ accepted: true });
        return;
      case frameType.rejected: {
        const lane = this.#streams.get(header.tag);
        const pushing = this.#answered(header);
        const kind = refusalKind(header.flags, pushRefusals);
        const [first] = decodeBlockList(payload);
        const detail = `${this.#options.address} did not take block ${first ?? "?"} of ${pushing?.fileSet ?? "?"}: ${kind}`;
        pushing?.settle({ accepted: false, kind, detail });
        if (lane !== undefined && !lane.isEnded) this.#options.onLaneFailed(lane, kind, detail);
        return;
      }
      case frameType.refused: {
        const lane = this.#tagged.get(header.tag);
        if (lane === undefined) throw new ProtocolViolation("a refusal of no lane");
        const kind = refusalKind(header.flags, pushRefusals);
        if (!lane.isEnded) this.#options.onLaneFailed(lane, kind, decodeDetail(payload));
        return;
      }
      case frameType.closed: {
        const lane = this.#tagged.get(header.tag);
        if (lane?.isEnded !== true) throw new ProtocolViolation("the end of a lane that was not ended");
        this.#tagged.delete(header.tag);
        for (const tag of lane.streams.values()) this.#streams.delete(tag);
        return;
      }
      default:
        throw new ProtocolViolation(`a frame of type ${header.type} where none is expected`);
    }
  }

  dataBegins(): never {
    throw new ProtocolViolation("data on a connection that hands over");
  }
  dataArrives(): void {}
  dataEnds(): void {}

  /** What an answer is to; undefined on a lane that has ended. */
  #answered(header: FrameHeader): Pushing | undefined {
    const lane = this.#streams.get(header.tag);
    if (lane === undefined) throw new ProtocolViolation("an answer on no stream");
    if (lane.isEnded) return undefined;
    const pushing = lane.unanswered.get(header.block);
    const isFlush = pushing?.batch === undefined;
    if (pushing === undefined || isFlush !== (header.type === frameType.flushed)) {
      throw new ProtocolViolation("an answer to nothing");
    }
    return pushing;
  }

  #say(lane: PushLane): void {
    if (lane.isEnded || (lane.tag === 0 && !lane.hasWork)) return;
    if (lane.tag === 0) {
      lane.tag = this.#tags.next();
      this.#tagged.set(lane.tag, lane);
      this.#sender?.addLane(lane.output);
    }
    for (const ticket of lane.tickets.splice(0)) {
      this.#connection.send(encodeFrame(frameType.ticket, { tag: lane.tag }, encodeUtf8(ticket)));
    }
    for (const pushing of lane.unsaid.splice(0)) this.#push(lane, pushing);
    this.#sender?.rateChanged();
  }

  #push(lane: PushLane, pushing: Pushing): void {
    const { batch, number } = pushing;
    const tag = this.#stream(lane, pushing);
    lane.unanswered.set(number, pushing);
    if (batch === undefined) {
      this.#connection.send(encodeFrame(frameType.flush, { tag, block: number }));
      return;
    }
    const count = batch.entries.length;
    this.#sender?.send(lane.output, {
      tag,
      block: number,
      count,
      isFirst: true,
      announcement: encodeFrame(frameType.push, { tag, count, block: number }, encodePushEntries(batch.entries)),
      bytes: batch.bytes,
      onDone: () => undefined,
    });
  }

  #stream(lane: PushLane, { fileSet, order }: Pushing): number {
    const key = streamKey(fileSet, order);
    const known = lane.streams.get(key);
    if (known !== undefined) return known;
    const tag = this.#tags.next();
    lane.streams.set(key, tag);
    this.#streams.set(tag, lane);
    const fields = { tag, block: lane.tag, flags: order === "content" ? 1 : 0 };
    this.#connection.send(encodeFrame(frameType.open, fields, encodeFileSetKey(fileSet)));
    return tag;
  }

  #failed(kind: FailureKind, detail: string): void {
    const lanes = [...this.#lanes].filter((lane) => lane.hasWork);
    this.#forget();
    for (const lane of lanes) this.#options.onLaneFailed(lane, kind, detail);
    if (this.#lanes.size === 0) this.#tags.idle(this.#options.onIdle);
  }

  /** The connection is gone; lanes without work stay, for the next one. */
  #forget(): void {
    this.#sender?.close();
    this.#sender = undefined;
    for (const lane of this.#lanes) {
      lane.tag = 0;
      lane.streams.clear();
      lane.output.isRemoved = false;
    }
    this.#tagged.clear();
    this.#streams.clear();
  }
}
