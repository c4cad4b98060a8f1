/**
 * The publisher's protocol logic: takes a publish from the first word with the controller to its commit, over broken
 * connections and restarts of the controller.
 *
 * It promises: exactly one `finish`, and nothing after it; a commit is asked for only when every receiver has said that
 * what it was handed is durable; the manifest is sent from where the controller says it has it; lanes of an earlier
 * connection are closed before a new one's instructions are obeyed; an abort is sent when the publish is stopped here.
 * Pure: what is read, hashed and handed over is the world's business.
 */
import { UserError } from "../../std/errors.ts";
import { protocolVersion } from "../../protocol/version.ts";
import type { Instruct } from "../../protocol/controller-messages.ts";
import type { ControllerToPublisher, Rejected } from "../../protocol/publisher-messages.ts";
import { maximumTextLength, messagePayloadBytes } from "../../protocol/limits.ts";
import { HandOverReport } from "./hand-over-report.ts";
import { ManifestLog } from "./manifest-log.ts";
import {
  abortPatienceNanoseconds,
  beginAgainNanoseconds,
  defaultControllerPatienceNanoseconds,
  extensionPayloadBytes,
  runningPatienceNanoseconds,
  shortestHeartbeatNanoseconds,
} from "./limits.ts";
import type {
  FlushReceiver,
  PublisherCommand,
  PublisherEvent,
  PublisherOutput,
  PublishOutcome,
  PublishRequest,
} from "./publisher-events.ts";

/**
 * away: no connection, or none that counts. beginning: begin was sent. pausing: begin is to be sent again in a while.
 * running: accepted, blocks are handed over. flushing: receivers make them durable. committing: commit was sent.
 * aborting: stopped, the abort has not gone out yet. over: `finish` was given.
 */
type Phase = "away" | "beginning" | "pausing" | "running" | "flushing" | "committing" | "aborting" | "over";

/** Reasons to be turned away that pass by themselves while agents and publishers find a restarted controller again. */
const passingCodes: ReadonlySet<Rejected["code"]> = new Set([
  "agentOffline",
  "noTargets",
  "busy",
  "unknownAgent",
  "unknownPublish",
]);

export interface PublisherCoreOptions {
  /** How long the controller may take to accept the publish at first. */
  readonly patienceNanoseconds?: number;
  /** What agents hold cannot be read again: a publish that the controller has given up is lost. */
  readonly isReadOnce?: boolean;
}

type Lane = { handedBytes: number };

export class PublisherCore {
  readonly #request: PublishRequest;
  readonly #isReadOnce: boolean;
  readonly #log = new ManifestLog();
  readonly #lanes = new Map<number, Lane>();
  #phase: Phase = "away";
  #isConnected = false;
  #everAccepted = false;
  #someHeld = false;
  #term = 0;
  /** Ends and failures that the controller has not been told. */
  readonly #report: HandOverReport;
  #heartbeatNanoseconds = 0;
  #saidAt = 0;
  #againAt = 0;
  /** Of the newest flush; answers to earlier ones count for nothing. */
  #flushId = 0;
  /** Who is to flush as soon as the publish is accepted. */
  #receivers: readonly FlushReceiver[] | undefined;
  /** When patience with an absent controller ends. */
  #giveUpAt: number;
  #stopReason: string | undefined;
  #lastProblem = "it cannot be reached";
  #commands: PublisherCommand[] = [];

  /** @param nowNanoseconds when the controller is first tried */
  constructor(request: PublishRequest, nowNanoseconds: number, options: PublisherCoreOptions = {}) {
    this.#request = request;
    this.#isReadOnce = options.isReadOnce ?? false;
    this.#giveUpAt = nowNanoseconds + (options.patienceNanoseconds ?? defaultControllerPatienceNanoseconds);
    this.#report = new HandOverReport(request.publishId);
  }

