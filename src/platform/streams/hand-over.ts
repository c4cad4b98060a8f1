/**
 * The receiving end of a hand-over: batches that a publisher announces and sends are gathered, verified and written
 * through the port, and answered one by one. It promises that a flush is answered after everything before it.
 */
import {
  decodePushEntries,
  encodeBlockList,
  encodeFrame,
  frameType,
  ProtocolViolation,
  refusalCode,
} from "../../protocol/frames.ts";
import type { FrameHeader, PushEntry, RefusalKind } from "../../protocol/frames.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import { monotonicNanoseconds } from "../clock.ts";
import type { AskedStream } from "./asked-blocks.ts";
import { BatchIntake } from "./batch-intake.ts";
import { maximumPushedBatches, unknownFileSetMilliseconds, unknownRetryMilliseconds } from "./limits.ts";
import type { SlotPool } from "./slot-pool.ts";
import { isAllowed } from "./ticket-book.ts";
import type { Grant } from "./ticket-book.ts";
import type { PushedBatch, PushOutcome, StreamServerPorts } from "./types.ts";

export interface HandOverContext {
  readonly ports: StreamServerPorts;
  readonly pool: SlotPool;
  /** Sends a frame to the publisher. */
  answer(frame: Uint8Array): void;
  refuse(kind: RefusalKind, block: number, detail: string): void;
}

interface Announced {
  readonly entries: readonly PushEntry[];
  readonly intake: BatchIntake;
}

export class HandOverLane {
  readonly grant: Grant;
  readonly #context: HandOverContext;
  /** By stream: the batch whose bytes are coming. */
  readonly #announced = new Map<number, Announced>();
  readonly #settling = new Set<Promise<void>>();
  readonly #wakers = new Set<() => void>();
  readonly #unknownMilliseconds: number;
  #isStopped = false;

  constructor(grant: Grant, context: HandOverContext, unknownMilliseconds: number = unknownFileSetMilliseconds) {
    this.grant = grant;
    this.#context = context;
    this.#unknownMilliseconds = unknownMilliseconds;
  }

  /** A batch is announced. @throws ProtocolViolation */
  announce(stream: AskedStream, header: FrameHeader, payload: Uint8Array): void {
    if (this.#announced.has(stream.tag)) throw new ProtocolViolation("a push before the one before it has come");
    if (this.#settling.size >= maximumPushedBatches) {
      throw new ProtocolViolation("more batches than may wait for an answer");
    }
    const entries = decodePushEntries(header, payload);
    let totalBytes = 0;
    for (const { block, lengthBytes } of entries) {
      if (!isAllowed(this.grant, stream.fileSet, stream.order, block, block + 1)) {
        this.#context.refuse(
          "ticketRefused",
          block,
          `no ticket lets block ${block} of ${stream.fileSet} be handed over`,
        );
        return;
      }
      totalBytes += lengthBytes;
    }
    const intake = new BatchIntake(this.#context.pool, header.block, header.count, totalBytes);
    this.#announced.set(stream.tag, { entries, intake });
  }

  /** The batch that DATA of this stream belongs to. @throws ProtocolViolation */
  intake(tag: number): BatchIntake {
    const announced = this.#announced.get(tag);
    if (announced === undefined) throw new ProtocolViolation("data that no push announced");
    return announced.intake;
  }

  /** Whether another batch than this one holds memory and is not whole. */
  hasPartial(except: BatchIntake): boolean {
    for (const { intake } of this.#announced.values()) if (intake !== except && intake.hasMemory) return true;
    return false;
  }

  /** A batch's bytes are whole. */
  settle(stream: AskedStream): void {
    const announced = this.#announced.get(stream.tag);
    if (announced === undefined) return;
    this.#announced.delete(stream.tag);
    const { entries, intake } = announced;
    const batch: PushedBatch = { fileSet: stream.fileSet, order: stream.order, entries, bytes: intake.take() };
    const settling = this.#accept(batch).then((outcome) => {
      intake.release();
      this.#settling.delete(settling);
      if (!this.#isStopped) this.#answerBatch(stream.tag, intake.block, batch, outcome);
    });
    this.#settling.add(settling);
  }

  flush(stream: AskedStream, number: number): void {
    const flushing = Promise.allSettled(this.#settling)
      .then(() => (this.#isStopped ? undefined : this.#context.ports.flush(stream.fileSet)))
      .then(
        () => {
          if (!this.#isStopped) {
            this.#context.answer(encodeFrame(frameType.flushed, { tag: stream.tag, block: number }));
          }
        },
        (error: unknown) => this.#fail("disk", 0, `cannot make ${stream.fileSet} durable: ${textOf(error)}`),
      )
      .finally(() => this.#settling.delete(flushing));
    this.#settling.add(flushing);
  }

  /** A file set or more of a manifest is known now: what waits for it is tried again. */
  wake(): void {
    for (const waker of [...this.#wakers]) waker();
  }

  stop(): void {
    this.#isStopped = true;
    for (const { intake } of this.#announced.values()) intake.abandon();
    this.wake();
  }

  /** The connection is gone: nothing is read any more. */
  close(): void {
    this.stop();
    for (const { intake } of this.#announced.values()) intake.release();
    this.#announced.clear();
  }

  /** Never rejects. */
  async #accept(batch: PushedBatch): Promise<PushOutcome> {
    const until = monotonicNanoseconds() + this.#unknownMilliseconds * nanosecondsPerMillisecond;
    try {
      for (;;) {
        const outcome = await this.#context.ports.acceptPushed(batch);
        if (outcome.type !== "unknown" || this.#isStopped || monotonicNanoseconds() >= until) return outcome;
        await this.#news();
      }
    } catch (error) {
      this.#context.ports.log(`cannot take over blocks of ${batch.fileSet}: ${textOf(error)}`);
      return { type: "rejected", kind: "disk", blocks: batch.entries.map(({ block }) => block) };
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, unknownRetryMilliseconds);
      this.#wakers.add(done);
    });
  }

  #answerBatch(tag: number, number: number, batch: PushedBatch, outcome: PushOutcome): void {
    if (outcome.type === "taken") {
      this.#context.answer(encodeFrame(frameType.accepted, { tag, block: number }));
      return;
    }
    const isUnknown = outcome.type === "unknown";
    const blocks = isUnknown ? batch.entries.map(({ block }) => block) : outcome.blocks;
    const flags = refusalCode(isUnknown ? "notHeld" : outcome.kind);
    this.#context.answer(encodeFrame(frameType.rejected, { tag, block: number, flags }, encodeBlockList(blocks)));
  }

  #fail(kind: RefusalKind, block: number, detail: string): void {
    if (this.#isStopped) return;
    this.#context.ports.log(detail);
    this.#context.refuse(kind, block, detail);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
