/**
 * A lane at its source: reads what was asked for, in the order of asking as far as it is held, a little ahead of what is
 * sent, and hands it to the connection's sender. Many small blocks are read and sent at once; a large one goes in parts
 * where the store can read parts. It promises to hold at most two reads in memory.
 */
import { maximumBatchBlocks } from "../../protocol/frames.ts";
import type { RefusalKind, RequestRange } from "../../protocol/frames.ts";
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import { bytesWithin } from "../../std/units.ts";
import type { Turns } from "../../std/turns.ts";
import { monotonicNanoseconds } from "../clock.ts";
import { AskedBlocks } from "./asked-blocks.ts";
import type { AskedStream } from "./asked-blocks.ts";
import {
  maximumReadBytes,
  maximumRequestsPerLane,
  minimumReadBytes,
  readAheadNanoseconds,
  slotUnitBytes,
} from "./limits.ts";
import { LaneOutput } from "./paced-sender.ts";
import type { PacedSender } from "./paced-sender.ts";
import type { Slot, SlotPool } from "./slot-pool.ts";
import { isExpired, isServed } from "./ticket-book.ts";
import type { Grant } from "./ticket-book.ts";
import type { StreamServerPorts } from "./types.ts";

export interface ServingContext {
  readonly ports: StreamServerPorts;
  readonly pool: SlotPool;
  readonly sender: PacedSender;
  readonly turns: Turns;
  /** Tells the target that the lane has ended. */
  refuse(kind: RefusalKind, block: number, detail: string): void;
  /** Tells the target that nothing is to be expected for now. */
  waiting(): void;
}

/** A read, and the DATA that it becomes. */
interface Part {
  readonly asked: AskedBlocks;
  readonly start: number;
  readonly end: number;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  /** Nothing of its blocks comes after it. */
  readonly endsBlock: boolean;
}

interface Reading {
  readonly part: Part;
  readonly slot: Slot;
  isRead: boolean;
}

/** Reads under way or waiting to be sent. */
const readsAtOnce = 2;

export class ServingLane {
  readonly grant: Grant;
  readonly output: LaneOutput;
  readonly #context: ServingContext;
  readonly #asked: AskedBlocks[] = [];
  /** In the order in which they are sent. */
  readonly #readings: Reading[] = [];
  /** A large block of which a part has been read. */
  #partly: Part | undefined;
  #stopWaitingForMemory: (() => void) | undefined;
  /** Set while other lanes have to be served first. */
  #stopWaitingForTurn: (() => void) | undefined;
  #isTold = false;
  #isStopped = false;

  constructor(grant: Grant, context: ServingContext) {
    this.grant = grant;
    this.#context = context;
    this.output = new LaneOutput(grant.bucket, () => this.fill());
    context.sender.addLane(this.output);
    this.waitForTurn();
  }

