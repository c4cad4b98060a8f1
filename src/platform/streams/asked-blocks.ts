/**
 * What one REQUEST asks a source for, and how far that has got. A block is looked up when its turn comes; one that is
 * not held yet waits until it is stored (or is found at one of the looks that are taken now and then).
 */
import type { RequestRange } from "../../protocol/frames.ts";
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import { RangeSet } from "../../std/ranges.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import { absentGraceMilliseconds, rescanBlocks } from "./limits.ts";
import type { StreamServerPorts } from "./types.ts";

/** A stream of a lane, as the source sees it. */
export interface AskedStream {
  readonly tag: number;
  readonly fileSet: FileSetKey;
  readonly order: BlockOrderName;
}

type Lookup = Pick<StreamServerPorts, "holding" | "blockLengthBytes">;

export class AskedBlocks {
  readonly stream: AskedStream;
  readonly #lookup: Lookup;
  /** Not looked up yet. */
  readonly #unknown = new RangeSet();
  /** Held; to be sent. */
  readonly #ready = new RangeSet();
  /** Not held when last looked up. */
  readonly #waiting = new RangeSet();
  /** Lengths of last pieces of a manifest, as the asker knows them. */
  readonly #wantedBytes = new Map<number, number>();
  #rescanFrom = 0;
  #absent: { block: number; sinceNanoseconds: number } | undefined;

  constructor(stream: AskedStream, ranges: readonly RequestRange[], lookup: Lookup) {
    this.stream = stream;
    this.#lookup = lookup;
    for (const { start, end, lastBlockBytes } of ranges) {
      this.#unknown.add(start, end);
      if (stream.order === "manifest") this.#wantedBytes.set(end - 1, lastBlockBytes);
    }
  }

  /** Everything asked for has been sent. */
  get isDone(): boolean {
    return this.#unknown.isEmpty && this.#ready.isEmpty && this.#waiting.isEmpty;
  }

  get isWaiting(): boolean {
    return !this.#waiting.isEmpty;
  }

  /** The first block that can be sent, or -1. */
  firstReady(nowNanoseconds: number): number {
    while (this.#ready.isEmpty && !this.#unknown.isEmpty) {
      this.#lookUp(this.#unknown, this.#unknown.first(), rescanBlocks, nowNanoseconds);
    }
    return this.#ready.isEmpty ? -1 : this.#ready.first();
  }

  /** How many bytes of this block are wanted; undefined: its length is not known. */
  lengthBytes(block: number): number | undefined {
    const lengthBytes = this.#lookup.blockLengthBytes(this.stream.fileSet, this.stream.order, block);
    const wantedBytes = this.#wantedBytes.get(block);
    return lengthBytes === undefined || wantedBytes === undefined ? lengthBytes : Math.min(lengthBytes, wantedBytes);
  }

  /** A batch must end with this block, since only its beginning may be wanted. */
  endsBatch(block: number): boolean {
    return this.#wantedBytes.has(block);
  }

  /** The end of the run of blocks that can be sent and begins with this one, looking no further than `limit`. */
  readyEnd(start: number, limit: number, nowNanoseconds: number): number {
    let end = Math.min(limit, this.#ready.contiguousEnd(start));
    while (end < limit && this.#unknown.has(end)) {
      this.#lookUp(this.#unknown, end, rescanBlocks, nowNanoseconds);
      const next = Math.min(limit, this.#ready.contiguousEnd(start));
      if (next === end) break;
      end = next;
    }
    return end;
  }

  /** These go out now. */
  take(start: number, end: number): void {
    this.#ready.remove(start, end);
  }

  /** Blocks have been stored. Says whether any of them was waited for. */
  stored(start: number, end: number): boolean {
    if (!this.#waiting.overlaps(start, end)) return false;
    const arrived = this.#waiting.intersection(RangeSet.of(start, end));
    arrived.forEach((from, to) => {
      this.#waiting.remove(from, to);
      // A piece of a manifest may have come only in part: it is looked up like any other.
      if (this.stream.order === "manifest") this.#unknown.add(from, to);
      else this.#ready.add(from, to);
    });
    return true;
  }

  /** Looks again at some of what is waiting. Returns a block that has been absent for too long, or -1. */
  rescan(nowNanoseconds: number): number {
    if (this.#waiting.isEmpty) return -1;
    const next = this.#waiting.nextIn(this.#rescanFrom);
    this.#rescanFrom = this.#lookUp(
      this.#waiting,
      next < 0 ? this.#waiting.first() : next,
      rescanBlocks,
      nowNanoseconds,
    );
    if (this.#absent === undefined) return -1;
    const { block, sinceNanoseconds } = this.#absent;
    if (this.#stateOf(block) !== "absent") {
      this.#absent = undefined;
      return -1;
    }
    return nowNanoseconds - sinceNanoseconds > absentGraceMilliseconds * nanosecondsPerMillisecond ? block : -1;
  }

  /** Looks up a run of at most `count` blocks of `from` and moves them where they belong. Returns where it stopped. */
  #lookUp(from: RangeSet, start: number, count: number, nowNanoseconds: number): number {
    const end = Math.min(from.contiguousEnd(start), start + count);
    let block = start;
    while (block < end) {
      const state = this.#stateOf(block);
      let runEnd = block + 1;
      while (runEnd < end && this.#stateOf(runEnd) === state) runEnd += 1;
      from.remove(block, runEnd);
      (state === "held" ? this.#ready : this.#waiting).add(block, runEnd);
      if (state === "absent") this.#absent ??= { block, sinceNanoseconds: nowNanoseconds };
      block = runEnd;
    }
    return end;
  }

  #stateOf(block: number): "held" | "coming" | "absent" {
    const { fileSet, order } = this.stream;
    const state = this.#lookup.holding(fileSet, order, block);
    if (state !== "held") return state;
    const lengthBytes = this.#lookup.blockLengthBytes(fileSet, order, block);
    return lengthBytes !== undefined && lengthBytes >= (this.#wantedBytes.get(block) ?? 0) ? "held" : "coming";
  }
}
