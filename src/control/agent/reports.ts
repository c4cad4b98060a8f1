/**
 * What the controller is told, and when. Changes are gathered for the report time and sent as one message, at once when
 * they are urgent, and an empty message goes out as a heartbeat. Nothing is gathered while the channel is down: after a
 * welcome the whole state is sent.
 */
import { RangeSet } from "../../std/ranges.ts";
import type { FileSetState, LaneReport, Reached, StateMessage } from "../../protocol/agent-messages.ts";
import type { Failure, FileSetKey } from "../../protocol/parts.ts";
import type { AgentContext } from "./context.ts";
import type { FileSetSummary } from "./file-set-record.ts";
import { reachedPerReport } from "./limits.ts";
import { packStates } from "./report-packing.ts";

/** What changed in one file set since the last message. A block is never in both `content` and `lost`. */
interface Change {
  readonly manifest: RangeSet;
  readonly content: RangeSet;
  readonly lost: RangeSet;
}

/** Looks up how things stand at the moment of sending. */
export interface ReportSource {
  /** How a file set stands; undefined when there is none (any more). */
  stateOf(fileSet: FileSetKey): FileSetSummary | undefined;
  /** The report of a running lane; undefined when it has ended. */
  laneReport(laneId: number): LaneReport | undefined;
}

/** Everything, for a state that is whole. */
export interface WholeState {
  readonly fileSets: readonly FileSetState[];
  readonly current: readonly { name: string; version: string | null }[];
  readonly lanes: readonly LaneReport[];
  readonly failures: readonly Failure[];
}

export class Reports {
  readonly #context: AgentContext;
  readonly #changes = new Map<FileSetKey, Change>();
  readonly #deleted = new Set<FileSetKey>();
  readonly #current = new Map<string, string | null>();
  readonly #lanes = new Set<number>();
  #ended: LaneReport[] = [];
  #failures: Failure[] = [];
  #reached: Reached[] = [];
  #online = false;
  #sentAtNanoseconds = 0;
  #dueAtNanoseconds: number | undefined;
  #freeDiskBytes: number | undefined;

  constructor(context: AgentContext) {
    this.#context = context;
  }

  addPieces(fileSet: FileSetKey, start: number, end: number): void {
    if (!this.#online) return;
    this.#change(fileSet).manifest.add(start, end);
  }

  addBlocks(fileSet: FileSetKey, start: number, end: number): void {
    if (!this.#online) return;
    const change = this.#change(fileSet);
    change.content.add(start, end);
    change.lost.remove(start, end);
  }

  loseBlocks(fileSet: FileSetKey, blocks: RangeSet): void {
    if (!this.#online) return;
    const change = this.#change(fileSet);
    change.lost.addAll(blocks);
    change.content.removeAll(blocks);
    this.urgent();
  }

  /** Something of a file set is another that can wait, such as its root. */
  touched(fileSet: FileSetKey): void {
    if (this.#online) this.#change(fileSet);
  }

  /** The status of a file set is another. */
  changed(fileSet: FileSetKey): void {
    if (!this.#online) return;
    this.#change(fileSet);
    this.urgent();
  }

  deleted(fileSet: FileSetKey): void {
    if (!this.#online) return;
    this.#changes.delete(fileSet);
    this.#deleted.add(fileSet);
    this.urgent();
  }

  currentMoved(name: string, version: string | null): void {
    if (!this.#online) return;
    this.#current.set(name, version);
    this.urgent();
  }

  laneMoved(laneId: number): void {
    if (!this.#online) return;
    this.#lanes.add(laneId);
    this.#gather();
  }

  laneEnded(report: LaneReport): void {
    if (!this.#online) return;
    this.#lanes.delete(report.laneId);
    this.#ended.push(report);
    this.urgent();
  }

  failed(failure: Failure): void {
    if (!this.#online) return;
    this.#failures.push(failure);
    this.urgent();
  }

  /** Another agent was reached. */
  reached(agentId: string, roundTripNanoseconds: number): void {
    if (!this.#online || this.#reached.length >= reachedPerReport) return;
    this.#reached.push({ agentId, roundTripNanoseconds });
    this.#gather();
  }

  freeDisk(bytes: number): void {
    this.#freeDiskBytes = bytes;
  }

  /** What is gathered goes out at the end of this step. */
  urgent(): void {
    if (this.#online) this.#dueAtNanoseconds = this.#context.nowNanoseconds;
  }

  /** The channel is down. */
  stop(): void {
    this.#online = false;
    this.#clear();
  }

  /** The controller has welcomed this agent: sends everything, and gathers from now on. */
  sendWhole(state: WholeState): void {
    this.#online = true;
    this.#clear();
    this.#send(packStates({ whole: true, deleted: [], ...state, ...this.#disk() }));
  }

  /** Sends what is due. */
  flush(source: ReportSource): void {
    const wakeAt = this.wakeAtNanoseconds;
    if (wakeAt === undefined || wakeAt > this.#context.nowNanoseconds) return;
    const fileSets: FileSetState[] = [];
    for (const [fileSet, change] of this.#changes) {
      const state = source.stateOf(fileSet);
      if (state === undefined) continue;
      fileSets.push({
        fileSet,
        ...state,
        manifest: change.manifest.toFlat(),
        content: change.content.toFlat(),
        lost: change.lost.toFlat(),
      });
    }
    const lanes: LaneReport[] = [];
    for (const laneId of this.#lanes) {
      const report = source.laneReport(laneId);
      if (report !== undefined) lanes.push(report);
    }
    lanes.push(...this.#ended);
    const messages = packStates({
      whole: false,
      fileSets,
      deleted: [...this.#deleted],
      current: [...this.#current].map(([name, version]) => ({ name, version })),
      lanes,
      failures: this.#failures,
      ...this.#disk(),
      ...(this.#reached.length === 0 ? {} : { reached: this.#reached }),
    });
    this.#clear();
    this.#send(messages);
  }

  /** When something is to be sent next. */
  get wakeAtNanoseconds(): number | undefined {
    if (!this.#online) return undefined;
    const heartbeatAt = this.#sentAtNanoseconds + this.#context.settings.heartbeatNanoseconds;
    return Math.min(heartbeatAt, this.#dueAtNanoseconds ?? heartbeatAt);
  }

  #change(fileSet: FileSetKey): Change {
    this.#gather();
    let change = this.#changes.get(fileSet);
    if (change === undefined) {
      change = { manifest: new RangeSet(), content: new RangeSet(), lost: new RangeSet() };
      this.#changes.set(fileSet, change);
    }
    return change;
  }

  #gather(): void {
    this.#dueAtNanoseconds ??= this.#context.nowNanoseconds + this.#context.settings.reportNanoseconds;
  }

  #disk(): { freeDiskBytes?: number } {
    return this.#freeDiskBytes === undefined ? {} : { freeDiskBytes: this.#freeDiskBytes };
  }

  #send(messages: readonly StateMessage[]): void {
    for (const message of messages) this.#context.order({ type: "send", message });
    this.#sentAtNanoseconds = this.#context.nowNanoseconds;
  }

  #clear(): void {
    // Mostly there is little in them: what is empty is left as it is.
    if (this.#changes.size > 0) this.#changes.clear();
    if (this.#deleted.size > 0) this.#deleted.clear();
    if (this.#current.size > 0) this.#current.clear();
    if (this.#lanes.size > 0) this.#lanes.clear();
    if (this.#ended.length > 0) this.#ended = [];
    if (this.#failures.length > 0) this.#failures = [];
    if (this.#reached.length > 0) this.#reached = [];
    this.#dueAtNanoseconds = undefined;
  }
}
