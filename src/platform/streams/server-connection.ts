/**
 * One connection at the end that accepts it: its lanes and streams, and who gets which frame. Whatever a peer sends that
 * does not fit closes the connection with one line in the log; a ticket or a request that is refused ends only its lane.
 */
import type { Socket } from "node:net";
import {
  decodeOpen,
  decodeRequest,
  decodeTicketPayload,
  encodeDetail,
  encodeFrame,
  frameType,
  ProtocolViolation,
  refusalCode,
} from "../../protocol/frames.ts";
import type { FrameHeader, RefusalKind } from "../../protocol/frames.ts";
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import { wireBytes } from "../../std/token-bucket.ts";
import { monotonicNanoseconds } from "../clock.ts";
import type { AskedStream } from "./asked-blocks.ts";
import type { BatchIntake } from "./batch-intake.ts";
import { FrameReader } from "./frame-reader.ts";
import type { FrameSink } from "./frame-reader.ts";
import { HandOverLane } from "./hand-over.ts";
import {
  idleConnectionMilliseconds,
  maximumLanesPerConnection,
  maximumStreamsPerLane,
  scratchBytes,
} from "./limits.ts";
import { PacedSender } from "./paced-sender.ts";
import { ReadGate } from "./read-gate.ts";
import { ServingLane } from "./serving-lane.ts";
import type { SlotPool } from "./slot-pool.ts";
import { giveUp, isAllowed, takeUp } from "./ticket-book.ts";
import type { Grant, TicketBook } from "./ticket-book.ts";
import type { StreamServerPorts } from "./types.ts";

export interface ServerConnectionOptions {
  readonly socket: Socket;
  readonly peerId: string;
  readonly ports: StreamServerPorts;
  readonly tickets: TicketBook;
  readonly sendPool: SlotPool;
  readonly receivePool: SlotPool;
  readonly unknownMilliseconds: number | undefined;
  readonly onClose: () => void;
}

/** A lane that was refused stays until the peer cancels it: what it sent before it knew is ignored. */
type Work = ServingLane | HandOverLane | "refused";

interface Lane {
  readonly tag: number;
  readonly laneId: number | undefined;
  work: Work;
  readonly streams: Set<number>;
}

interface Stream extends AskedStream {
  readonly lane: Lane;
}

export class ServerConnection implements FrameSink {
  readonly #options: ServerConnectionOptions;
  readonly #socket: Socket;
  readonly #reader = new FrameReader(this, "fromDialler");
  readonly #sender: PacedSender;
  readonly #gate: ReadGate;
  readonly #lanes = new Map<number, Lane>();
  readonly #streams = new Map<number, Stream>();
  /** What the system reads into at this moment. */
  #receiving: BatchIntake | undefined;
  #stopWaiting: (() => void) | undefined;