  /** Serves nothing before the lanes that its highest ticket names have been served. */
  waitForTurn(): void {
    this.#stopWaitingForTurn?.();
    this.#stopWaitingForTurn = undefined;
    const { turns } = this.#context;
    if (turns.areOver(this.grant.after)) return this.fill();
    this.#stopWaitingForTurn = turns.after(this.grant.after, () => {
      this.#stopWaitingForTurn = undefined;
      this.grant.bucket.begin(monotonicNanoseconds());
      this.fill();
    });
  }

  ask(stream: AskedStream, ranges: readonly RequestRange[]): void {
    if (this.#asked.length >= maximumRequestsPerLane) {
      this.#refuse("refused", 0, "too many requests wait on the lane");
      return;
    }
    this.#asked.push(new AskedBlocks(stream, ranges, this.#context.ports));
    this.#isTold = false;
    this.fill();
  }

  stored(fileSet: FileSetKey, order: BlockOrderName, start: number, end: number): void {
    let isNews = false;
    for (const asked of this.#asked) {
      const { stream } = asked;
      if (stream.fileSet === fileSet && stream.order === order && asked.stored(start, end)) isNews = true;
    }
    if (isNews) this.fill();
  }

  /** Looks again at what is not held, and at the clock. */
  rescan(nowNanoseconds: number): void {
    if (this.#isStopped || this.#asked.length === 0) return;
    if (isExpired(this.grant, nowNanoseconds)) return this.#refuse("ticketRefused", 0, "the ticket has expired");
    for (const asked of this.#asked) {
      const block = asked.rescan(nowNanoseconds);
      if (block < 0) continue;
      this.#refuse("notHeld", block, `block ${block} of ${asked.stream.fileSet} is not held here`);
      return;
    }
    this.fill();
  }

  /** Ends the lane; what is being read is thrown away. */
  stop(): void {
    this.#isStopped = true;
    this.#stopWaitingForMemory?.();
    const before = this.#stopWaitingForTurn === undefined ? [] : this.grant.after;
    this.#stopWaitingForTurn?.();
    this.#context.turns.over(this.grant.laneId, before);
    this.#context.sender.removeLane(this.output);
    this.#asked.length = 0;
    for (const { slot, isRead } of this.#readings.splice(0)) if (isRead) this.#context.pool.release(slot);
  }

  /** Reads ahead as far as it should. */
  fill(): void {
    if (this.#stopWaitingForTurn !== undefined) return this.#tellWaiting();
    while (!this.#isStopped && this.#stopWaitingForMemory === undefined) {
      const ahead = this.#readings.length + this.output.queue.length;
      if (ahead >= readsAtOnce) return;
      const now = monotonicNanoseconds();
      const lengthBytes = this.#slotBytes(now);
      if (lengthBytes === 0) return ahead === 0 ? this.#tellWaiting() : undefined;
      if (isExpired(this.grant, now)) return this.#refuse("ticketRefused", 0, "the ticket has expired");
      const { pool } = this.#context;
      // Reading ahead is a luxury: it stops when memory gets short.
      if (ahead > 0 && pool.usedBytes * 2 > pool.totalBytes) return;
      const slot = pool.allocate(lengthBytes);
      if (slot === undefined) return this.#waitForMemory(lengthBytes);
      if (!this.#readInto(slot, now)) return;
    }
  }

  #waitForMemory(lengthBytes: number): void {
    this.#stopWaitingForMemory = this.#context.pool.wait(lengthBytes, (slot) => {
      this.#stopWaitingForMemory = undefined;
      if (this.#isStopped) this.#context.pool.release(slot);
      else this.#readInto(slot, monotonicNanoseconds());
      this.fill();
    });
  }

  /** How much memory the next read takes; 0: there is nothing to read. */
  #slotBytes(now: number): number {
    const usual = readBytes(this.grant.bucket.rateBitsPerSecond);
    if (this.#partly !== undefined) return usual;
    for (const asked of this.#asked) {
      const block = asked.firstReady(now);
      if (block < 0) continue;
      const lengthBytes = asked.lengthBytes(block) ?? 0;
      return this.#context.ports.readsParts === true ? usual : Math.max(usual, lengthBytes);
    }
    return 0;
  }

  /** Says whether there was something to read. */
  #readInto(slot: Slot, now: number): boolean {
    const part = this.#nextPart(slot.bytes.length, now);
    const { pool, ports } = this.#context;
    if (part === undefined) {
      pool.release(slot);
      return false;
    }
    const { stream } = part.asked;
    const reading: Reading = { part, slot, isRead: false };
    this.#readings.push(reading);
    const run = { fileSet: stream.fileSet, order: stream.order, start: part.start, end: part.end };
    ports.readBlocks(run, part.offsetBytes, slot.bytes.subarray(0, part.lengthBytes)).then(
      (outcome) => {
        reading.isRead = true;
        if (this.#isStopped) return pool.release(slot);
        if (outcome === "read") return this.#sendRead();
        this.#refuse("notHeld", part.start, `block ${part.start} of ${stream.fileSet} is no longer held here`);
      },
      (error: unknown) => {
        reading.isRead = true;
        if (this.#isStopped) return pool.release(slot);
        ports.log(`cannot read blocks of ${stream.fileSet}: ${error instanceof Error ? error.message : String(error)}`);
        this.#refuse("notHeld", part.start, `block ${part.start} of ${stream.fileSet} cannot be read here`);
      },
    );
    return true;
  }

  #nextPart(limitBytes: number, now: number): Part | undefined {
    if (this.#partly !== undefined) return this.#cut(this.#partly, limitBytes);
    for (const asked of this.#asked) {
      const start = asked.firstReady(now);
      if (start < 0) continue;
      let lengthBytes = asked.lengthBytes(start);
      if (lengthBytes === undefined) continue;
      if (lengthBytes > limitBytes && this.#context.ports.readsParts !== true) return undefined;
      if (lengthBytes > limitBytes) {
        asked.take(start, start + 1);
        return this.#cut({ asked, start, end: start + 1, offsetBytes: 0, lengthBytes, endsBlock: true }, limitBytes);
      }
      const limit = asked.readyEnd(start, start + maximumBatchBlocks, now);
      let end = start + 1;
      while (end < limit && !asked.endsBatch(end - 1)) {
        const next = asked.lengthBytes(end);
        if (next === undefined || lengthBytes + next > Math.min(limitBytes, maximumReadBytes)) break;
        lengthBytes += next;
        end += 1;
      }
      asked.take(start, end);
      this.#forgetIfDone(asked);
      return { asked, start, end, offsetBytes: 0, lengthBytes, endsBlock: true };
    }
    return undefined;
  }

  /** The next part of a block that is read in parts. */
  #cut(rest: Part, limitBytes: number): Part {
    const lengthBytes = Math.min(limitBytes, rest.lengthBytes);
    const restBytes = rest.lengthBytes - lengthBytes;
    this.#partly =
      restBytes === 0 ? undefined : { ...rest, offsetBytes: rest.offsetBytes + lengthBytes, lengthBytes: restBytes };
    this.#forgetIfDone(rest.asked);
    return { ...rest, lengthBytes, endsBlock: restBytes === 0 };
  }

  #forgetIfDone(asked: AskedBlocks): void {
    if (asked.isDone && this.#partly?.asked !== asked) this.#asked.splice(this.#asked.indexOf(asked), 1);
  }

  /** Sends what has been read, in order. */
  #sendRead(): void {
    for (let first = this.#readings[0]; first?.isRead === true; first = this.#readings[0]) {
      this.#readings.shift();
      const { part, slot } = first;
      this.#isTold = false;
      this.#context.sender.send(this.output, {
        tag: part.asked.stream.tag,
        block: part.start,
        count: part.end - part.start,
        isFirst: part.offsetBytes === 0,
        bytes: slot.bytes.subarray(0, part.lengthBytes),
        onDone: () => {
          this.#context.ports.sent?.(this.grant.laneId, part.lengthBytes);
          this.#context.pool.release(slot);
          if (part.endsBlock) this.#sentBlocks(part.end - part.start);
        },
      });
    }
    this.fill();
  }

  /** What follows this lane may begin when all that it is for has been sent, not only when its target says so. */
  #sentBlocks(count: number): void {
    this.grant.sentBlocks += count;
    if (!this.#isStopped && isServed(this.grant)) this.#context.turns.over(this.grant.laneId);
  }

  #tellWaiting(): void {
    const isWaiting = this.#stopWaitingForTurn !== undefined || this.#asked.some((asked) => asked.isWaiting);
    if (this.#isTold || !isWaiting) return;
    this.#isTold = true;
    this.#context.waiting();
  }

  #refuse(kind: RefusalKind, block: number, detail: string): void {
    this.stop();
    this.#context.refuse(kind, block, detail);
  }
}

/** What a lane reads at once: some time at its rate, in whole units of memory. */
function readBytes(rateBitsPerSecond: number): number {
  const bytes = Math.ceil(bytesWithin(readAheadNanoseconds, rateBitsPerSecond) / slotUnitBytes) * slotUnitBytes;
  return Math.min(maximumReadBytes, Math.max(minimumReadBytes, bytes));
}
