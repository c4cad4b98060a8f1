/**
 * What the agent's state machine hears, and what it orders: the port between its thinking and any world that carries
 * it out (the real program, or the simulator). Everything here is data.
 */
import type { FailureKind, FileSetKey, BlockOrderName } from "../../protocol/parts.ts";
import type { ControllerMessage, OpenLane } from "../../protocol/controller-messages.ts";
import type { AgentMessage } from "../../protocol/agent-messages.ts";
import type { RangeSet } from "../../std/ranges.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { AgentDocument } from "./agent-document.ts";

/** What an agent's disk holds of one file set when it starts: verified earlier, unchanged since. */
export interface StoredFileSet {
  readonly fileSet: FileSetKey;
  /** Bytes of the manifest that are stored and were verified (a prefix). Empty: none. */
  readonly manifestBytes: Uint8Array;
  /** Content blocks that are stored, verified and durable. */
  readonly held: RangeSet;
}

export interface ReceivedBytes {
  readonly laneId: number;
  readonly receivedBytes: number;
  /** Nothing comes, and it is not the way's fault: the source has yet to receive the block itself, or this agent's disk is behind. */
  readonly waiting?: boolean;
}

export type AgentEvent =
  /** The first event. */
  | {
      readonly type: "started";
      readonly document: AgentDocument | undefined;
      readonly stored: readonly StoredFileSet[];
      readonly current: readonly { readonly name: string; readonly version: string }[];
    }
  /** The control channel is open: the machine says hello. */
  | { readonly type: "connected" }
  | { readonly type: "disconnected" }
  | { readonly type: "message"; readonly message: ControllerMessage }
  /** Blocks (or manifest pieces) that came through a lane, from a publisher or a local copy (laneId undefined) are verified and written. For manifest pieces `bytes` are the piece's. */
  | {
      readonly type: "stored";
      readonly fileSet: FileSetKey;
      readonly order: BlockOrderName;
      readonly start: number;
      readonly end: number;
      readonly laneId: number | undefined;
      readonly bytes?: Uint8Array;
    }
  /** Bytes received through lanes since they were opened; sent a few times a second while anything runs. */
  | { readonly type: "received"; readonly lanes: readonly ReceivedBytes[] }
  /** The source of a lane was dialled, and answered: how long words to it and back take. */
  | { readonly type: "reached"; readonly laneId: number; readonly roundTripNanoseconds: number }
  /** A lane cannot go on. The world has dropped everything that was queued or under way on it. */
  | { readonly type: "laneFailed"; readonly laneId: number; readonly kind: FailureKind; readonly detail: string }
  /** The answer to `prepare`: what was found stored already (verified again) or copied from other file sets. */
  | { readonly type: "prepared"; readonly fileSet: FileSetKey; readonly held: RangeSet }
  /** The answer to `finish`: everything is durable, modes, times and links are set. */
  | { readonly type: "finished"; readonly fileSet: FileSetKey }
  /** `prepare`, `finish` or writing failed (a full disk, say); the file set is stalled and tried again later. */
  | { readonly type: "storeFailed"; readonly fileSet: FileSetKey; readonly problem: string }
  /** Held content was found damaged or changed underneath: it is not held any more. */
  | { readonly type: "damaged"; readonly fileSet: FileSetKey; readonly ranges: RangeSet }
  /** `activate` failed; it is tried again later. */
  | { readonly type: "activateFailed"; readonly name: string; readonly problem: string }
  | { readonly type: "activated"; readonly name: string; readonly version: string | null }
  | { readonly type: "deleted"; readonly fileSet: FileSetKey }
  | { readonly type: "probed"; readonly probeId: number; readonly failure: FailureKind | undefined }
  | {
      readonly type: "challengeRead";
      readonly challengeId: number;
      readonly bytes: Uint8Array;
      readonly end: "whole" | "absent" | "unreadable" | undefined;
    }
  | { readonly type: "disk"; readonly freeBytes: number }
  /** The time asked for has come. */
  | { readonly type: "timer" };

export type AgentCommand =
  | { readonly type: "send"; readonly message: AgentMessage }
  /** Close the control channel; `retry` false: stop the program with this reason. */
  | { readonly type: "disconnect"; readonly reason: string; readonly retry: boolean }
  /** Append to the stored manifest of a file set (durable before `prepare` of it starts). offset = bytes stored so far. */
  | {
      readonly type: "storeManifest";
      readonly fileSet: FileSetKey;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  /** Make directories, see what is there, copy blocks that any other held file set has; then `prepared`. May come again when the manifest has grown. */
  | { readonly type: "prepare"; readonly fileSet: FileSetKey; readonly manifest: Manifest }
  | { readonly type: "finish"; readonly fileSet: FileSetKey }
  /** This block is not what it should be: it is not held any more, whatever the disk says. A `prepare` follows. */
  | { readonly type: "discard"; readonly fileSet: FileSetKey; readonly block: number }
  | { readonly type: "activate"; readonly name: string; readonly version: string | null }
  | { readonly type: "delete"; readonly fileSet: FileSetKey }
  | { readonly type: "openLane"; readonly lane: OpenLane }
  /** Present this ticket, then pull these blocks, in this order, behind what is queued. */
  | {
      readonly type: "pull";
      readonly laneId: number;
      readonly fileSet: FileSetKey;
      readonly order: BlockOrderName;
      readonly ranges: readonly number[];
      readonly ticket: string;
    }
  | { readonly type: "setRate"; readonly laneId: number; readonly rateBitsPerSecond: number; readonly ticket: string }
  | { readonly type: "closeLane"; readonly laneId: number }
  | {
      readonly type: "probe";
      readonly probeId: number;
      readonly lane: OpenLane;
      readonly ticket: string;
      readonly fileSet: FileSetKey;
      readonly block: number;
      readonly lengthBytes: number;
      readonly checksum: string;
      readonly timeoutNanoseconds: number;
    }
  | {
      readonly type: "readChallenge";
      readonly challengeId: number;
      readonly fileSet: FileSetKey;
      readonly block: number;
      readonly rateBitsPerSecond: number;
    }
  /** Something the operator should read in the log. */
  | {
      readonly type: "note";
      readonly level: "info" | "warn" | "error";
      readonly text: string;
      readonly fileSet?: FileSetKey;
    };

/** One batch of output: `document` (if given) is made durable before any command is carried out. */
export interface AgentOutput {
  readonly document: AgentDocument | undefined;
  readonly commands: readonly AgentCommand[];
  /** When to be woken with `timer`, in the time base of the events; undefined: not needed. */
  readonly wakeAtNanoseconds: number | undefined;
}
