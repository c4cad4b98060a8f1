/**
 * Decides whether a connection is read: not while memory is short, not while a lane runs above its rate, and, on a slow
 * connection, not for every few bytes. It promises that reading goes on when no reason against it is left.
 */
import type { Socket } from "node:net";
import type { TokenBucket } from "../../std/token-bucket.ts";
import { forever, payloadBytesPerFullFrame, wireBytesPerFullFrame } from "../../std/token-bucket.ts";
import { transmissionNanoseconds } from "../../std/units.ts";
import { monotonicNanoseconds } from "../clock.ts";
import { paceTimer } from "../pace-timer.ts";
import {
  gatherBytes,
  maximumGatherNanoseconds,
  minimumGatherNanoseconds,
  receiveToleranceNanoseconds,
} from "./limits.ts";

export class ReadGate {
  readonly #socket: Socket;
  #isOutOfMemory = false;
  #cancelTimer: (() => void) | undefined;
  /** It waits since more was received than the rate allows, not only for more to come. */
  #isHeld = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Stops reading for want of memory, or goes on. */
  setOutOfMemory(isOutOfMemory: boolean): void {
    this.#isOutOfMemory = isOutOfMemory;
    this.#apply();
  }

  /** A lane has received something: reads no more for a while if that was more than its rate and a burst. */
  hold(bucket: TokenBucket): void {
    const delay = bucket.delayNanoseconds(monotonicNanoseconds());
    if (delay <= receiveToleranceNanoseconds) return;
    // A pause holds up every lane of the connection, so one whose rate is 0 causes short ones only.
    const pause = delay === forever ? maximumGatherNanoseconds : delay - receiveToleranceNanoseconds;
    this.#pauseFor(Math.max(pause, minimumGatherNanoseconds));
    this.#isHeld = true;
  }

  /** The bucket that it is held by has another rate: what was too much at the old one may not be at this. */
  rateChanged(bucket: TokenBucket): void {
    if (!this.#isHeld) return;
    this.close();
    this.#apply();
    this.hold(bucket);
  }

  /**
   * Everything that had come is read: waits until more is worth it.
   * @param rateBitsPerSecond at which the connection's lanes may receive
   * @param missingBytes what is missing of the batch under way: its end is not waited past
   */
  gather(rateBitsPerSecond: number, missingBytes: number): void {
    if (rateBitsPerSecond === 0 || this.#cancelTimer !== undefined) return;
    const bytes = Math.min(gatherBytes, Math.max(missingBytes, 1));
    const onWire = Math.ceil((bytes * wireBytesPerFullFrame) / payloadBytesPerFullFrame);
    const pause = Math.min(maximumGatherNanoseconds, transmissionNanoseconds(onWire, rateBitsPerSecond));
    if (pause >= minimumGatherNanoseconds) this.#pauseFor(pause);
  }

  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#isHeld = false;
  }

  #pauseFor(nanoseconds: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = paceTimer.schedule(monotonicNanoseconds() + nanoseconds, () => {
      this.#cancelTimer = undefined;
      this.#isHeld = false;
      this.#apply();
    });
    this.#apply();
  }

  #apply(): void {
    if (this.#socket.destroyed) return;
    if (this.#isOutOfMemory || this.#cancelTimer !== undefined) this.#socket.pause();
    else this.#socket.resume();
  }
}
