/**
 * The connection to one source, shared by all lanes to it: says what lanes want, takes what comes and has it verified and
 * written. A source can make it take exactly the blocks that were asked for, in batches as long as the manifest says;
 * anything else ends the connection.
 */
import type { Socket } from "node:net";
import {
  decodeDetail,
  encodeFileSetKey,
  encodeFrame,
  encodeRequest,
  firstOfBatch,
  frameType,
  maximumRequestRanges,
  maximumSmallBatchBytes,
  ProtocolViolation,
  refusalKind,
} from "../../protocol/frames.ts";
import type { FrameHeader, RequestRange } from "../../protocol/frames.ts";
import type { FailureKind } from "../../protocol/parts.ts";
import { encodeUtf8 } from "../../std/utf8.ts";
import { TokenBucket, wireBytes } from "../../std/token-bucket.ts";
import { monotonicNanoseconds } from "../clock.ts";
import { BatchIntake } from "./batch-intake.ts";
import type { FrameSink } from "./frame-reader.ts";
import { gatherBytes, receiveCreditNanoseconds } from "./limits.ts";
import { cancelFrame, LaneTags, OutgoingConnection } from "./outgoing-connection.ts";
import { streamKey } from "./pull-lane.ts";
import type { Pull, PullLane, PullStream } from "./pull-lane.ts";
import type { SlotPool } from "./slot-pool.ts";
import type { BlockLengths } from "./types.ts";

export interface PullConnectionOptions {
  readonly address: string;
  readonly peerId: string;
  readonly connectTimeoutMilliseconds: number | undefined;
  readonly pool: SlotPool;
  readonly blockLengthBytes: BlockLengths;
  /** A batch is whole: it is verified and written, then released. */
  readonly onBatch: (stream: PullStream, intake: BatchIntake) => void;
  /** A lane has received bytes, or begun or ceased to wait. */
  readonly onProgress: (lane: PullLane) => void;
  /** The source has answered; the lane is any of those to it. */
  readonly onReached: (lane: PullLane, roundTripNanoseconds: number) => void;
  readonly onLaneFailed: (lane: PullLane, kind: FailureKind, detail: string) => void;
  /** No lane is left. */
  readonly onIdle: () => void;
}

