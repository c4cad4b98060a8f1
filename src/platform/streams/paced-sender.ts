/**
 * Sends what lanes have ready over one connection: each at its own rate, in turn, chunk by chunk. It promises that a lane
 * keeps its rate over any span (headers counted), that lanes of one connection do not wait for each other by more than a
 * chunk, and that little is handed to the system ahead of what it takes.
 */
import type { Socket } from "node:net";
import {
  encodeFrameHeader,
  firstOfBatch,
  frameHeaderBytes,
  frameType,
  maximumDataBytes,
} from "../../protocol/frames.ts";
import { forever, payloadBytesPerFullFrame, wireBytes, wireBytesPerFullFrame } from "../../std/token-bucket.ts";
import type { TokenBucket } from "../../std/token-bucket.ts";
import { bytesWithin } from "../../std/units.ts";
import { monotonicNanoseconds } from "../clock.ts";
import { paceSlackNanoseconds, paceTimer } from "../pace-timer.ts";
import { canPaceSockets, paceSocket } from "../socket-pacing.ts";
import {
  smoothCreditNanoseconds,
  sendCreditNanoseconds,
  smoothQuantumNanoseconds,
  leastSystemBytesPerSecond,
  longQuantumBitsPerSecond,
  longQuantumNanoseconds,
  systemPaceFactor,
  maximumQueuedBytes,
  maximumTurnBytes,
  minimumChunkFrames,
  minimumQueuedBytes,
  paceQuantumNanoseconds,
} from "./limits.ts";

/** What the bucket of a lane that is sent may catch up. */
export const laneCreditNanoseconds = canPaceSockets ? smoothCreditNanoseconds : sendCreditNanoseconds;
const quantumNanoseconds = canPaceSockets ? smoothQuantumNanoseconds : paceQuantumNanoseconds;

/** Bytes that go out as DATA: a batch, or a part of one. */
export interface Load {
  /** Fields of its DATA frames. */
  readonly tag: number;
  readonly block: number;
  readonly count: number;
  /** It begins a batch. */
  readonly isFirst: boolean;
  /** A frame that goes before it. */
  readonly announcement?: Uint8Array;
  readonly bytes: Uint8Array;
  /** The bytes are not needed any more: they are sent, or never will be. Called once. */
  readonly onDone: () => void;
}

interface QueuedLoad {
  readonly load: Load;
  sentBytes: number;
  /** Writes that the system has not taken wholly. */
  pendingWrites: number;
  isOver: boolean;
}

/** A lane's way out. */
export class LaneOutput {
  readonly bucket: TokenBucket;
  readonly queue: QueuedLoad[] = [];
  /** Called when there is room for more. */
  readonly onRoom: () => void;
  isRemoved = false;

  constructor(bucket: TokenBucket, onRoom: () => void) {
    this.bucket = bucket;
    this.onRoom = onRoom;
  }
}

