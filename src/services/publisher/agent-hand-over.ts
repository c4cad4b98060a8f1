/**
 * Hands blocks over to agents through the lanes that the controller opens: reads them in order, in large parts, compares
 * them with the manifest on the way, and pushes them with their checksums and final flags (claims 20 to 22).
 *
 * It promises: memory is bounded, and a slow lane takes no more of it than half a second of its rate; what a receiver has
 * accepted is known as durable only after that receiver has flushed.
 */
import { setTimeout as pause } from "node:timers/promises";
import { RangeSet } from "../../std/ranges.ts";
import { bytesWithin } from "../../std/units.ts";
import { maximumPushEntries, maximumSmallBatchBytes, type PushEntry } from "../../protocol/frames.ts";
import type { OpenLane } from "../../protocol/controller-messages.ts";
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { FlushReceiver, PublisherEvent } from "../../control/publisher/publisher-events.ts";
import { hash } from "../../platform/hashing.ts";
import { PushClient } from "../../platform/streams/push-client.ts";
import { SlotPool, type Slot } from "../../platform/streams/slot-pool.ts";
import type { BlockSource } from "./block-source.ts";
import {
  absentPauseMilliseconds,
  flushTimeoutMilliseconds,
  handOverMemoryBytes,
  laneAheadNanoseconds,
  laneBatchNanoseconds,
  largestLaneBytes,
} from "./limits.ts";
import type { HandOver } from "./publish-session.ts";

export interface AgentHandOverOptions {
  readonly publishId: string;
  readonly fileSet: FileSetKey;
  readonly manifest: Manifest;
  /** A piece of the manifest as it is now. */
  readonly manifestPiece: (index: number) => Uint8Array;
  readonly source: BlockSource;
  readonly tell: (event: PublisherEvent) => void;
  /** There is something to hand over. */
  readonly onStarted?: () => void;
  /** Receivers have accepted so many more bytes of content. */
  readonly onAccepted?: (bytes: number) => void;
  /** A receiver has made these content blocks durable. */
  readonly onDurable?: (blocks: RangeSet) => void;
}

interface Run {
  readonly order: BlockOrderName;
  start: number;
  readonly end: number;
}

interface Lane {
  readonly laneId: number;
  readonly address: string;
  rateBitsPerSecond: number;
  readonly queue: Run[];
  isRunning: boolean;
  isClosed: boolean;
  handedBytes: number;
  /** Pushed and not answered. */
  underWayBytes: number;
  /** Nothing is pushed until this is over. */
  flushing: Promise<unknown> | undefined;
  /** Wakes the reader when something was answered. */
  wake: () => void;
}

type FlushFailures = Extract<PublisherEvent, { type: "flushed" }>["failures"];

export class AgentHandOver implements HandOver {
  readonly #options: AgentHandOverOptions;
  readonly #client: PushClient;
  readonly #pool = new SlotPool(handOverMemoryBytes, handOverMemoryBytes);
  readonly #lanes = new Map<number, Lane>();
  /** By receiver's address: content accepted there since its last flush. */
  readonly #unflushed = new Map<string, RangeSet>();
  #isClosed = false;

