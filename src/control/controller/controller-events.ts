/**
 * What the controller's state machine hears, and what it orders: the port between its thinking and any world that
 * carries it out (the real program, or the simulator). Everything here is data.
 */
import type { AgentMessage } from "../../protocol/agent-messages.ts";
import type { ControllerMessage } from "../../protocol/controller-messages.ts";
import type { ControllerToPublisher, PublisherMessage } from "../../protocol/publisher-messages.ts";
import type { TicketCodec } from "../../protocol/ticket.ts";
import type { OperatorErrorCode, OperatorRequest, OperatorResult } from "../../protocol/views.ts";
import type { Topology } from "../../model/topology.ts";
import type { OnDecision } from "../../scheduler/decision-record.ts";
import type { Hash } from "../../model/checksum.ts";
import type { StoreChange, StoredRow } from "../store-port.ts";

export type ControllerEvent =
  /** The first event: everything that the store holds. The term must already have been raised and made durable. */
  | {
      readonly type: "started";
      readonly term: number;
      readonly rows: readonly StoredRow[];
      readonly topology: Topology;
      readonly dateMilliseconds: number;
    }
  | { readonly type: "opened"; readonly connectionId: number; readonly role: "agent" | "publisher" }
  | { readonly type: "agentMessage"; readonly connectionId: number; readonly message: AgentMessage }
  | { readonly type: "publisherMessage"; readonly connectionId: number; readonly message: PublisherMessage }
  | { readonly type: "closed"; readonly connectionId: number }
  | { readonly type: "request"; readonly requestId: number; readonly request: OperatorRequest }
  | { readonly type: "topology"; readonly topology: Topology }
  | { readonly type: "timer" };

/** What a line of the log is about, for programs: the same names in every line (docs/operations.md). */
export interface NoteFields {
  readonly agent?: string;
  readonly agentId?: string;
  readonly site?: string;
  readonly fileSet?: string;
  readonly component?: string;
  readonly publishId?: string;
}

export type OperatorReply =
  | { readonly ok: true; readonly result: OperatorResult }
  | { readonly ok: false; readonly code: OperatorErrorCode; readonly message: string };

export type ControllerCommand =
  | { readonly type: "sendAgent"; readonly connectionId: number; readonly message: ControllerMessage }
  | { readonly type: "sendPublisher"; readonly connectionId: number; readonly message: ControllerToPublisher }
  /** Close after what was sent has gone out. */
  | { readonly type: "close"; readonly connectionId: number }
  | { readonly type: "reply"; readonly requestId: number; readonly reply: OperatorReply }
  | {
      readonly type: "note";
      readonly level: "info" | "warn" | "error";
      readonly text: string;
      readonly fields?: NoteFields;
    };

/** One batch of output: `changes` are durable (one conditional batch) before any command is carried out. */
export interface ControllerOutput {
  readonly changes: readonly StoreChange[];
  readonly commands: readonly ControllerCommand[];
  readonly wakeAtNanoseconds: number | undefined;
}

/** What the controller's thinking needs from outside beside events: nothing that waits, nothing that differs by machine. */
export interface ControllerPorts {
  readonly hash: Hash;
  /** Seeds the choice among equals; a constant in tests. */
  readonly seed: number;
  /** Takes each decision of the scheduler, for a trace. */
  readonly onDecision?: OnDecision | undefined;
  /** Left out: tickets as they go over a network. */
  readonly tickets?: TicketCodec;
}
