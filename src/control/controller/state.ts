/**
 * What the controller has in memory (claim 25): agents and their states, file sets, publishes, the scheduler with the
 * capability and use of every resource, and counts of failures. Plain data; the files beside this one act on it.
 */
import type { Hash } from "../../model/checksum.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { ManifestSummarizer, ManifestSummary } from "../../model/manifest-root.ts";
import type { Selector } from "../../model/selector.ts";
import type { FileSetStatus } from "../../protocol/agent-messages.ts";
import type { TicketCodec } from "../../protocol/ticket.ts";
import type { BlockOrder } from "../../scheduler/block-order.ts";
import type { ComponentFailures } from "../../scheduler/component-failures.ts";
import type { Scheduler } from "../../scheduler/scheduler.ts";
import type { Member } from "../../scheduler/world.ts";
import type { BinaryHeap } from "../../std/heap.ts";
import type { RangeSet } from "../../std/ranges.ts";
import type { SeededRandom } from "../../std/seeded-random.ts";
import type { OutputBuilder } from "./output.ts";
import type { Plans } from "./plans.ts";
import type { KnownBlocks } from "./plausible.ts";
import { putRow, type AgentRow, type FileSetRow } from "./records.ts";
import type { ControllerSettings } from "./settings.ts";

/** Where an agent stands with one file set, as it last said. */
export interface AgentFileSet {
  root: string;
  status: FileSetStatus;
  problem: string | undefined;
  held: RangeSet;
}

/** What was last sent to the agent about a file set, in this connection. */
export interface SentAssignment {
  root: string;
  manifestBytes: number;
  sequence: number;
}

/** What an agent was asked, and how quickly it answered, in one connection; see echoes.ts. */
export interface EchoState {
  /** Of the one that was sent last. */
  echoId: number;
  /** When it was sent; undefined: it was answered. */
  sentNanoseconds: number | undefined;
  pauseMilliseconds: number;
  /** What the latest ones took. */
  readonly tookNanoseconds: number[];
}

interface DueEcho {
  readonly agent: Agent;
  readonly echo: EchoState;
  readonly atNanoseconds: number;
}

/** Who is to be asked when, the first one first. */
export type DueEchoes = BinaryHeap<DueEcho>;

export interface Agent {
  row: AgentRow;
  connectionId: number | undefined;
  /** Its whole state has come since it connected. */
  ready: boolean;
  lastHeardNanoseconds: number;
  /** When it is taken for gone, if it is not connected. */
  goneAtNanoseconds: number | undefined;
  /** When it was welcomed, until its first answer shows how far away it is. */
  welcomedNanoseconds: number | undefined;
  /** Whether it knows how to answer an echo, by the version that it speaks. */
  answersEchoes: boolean;
  /** While it is connected and answers: how far away it has shown to be. */
  echo: EchoState | undefined;
  member: Member | undefined;
  readonly fileSets: Map<string, AgentFileSet>;
  readonly sent: Map<string, SentAssignment>;
  /** Versions last sent by `activate`, by name. */
  readonly sentActive: Map<string, string | null>;
  readonly current: Map<string, string | null>;
  freeDiskBytes: number | undefined;
}

/** A root that a growing manifest had, and its length then. */
export interface Checkpoint {
  readonly root: string;
  readonly manifestBytes: number;
}

export interface FileSet {
  readonly key: string;
  row: FileSetRow;
  readonly selector: Selector;
  readonly manifest: Manifest;
  readonly summarizer: ManifestSummarizer;
  summary: ManifestSummary;
  /** The log itself, of which tails and whole manifests are sent. */
  bytes: Uint8Array;
  /** Every root since it began, oldest first; the last is that of `row`. */
  readonly checkpoints: Checkpoint[];
  readonly content: BlockOrder;
  /** Only for a manifest that is whole and too large to travel with the assignment. */
  manifestOrder: BlockOrder | undefined;
  /** What was last sent of its manifest. */
  encodedStep: EncodedStep | undefined;
  /** Agents that carry it for others until all targets have it (`relays.ts`); undefined: nobody does. */
  relays: Set<Agent> | undefined;
}

/** From one length of a manifest to another, as assignments say it. */
export interface EncodedStep {
  readonly fromBytes: number;
  /** The manifest's at the end of the step. */
  readonly root: string;
  /** Base64, from the piece that the step begins in. */
  readonly pieceChecksums: string;
  /** Base64 of the bytes; undefined: they do not travel with the assignment. */
  readonly tail: string | undefined;
}