  /** A piece of the manifest as it is now. */
  manifestPiece(index: number): Uint8Array {
    const { pieceBytes } = this.#request;
    return this.#log.view(index * pieceBytes, (index + 1) * pieceBytes);
  }

  /** For showing: where the publish stands. */
  view(): { readonly phase: Phase; readonly lanes: number; readonly manifestIsSent: boolean } {
    return { phase: this.#phase, lanes: this.#lanes.size, manifestIsSent: this.#log.isSent };
  }

  /** Takes one event and says what to do. Events after `finish` are ignored. */
  handle(event: PublisherEvent, nowNanoseconds: number): PublisherOutput {
    if (this.#phase !== "over") this.#take(event, nowNanoseconds);
    if (this.#phase !== "over") this.#checkTimes(nowNanoseconds);
    const commands = this.#commands;
    this.#commands = [];
    return { commands, wakeAtNanoseconds: this.#wakeAt() };
  }

  #take(event: PublisherEvent, now: number): void {
    switch (event.type) {
      case "connected":
        this.#isConnected = true;
        this.#lastProblem = "it does not answer";
        if (this.#phase === "aborting") this.#abort(now);
        else if (this.#phase !== "pausing") this.#begin(now);
        break;
      case "disconnected":
        this.#isConnected = false;
        this.#lastProblem = event.reason;
        if (this.#isAccepted()) this.#giveUpAt = now + runningPatienceNanoseconds;
        if (this.#phase !== "aborting" && this.#phase !== "pausing") this.#phase = "away";
        break;
      case "writable":
        if (this.#isAccepted()) this.#sendManifest(now);
        break;
      case "message":
        if (this.#phase !== "aborting") this.#hear(event.message, now);
        break;
      case "manifest":
        this.#manifest(event, now);
        break;
      case "handed":
        for (const { laneId, handedBytes } of event.lanes) this.#handed(laneId, handedBytes);
        this.#sendReport(now);
        break;
      case "laneFailed":
        this.#laneFailed(event, now);
        break;
      case "flushed":
        if (event.flushId === this.#flushId) this.#flushed(event.failures, now);
        break;
      case "stopped":
        this.#stop(event.reason, now);
        break;
      case "timer":
        break;
    }
  }

  #isAccepted(): boolean {
    return this.#phase === "running" || this.#phase === "flushing" || this.#phase === "committing";
  }

  #begin(now: number): void {
    // A publish of known content has its manifest before it begins; until then there is nothing to say.
    if (!this.#request.growing && this.#log.root === undefined) return;
    this.#phase = "beginning";
    this.#receivers = undefined;
    const { growing } = this.#request;
    const root = this.#log.root;
    this.#send(
      {
        type: "begin",
        protocol: protocolVersion,
        ...this.#request,
        ...(growing || root === undefined ? {} : { root, manifestBytes: this.#log.lengthBytes }),
      },
      now,
    );
  }

  #manifest(event: Extract<PublisherEvent, { type: "manifest" }>, now: number): void {
    const wasSent = this.#log.isSent;
    this.#log.append(event.bytes, event.root, event.blockCount, event.pieceCount);
    if (this.#isAccepted() && wasSent) this.#sendManifest(now);
    else if (this.#phase === "away" && this.#isConnected) this.#begin(now);
  }

  #sendManifest(now: number): void {
    const { publishId, growing } = this.#request;
    const payloadBytes = growing ? extensionPayloadBytes : messagePayloadBytes;
    for (const message of this.#log.takeMessages(publishId, payloadBytes)) this.#send(message, now);
    if (!this.#log.isSent) this.#commands.push({ type: "awaitWritable" });
  }

  #hear(message: ControllerToPublisher, now: number): void {
    // The answer to an earlier publish over the same connection cannot come; one for another publish is a fault.
    if ("publishId" in message && message.publishId !== this.#request.publishId) {
      this.#commands.push({ type: "reconnect", reason: "the controller speaks of another publish" });
      return;
    }
    switch (message.type) {
      case "accepted":
        this.#accepted(message, now);
        break;
      case "already":
        // After a commit whose answer was lost, this is the answer.
        this.#finish({ kind: this.#everAccepted ? "committed" : "already" });
        break;
      case "committed":
        this.#finish({ kind: "committed" });
        break;
      case "rejected":
        this.#rejected(message, now);
        break;
      case "held":
        this.#someHeld = true;
        if (message.order === "content") this.#commands.push({ type: "held", ranges: message.ranges });
        break;
      case "allHandedOver":
        // It may come just before the word that the publish is accepted.
        if (this.#phase === "beginning") this.#receivers = message.receivers;
        else if (this.#phase === "running") this.#flush(message.receivers);
        break;
      case "instruct":
        if (message.term >= this.#term && this.#isAccepted()) this.#instruct(message, now);
        break;
    }
  }

  #accepted(message: Extract<ControllerToPublisher, { type: "accepted" }>, now: number): void {
    if (this.#phase !== "beginning") return;
    this.#phase = "running";
    if (this.#isReadOnce && this.#someHeld && message.manifestBytes === 0) {
      this.#stop(
        "the controller gave this publish up while it was not connected, and a stream cannot be read again",
        now,
      );
      return;
    }
    this.#everAccepted = true;
    this.#term = message.term;
    this.#heartbeatNanoseconds = Math.max(shortestHeartbeatNanoseconds, message.heartbeatMilliseconds * 1_000_000);
    // The controller instructs anew after a break: what an earlier connection's lanes still have queued is dropped.
    for (const laneId of this.#lanes.keys()) this.#closeLane(laneId);
    try {
      this.#log.rewind(message.manifestBytes);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#stop(error.message, now);
      return;
    }
    this.#sendManifest(now);
    this.#sendReport(now);
    if (this.#receivers !== undefined) this.#flush(this.#receivers);
  }

  #flush(receivers: readonly FlushReceiver[]): void {
    this.#receivers = undefined;
    this.#phase = "flushing";
    this.#flushId += 1;
    this.#commands.push({ type: "flush", flushId: this.#flushId, receivers });
  }

  #rejected(message: Rejected, now: number): void {
    if (this.#isAccepted()) this.#giveUpAt = now + runningPatienceNanoseconds;
    if (this.#everAccepted && passingCodes.has(message.code) && now < this.#giveUpAt) {
      this.#lastProblem = message.reason;
      this.#phase = "pausing";
      this.#againAt = now + beginAgainNanoseconds;
      return;
    }
    this.#finish({ kind: "rejected", code: message.code, reason: message.reason });
  }

  #instruct(message: Instruct, now: number): void {
    for (const laneId of message.close) this.#closeLane(laneId);
    for (const lane of message.open) {
      if (this.#lanes.has(lane.laneId)) continue;
      this.#lanes.set(lane.laneId, { handedBytes: 0 });
      this.#commands.push({ type: "openLane", lane });
    }
    for (const { laneId, portions, ticket } of message.transfers) {
      if (!this.#lanes.has(laneId)) continue;
      // Something is missing after all: the flush under way is not the last one.
      if (this.#phase === "flushing") this.#phase = "running";
      const problem = this.#log.problemOf(portions, `${this.#request.name}@${this.#request.version}`);
      if (problem === undefined) {
        this.#commands.push({ type: "handOver", laneId, portions, ticket });
      } else {
        this.#report.failed(laneId, "notHeld", problem);
        this.#closeLane(laneId, "failed");
      }
    }
    for (const { laneId, rateBitsPerSecond, ticket } of message.rates) {
      if (this.#lanes.has(laneId)) this.#commands.push({ type: "setRate", laneId, rateBitsPerSecond, ticket });
    }
    this.#sendReport(now);
  }

  #closeLane(laneId: number, ended: "closed" | "failed" = "closed"): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined) return;
    this.#commands.push({ type: "closeLane", laneId });
    this.#laneEnded(laneId, lane.handedBytes, ended);
  }

  #handed(laneId: number, handedBytes: number): void {
    const lane = this.#lanes.get(laneId);
    if (lane === undefined || lane.handedBytes === handedBytes) return;
    lane.handedBytes = handedBytes;
    this.#report.progress(laneId, handedBytes);
  }

  #laneFailed(event: Extract<PublisherEvent, { type: "laneFailed" }>, now: number): void {
    const { laneId, handedBytes, kind, detail } = event;
    if (!this.#lanes.has(laneId)) return;
    this.#report.failed(laneId, kind, detail);
    this.#laneEnded(laneId, handedBytes, "failed");
    this.#sendReport(now);
  }

  #laneEnded(laneId: number, handedBytes: number, ended: "closed" | "failed"): void {
    this.#lanes.delete(laneId);
    this.#report.ended(laneId, handedBytes, ended);
  }

  #flushed(failures: Extract<PublisherEvent, { type: "flushed" }>["failures"], now: number): void {
    if (this.#phase !== "flushing") return;
    if (failures.length === 0) {
      this.#phase = "committing";
      this.#send({ type: "commit", publishId: this.#request.publishId }, now);
      return;
    }
    for (const { laneId, kind, detail } of failures) this.#report.failed(laneId, kind, detail);
    this.#sendReport(now);
    // Begun anew, the controller looks again at who holds what, and whom it has to ask.
    this.#phase = "pausing";
    this.#againAt = now + beginAgainNanoseconds;
    this.#giveUpAt = now + runningPatienceNanoseconds;
  }

  #stop(reason: string, now: number): void {
    if (this.#phase === "aborting") return;
    this.#stopReason = reason;
    const isKnown = this.#everAccepted || this.#phase === "beginning";
    if (!isKnown) {
      this.#finish({ kind: "stopped", reason });
      return;
    }
    this.#phase = "aborting";
    this.#giveUpAt = now + abortPatienceNanoseconds;
    if (this.#isConnected) this.#abort(now);
  }

  #abort(now: number): void {
    const reason = this.#stopReason ?? "stopped";
    this.#send({ type: "abort", publishId: this.#request.publishId, reason: reason.slice(0, maximumTextLength) }, now);
    this.#finish({ kind: "stopped", reason });
  }

  #checkTimes(now: number): void {
    if (this.#phase === "aborting") {
      if (now >= this.#giveUpAt) this.#finish({ kind: "stopped", reason: this.#stopReason ?? "stopped" });
      return;
    }
    if (this.#phase === "pausing" && now >= this.#againAt) {
      this.#phase = "away";
      if (this.#isConnected) this.#begin(now);
    }
    if (!this.#isAccepted() && now >= this.#giveUpAt) {
      this.#finish({ kind: "unreachable", reason: this.#lastProblem });
      return;
    }
    if (this.#isAccepted() && now >= this.#saidAt + this.#heartbeatNanoseconds) {
      this.#send({ type: "alive", publishId: this.#request.publishId }, now);
    }
  }

  #wakeAt(): number | undefined {
    if (this.#phase === "over") return undefined;
    if (this.#phase === "pausing") return Math.min(this.#againAt, this.#giveUpAt);
    return this.#isAccepted() ? this.#saidAt + this.#heartbeatNanoseconds : this.#giveUpAt;
  }

  #send(message: Extract<PublisherCommand, { type: "send" }>["message"], now: number): void {
    this.#saidAt = now;
    this.#commands.push({ type: "send", message });
  }

  #sendReport(now: number): void {
    const report = this.#isAccepted() ? this.#report.take() : undefined;
    if (report !== undefined) this.#send(report, now);
  }

  #finish(outcome: PublishOutcome): void {
    this.#phase = "over";
    for (const laneId of this.#lanes.keys()) this.#commands.push({ type: "closeLane", laneId });
    this.#lanes.clear();
    this.#commands.push({ type: "finish", outcome });
  }
}
