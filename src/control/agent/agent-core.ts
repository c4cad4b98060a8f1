/**
 * The agent's thinking: a state machine that hears events with the time and answers with one batch of output. It knows no
 * clock, no disk and no network; the program and the simulator drive this same code.
 *
 * It promises: whatever a controller, a manifest or a disk does, `handle` returns; a block is reported as held only after
 * the world said that it is verified and written; a controller of an earlier term is not obeyed; and what it must
 * remember is in the document of the output before anything that rests on it is ordered.
 */
import type { Manifest } from "../../model/manifest.ts";
import type { ControllerMessage, Welcome } from "../../protocol/controller-messages.ts";
import type { BlockOrderName, FailureKind, FileSetKey } from "../../protocol/parts.ts";
import { ticketCodec, type Ticket } from "../../protocol/ticket.ts";
import { protocolMismatch, protocolVersion } from "../../protocol/version.ts";
import { RangeSet } from "../../std/ranges.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import { Activation } from "./activation.ts";
import type { AgentDocument } from "./agent-document.ts";
import type { AgentEvent, AgentOutput } from "./agent-events.ts";
import { blameForKind } from "./blame.ts";
import { Checks } from "./checks.ts";
import { AgentContext } from "./context.ts";
import type { AgentCoreIdentity, AgentCorePorts } from "./context.ts";
import { Failures } from "./failures.ts";
import { manifestOf, stateOf } from "./file-set-record.ts";
import { finished, lostBlocks, prepared, storedBlocks, storeFailed } from "./file-set-steps.ts";
import type { StepWorld } from "./file-set-steps.ts";
import { FileSets } from "./file-sets.ts";
import { Instructions } from "./instructions.ts";
import { Lanes } from "./lanes.ts";
import { Reports, type ReportSource } from "./reports.ts";
import { StallWatch } from "./stall-watch.ts";
import type { TicketDecision } from "./tickets.ts";
import { judgeTicket } from "./tickets.ts";
import { Versions } from "./versions.ts";
import type { AgentCoreView, Connection } from "./view.ts";

export interface AgentCoreOptions {
  readonly identity: AgentCoreIdentity;
  readonly ports: AgentCorePorts;
  /** How many versions of a file set this agent keeps; left out: what the controller says. */
  readonly keepVersions?: number;
}

