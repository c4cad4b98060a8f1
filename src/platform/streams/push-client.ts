/**
 * The end of block streams that hands over: a publisher gives blocks, with their checksums and final flags, to agents.
 * It promises: each batch gets one result; a lane keeps its rate and holds a bounded amount that is not answered (wait
 * for `room` before pushing); after a lane's failure nothing of it is under way.
 */
import { maximumPushEntries, maximumSmallBatchBytes } from "../../protocol/frames.ts";
import type { FailureKind, FileSetKey } from "../../protocol/parts.ts";
import { monotonicNanoseconds } from "../clock.ts";
import { PushConnection } from "./push-connection.ts";
import { PushLane } from "./push-lane.ts";
import type { PushBatch, PushResult } from "./push-lane.ts";
import type { LaneToOpen } from "./pull-client.ts";

export interface PushClientOptions {
  /** Who this end is: the publish id. */
  readonly peerId: string;
  readonly connectTimeoutMilliseconds?: number;
  /** The lane is gone with everything on it. Said once. */
  laneFailed(laneId: number, kind: FailureKind, detail: string): void;
}

const noLane: PushResult = { accepted: false, kind: "refused", detail: "the lane is not open" };

export class PushClient {
  readonly #options: PushClientOptions;
  readonly #lanes = new Map<number, PushLane>();
  readonly #connections = new Map<string, PushConnection>();

  constructor(options: PushClientOptions) {
    this.#options = options;
  }

  /** A lane of this number that is open already is closed first. */
  openLane({ laneId, address, rateBitsPerSecond }: LaneToOpen): void {
    this.closeLane(laneId);
    const lane = new PushLane(laneId, address, rateBitsPerSecond);
    this.#lanes.set(laneId, lane);
    this.#connection(address).add(lane);
  }

  /** A ticket for what will be pushed on the lane. */
  addTicket(laneId: number, ticket: string): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    lane.tickets.push(ticket);
    this.#connection(lane.address).speak(lane);
  }

  setRate(laneId: number, rateBitsPerSecond: number, ticket: string): void {
    this.#lanes.get(laneId)?.output.bucket.setRate(rateBitsPerSecond, monotonicNanoseconds());
    this.addTicket(laneId, ticket);
  }

  /** Bytes that the lane's receiver has accepted; 0 for a lane that is gone. */
  acceptedBytes(laneId: number): number {
    return this.#lanes.get(laneId)?.acceptedBytes ?? 0;
  }

  /** Resolves to true when there is room for another batch, to false when the lane is gone. */
  room(laneId: number): Promise<boolean> {
    return this.#lanes.get(laneId)?.room() ?? Promise.resolve(false);
  }

  /**
   * Hands over blocks: one of any length, or several of `maximumSmallBatchBytes` and `maximumPushEntries` together.
   * Resolves when they are verified and written by the receiver, or will not be.
   * @throws RangeError (as a rejection) when the batch is not of that form
   */
  async push(laneId: number, batch: PushBatch): Promise<PushResult> {
    checkBatch(batch);
    return this.#add(laneId, batch.fileSet, batch);
  }

  /** Everything that was pushed on this lane is durable at the receiver. */
  async flush(laneId: number, fileSet: FileSetKey): Promise<PushResult> {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return noLane;
    // The answers to all batches come first: the receiver's order, and ours, is then beyond doubt.
    while (lane.hasWork) await lane.answered();
    return this.#add(laneId, fileSet, undefined);
  }

  /** Forgets what is under way; its results say so. */
  closeLane(laneId: number): void {
    const lane = this.#lanes.get(laneId);
    if (lane !== undefined) this.#end(lane, { accepted: false, kind: "reset", detail: "the lane was closed" });
  }

  close(): void {
    for (const lane of [...this.#lanes.values()]) this.closeLane(lane.laneId);
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  #add(laneId: number, fileSet: FileSetKey, batch: PushBatch | undefined): Promise<PushResult> {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return Promise.resolve(noLane);
    const result = lane.add(fileSet, batch?.order ?? "content", batch);
    this.#connection(lane.address).speak(lane);
    return result;
  }

  #connection(address: string): PushConnection {
    const known = this.#connections.get(address);
    if (known !== undefined) return known;
    const { peerId, connectTimeoutMilliseconds } = this.#options;
    const connection = new PushConnection({
      address,
      peerId,
      connectTimeoutMilliseconds,
      onLaneFailed: (lane, kind, detail) => {
        if (this.#lanes.get(lane.laneId) !== lane) return;
        this.#end(lane, { accepted: false, kind, detail });
        this.#options.laneFailed(lane.laneId, kind, detail);
      },
      onIdle: () => {
        connection.close();
        if (this.#connections.get(address) === connection) this.#connections.delete(address);
      },
    });
    this.#connections.set(address, connection);
    return connection;
  }

  #end(lane: PushLane, result: PushResult): void {
    this.#lanes.delete(lane.laneId);
    lane.end(result);
    this.#connections.get(lane.address)?.end(lane);
  }
}

function checkBatch({ entries, bytes }: PushBatch): void {
  const totalBytes = entries.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  const isShort = entries.length === 1 || bytes.length <= maximumSmallBatchBytes;
  if (entries.length === 0 || entries.length > maximumPushEntries || totalBytes !== bytes.length || !isShort) {
    throw new RangeError("not a batch that can be pushed");
  }
}
