/** What streams ask of the program around them, and what they tell it. Everything here is a port. */
import type { BlockOrderName, FailureKind, FileSetKey } from "../../protocol/parts.ts";
import type { PushEntry, RefusalKind } from "../../protocol/frames.ts";
import type { Ticket } from "../../protocol/ticket.ts";

/** Consecutive blocks of one order of one file set: start..end - 1. */
export interface BlockRun {
  readonly fileSet: FileSetKey;
  readonly order: BlockOrderName;
  readonly start: number;
  readonly end: number;
}

/** Length of a block as the manifest (or, of a manifest's piece, what is held of it) says; undefined: not known. */
export type BlockLengths = (fileSet: FileSetKey, order: BlockOrderName, block: number) => number | undefined;

export type TicketDecision =
  | { readonly accepted: true; readonly ticket: Ticket }
  | { readonly accepted: false; readonly reason: string };

/** What a publisher hands over: blocks in rising order (not always consecutive), their bytes one after another. */
export interface PushedBatch {
  readonly fileSet: FileSetKey;
  readonly order: BlockOrderName;
  readonly entries: readonly PushEntry[];
  /** In shared memory, valid until the promise that was returned is settled. */
  readonly bytes: Uint8Array;
}

/** taken: all verified and written. rejected: these were not. unknown: the file set or this part of its manifest is not known yet. */
export type PushOutcome =
  | { readonly type: "taken" }
  | { readonly type: "rejected"; readonly kind: RefusalKind; readonly blocks: readonly number[] }
  | { readonly type: "unknown" };

/** What a sender asks of its agent. */
export interface StreamServerPorts {
  /** Judges a ticket. `peerId` is who the peer says it is; empty if it does not say. */
  authorize(ticketText: string, peerId: string): TicketDecision;
  holding(fileSet: FileSetKey, order: BlockOrderName, block: number): "held" | "coming" | "absent";
  readonly blockLengthBytes: BlockLengths;
  /**
   * Reads `into.length` bytes of the run from `offsetBytes` on, into shared memory. With `readsParts`, a large block is
   * read in parts. Otherwise the offset is 0 and the length that of the run, except for the last piece of a manifest
   * that has grown since: of that the asker may want only the beginning.
   */
  readBlocks(run: BlockRun, offsetBytes: number, into: Uint8Array): Promise<"read" | "changed" | "absent">;
  /** Whether `readBlocks` takes offsets: a lane then never needs memory for a whole large block. */
  readonly readsParts?: boolean;
  /** Bytes of blocks go out on a lane; for counting. */
  sent?(laneId: number, lengthBytes: number): void;
  /** Verifies and writes. */
  acceptPushed(batch: PushedBatch): Promise<PushOutcome>;
  /** Resolves when everything of the file set that was accepted is durable. */
  flush(fileSet: FileSetKey): Promise<void>;
  /** One line for the operator. */
  log(line: string): void;
}

export interface LaneProgress {
  readonly laneId: number;
  /** Bytes of blocks received since the lane was opened. */
  readonly receivedBytes: number;
  /** Nothing is expected now: the source has yet to receive what comes next, or this end has no memory free. */
  readonly waiting: boolean;
}

/** What a puller asks of its agent, and tells it. */
export interface PullClientPorts {
  readonly blockLengthBytes: BlockLengths;
  /**
   * Verifies whole blocks that stand one after another in shared memory and writes the good ones. `bad` are blocks whose
   * bytes do not match. The bytes are valid until the promise is settled; a rejection is a failure of the disk.
   */
  writeBlocks(run: BlockRun, bytes: Uint8Array): Promise<{ readonly bad: readonly number[] }>;
  /** Verified and written. Pieces of a manifest come one by one, with a copy of their bytes. */
  stored(laneId: number, run: BlockRun, bytes: Uint8Array | undefined): void;
  /** Lanes with something new, a few times a second. */
  received(lanes: readonly LaneProgress[]): void;
  /** The source of a lane was dialled, and answered: how long words to it and back take. */
  reached(laneId: number, roundTripNanoseconds: number): void;
  /** The lane is gone with everything that was queued on it. Said once. */
  laneFailed(laneId: number, kind: FailureKind, detail: string): void;
  log(line: string): void;
}
