/** A running agent: hands what the state machine orders to whoever can do it, and what they answer back to it. */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { AgentCore } from "../../control/agent/agent-core.ts";
import type { AgentCommand, AgentEvent } from "../../control/agent/agent-events.ts";
import { pieceCount, pieceRange } from "../../model/manifest-root.ts";
import type { Accepting } from "../../platform/accept.ts";
import type { StoreContents } from "../../platform/agent-store/agent-store.ts";
import { monotonicNanoseconds } from "../../platform/clock.ts";
import { hash } from "../../platform/hashing.ts";
import { receivePoolBytes } from "../../platform/streams/limits.ts";
import { probeBlock } from "../../platform/streams/probe.ts";
import { PullClient } from "../../platform/streams/pull-client.ts";
import { SlotPool } from "../../platform/streams/slot-pool.ts";
import { StreamServer } from "../../platform/streams/stream-server.ts";
import type { BlockRun } from "../../platform/streams/types.ts";
import type { BlockOrderName, FileSetKey } from "../../protocol/parts.ts";
import { nanosecondsPerMillisecond } from "../../std/units.ts";
import { AgentMetrics } from "./agent-metrics.ts";
import { AgentLoop } from "./agent-loop.ts";
import { BlockIntake, isBlock } from "./block-intake.ts";
import { ChallengeReader } from "./challenge-reader.ts";
import { ControllerLink } from "./controller-link.ts";
import { DiskGuard } from "./disk-guard.ts";
import { diskIntervalMilliseconds, stopTimeoutMilliseconds } from "./limits.ts";
import type { AgentProgramOptions, RunningAgent } from "./run-agent.ts";
import { readPieces } from "./read-pieces.ts";
import { problemOf, StoreWork } from "./store-work.ts";

export class AgentProgram implements RunningAgent {
  readonly stopped: Promise<void>;
  readonly #options: AgentProgramOptions;
  readonly #core: AgentCore;
  readonly #accepting: Accepting;
  readonly #loop: AgentLoop;
  readonly #metrics: AgentMetrics;
  readonly #guard: DiskGuard;
  readonly #storeWork: StoreWork;
  readonly #challenges: ChallengeReader;
  readonly #puller: PullClient;
  readonly #server: StreamServer;
  #link: ControllerLink | undefined;
  #diskTimer: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;
  #resolveStopped: () => void = () => undefined;
  #rejectStopped: (error: unknown) => void = () => undefined;