export interface Publish {
  readonly publishId: string;
  readonly key: string;
  connectionId: number | undefined;
  /** When it is aborted, if its publisher is away. */
  goneAtNanoseconds: number | undefined;
  member: Member | undefined;
  /** Blocks that an agent may hold by now: handed over, or also in another file set. Undefined: any (after a restart). */
  plausible: RangeSet | undefined;
  /** Agents that claim what they cannot have been given, and the time before which they are not asked for a block of it. */
  readonly claimants: Map<string, number>;
  /** Agents that had the block which they were asked for: their word is taken. */
  readonly trusted: Set<string>;
  /** What tells blocks of other file sets, for what a growing one is yet to bring. */
  known: KnownBlocks | undefined;
  /** Ranges of it that the publisher was told. */
  told: RangeSet;
  /** The receivers have been asked to make everything durable. */
  flushing: boolean;
}

export interface Connection {
  readonly role: "agent" | "publisher";
  agent: Agent | undefined;
  readonly publishIds: Set<string>;
  lastHeardNanoseconds: number;
}

/** An agent was asked to fetch one block, to learn whether a component works. Its lane is charged until then. */
export interface Probe {
  readonly probeId: number;
  readonly proberId: string;
  readonly path: readonly number[];
  readonly rateBitsPerSecond: number;
  readonly deadlineNanoseconds: number;
  readonly onOutcome: (good: boolean) => void;
}

/** An agent was asked for the bytes of a block that it says it holds. */
export interface Challenge {
  readonly challengeId: number;
  readonly agentId: string;
  readonly fileSet: string;
  readonly block: number;
  readonly path: readonly number[];
  readonly rateBitsPerSecond: number;
  readonly deadlineNanoseconds: number;
  readonly parts: Uint8Array[];
  receivedBytes: number;
  /** undefined: it was asked for by the interval, not by an operator. */
  readonly run: ChallengeRun | undefined;
}

/** An operator's `agent verify`: some blocks, one after another. */
export interface ChallengeRun {
  readonly requestId: number;
  readonly agentId: string;
  left: number;
  checkedBlocks: number;
  checkedBytes: number;
  readonly damaged: { fileSet: string; block: number; path: string; problem: string }[];
}

export interface ControllerState {
  readonly hash: Hash;
  readonly tickets: TicketCodec;
  readonly settings: ControllerSettings;
  readonly random: SeededRandom;
  readonly out: OutputBuilder;
  readonly scheduler: Scheduler;
  readonly term: number;
  now: number;
  /** Date of the time base's zero, in milliseconds since 1970. */
  readonly epochMilliseconds: number;
  nextSequence: number;
  readonly connections: Map<number, Connection>;
  /** By id. */
  readonly agents: Map<string, Agent>;
  readonly agentsByName: Map<string, Agent>;
  /** By NAME@VERSION. */
  readonly fileSets: Map<string, FileSet>;
  readonly active: Map<string, string | null>;
  /** Keys of removed and aborted file sets: agents that still have them delete them. What is in neither they keep. */
  readonly removed: Set<string>;
  readonly publishes: Map<string, Publish>;
  readonly plans: Plans;
  readonly failures: ComponentFailures;
  /** By id. */
  readonly probes: Map<number, Probe>;
  /** By id. */
  readonly challenges: Map<number, Challenge>;
  /** Runs that wait for bandwidth for their next challenge. */
  readonly waitingRuns: Set<ChallengeRun>;
  nextChallengeAtNanoseconds: number | undefined;
  readonly dueEchoes: DueEchoes;
  /** Nothing is scheduled before: lanes from before a restart may still run. */
  recoveringUntilNanoseconds: number | undefined;
  readonly awaitedAgents: Set<string>;
}

/** Makes an agent's row durable. */
export function storeAgent(state: ControllerState, agent: Agent): void {
  state.out.store(putRow("agents", agent.row.agentId, agent.row));
}

export function storeFileSet(state: ControllerState, fileSet: FileSet): void {
  state.out.store(putRow("fileSets", fileSet.key, fileSet.row));
}

export function dateMilliseconds(state: ControllerState): number {
  return Math.max(0, Math.floor(state.epochMilliseconds + state.now / 1_000_000));
}

/** File sets of a name, in the order in which they were published. */
export function versionsOf(state: ControllerState, name: string): FileSet[] {
  return [...state.fileSets.values()]
    .filter((fileSet) => fileSet.row.name === name)
    .sort((a, b) => a.row.sequence - b.row.sequence);
}
