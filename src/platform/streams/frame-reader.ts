/**
 * Takes a connection's bytes apart into frames. Small payloads are handed up whole; those of DATA go where the sink
 * says, the larger part of them straight from the system into that memory. It promises to hold no more than one small
 * payload and one piece of what was read, and to touch a target's memory only between `dataBegins` and `dataEnds`.
 */
import { frameHeaderBytes, frameType, readFrameHeader } from "../../protocol/frames.ts";
import type { FrameDirection, FrameHeader } from "../../protocol/frames.ts";
import { scratchBytes } from "./limits.ts";

export interface FrameSink {
  /** A frame that is not DATA. `payload` is only valid during the call. */
  frame(header: FrameHeader, payload: Uint8Array): void;
  /** Where the payload goes (exactly as long as it is); `skip`: nowhere; `wait`: no memory now, `retry` will be called. */
  dataBegins(header: FrameHeader): Uint8Array | "skip" | "wait";
  /** So many more bytes of it have come. */
  dataArrives(header: FrameHeader, byteCount: number): void;
  dataEnds(header: FrameHeader): void;
}

const nothing = new Uint8Array(0);

export class FrameReader {
  readonly #sink: FrameSink;
  readonly #direction: FrameDirection;
  /** Made at the first use: an end that is handed its bytes needs none. */
  #scratch: Uint8Array | undefined;
  readonly #headerBytes = new Uint8Array(frameHeaderBytes);
  #headerFilled = 0;
  #header: FrameHeader | undefined;
  /** Where the payload goes; undefined: nowhere. */
  #target: Uint8Array | undefined;
  #filled = 0;
  /** The rest of the target that the system was last told to read into. */
  #direct: Uint8Array | undefined;
  /** Bytes that came while the sink has no memory for them. */
  #leftover: Uint8Array | undefined;
  #isStopped = false;

  constructor(sink: FrameSink, direction: FrameDirection) {
    this.#sink = sink;
    this.#direction = direction;
  }

  /** True: nothing more may be read before `retry` has returned true. */
  get isWaiting(): boolean {
    return this.#leftover !== undefined;
  }

  /** Bytes of the frame under way that have not come yet. */
  get missingBytes(): number {
    return this.#header === undefined ? 0 : this.#header.payloadBytes - this.#filled;
  }

  /** Ignores everything from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#leftover = undefined;
  }

  /** Where the system should put the next bytes. */
  buffer(): Uint8Array {
    this.#direct = undefined;
    const isLarge = this.missingBytes >= scratchBytes;
    if (this.#isStopped || this.isWaiting || this.#target === undefined || !isLarge) {
      this.#scratch ??= new Uint8Array(scratchBytes);
      return this.#scratch;
    }
    this.#direct = this.#target.subarray(this.#filled);
    return this.#direct;
  }

  /** The system put so many bytes into what `buffer` gave. @throws ProtocolViolation */
  received(byteCount: number, buffer: Uint8Array): void {
    if (buffer === this.#direct) this.#advance(byteCount);
    else this.feed(buffer.subarray(0, byteCount));
  }

  /** Takes bytes that came otherwise. They must stay as they are while it is waiting. @throws ProtocolViolation */
  feed(bytes: Uint8Array): void {
    let position = 0;
    while (!this.#isStopped && (position < bytes.length || this.#isFrameWhole())) {
      if (this.#header === undefined) {
        position += this.#takeHeader(bytes, position);
        if (this.#header === undefined) return;
        if (!this.#beginPayload()) {
          this.#leftover = bytes.subarray(position);
          return;
        }
      }
      position += this.#takePayload(bytes, position);
    }
  }

  /** Asks the sink again for memory and goes on with what was left. False: it is still waiting. @throws ProtocolViolation */
  retry(): boolean {
    const leftover = this.#leftover;
    if (leftover === undefined) return true;
    this.#leftover = undefined;
    if (!this.#beginPayload()) {
      this.#leftover = leftover;
      return false;
    }
    this.feed(leftover);
    return !this.isWaiting;
  }

  #isFrameWhole(): boolean {
    return this.#header !== undefined && this.missingBytes === 0;
  }

  #takeHeader(bytes: Uint8Array, position: number): number {
    const count = Math.min(frameHeaderBytes - this.#headerFilled, bytes.length - position);
    this.#headerBytes.set(bytes.subarray(position, position + count), this.#headerFilled);
    this.#headerFilled += count;
    if (this.#headerFilled === frameHeaderBytes) {
      this.#headerFilled = 0;
      this.#filled = 0;
      this.#header = readFrameHeader(this.#headerBytes, 0, this.#direction);
    }
    return count;
  }

  /** False: the sink has no memory now. */
  #beginPayload(): boolean {
    const header = this.#header;
    if (header === undefined || header.type !== frameType.data) return true;
    const target = this.#sink.dataBegins(header);
    if (target === "wait") return false;
    this.#target = target === "skip" ? undefined : target;
    return true;
  }

  #takePayload(bytes: Uint8Array, position: number): number {
    const header = this.#header;
    if (header === undefined) return 0;
    const count = Math.min(this.missingBytes, bytes.length - position);
    const part = bytes.subarray(position, position + count);
    if (header.type === frameType.data) {
      this.#target?.set(part, this.#filled);
      this.#advance(count);
    } else if (count === header.payloadBytes) {
      this.#finish(header, part);
    } else {
      // It comes in several pieces: gathered in memory of its own, bounded by the type of the frame.
      this.#target ??= new Uint8Array(header.payloadBytes);
      this.#target.set(part, this.#filled);
      this.#filled += count;
      if (this.missingBytes === 0) this.#finish(header, this.#target);
    }
    return count;
  }

  #advance(byteCount: number): void {
    const header = this.#header;
    if (header === undefined) return;
    this.#filled += byteCount;
    this.#sink.dataArrives(header, byteCount);
    if (this.missingBytes === 0) this.#finish(header, nothing);
  }

  #finish(header: FrameHeader, payload: Uint8Array): void {
    this.#header = undefined;
    this.#target = undefined;
    this.#filled = 0;
    if (header.type === frameType.data) this.#sink.dataEnds(header);
    else this.#sink.frame(header, payload);
  }
}