  constructor(options: AgentProgramOptions, core: AgentCore, accepting: Accepting) {
    this.#options = options;
    this.#core = core;
    this.#accepting = accepting;
    this.#metrics = new AgentMetrics(options.site);
    this.stopped = new Promise((resolve, reject) => {
      this.#resolveStopped = resolve;
      this.#rejectStopped = reject;
    });
    // Whoever wants to know waits for it; nobody has to.
    this.stopped.catch(() => undefined);
    const { store, logger } = options;
    this.#loop = new AgentLoop({
      machine: {
        handle: (event, nowNanoseconds) => {
          this.#metrics.event(event);
          return core.handle(event, nowNanoseconds);
        },
      },
      nowNanoseconds: monotonicNanoseconds,
      saveDocument: (document) => store.saveDocument(document),
      carryOut: (command) => this.#carryOut(command),
      onPressure: (isHigh) => this.#link?.setPaused(isHigh),
      onFatal: (error) => this.#fail(error),
      logger,
    });
    this.#guard = new DiskGuard(
      () => store.freeDiskBytes(),
      options.keepFreeBytes,
      () => performance.now(),
    );
    this.#storeWork = new StoreWork(store, this.#guard, (event) => this.#submit(event));
    this.#challenges = new ChallengeReader(
      store,
      (fileSet) => core.manifest(fileSet),
      (event) => this.#submit(event),
    );
    const pool = new SlotPool(receivePoolBytes);
    this.#puller = this.#makePuller(pool);
    this.#server = this.#makeServer(pool);
  }

  get url(): string {
    return this.#accepting.url;
  }

  /** Lets the state machine have what the disk holds, then looks for the controller. */
  begin(contents: StoreContents): void {
    const { store, controllerUrl, logger } = this.#options;
    store.onDamaged((fileSet, ranges) => this.#submit({ type: "damaged", fileSet, ranges }));
    store.onRecovered((fileSet, blocks) => {
      blocks.forEach((start, end) => this.#stored({ fileSet, order: "content", start, end }, undefined, undefined));
    });
    store.onProblem((fileSet, problem) => {
      logger.error(fileSet === undefined ? problem : `${fileSet}: ${problem}`);
      if (fileSet !== undefined) this.#submit({ type: "storeFailed", fileSet, problem });
    });
    this.#submit({ type: "started", ...contents });
    this.#lookAtDisk();
    this.#diskTimer = setInterval(() => this.#lookAtDisk(), diskIntervalMilliseconds);
    this.#link = new ControllerLink({
      url: controllerUrl,
      submit: (event) => this.#submit(event),
      onRefused: (error) => this.#fail(error),
      logger,
    });
  }

  upgrade(request: IncomingMessage, socket: Socket, head: Uint8Array): void {
    this.#server.upgrade(request, socket, head);
  }

  /** Whether the controller has welcomed this agent. */
  get isReady(): boolean {
    return this.#core.view().connection === "welcomed";
  }

  /** The agent's metrics, as Prometheus reads them. */
  async metrics(): Promise<{ contentType: string; text: string }> {
    const { name, site, store } = this.#options;
    const { agentId } = store.identity;
    return this.#metrics.collect({ view: this.#core.view(), agentId, name, site, peers: this.#server.connectionCount });
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    clearInterval(this.#diskTimer);
    this.#challenges.stop();
    await this.#link?.close();
    this.#puller.close();
    this.#server.close();
    await this.#accepting.close();
    await this.#loop.stop();
    await within(this.#storeWork.idle(), stopTimeoutMilliseconds);
    try {
      await this.#options.store.close();
    } catch (error) {
      this.#rejectStopped(error);
      return;
    }
    this.#options.logger.info("agent stopped");
    this.#resolveStopped();
  }

  #fail(error: unknown): void {
    this.#rejectStopped(error);
    void this.stop();
  }

  #submit(event: AgentEvent): void {
    if (event.type === "stored") {
      const { fileSet, order, start, end } = event;
      this.#loop.submit(event, () => this.#server.notifyStored(fileSet, order, start, end));
    } else if (event.type === "prepared" || (event.type === "message" && event.message.type === "assign")) {
      this.#loop.submit(event, () => this.#server.notifyAssigned());
    } else this.#loop.submit(event);
  }

  #stored(run: BlockRun, laneId: number | undefined, bytes: Uint8Array | undefined): void {
    this.#submit({ type: "stored", ...run, laneId, ...(bytes === undefined ? {} : { bytes }) });
  }

  #carryOut(command: AgentCommand): void {
    this.#metrics.command(command);
    switch (command.type) {
      case "send":
        return this.#link?.send(command.message);
      case "disconnect":
        return this.#link?.disconnect(command.reason, command.retry);
      case "openLane":
        return this.#puller.openLane(command.lane);
      case "pull":
        return this.#puller.pull(command.laneId, command);
      case "setRate":
        return this.#puller.setRate(command.laneId, command.rateBitsPerSecond, command.ticket);
      case "closeLane":
        return this.#puller.closeLane(command.laneId);
      case "probe":
        return void this.#probe(command);
      case "readChallenge":
        return this.#challenges.read(command);
      case "note":
        return this.#options.logger[command.level](
          command.fileSet === undefined ? {} : { fileSet: command.fileSet },
          command.text,
        );
      default:
        return this.#storeWork.carryOut(command);
    }
  }

  async #probe(command: Extract<AgentCommand, { type: "probe" }>): Promise<void> {
    const { probeId, lane, ticket, fileSet, block, lengthBytes, checksum, timeoutNanoseconds } = command;
    const failure = await probeBlock({
      peerId: this.#options.store.identity.agentId,
      laneId: lane.laneId,
      address: lane.address,
      rateBitsPerSecond: lane.rateBitsPerSecond,
      ticket,
      fileSet,
      order: "content",
      block,
      lengthBytes,
      verify: (bytes) => isBlock(hash, checksum, bytes),
      timeoutMilliseconds: Math.ceil(timeoutNanoseconds / nanosecondsPerMillisecond),
    });
    this.#submit({ type: "probed", probeId, failure });
  }

  #lookAtDisk(): void {
    this.#guard.usableBytes().then(
      (freeBytes) => this.#submit({ type: "disk", freeBytes }),
      (error: unknown) => this.#options.logger.warn(`the free disk space is not known: ${problemOf(error)}`),
    );
  }

  #makePuller(pool: SlotPool): PullClient {
    const intake = this.#intake();
    return new PullClient({
      peerId: this.#options.store.identity.agentId,
      pool,
      blockLengthBytes: (fileSet, order, block) => this.#blockLengthBytes(fileSet, order, block),
      writeBlocks: async (run, bytes) => {
        const startedAt = performance.now();
        const outcome = await intake.writeBlocks(run, bytes);
        this.#metrics.written((performance.now() - startedAt) / 1_000);
        return outcome;
      },
      stored: (laneId, run, bytes) => {
        const manifest = run.order === "content" ? this.#core.manifest(run.fileSet) : undefined;
        this.#metrics.received(laneId, bytes?.length ?? manifest?.bytesInRange(run.start, run.end) ?? 0);
        this.#stored(run, laneId, bytes);
      },
      received: (lanes) => this.#submit({ type: "received", lanes }),
      reached: (laneId, roundTripNanoseconds) => this.#submit({ type: "reached", laneId, roundTripNanoseconds }),
      laneFailed: (laneId, kind, detail) => this.#submit({ type: "laneFailed", laneId, kind, detail }),
      log: (line) => this.#options.logger.info(line),
    });
  }

  #makeServer(receivePool: SlotPool): StreamServer {
    const core = this.#core;
    const intake = this.#intake();
    return new StreamServer({
      receivePool,
      authorize: (ticketText, peerId) => {
        const decision = core.authorize(ticketText, peerId);
        if (!decision.ok) return { accepted: false, reason: decision.reason };
        this.#metrics.served(decision.ticket);
        return { accepted: true, ticket: decision.ticket };
      },
      holding: (fileSet, order, block) => core.holding(fileSet, order, block),
      blockLengthBytes: (fileSet, order, block) => this.#blockLengthBytes(fileSet, order, block),
      readBlocks: (run, offsetBytes, into) => this.#readBlocks(run, offsetBytes, into),
      sent: (laneId, lengthBytes) => this.#metrics.sent(laneId, lengthBytes),
      acceptPushed: async (batch) => {
        const lengthBytes = batch.bytes.length;
        const outcome = await intake.acceptPushed(batch);
        if (outcome.type === "taken") this.#metrics.handedOver(lengthBytes);
        return outcome;
      },
      flush: (fileSet) => this.#options.store.flush(fileSet),
      log: (line) => this.#options.logger.info(line),
    });
  }

  #intake(): BlockIntake {
    const { store } = this.#options;
    return new BlockIntake({
      machine: this.#core,
      store,
      guard: this.#guard,
      hash,
      submit: (event) => this.#submit(event),
    });
  }

  async #readBlocks(run: BlockRun, offsetBytes: number, into: Uint8Array): Promise<"read" | "changed" | "absent"> {
    const { store } = this.#options;
    const { fileSet, order, start, end } = run;
    if (order === "content") {
      store.noteServing();
      return store.readBlocks(fileSet, start, end, into);
    }
    const summary = this.#core.manifestSummary(fileSet);
    if (summary === undefined) return "absent";
    const from = start * summary.pieceBytes + offsetBytes;
    await readPieces(from, into, summary.pieceBytes, {
      loosePiece: (piece) => this.#core.loosePiece(fileSet, piece),
      readStored: async (offset, lengthBytes) => {
        // What is held may still be on its way to the disk.
        await this.#storeWork.settled(fileSet);
        return store.readManifest(fileSet, offset, lengthBytes);
      },
    });
    return "read";
  }

  #blockLengthBytes(fileSet: FileSetKey, order: BlockOrderName, block: number): number | undefined {
    if (order === "content") {
      const manifest = this.#core.manifest(fileSet);
      return manifest === undefined || block >= manifest.blockCount ? undefined : manifest.blockLengthBytes(block);
    }
    const summary = this.#core.manifestSummary(fileSet);
    if (summary === undefined || block >= pieceCount(summary)) return undefined;
    const { start, end } = pieceRange(summary, block);
    return end - start;
  }
}

/** Resolves when the work is done, or after this time. */
async function within(work: Promise<void>, timeoutMilliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMilliseconds);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}