export class PullConnection implements FrameSink {
  readonly #options: PullConnectionOptions;
  readonly #connection: OutgoingConnection;
  readonly #tags = new LaneTags();
  readonly #lanes = new Set<PullLane>();
  /** Lanes by their tag, with those that have ended and whose end the source has not confirmed. */
  readonly #tagged = new Map<number, PullLane>();
  readonly #streams = new Map<number, PullStream>();
  /**
   * What all lanes together may receive. Not each for itself: what is not read of one holds up all that comes behind it,
   * and a lane whose rate fell to next to nothing would hold up the others until what was on its way has passed.
   */
  readonly #bucket = new TokenBucket({
    rateBitsPerSecond: 0,
    creditNanoseconds: receiveCreditNanoseconds,
    nowNanoseconds: monotonicNanoseconds(),
  });
  /** What the system reads into at this moment. */
  #receiving: BatchIntake | undefined;
  #stopWaiting: (() => void) | undefined;
  #socket: Socket | undefined;

  constructor(options: PullConnectionOptions) {
    this.#options = options;
    const { address, peerId, connectTimeoutMilliseconds } = options;
    this.#connection = new OutgoingConnection({
      address,
      peerId,
      connectTimeoutMilliseconds,
      sink: this,
      onOpen: (socket, roundTripNanoseconds) => {
        this.#socket = socket;
        const [lane] = this.#lanes;
        if (lane !== undefined) this.#options.onReached(lane, roundTripNanoseconds);
        for (const lane of this.#lanes) this.#say(lane);
      },
      onFailed: (kind, detail) => this.#failed(kind, detail),
      onRead: (isShort) => {
        if (isShort) this.#gatherIfSlow();
      },
    });
  }

  add(lane: PullLane): void {
    this.#tags.busy();
    this.#lanes.add(lane);
    this.rateChanged();
  }

  /** A lane has come, gone or got another rate. */
  rateChanged(): void {
    let rate = 0;
    for (const lane of this.#lanes) rate += lane.rateBitsPerSecond;
    // Without lanes, what was received too early is made up for at the rate that there was.
    if (this.#lanes.size === 0 || rate === this.#bucket.rateBitsPerSecond) return;
    this.#bucket.setRate(rate, monotonicNanoseconds());
    this.#connection.gate?.rateChanged(this.#bucket);
  }

  /** The lane has something new to say. */
  speak(lane: PullLane): void {
    if (this.#connection.isOpen) this.#say(lane);
    else if (lane.hasWork) this.#connection.ensureOpen();
  }

  /** Ends a lane: the source is told, and what still comes is thrown away. */
  end(lane: PullLane): void {
    this.#lanes.delete(lane);
    lane.end();
    if (lane.tag !== 0) this.#connection.send(cancelFrame(lane.tag));
    this.rateChanged();
    if (this.#lanes.size === 0) this.#tags.idle(this.#options.onIdle);
  }

  close(): void {
    this.#tags.busy();
    this.#connection.close();
    for (const lane of this.#lanes) lane.end();
    this.#lanes.clear();
    this.#forget();
  }

  frame(header: FrameHeader, payload: Uint8Array): void {
    const lane = this.#tagged.get(header.tag);
    if (lane === undefined) throw new ProtocolViolation(`a frame of type ${header.type} for no lane`);
    switch (header.type) {
      case frameType.refused: {
        const kind = refusalKind(header.flags, ["ticketRefused", "notHeld", "refused"]);
        if (!lane.isEnded) this.#options.onLaneFailed(lane, kind, decodeDetail(payload));
        return;
      }
      case frameType.waiting:
        if (!lane.isEnded && lane.hasWork) this.#setWaiting(lane, true);
        return;
      case frameType.closed:
        if (!lane.isEnded) throw new ProtocolViolation("the end of a lane that was not ended");
        this.#tagged.delete(header.tag);
        for (const stream of lane.streams.values()) this.#streams.delete(stream.tag);
        return;
      default:
        throw new ProtocolViolation(`a frame of type ${header.type} where none is expected`);
    }
  }

  dataBegins(header: FrameHeader): Uint8Array | "skip" | "wait" {
    const stream = this.#streams.get(header.tag);
    if (stream === undefined) throw new ProtocolViolation("data of no stream");
    if (stream.lane.isEnded) return "skip";
    stream.intake ??= this.#newIntake(stream, header);
    const { intake } = stream;
    const target = intake.begin(header, () => this.#hasOtherPartial(intake));
    if (target === undefined) {
      this.#setWaiting(stream.lane, true);
      this.#stopWaiting = intake.waitForMemory(() => {
        this.#stopWaiting = undefined;
        this.#connection.retry();
      });
      return "wait";
    }
    this.#setWaiting(stream.lane, false);
    this.#receiving = intake;
    return target;
  }

  dataArrives(header: FrameHeader, byteCount: number): void {
    const lane = this.#streams.get(header.tag)?.lane;
    if (lane === undefined || lane.isEnded) return;
    lane.receivedBytes += byteCount;
    this.#bucket.charge(wireBytes(byteCount), monotonicNanoseconds());
    this.#connection.gate?.hold(this.#bucket);
    this.#options.onProgress(lane);
  }

  dataEnds(header: FrameHeader): void {
    const intake = this.#receiving;
    this.#receiving = undefined;
    if (intake === undefined) return;
    intake.end(header);
    const stream = this.#streams.get(header.tag);
    if (stream === undefined || stream.lane.isEnded || !intake.isComplete) return;
    stream.intake = undefined;
    stream.asked.remove(intake.block, intake.block + intake.count);
    this.#options.onBatch(stream, intake);
  }

  #hasOtherPartial(intake: BatchIntake): boolean {
    for (const stream of this.#streams.values()) {
      if (stream.intake !== undefined && stream.intake !== intake && stream.intake.hasMemory) return true;
    }
    return false;
  }

  /** Checks that a batch is one that was asked for. */
  #newIntake(stream: PullStream, header: FrameHeader): BatchIntake {
    const { block: start, count } = header;
    if ((header.flags & firstOfBatch) === 0) throw new ProtocolViolation("the middle of a batch that never began");
    if (!stream.asked.hasRange(start, start + count)) {
      throw new ProtocolViolation(
        `blocks ${start} to ${start + count - 1} of ${stream.fileSet}, which were not asked for`,
      );
    }
    let totalBytes = 0;
    for (let block = start; block < start + count; block += 1) {
      const lengthBytes = this.#options.blockLengthBytes(stream.fileSet, stream.order, block);
      if (lengthBytes === undefined) {
        throw new ProtocolViolation(`block ${block} of ${stream.fileSet}, which is not known`);
      }
      totalBytes += lengthBytes;
      if (totalBytes > maximumSmallBatchBytes && count > 1) throw new ProtocolViolation("a batch that is too long");
    }
    return new BatchIntake(this.#options.pool, start, count, totalBytes);
  }

  /** Says everything that the lane has not said. */
  #say(lane: PullLane): void {
    if (lane.isEnded || (lane.tag === 0 && !lane.hasWork)) return;
    if (lane.tag === 0) {
      lane.tag = this.#tags.next();
      this.#tagged.set(lane.tag, lane);
    }
    this.#socket?.cork();
    for (const pull of lane.unsaid.splice(0)) {
      this.#connection.send(encodeFrame(frameType.ticket, { tag: lane.tag }, encodeUtf8(pull.ticket)));
      this.#ask(lane, pull);
    }
    this.#socket?.uncork();
  }

  #ask(lane: PullLane, { fileSet, order, ranges }: Pull): void {
    if (fileSet === undefined || order === undefined || ranges === undefined || ranges.isEmpty) return;
    const key = streamKey(fileSet, order);
    let stream = lane.streams.get(key);
    if (stream === undefined) {
      const tag = this.#tags.next();
      stream = { tag, lane, fileSet, order, asked: ranges.clone(), intake: undefined };
      lane.streams.set(key, stream);
      this.#streams.set(tag, stream);
      const fields = { tag, block: lane.tag, flags: order === "content" ? 1 : 0 };
      this.#connection.send(encodeFrame(frameType.open, fields, encodeFileSetKey(fileSet)));
    } else {
      stream.asked.addAll(ranges);
    }
    const wanted: RequestRange[] = [];
    ranges.forEach((start, end) => {
      wanted.push({ start, end, lastBlockBytes: this.#options.blockLengthBytes(fileSet, order, end - 1) ?? 1 });
    });
    for (let index = 0; index < wanted.length; index += maximumRequestRanges) {
      const payload = encodeRequest(wanted.slice(index, index + maximumRequestRanges));
      this.#connection.send(encodeFrame(frameType.request, { tag: stream.tag }, payload));
    }
    this.#setWaiting(lane, false);
  }

  #setWaiting(lane: PullLane, isWaiting: boolean): void {
    if (lane.isWaiting === isWaiting) return;
    lane.isWaiting = isWaiting;
    this.#options.onProgress(lane);
  }

  /** Waits for more to come before the next read, where lanes are slow. */
  #gatherIfSlow(): void {
    let rate = 0;
    let missing = gatherBytes;
    for (const lane of this.#lanes) {
      if (!lane.hasWork) continue;
      rate += lane.rateBitsPerSecond;
      for (const { intake } of lane.streams.values()) {
        if (intake !== undefined) missing = Math.min(missing, intake.missingBytes);
      }
    }
    this.#connection.gate?.gather(rate, missing);
  }

  #failed(kind: FailureKind, detail: string): void {
    const lanes = [...this.#lanes].filter((lane) => lane.hasWork);
    for (const lane of lanes) {
      lane.end();
      this.#lanes.delete(lane);
    }
    this.rateChanged();
    this.#forget();
    for (const lane of lanes) this.#options.onLaneFailed(lane, kind, detail);
    if (this.#lanes.size === 0) this.#tags.idle(this.#options.onIdle);
  }

  /** The connection is gone; lanes without work stay, for the next one. */
  #forget(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
    this.#socket = undefined;
    this.#receiving?.release();
    this.#receiving = undefined;
    for (const lane of this.#lanes) lane.forgetConnection();
    this.#tagged.clear();
    this.#streams.clear();
  }
}