export class PacedSender {
  readonly #socket: Socket;
  readonly #lanes: LaneOutput[] = [];
  #next = 0;
  #turnBytes = 0;
  #isTurnOver = false;
  #cancelTimer: (() => void) | undefined;
  #timerAtNanoseconds = 0;
  #isClosed = false;
  #systemRateBitsPerSecond = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("drain", () => this.pump());
  }

  addLane(lane: LaneOutput): void {
    this.#lanes.push(lane);
    this.#paceSystem();
  }

  /** A lane has another rate. */
  rateChanged(): void {
    this.#paceSystem();
    this.pump();
  }

  /** Forgets what the lane has queued; frames that were begun are whole. */
  removeLane(lane: LaneOutput): void {
    const index = this.#lanes.indexOf(lane);
    if (index >= 0) this.#lanes.splice(index, 1);
    lane.isRemoved = true;
    this.#paceSystem();
    for (const queued of lane.queue.splice(0)) this.#end(queued);
  }

  /** Queues bytes on a lane. */
  send(lane: LaneOutput, load: Load): void {
    if (this.#isClosed || lane.isRemoved) {
      load.onDone();
      return;
    }
    lane.queue.push({ load, sentBytes: 0, pendingWrites: 0, isOver: false });
    this.pump();
  }

  /** Sends a small frame at once. */
  control(frame: Uint8Array): void {
    if (!this.#isClosed && this.#socket.writable) this.#socket.write(frame);
  }

  /** Drops everything; to be called when the socket has closed. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    for (const lane of this.#lanes.slice()) this.removeLane(lane);
  }

  /** Sends what may go now and sees to it that the rest goes later. */
  pump(): void {
    if (this.#isTurnOver) return;
    while (!this.#isClosed && this.#socket.writable && this.#socket.writableLength < maximumQueuedBytes) {
      const now = monotonicNanoseconds();
      const lane = this.#choose(now);
      if (lane === undefined || this.#socket.writableLength > queueBytes(lane.bucket.rateBitsPerSecond)) return;
      const byteCount = this.#sendChunk(lane, now);
      this.#turnBytes += byteCount;
      if (this.#turnBytes >= maximumTurnBytes) {
        this.#isTurnOver = true;
        setImmediate(() => {
          this.#isTurnOver = false;
          this.#turnBytes = 0;
          this.pump();
        });
        return;
      }
    }
  }

  /** The system spreads what lanes hand over at once. Lanes that come and go with the same rates cost no call. */
  #paceSystem(): void {
    const rate = this.#lanes.reduce((sum, { bucket }) => sum + bucket.rateBitsPerSecond, 0);
    // What was handed over still has to leave when no lane is left.
    if (rate === 0 || rate === this.#systemRateBitsPerSecond || this.#isClosed) return;
    this.#systemRateBitsPerSecond = rate;
    const bytesPerSecond = (rate / 8) * (payloadBytesPerFullFrame / wireBytesPerFullFrame);
    paceSocket(this.#socket, Math.max(leastSystemBytesPerSecond, bytesPerSecond * systemPaceFactor));
  }

  /** The next lane in turn that may send; undefined: none, and a timer is set for the first that will. */
  #choose(now: number): LaneOutput | undefined {
    let soonest = forever;
    for (let step = 0; step < this.#lanes.length; step += 1) {
      const index = (this.#next + step) % this.#lanes.length;
      const lane = this.#lanes[index];
      if (lane === undefined || lane.queue.length === 0) continue;
      const delay = lane.bucket.delayNanoseconds(now);
      if (delay <= paceSlackNanoseconds) {
        this.#next = index + 1;
        return lane;
      }
      soonest = Math.min(soonest, delay);
    }
    if (soonest < forever) this.#wakeAt(now + soonest);
    return undefined;
  }

  #wakeAt(atNanoseconds: number): void {
    if (this.#cancelTimer !== undefined) {
      const isSoonEnough = this.#timerAtNanoseconds <= atNanoseconds + paceSlackNanoseconds;
      if (isSoonEnough) return;
      this.#cancelTimer();
    }
    this.#timerAtNanoseconds = atNanoseconds;
    this.#cancelTimer = paceTimer.schedule(atNanoseconds, () => {
      this.#cancelTimer = undefined;
      this.#turnBytes = 0;
      this.pump();
    });
  }

  #sendChunk(lane: LaneOutput, now: number): number {
    const queued = lane.queue[0];
    if (queued === undefined) return 0;
    const { load, sentBytes } = queued;
    const isBegin = sentBytes === 0;
    const end = sentBytes + nextChunkBytes(lane.bucket.rateBitsPerSecond, load.bytes.length - sentBytes);
    const header = encodeFrameHeader({
      type: frameType.data,
      flags: isBegin && load.isFirst ? firstOfBatch : 0,
      count: load.count,
      tag: load.tag,
      block: load.block,
      payloadBytes: end - sentBytes,
    });
    let total = frameHeaderBytes + end - sentBytes;
    this.#socket.cork();
    if (isBegin && load.announcement !== undefined) {
      this.#socket.write(load.announcement);
      total += load.announcement.length;
    }
    this.#socket.write(header);
    queued.pendingWrites += 1;
    this.#socket.write(load.bytes.subarray(sentBytes, end), () => {
      queued.pendingWrites -= 1;
      if (queued.isOver && queued.pendingWrites === 0) load.onDone();
    });
    queued.sentBytes = end;
    this.#socket.uncork();
    lane.bucket.charge(wireBytes(total), now);
    if (end === load.bytes.length) {
      lane.queue.shift();
      this.#end(queued);
      lane.onRoom();
    }
    return total;
  }

  #end(queued: QueuedLoad): void {
    if (queued.isOver) return;
    queued.isOver = true;
    if (queued.pendingWrites === 0) queued.load.onDone();
  }
}

/** What may wait to be taken by the system before more of a lane with this rate goes there: two chunks of it. */
function queueBytes(rateBitsPerSecond: number): number {
  return Math.min(maximumQueuedBytes, Math.max(minimumQueuedBytes, 2 * chunkBytes(rateBitsPerSecond)));
}

/**
 * How much of what is left of a load goes at once: a long chunk of a fast lane, since each wake-up costs more than its
 * bytes, but what it ends with is short, so that the end comes when the rate says.
 */
function nextChunkBytes(rateBitsPerSecond: number, restBytes: number): number {
  const short = chunkBytes(rateBitsPerSecond);
  const isFast = canPaceSockets && rateBitsPerSecond >= longQuantumBitsPerSecond;
  if (!isFast || restBytes <= 2 * short) return Math.min(restBytes, short);
  return Math.min(restBytes - short, chunkBytes(rateBitsPerSecond, longQuantumNanoseconds));
}

/** Full frames of the wire, header included: about a quantum at this rate, and no more than a frame of ours carries. */
function chunkBytes(rateBitsPerSecond: number, quantum = quantumNanoseconds): number {
  const frames = Math.floor(bytesWithin(quantum, rateBitsPerSecond) / payloadBytesPerFullFrame);
  const bytes = Math.max(minimumChunkFrames, frames) * payloadBytesPerFullFrame - frameHeaderBytes;
  return Math.min(maximumDataBytes, bytes);
}
