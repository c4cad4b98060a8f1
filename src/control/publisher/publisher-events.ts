/**
 * What the publisher's state machine hears, and what it orders: the port between its thinking and any world that
 * carries it out (the real program, or the simulator). Everything here is data.
 */
import type { BlockOrderName, FailureKind } from "../../protocol/parts.ts";
import type { OpenLane } from "../../protocol/controller-messages.ts";
import type {
  AllHandedOver,
  Begin,
  ControllerToPublisher,
  PublisherMessage,
  Rejected,
} from "../../protocol/publisher-messages.ts";

/** What is to be published, and to whom; fixed for the whole publish. */
export type PublishRequest = Omit<Begin, "type" | "protocol" | "root" | "manifestBytes">;

/** An agent that makes durable what it was handed, on the controller's word. */
export type FlushReceiver = AllHandedOver["receivers"][number];

export type PublisherEvent =
  /** The channel is open: the machine begins its publish, or takes it up again. */
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: string }
  /** Little waits to go out on the channel: there is room for more of the manifest. */
  | { readonly type: "writable" }
  | { readonly type: "message"; readonly message: ControllerToPublisher }
  /**
   * The manifest, or more of one that grows. `root`, `blockCount` and `pieceCount` are those of everything so far. A
   * manifest that does not grow comes as a whole, before anything is sent.
   */
  | {
      readonly type: "manifest";
      readonly bytes: Uint8Array;
      readonly root: string;
      readonly blockCount: number;
      readonly pieceCount: number;
    }
  /** Bytes that receivers have accepted (verified and written) through lanes since these were opened. */
  | { readonly type: "handed"; readonly lanes: readonly { readonly laneId: number; readonly handedBytes: number }[] }
  /** A lane cannot go on. The world has dropped everything that was queued or under way on it. */
  | {
      readonly type: "laneFailed";
      readonly laneId: number;
      readonly handedBytes: number;
      readonly kind: FailureKind;
      readonly detail: string;
    }
  /** The answer to `flush`: receivers that failed; none: all of it is durable. */
  | {
      readonly type: "flushed";
      readonly flushId: number;
      readonly failures: readonly { readonly laneId: number; readonly kind: FailureKind; readonly detail: string }[];
    }
  /** The source changed or cannot be read any more, or the user stopped the publish. */
  | { readonly type: "stopped"; readonly reason: string }
  /** The time asked for has come. */
  | { readonly type: "timer" };

/** How a publish ended. */
export type PublishOutcome =
  | { readonly kind: "committed" }
  /** The version exists with this very content. */
  | { readonly kind: "already" }
  | { readonly kind: "rejected"; readonly code: Rejected["code"]; readonly reason: string }
  | { readonly kind: "unreachable"; readonly reason: string }
  /** Stopped from this side, with the reason of the event. */
  | { readonly kind: "stopped"; readonly reason: string };

export type PublisherCommand =
  | { readonly type: "send"; readonly message: PublisherMessage }
  /** Say `writable` when little waits to go out. */
  | { readonly type: "awaitWritable" }
  /** Drop the channel's connection and dial anew. */
  | { readonly type: "reconnect"; readonly reason: string }
  | { readonly type: "openLane"; readonly lane: OpenLane }
  /** Present this ticket, then hand these blocks over, in this order, behind what is queued. */
  | {
      readonly type: "handOver";
      readonly laneId: number;
      readonly portions: readonly { readonly order: BlockOrderName; readonly ranges: readonly number[] }[];
      readonly ticket: string;
    }
  | { readonly type: "setRate"; readonly laneId: number; readonly rateBitsPerSecond: number; readonly ticket: string }
  /** Drop what is queued. Nothing more may be said of this lane: a new one may get its number. */
  | { readonly type: "closeLane"; readonly laneId: number }
  /** Make every receiver flush, then `flushed` with the same id. */
  | { readonly type: "flush"; readonly flushId: number; readonly receivers: readonly FlushReceiver[] }
  /** These content blocks are with agents. */
  | { readonly type: "held"; readonly ranges: readonly number[] }
  /** The publish is over: send what waits, close everything. */
  | { readonly type: "finish"; readonly outcome: PublishOutcome };

/** One batch of output, carried out in order. */
export interface PublisherOutput {
  readonly commands: readonly PublisherCommand[];
  /** When to be woken with `timer`, in the time base of the events; undefined: not needed. */
  readonly wakeAtNanoseconds: number | undefined;
}