  constructor(options: AgentHandOverOptions) {
    this.#options = options;
    this.#client = new PushClient({
      peerId: options.publishId,
      laneFailed: (laneId, kind, detail) => {
        const lane = this.#lanes.get(laneId);
        if (lane === undefined) return;
        this.#drop(lane);
        options.tell({ type: "laneFailed", laneId, handedBytes: lane.handedBytes, kind, detail });
      },
    });
  }

  openLane({ laneId, address, rateBitsPerSecond }: OpenLane): void {
    this.#client.openLane({ laneId, address, rateBitsPerSecond });
    this.#lanes.set(laneId, {
      laneId,
      address,
      rateBitsPerSecond,
      queue: [],
      isRunning: false,
      isClosed: false,
      handedBytes: 0,
      underWayBytes: 0,
      flushing: undefined,
      wake: () => undefined,
    });
  }

  handOver(
    laneId: number,
    portions: readonly { readonly order: BlockOrderName; readonly ranges: readonly number[] }[],
    ticket: string,
  ): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    this.#options.onStarted?.();
    this.#client.addTicket(laneId, ticket);
    for (const { order, ranges } of portions) {
      for (let index = 0; index < ranges.length; index += 2) {
        lane.queue.push({ order, start: ranges[index] ?? 0, end: ranges[index + 1] ?? 0 });
      }
    }
    if (!lane.isRunning) void this.#work(lane);
  }

  setRate(laneId: number, rateBitsPerSecond: number, ticket: string): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    lane.rateBitsPerSecond = rateBitsPerSecond;
    this.#client.setRate(laneId, rateBitsPerSecond, ticket);
  }

  closeLane(laneId: number): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    this.#drop(lane);
    this.#client.closeLane(laneId);
  }

  handed(): { laneId: number; handedBytes: number }[] {
    return Array.from(this.#lanes.values(), ({ laneId, handedBytes }) => ({ laneId, handedBytes }));
  }

  async flush(receivers: readonly FlushReceiver[]): Promise<FlushFailures> {
    const failures = await Promise.all(
      receivers.map(async ({ laneId, address, ticket }) => {
        this.#client.openLane({ laneId, address, rateBitsPerSecond: largestLaneBytes * 8 });
        this.#client.addTicket(laneId, ticket);
        const result = await this.#flushOn(laneId, address);
        this.#client.closeLane(laneId);
        return result.accepted ? [] : [{ laneId, kind: result.kind, detail: result.detail }];
      }),
    );
    return failures.flat();
  }

  /** Has receivers make durable what they accepted, over the lanes that are open. Never rejects. */
  async flushNow(): Promise<void> {
    const flushes: Promise<unknown>[] = [];
    for (const [address, blocks] of this.#unflushed) {
      const lane = [...this.#lanes.values()].find((candidate) => candidate.address === address);
      if (lane === undefined || blocks.isEmpty || lane.flushing !== undefined) continue;
      lane.flushing = this.#flushOn(lane.laneId, address).then(() => {
        lane.flushing = undefined;
        lane.wake();
      });
      flushes.push(lane.flushing);
    }
    await Promise.all(flushes);
  }

  close(): void {
    this.#isClosed = true;
    for (const lane of this.#lanes.values()) this.#drop(lane);
    this.#client.close();
  }

  #drop(lane: Lane): void {
    lane.isClosed = true;
    lane.queue.length = 0;
    this.#lanes.delete(lane.laneId);
    lane.wake();
  }

  async #flushOn(laneId: number, address: string) {
    const blocks = this.#unflushed.get(address)?.clone() ?? new RangeSet();
    const timeout = new AbortController();
    const result = await Promise.race([
      this.#client.flush(laneId, this.#options.fileSet),
      pause(
        flushTimeoutMilliseconds,
        { accepted: false, kind: "stalled", detail: `${address} did not flush in time` } as const,
        { signal: timeout.signal },
      ).catch(() => ({ accepted: false, kind: "stalled", detail: "" }) as const),
    ]);
    timeout.abort();
    if (result.accepted) {
      this.#unflushed.get(address)?.removeAll(blocks);
      this.#options.onDurable?.(blocks);
    }
    return result;
  }

  /** Reads and pushes what is queued on a lane, until nothing is. Never rejects. */
  async #work(lane: Lane): Promise<void> {
    lane.isRunning = true;
    try {
      for (let run = lane.queue[0]; run !== undefined && !lane.isClosed; run = lane.queue[0]) {
        const entries = this.#nextBatch(run, bytesWithin(laneBatchNanoseconds, lane.rateBitsPerSecond));
        run.start += entries.length;
        if (run.start >= run.end) lane.queue.shift();
        if (!(await this.#hasRoom(lane))) return;
        if (!(await this.#hand(lane, run.order, entries))) return;
      }
    } catch (error) {
      this.#fail(lane, "disk", error instanceof Error ? error.message : String(error));
    } finally {
      lane.isRunning = false;
    }
  }

  /** The next blocks of a run: as many as go into one batch and are not longer than this, but one at least. */
  #nextBatch({ order, start, end }: Run, wantedBytes: number): PushEntry[] {
    const mostBytes = Math.min(wantedBytes, maximumSmallBatchBytes);
    const entries: PushEntry[] = [];
    let totalBytes = 0;
    for (let block = start; block < end && entries.length < maximumPushEntries; block += 1) {
      const entry = this.#entry(order, block);
      totalBytes += entry.lengthBytes;
      if (entries.length > 0 && totalBytes > mostBytes) break;
      entries.push(entry);
    }
    return entries;
  }

  #entry(order: BlockOrderName, block: number): PushEntry {
    const { manifest, manifestPiece } = this.#options;
    if (order === "content") {
      return {
        block,
        lengthBytes: manifest.blockLengthBytes(block),
        final: manifest.isFinalBlock(block),
        checksum: manifest.blockChecksum(block),
      };
    }
    const piece = manifestPiece(block);
    return { block, lengthBytes: piece.length, final: false, checksum: hash(manifest.algorithm, piece) };
  }

  /** Waits until another batch may be read; false: the lane is gone. */
  async #hasRoom(lane: Lane): Promise<boolean> {
    for (;;) {
      if (lane.isClosed) return false;
      const aheadBytes = Math.min(largestLaneBytes, bytesWithin(laneAheadNanoseconds, lane.rateBitsPerSecond));
      const isFull = lane.underWayBytes > 0 && lane.underWayBytes >= aheadBytes;
      if (!isFull && lane.flushing === undefined) return this.#client.room(lane.laneId);
      await new Promise<void>((resolve) => {
        lane.wake = resolve;
      });
    }
  }

  /** Reads one batch and pushes it; its answer is not waited for. False: the lane cannot go on. */
  async #hand(lane: Lane, order: BlockOrderName, entries: readonly PushEntry[]): Promise<boolean> {
    const first = entries[0]?.block ?? 0;
    const end = first + entries.length;
    const lengthBytes = entries.reduce((sum, entry) => sum + entry.lengthBytes, 0);
    const slot = await this.#slot(lengthBytes);
    if (lane.isClosed) {
      this.#pool.release(slot);
      return false;
    }
    if (order === "manifest") {
      let filled = 0;
      for (const { block, lengthBytes: pieceBytes } of entries) {
        slot.bytes.set(this.#options.manifestPiece(block).subarray(0, pieceBytes), filled);
        filled += pieceBytes;
      }
    } else {
      const outcome = await this.#options.source.readBlocks(first, end, slot.bytes);
      if (outcome !== "read") {
        this.#pool.release(slot);
        if (outcome === "absent") {
          // Agents have it, and the one that the controller would take it from is away: asked at once, it would ask again.
          await pause(absentPauseMilliseconds);
          this.#fail(lane, "notHeld", `block ${first} was let go: agents have it`);
        }
        return false;
      }
    }
    void this.#push(lane, order, entries, slot);
    return true;
  }

  async #push(lane: Lane, order: BlockOrderName, entries: readonly PushEntry[], slot: Slot): Promise<void> {
    const { bytes } = slot;
    lane.underWayBytes += bytes.length;
    const { fileSet, onAccepted } = this.#options;
    const result = await this.#client.push(lane.laneId, { fileSet, order, entries, bytes });
    this.#pool.release(slot);
    lane.underWayBytes -= bytes.length;
    if (result.accepted) {
      lane.handedBytes += bytes.length;
      if (order === "content") {
        const unflushed = this.#unflushed.get(lane.address) ?? new RangeSet();
        this.#unflushed.set(lane.address, unflushed);
        unflushed.add(entries[0]?.block ?? 0, (entries.at(-1)?.block ?? -1) + 1);
        onAccepted?.(bytes.length);
      }
    }
    lane.wake();
  }

  #fail(lane: Lane, kind: "disk" | "notHeld", detail: string): void {
    if (lane.isClosed || this.#isClosed) return;
    this.closeLane(lane.laneId);
    const { laneId, handedBytes } = lane;
    this.#options.tell({ type: "laneFailed", laneId, handedBytes, kind, detail });
  }

  async #slot(lengthBytes: number): Promise<Slot> {
    return (
      this.#pool.allocate(lengthBytes) ??
      (await new Promise<Slot>((resolve) => {
        this.#pool.wait(lengthBytes, resolve);
      }))
    );
  }
}