  constructor(options: ServerConnectionOptions) {
    this.#options = options;
    const { socket } = options;
    this.#socket = socket;
    this.#sender = new PacedSender(socket);
    this.#gate = new ReadGate(socket);
    socket.setNoDelay(true);
    socket.setTimeout(idleConnectionMilliseconds);
    socket.on("timeout", () => this.#idle());
    socket.on("error", () => undefined);
    socket.on("end", () => socket.destroy());
    socket.on("close", () => this.#closed());
    socket.on("data", (bytes: Buffer) => this.#received(bytes));
  }

  /** Bytes that came behind the upgrade request. */
  begin(head: Uint8Array): void {
    if (head.length > 0) this.#received(head);
    this.#gate.setOutOfMemory(this.#reader.isWaiting);
  }

  stored(fileSet: FileSetKey, order: BlockOrderName, start: number, end: number): void {
    for (const { work } of this.#lanes.values()) {
      if (work instanceof ServingLane) work.stored(fileSet, order, start, end);
    }
  }

  /** Time to look again at what is waited for. */
  rescan(nowNanoseconds: number): void {
    for (const { work } of this.#lanes.values()) if (work instanceof ServingLane) work.rescan(nowNanoseconds);
  }

  /** File sets have become known. */
  wake(): void {
    for (const { work } of this.#lanes.values()) if (work instanceof HandOverLane) work.wake();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  frame(header: FrameHeader, payload: Uint8Array): void {
    switch (header.type) {
      case frameType.ticket:
        return this.#ticket(header.tag, decodeTicketPayload(payload));
      case frameType.open:
        return this.#open(header, payload);
      case frameType.cancel:
        return this.#cancel(header.tag);
      case frameType.request:
        return this.#request(this.#streamOf(header.tag), payload);
      case frameType.push: {
        const stream = this.#streamOf(header.tag);
        if (stream.lane.work === "refused") return;
        return this.#handOver(stream).announce(stream, header, payload);
      }
      case frameType.flush: {
        const stream = this.#streamOf(header.tag);
        if (stream.lane.work === "refused") return;
        return this.#handOver(stream).flush(stream, header.block);
      }
      default:
        throw new ProtocolViolation(`a frame of type ${header.type} where none is expected`);
    }
  }

  dataBegins(header: FrameHeader): Uint8Array | "skip" | "wait" {
    const stream = this.#streamOf(header.tag);
    if (stream.lane.work === "refused") return "skip";
    const intake = this.#handOver(stream).intake(stream.tag);
    const target = intake.begin(header, () => this.#hasOtherPartial(intake));
    if (target === undefined) {
      this.#waitForMemory(intake);
      return "wait";
    }
    this.#receiving = intake;
    return target;
  }

  dataArrives(header: FrameHeader, byteCount: number): void {
    const work = this.#streams.get(header.tag)?.lane.work;
    if (!(work instanceof HandOverLane)) return;
    const { bucket } = work.grant;
    bucket.charge(wireBytes(byteCount), monotonicNanoseconds());
    this.#gate.hold(bucket);
  }

  dataEnds(header: FrameHeader): void {
    const intake = this.#receiving;
    this.#receiving = undefined;
    if (intake === undefined) return;
    intake.end(header);
    const stream = this.#streamOf(header.tag);
    if (intake.isComplete && stream.lane.work instanceof HandOverLane) stream.lane.work.settle(stream);
  }

  #hasOtherPartial(intake: BatchIntake): boolean {
    for (const { work } of this.#lanes.values()) {
      if (work instanceof HandOverLane && work.hasPartial(intake)) return true;
    }
    return false;
  }

  #received(bytes: Uint8Array): void {
    this.#guard(() => {
      this.#reader.feed(bytes);
      if (this.#reader.isWaiting) this.#gate.setOutOfMemory(true);
      else if (bytes.length < scratchBytes) this.#gatherIfSlow();
    });
  }

  /** A slow hand-over is read now and then, not for every few bytes. */
  #gatherIfSlow(): void {
    const missing = this.#reader.missingBytes;
    if (missing === 0) return;
    let rate = 0;
    for (const { work } of this.#lanes.values()) {
      if (work instanceof HandOverLane) rate += work.grant.bucket.rateBitsPerSecond;
    }
    this.#gate.gather(rate, missing);
  }

  #waitForMemory(intake: BatchIntake): void {
    this.#stopWaiting = intake.waitForMemory(() => {
      this.#stopWaiting = undefined;
      this.#guard(() => this.#gate.setOutOfMemory(!this.#reader.retry()));
    });
  }

  #ticket(tag: number, text: string): void {
    const { ports, peerId, tickets } = this.#options;
    const known = this.#lanes.get(tag);
    if (known?.work === "refused") return;
    if (known === undefined && this.#lanes.size >= maximumLanesPerConnection) {
      throw new ProtocolViolation("more lanes than a connection may have");
    }
    const decision = ports.authorize(text, peerId);
    const grant = decision.accepted ? tickets.present(decision.ticket, monotonicNanoseconds()) : decision.reason;
    if (typeof grant === "string") {
      const lane: Lane = known ?? { tag, laneId: undefined, work: "refused", streams: new Set() };
      this.#lanes.set(tag, lane);
      return this.#refuse(lane, "ticketRefused", 0, grant);
    }
    if (known === undefined) this.#lanes.set(tag, this.#newLane(tag, grant));
    else if (known.laneId !== grant.laneId) throw new ProtocolViolation("a ticket of another lane");
    else if (known.work instanceof ServingLane) known.work.waitForTurn();
    this.#sender.rateChanged();
  }

  #newLane(tag: number, grant: Grant): Lane {
    const { ports, sendPool, receivePool, unknownMilliseconds } = this.#options;
    const lane: Lane = { tag, laneId: grant.laneId, work: "refused", streams: new Set() };
    const refuse = (kind: RefusalKind, block: number, detail: string): void => this.#refuse(lane, kind, block, detail);
    const answer = (frame: Uint8Array): void => this.#sender.control(frame);
    takeUp(grant);
    lane.work =
      grant.use === "handOver"
        ? new HandOverLane(grant, { ports, pool: receivePool, answer, refuse }, unknownMilliseconds)
        : new ServingLane(grant, {
            ports,
            pool: sendPool,
            sender: this.#sender,
            turns: this.#options.tickets.turns,
            refuse,
            waiting: () => answer(encodeFrame(frameType.waiting, { tag })),
          });
    return lane;
  }

  #open(header: FrameHeader, payload: Uint8Array): void {
    const lane = this.#lanes.get(header.block);
    if (lane === undefined) throw new ProtocolViolation("a stream of no lane");
    if (this.#streams.has(header.tag)) throw new ProtocolViolation("a stream opened twice");
    if (lane.streams.size >= maximumStreamsPerLane) throw new ProtocolViolation("more streams than a lane may have");
    lane.streams.add(header.tag);
    this.#streams.set(header.tag, { tag: header.tag, lane, ...decodeOpen(header, payload) });
  }

  #request(stream: Stream, payload: Uint8Array): void {
    const { work } = stream.lane;
    const ranges = decodeRequest(payload);
    if (work === "refused") return;
    if (!(work instanceof ServingLane)) throw new ProtocolViolation("a request on a lane that hands over");
    const foreign = ranges.find(({ start, end }) => !isAllowed(work.grant, stream.fileSet, stream.order, start, end));
    if (foreign === undefined) return work.ask(stream, ranges);
    const detail = `no ticket allows blocks ${foreign.start} to ${foreign.end - 1} of ${stream.fileSet}`;
    this.#refuse(stream.lane, "ticketRefused", foreign.start, detail);
  }

  #cancel(tag: number): void {
    const lane = this.#lanes.get(tag);
    if (lane === undefined) throw new ProtocolViolation("the end of no lane");
    this.#lanes.delete(tag);
    for (const stream of lane.streams) this.#streams.delete(stream);
    this.#stop(lane);
    this.#sender.control(encodeFrame(frameType.closed, { tag }));
  }

  #refuse(lane: Lane, kind: RefusalKind, block: number, detail: string): void {
    this.#stop(lane);
    this.#options.ports.log(`refused ${this.#peer()} lane ${lane.laneId ?? "?"}: ${detail}`);
    const fields = { tag: lane.tag, flags: refusalCode(kind), block };
    this.#sender.control(encodeFrame(frameType.refused, fields, encodeDetail(detail)));
  }

  #stop(lane: Lane): void {
    const { work } = lane;
    if (work === "refused") return;
    lane.work = "refused";
    work.stop();
    giveUp(work.grant);
  }

  #streamOf(tag: number): Stream {
    const stream = this.#streams.get(tag);
    if (stream === undefined) throw new ProtocolViolation("a frame of no stream");
    return stream;
  }

  #handOver(stream: Stream): HandOverLane {
    const { work } = stream.lane;
    if (!(work instanceof HandOverLane)) throw new ProtocolViolation("bytes on a lane that pulls");
    return work;
  }

  /** Runs what a peer's bytes may make fail. */
  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      const reason = error instanceof ProtocolViolation ? error.message : `a fault of ours: ${String(error)}`;
      this.#options.ports.log(`closed the block stream of ${this.#peer()}: ${reason}`);
      this.#reader.stop();
      this.#socket.destroy();
    }
  }

  #idle(): void {
    // With lanes it may rightly be quiet: blocks are awaited. But a peer that takes nothing is gone.
    if (this.#lanes.size === 0 || this.#socket.writableLength > 0) this.#socket.destroy();
  }

  #closed(): void {
    this.#reader.stop();
    this.#gate.close();
    this.#stopWaiting?.();
    this.#receiving?.release();
    for (const lane of this.#lanes.values()) {
      if (lane.work instanceof HandOverLane) lane.work.close();
      this.#stop(lane);
    }
    this.#lanes.clear();
    this.#streams.clear();
    this.#sender.close();
    this.#options.onClose();
  }

  #peer(): string {
    return `${this.#options.peerId === "" ? "an unnamed peer" : this.#options.peerId} at ${this.#socket.remoteAddress ?? "?"}`;
  }
}
