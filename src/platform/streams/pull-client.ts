/**
 * The end of block streams that pulls: carries out an agent's `openLane`, `pull`, `setRate` and `closeLane`. Everything
 * that is queued on a lane is asked for at once, so that a source is never idle for a round trip; what bounds memory is
 * that a connection is not read while the pool is full. It promises: each block that was pulled is reported as stored
 * once verified and written, or its lane as failed, once and with what kind of failure it was.
 */
import type { BlockOrderName, FailureKind, FileSetKey } from "../../protocol/parts.ts";
import type { BatchIntake } from "./batch-intake.ts";
import { receivePoolBytes, reportMilliseconds } from "./limits.ts";
import { PullConnection } from "./pull-connection.ts";
import { PullLane } from "./pull-lane.ts";
import type { PullStream } from "./pull-lane.ts";
import { SlotPool } from "./slot-pool.ts";
import type { BlockRun, PullClientPorts } from "./types.ts";

export interface PullClientOptions extends PullClientPorts {
  /** Who this end is: the agent's id. */
  readonly peerId: string;
  /** Shared with the agent's StreamServer. */
  readonly pool?: SlotPool;
  readonly connectTimeoutMilliseconds?: number;
}

export interface LaneToOpen {
  readonly laneId: number;
  readonly address: string;
  readonly rateBitsPerSecond: number;
}

export interface BlocksToPull {
  readonly fileSet: FileSetKey;
  readonly order: BlockOrderName;
  /** Flat ranges, in the form of a portion. */
  readonly ranges: readonly number[];
  readonly ticket: string;
}

export class PullClient {
  readonly #options: PullClientOptions;
  readonly #pool: SlotPool;
  readonly #lanes = new Map<number, PullLane>();
  readonly #connections = new Map<string, PullConnection>();
  readonly #progress = new Set<PullLane>();
  #reportTimer: NodeJS.Timeout | undefined;

  constructor(options: PullClientOptions) {
    this.#options = options;
    this.#pool = options.pool ?? new SlotPool(receivePoolBytes);
  }

  /** Memory in use for what was received and is not written yet. */
  get receivingBytes(): number {
    return this.#pool.usedBytes;
  }

  /** A lane of this number that is open already is closed first. */
  openLane({ laneId, address, rateBitsPerSecond }: LaneToOpen): void {
    this.closeLane(laneId);
    const lane = new PullLane(laneId, address, rateBitsPerSecond);
    this.#lanes.set(laneId, lane);
    this.#connection(address).add(lane);
  }

  /** Queues blocks behind what is there; those that are asked for already are left out. Nothing if the lane is gone. */
  pull(laneId: number, { fileSet, order, ranges, ticket }: BlocksToPull): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    lane.unsaid.push({ ticket, fileSet, order, ranges: lane.notAskedYet(fileSet, order, ranges) });
    this.#connection(lane.address).speak(lane);
  }

  /** Changes the rate at both ends. */
  setRate(laneId: number, rateBitsPerSecond: number, ticket: string): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    lane.rateBitsPerSecond = rateBitsPerSecond;
    lane.queueRate(ticket);
    const connection = this.#connection(lane.address);
    connection.rateChanged();
    connection.speak(lane);
  }

  /** Forgets what is queued and under way. Blocks that have come wholly are still verified, written and reported. */
  closeLane(laneId: number): void {
    const lane = this.#lanes.get(laneId);
    if (lane !== undefined) this.#end(lane);
  }

  close(): void {
    clearTimeout(this.#reportTimer);
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    this.#lanes.clear();
  }

  #connection(address: string): PullConnection {
    const known = this.#connections.get(address);
    if (known !== undefined) return known;
    const { peerId, connectTimeoutMilliseconds, blockLengthBytes } = this.#options;
    const connection = new PullConnection({
      address,
      peerId,
      connectTimeoutMilliseconds,
      pool: this.#pool,
      blockLengthBytes,
      onBatch: (stream, intake) => void this.#write(stream, intake),
      onProgress: (lane) => this.#note(lane),
      onReached: (lane, roundTripNanoseconds) => this.#options.reached(lane.laneId, roundTripNanoseconds),
      onLaneFailed: (lane, kind, detail) => this.#fail(lane, kind, detail),
      onIdle: () => {
        connection.close();
        if (this.#connections.get(address) === connection) this.#connections.delete(address);
      },
    });
    this.#connections.set(address, connection);
    return connection;
  }

  /** Never rejects. */
  async #write(stream: PullStream, intake: BatchIntake): Promise<void> {
    const { lane, fileSet, order } = stream;
    const run: BlockRun = { fileSet, order, start: intake.block, end: intake.block + intake.count };
    const bytes = intake.take();
    try {
      const { bad } = await this.#options.writeBlocks(run, bytes);
      this.#tellStored(lane, run, bytes, new Set(bad));
      const [first] = bad;
      if (first !== undefined) {
        const detail = `${bad.length === 1 ? "block" : `${bad.length} blocks, the first of them`} ${first} of ${fileSet}`;
        this.#fail(lane, "badChecksum", `${lane.address} sent wrong bytes: ${detail}`);
      }
    } catch (error) {
      this.#fail(
        lane,
        "disk",
        `cannot write blocks of ${fileSet}: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      intake.release();
    }
  }

  #tellStored(lane: PullLane, run: BlockRun, bytes: Uint8Array, bad: ReadonlySet<number>): void {
    if (run.order === "manifest") {
      let offset = 0;
      for (let block = run.start; block < run.end; block += 1) {
        const lengthBytes = this.#options.blockLengthBytes(run.fileSet, run.order, block) ?? 0;
        const piece = bytes.slice(offset, offset + lengthBytes);
        offset += lengthBytes;
        if (!bad.has(block)) this.#options.stored(lane.laneId, { ...run, start: block, end: block + 1 }, piece);
      }
      return;
    }
    let start = run.start;
    for (let block = run.start; block <= run.end; block += 1) {
      if (block < run.end && !bad.has(block)) continue;
      if (block > start) this.#options.stored(lane.laneId, { ...run, start, end: block }, undefined);
      start = block + 1;
    }
  }

  #fail(lane: PullLane, kind: FailureKind, detail: string): void {
    if (this.#lanes.get(lane.laneId) !== lane) return;
    this.#end(lane);
    this.#options.laneFailed(lane.laneId, kind, detail);
  }

  #end(lane: PullLane): void {
    this.#lanes.delete(lane.laneId);
    this.#progress.delete(lane);
    this.#connections.get(lane.address)?.end(lane);
  }

  #note(lane: PullLane): void {
    if (this.#lanes.get(lane.laneId) !== lane) return;
    this.#progress.add(lane);
    this.#reportTimer ??= setTimeout(() => this.#report(), reportMilliseconds);
  }

  #report(): void {
    this.#reportTimer = undefined;
    const lanes = [...this.#progress].map(({ laneId, receivedBytes, isWaiting }) => ({
      laneId,
      receivedBytes,
      waiting: isWaiting,
    }));
    this.#progress.clear();
    if (lanes.length > 0) this.#options.received(lanes);
  }
}