export class AgentCore {
  readonly #ownKeepVersions: number | undefined;
  readonly #context: AgentContext;
  readonly #reports: Reports;
  readonly #failures: Failures;
  readonly #fileSets: FileSets;
  readonly #activation: Activation;
  readonly #versions: Versions;
  readonly #lanes: Lanes;
  readonly #stalls: StallWatch;
  readonly #checks: Checks;
  readonly #instructions: Instructions;
  readonly #world: StepWorld;
  readonly #reportSource: ReportSource = {
    stateOf: (fileSet) => {
      const record = this.#fileSets.get(fileSet);
      return record === undefined ? undefined : stateOf(record);
    },
    laneReport: (laneId) => this.#lanes.report(laneId),
  };
  #connection: Connection = "offline";
  #term = 0;

  constructor(options: AgentCoreOptions) {
    this.#ownKeepVersions = options.keepVersions;
    this.#context = new AgentContext(options.identity, options.ports);
    this.#reports = new Reports(this.#context);
    this.#failures = new Failures(this.#context, this.#reports);
    this.#world = {
      context: this.#context,
      reports: this.#reports,
      withdraw: (fileSet) => this.#lanes.withdraw(fileSet),
      diskFailed: (fileSet, problem) => this.#blame("disk", "", problem, fileSet),
      heldChanged: (name) => this.#activation.settle(name),
    };
    this.#fileSets = new FileSets(this.#world);
    this.#lanes = new Lanes(this.#context, this.#reports, (fileSet, order, start, end) =>
      this.#blockBytes(fileSet, order, start, end),
    );
    this.#stalls = new StallWatch(this.#context, this.#lanes);
    this.#checks = new Checks(this.#context);
    this.#instructions = new Instructions(this.#context, this.#fileSets, this.#lanes, this.#reports);
    this.#activation = new Activation(
      this.#context,
      this.#reports,
      (name, version) => this.#fileSets.get(`${name}@${version}`)?.phase.status === "held",
    );
    this.#versions = new Versions(this.#context, this.#fileSets, this.#activation);
  }

  /** Takes one event. @param nowNanoseconds never less than at the event before */
  handle(event: AgentEvent, nowNanoseconds: number): AgentOutput {
    this.#context.nowNanoseconds = nowNanoseconds;
    this.#take(event);
    this.#fileSets.retryDue();
    this.#activation.retryDue();
    for (const verdict of this.#stalls.check()) {
      this.#failures.add(verdict, "stalled", verdict.detail, verdict.fileSet);
    }
    this.#reports.flush(this.#reportSource);
    const document = this.#context.documentChanged ? this.#document() : undefined;
    this.#context.documentChanged = false;
    return { document, commands: this.#context.takeCommands(), wakeAtNanoseconds: this.#wakeAt() };
  }

  /** Whether a ticket lets `peerId` do one of `uses` here; a pure check. */
  authorize(
    ticketText: string,
    peerId: string,
    uses: readonly Ticket["use"][] = ["fetch", "probe", "handOver"],
  ): TicketDecision {
    const { tickets = ticketCodec } = this.#context.ports;
    return judgeTicket(ticketText, peerId, this.#context.identity.agentId, this.#term, uses, tickets);
  }

  /** Whether a block can be served: now, once it has come, or not. */
  holding(fileSet: FileSetKey, order: BlockOrderName, block: number): "held" | "coming" | "absent" {
    return this.#fileSets.holding(fileSet, order, block);
  }

  /** The manifest of a file set as far as it is decoded. */
  manifest(fileSet: FileSetKey): Manifest | undefined {
    return this.#fileSets.manifest(fileSet);
  }

  /** What pieces of a file set's manifest are verified against: the current summary. */
  manifestSummary(fileSet: FileSetKey) {
    const record = this.#fileSets.get(fileSet);
    return record === undefined || record.phase.status === "deleting" ? undefined : record.intake.summary;
  }

  /** The bytes of a manifest's piece that is held and not on the disk, since one before it is missing. */
  loosePiece(fileSet: FileSetKey, piece: number): Uint8Array | undefined {
    return this.#fileSets.get(fileSet)?.intake.loosePiece(piece);
  }

  /** Whether blocks of a file set can be written: its manifest is there, and what was stored before has been seen. */
  takesBlocks(fileSet: FileSetKey): boolean {
    const status = this.#fileSets.get(fileSet)?.phase.status;
    return status === "fetching" || status === "finishing" || status === "held";
  }

  view(): AgentCoreView {
    const fileSets = [...this.#fileSets.all()].map((record) => {
      const { phase } = record;
      const problem = phase.status === "stalled" ? { problem: phase.problem } : {};
      const blocks = manifestOf(record)?.blockCount;
      return { fileSet: record.fileSet, status: phase.status, heldBlocks: record.held.count, blocks, ...problem };
    });
    return { connection: this.#connection, term: this.#term, lanes: this.#lanes.count, fileSets };
  }

  #take(event: AgentEvent): void {
    switch (event.type) {
      case "started":
        return this.#start(event);
      case "connected":
        return this.#connect();
      case "disconnected":
        return this.#disconnected();
      case "message":
        return this.#hear(event.message);
      case "received":
        for (const lane of event.lanes) this.#lanes.received(lane.laneId, lane.receivedBytes, lane.waiting === true);
        return;
      case "reached":
        return this.#reached(event.laneId, event.roundTripNanoseconds);
      case "laneFailed":
        return this.#laneFailed(event.laneId, event.kind, event.detail);
      case "probed":
        return this.#checks.probed(event.probeId, event.failure);
      case "challengeRead":
        return this.#checks.challengeRead(event.challengeId, event.bytes, event.end);
      case "disk":
        return this.#reports.freeDisk(event.freeBytes);
      case "activated":
        this.#activation.activated(event.name, event.version);
        return this.#versions.retain(event.name);
      case "activateFailed":
        this.#activation.failed(event.name, event.problem);
        return this.#versions.retain(event.name);
      case "deleted":
        return this.#fileSets.deleted(event.fileSet);
      case "timer":
        return;
      default:
        return this.#takeOfFileSet(event);
    }
  }

  #reached(laneId: number, roundTripNanoseconds: number): void {
    const lane = this.#lanes.get(laneId);
    if (lane !== undefined) this.#reports.reached(lane.open.holderId, roundTripNanoseconds);
  }

  #takeOfFileSet(event: Extract<AgentEvent, { type: "stored" | "prepared" | "finished" | "storeFailed" | "damaged" }>) {
    const record = this.#fileSets.get(event.fileSet);
    if (record === undefined) return;
    switch (event.type) {
      case "stored":
        return this.#stored(event);
      case "prepared":
        return prepared(this.#world, record, event.held);
      case "finished":
        return finished(this.#world, record);
      case "storeFailed":
        return storeFailed(this.#world, record, event.problem);
      case "damaged":
        this.#context.note("warn", `${event.fileSet}: ${String(event.ranges.count)} blocks are damaged`, event.fileSet);
        return lostBlocks(this.#world, record, event.ranges);
    }
  }

  #start(event: Extract<AgentEvent, { type: "started" }>): void {
    const { document } = event;
    if (document !== undefined) {
      this.#term = document.term;
      const keepVersions = this.#ownKeepVersions ?? document.keepVersions;
      this.#context.settings = { ...this.#context.settings, keepVersions };
      this.#failures.restore(document.failures, document.nextFailureId);
    }
    this.#activation.restore(document?.active ?? [], event.current);
    this.#fileSets.start(document?.fileSets, event.stored);
  }

  #connect(): void {
    this.#connection = "greeting";
    const { agentId, name, site, labels, address, programVersion } = this.#context.identity;
    this.#context.order({
      type: "send",
      message: {
        type: "hello",
        protocol: protocolVersion,
        agentId,
        name,
        site,
        labels: { ...labels },
        address,
        term: this.#term,
        programVersion,
      },
    });
  }

  /** Lanes run on: what they bring is told after the next welcome. */
  #disconnected(): void {
    this.#connection = "offline";
    this.#reports.stop();
    this.#checks.forget();
  }

  #hear(message: ControllerMessage): void {
    if (this.#connection === "offline") return;
    if (message.type === "refused") {
      this.#connection = "offline";
      const reason = `the controller refuses this agent: ${message.reason}`;
      this.#context.order({ type: "disconnect", reason, retry: message.retry });
      return;
    }
    if (message.term < this.#term) {
      const reason = `the controller is of term ${String(message.term)}, and this agent obeys ${String(this.#term)} already`;
      this.#connection = "offline";
      this.#reports.stop();
      this.#context.order({ type: "disconnect", reason, retry: true });
      return;
    }
    if (message.term > this.#term) {
      this.#term = message.term;
      this.#context.documentChanged = true;
    }
    if (message.type === "welcome") this.#welcomed(message);
    else if (this.#connection === "welcomed") this.#obey(message);
  }

  #welcomed({ protocol, settings }: Welcome): void {
    const mismatch = protocolMismatch(protocol, "the controller");
    if (mismatch !== undefined) {
      this.#connection = "offline";
      this.#context.order({ type: "disconnect", reason: mismatch, retry: false });
      return;
    }
    this.#connection = "welcomed";
    const keepVersions = this.#ownKeepVersions ?? settings.keepVersions;
    if (keepVersions !== this.#context.settings.keepVersions) this.#context.documentChanged = true;
    this.#context.settings = {
      heartbeatNanoseconds: settings.heartbeatMilliseconds * nanosecondsPerMillisecond,
      reportNanoseconds: settings.reportMilliseconds * nanosecondsPerMillisecond,
      stallNanoseconds: settings.stallMilliseconds * nanosecondsPerMillisecond,
      keepVersions,
    };
    this.#versions.retainAll();
    this.#lanes.closeForgotten(this.#term);
    this.#reports.sendWhole({
      fileSets: this.#fileSets.states(),
      current: this.#activation.whole(),
      lanes: this.#lanes.reports(),
      failures: this.#failures.waiting,
    });
  }

  #obey(message: Exclude<ControllerMessage, { type: "refused" | "welcome" }>): void {
    switch (message.type) {
      case "assign":
        return this.#fileSets.assign(message);
      case "unassign":
        return this.#versions.unassign(message.fileSet, message.delete);
      case "activate":
        this.#activation.want(message.name, message.version);
        // What was kept only because it was to become current is not any more.
        return this.#versions.retain(message.name);
      case "instruct":
        return this.#instructions.carryOut(message);
      case "acknowledge":
        return this.#failures.acknowledge(message.failureIds);
      case "probe":
        return this.#checks.probe(message);
      case "challenge":
        return this.#checks.challenge(
          message,
          this.#fileSets.holding(message.fileSet, "content", message.block) === "held",
        );
      case "discard":
        return this.#discard(message.fileSet, message.block);
      case "echo":
        return this.#context.order({ type: "send", message: { type: "echoed", echoId: message.echoId } });
    }
  }

  #discard(fileSet: FileSetKey, block: number): void {
    const record = this.#fileSets.get(fileSet);
    if (record?.held.has(block) !== true) return;
    this.#context.note("warn", `${fileSet}: the controller found block ${String(block)} damaged`, fileSet);
    this.#context.order({ type: "discard", fileSet, block });
    lostBlocks(this.#world, record, RangeSet.of(block, block + 1));
  }

  #stored(event: Extract<AgentEvent, { type: "stored" }>): void {
    const { fileSet, order, start, end, laneId, bytes } = event;
    const record = this.#fileSets.get(fileSet);
    if (record === undefined) return;
    let isStale = false;
    if (order === "content") storedBlocks(this.#world, record, start, end);
    else if (bytes !== undefined) isStale = this.#fileSets.storedPiece(fileSet, start, bytes) !== "taken";
    if (laneId === undefined) return;
    this.#lanes.settle(laneId, fileSet, order, start, end);
    // A piece that was outgrown is to be given anew, and the end of its lane says so.
    if (isStale) this.#lanes.close(laneId);
    else this.#lanes.closeForgotten(this.#term);
  }

  #laneFailed(laneId: number, kind: FailureKind, detail: string): void {
    const lane = this.#lanes.fail(laneId, true);
    if (lane === undefined) return;
    if (kind === "stalled") this.#stalls.add(lane, detail);
    else this.#blame(kind, lane.open.holderName, detail, lane.due[0]?.fileSet);
  }

  #blame(
    kind: Exclude<FailureKind, "stalled">,
    sourceName: string,
    detail: string,
    fileSet: FileSetKey | undefined,
  ): void {
    this.#failures.add(blameForKind(kind, sourceName, this.#context.identity.name), kind, detail, fileSet);
  }

  #blockBytes(fileSet: FileSetKey, order: BlockOrderName, start: number, end: number): number {
    const record = this.#fileSets.get(fileSet);
    if (record === undefined) return 0;
    if (order === "manifest") return record.intake.bytesInPieces(start, end);
    return manifestOf(record)?.bytesInRange(start, end) ?? 0;
  }

  #document(): AgentDocument {
    return {
      format: 1,
      term: this.#term,
      keepVersions: this.#context.settings.keepVersions,
      fileSets: this.#fileSets.documents(),
      active: this.#activation.document(),
      failures: [...this.#failures.waiting],
      nextFailureId: this.#failures.nextFailureId,
    };
  }

  #wakeAt(): number | undefined {
    const wakeAt = Math.min(
      this.#reports.wakeAtNanoseconds ?? Infinity,
      this.#stalls.wakeAtNanoseconds ?? Infinity,
      this.#fileSets.wakeAtNanoseconds ?? Infinity,
      this.#activation.wakeAtNanoseconds ?? Infinity,
    );
    return wakeAt === Infinity ? undefined : wakeAt;
  }
}
