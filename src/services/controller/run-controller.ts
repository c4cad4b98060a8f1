/**
 * The controller's program: it wires the state machine to its store, its port and its clock, and adds no decision of its
 * own. See controller-loop.ts for the order in which things happen.
 */
import { mkdir } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type {
  ControllerCommand,
  ControllerEvent,
  ControllerOutput,
} from "../../control/controller/controller-events.ts";
import type { StoreChange, StorePort } from "../../control/store-port.ts";
import { accept, refuse } from "../../platform/accept.ts";
import type { Accepting } from "../../platform/accept.ts";
import type { HostAndPort } from "../../platform/address.ts";
import { monotonicNanoseconds } from "../../platform/clock.ts";
import { lockDirectory } from "../../platform/directory-lock.ts";
import type { DirectoryLock } from "../../platform/directory-lock.ts";
import type { Logger } from "../../platform/log.ts";
import { openSqliteStore } from "../../platform/store/sqlite-store.ts";
import { readTopologyFile, TopologyTextError } from "../../platform/yaml-topology.ts";
import type { Topology } from "../../model/topology.ts";
import { UserError } from "../../std/errors.ts";
import { createControllerApi, isForeignOrigin } from "./api/create-api.ts";
import { channelPaths, ControllerChannels } from "./channels.ts";
import type { ChannelRole } from "./channels.ts";
import { ControllerLoop } from "./controller-loop.ts";
import { EventHub } from "./event-hub.ts";
import type { ControllerMachine } from "./machine.ts";
import { ControllerMetrics } from "./metrics/controller-metrics.ts";
import { PendingRequests } from "./requests.ts";
import { raiseTerm } from "./term.ts";
import { initialTopology, topologyChange } from "./topology-source.ts";

/** The store's file in the data directory. */
const storeFileName = "controller.db";

export interface ControllerProgramOptions {
  readonly dataDirectory: string;
  readonly listen: HostAndPort;
  /** Read at the start and again at each `reloadTopology`. */
  readonly topologyFile?: string | undefined;
  readonly createMachine: () => ControllerMachine;
  readonly logger: Logger;
  /** The SQLite file of the data directory when not given. */
  readonly openStore?: (path: string) => Promise<StorePort>;
}

export interface RunningController {
  /** `http://HOST:PORT` with the port that was chosen. */
  readonly url: string;
  /** Resolves when it was stopped; rejects when it had to stop: another has taken over, the store failed, a defect. */
  readonly stopped: Promise<void>;
  /** Reads the topology's file again. Mistakes are logged, and the old one stays. */
  reloadTopology(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a controller; it answers when this resolves.
 * @throws UserError for whatever is in the way: a mistake in the topology, a store in use or damaged, a port in use
 */
export async function startController(options: ControllerProgramOptions): Promise<RunningController> {
  // First of all, so that a mistake in it changes nothing.
  const file = options.topologyFile === undefined ? undefined : await readTopologyFile(options.topologyFile);
  await makeDataDirectory(options.dataDirectory);
  const lock = await lockDirectory(options.dataDirectory);
  let store: StorePort | undefined;
  try {
    store = await (options.openStore ?? openSqliteStore)(join(options.dataDirectory, storeFileName));
    const { term, row } = await raiseTerm(store, Date.now());
    const { topology, text, changes } = await initialTopology(store, file);
    const program = new ControllerProgram(options, { store, lock, term: row, topologyText: text });
    const rows = await store.readAll();
    await program.begin({ term, rows, topology }, changes);
    return program;
  } catch (error) {
    await store?.close();
    await lock.release();
    throw error;
  }
}

/** What a program has in hand once it may act. */
interface ControllerPossessions {
  readonly store: StorePort;
  readonly lock: DirectoryLock;
  readonly term: StoreChange;
  readonly topologyText: string | undefined;
}

class ControllerProgram implements RunningController {
  readonly stopped: Promise<void>;
  readonly #options: ControllerProgramOptions;
  readonly #store: StorePort;
  readonly #lock: DirectoryLock;
  readonly #machine: ControllerMachine;
  readonly #loop: ControllerLoop;
  readonly #channels: ControllerChannels;
  readonly #requests: PendingRequests;
  readonly #metrics = new ControllerMetrics();
  #events: EventHub | undefined;
  #accepting: Accepting | undefined;
  #topologyText: string | undefined;
  #stopping: Promise<void> | undefined;
  #resolveStopped: () => void = () => undefined;
  #rejectStopped: (error: unknown) => void = () => undefined;

  constructor(options: ControllerProgramOptions, { store, lock, term, topologyText }: ControllerPossessions) {
    this.#options = options;
    this.#store = store;
    this.#lock = lock;
    this.#topologyText = topologyText;
    this.#machine = options.createMachine();
    this.stopped = new Promise((resolve, reject) => {
      this.#resolveStopped = resolve;
      this.#rejectStopped = reject;
    });
    // Whoever wants to know waits for it; nobody has to.
    this.stopped.catch(() => undefined);
    const { logger } = options;
    this.#channels = new ControllerChannels({ submit: (event) => this.#loop.submit(event), logger });
    this.#requests = new PendingRequests((event) => this.#loop.submit(event));
    this.#loop = new ControllerLoop({
      machine: { handle: (event, nowNanoseconds) => this.#handle(event, nowNanoseconds) },
      store: timedStore(store, (seconds) => this.#metrics.storeWritten(seconds)),
      term,
      nowNanoseconds: monotonicNanoseconds,
      logger,
      carryOut: (command) => this.#carryOut(command),
      onPressure: (high) => this.#channels.setPaused(high),
      onFatal: (error) => {
        this.#rejectStopped(error);
        void this.stop();
      },
    });
  }

  get url(): string {
    return this.#accepting?.url ?? "";
  }

  /** Lets the state machine have what the store holds, then opens the port. */
  async begin(
    start: { term: number; rows: Awaited<ReturnType<StorePort["readAll"]>>; topology: Topology },
    changes: readonly StoreChange[],
  ): Promise<void> {
    try {
      const started = this.#handled({ type: "started", ...start, dateMilliseconds: Date.now() }, changes);
      await Promise.race([started, this.stopped]);
      const { listen, logger } = this.#options;
      const live = this.#machine.live();
      this.#events = new EventHub({ live, term: start.term, nowNanoseconds: monotonicNanoseconds });
      const api = this.#createApi(this.#events);
      const listener = getRequestListener(api.fetch, { overrideGlobalObjects: false });
      this.#accepting = await accept({
        ...listen,
        onRequest: (request, response) => void listener(request, response),
        upgrades: { websocket: (request, socket, head) => this.#upgrade(request, socket, head) },
      });
      logger.info({ url: this.url, term: start.term }, "controller started");
    } catch (error) {
      this.#events?.close();
      await this.#loop.stop();
      throw error;
    }
  }

  async reloadTopology(): Promise<void> {
    const { topologyFile, logger } = this.#options;
    if (topologyFile === undefined) {
      logger.warn("no topology is read again: the controller was started without --topology FILE");
      return;
    }
    try {
      const { topology, text } = await readTopologyFile(topologyFile);
      await this.#putIntoForce(topology, text);
      logger.info({ file: topologyFile }, "the topology was read again and is in force");
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      const lines = error instanceof TopologyTextError ? error.lines : [error.message];
      for (const line of lines) logger.error(`the topology is refused, the old one stays: ${line}`);
    }
  }

  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#requests.close();
    this.#events?.close();
    await this.#channels.closeAll();
    await this.#accepting?.close();
    await this.#loop.stop();
    await this.#store.close();
    await this.#lock.release();
    this.#options.logger.info("controller stopped");
    this.#resolveStopped();
  }

  #createApi(events: EventHub): ReturnType<typeof createControllerApi> {
    return createControllerApi({
      machine: this.#machine,
      logger: this.#options.logger,
      events,
      ask: async (request) => this.#requests.ask(request),
      topologyText: () => this.#topologyText,
      applyTopology: async (topology, text) => this.#applyTopology(topology, text),
      unready: () => this.#unready(),
      metrics: async () => {
        const program = {
          queuedEvents: this.#loop.queued,
          channels: this.#channels.count,
          eventStreams: events.followers,
          ready: this.#unready() === undefined,
        };
        return this.#metrics.collect(program, this.#machine.live().figures());
      },
    });
  }

  #unready(): string | undefined {
    if (this.#stopping !== undefined) return "the controller is stopping";
    return this.#machine.waitsForAgents() ? "the controller has just started and waits for its agents" : undefined;
  }

  /** One event: the live views hear of it before and after, and its time is noted. */
  #handle(event: ControllerEvent, nowNanoseconds: number): ControllerOutput {
    const live = event.type === "started" ? undefined : this.#machine.live();
    live?.before(event);
    const startedAt = performance.now();
    const output = this.#machine.handle(event, nowNanoseconds);
    const seconds = (performance.now() - startedAt) / 1_000;
    const kind = event.type === "agentMessage" || event.type === "publisherMessage" ? event.message.type : event.type;
    this.#metrics.eventHandled(kind, seconds);
    live?.after(output.commands);
    return output;
  }

  #carryOut(command: ControllerCommand): void {
    switch (command.type) {
      case "sendAgent":
      case "sendPublisher":
        this.#channels.send(command.connectionId, command.message);
        break;
      case "close":
        this.#channels.close(command.connectionId);
        break;
      case "reply":
        this.#requests.answer(command.requestId, command.reply);
        break;
      case "note":
        this.#options.logger[command.level](command.fields ?? {}, command.text);
        break;
    }
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Uint8Array): void {
    const path = (request.url ?? "").split("?", 1)[0];
    const role = (Object.keys(channelPaths) as ChannelRole[]).find((candidate) => channelPaths[candidate] === path);
    if (role === undefined) {
      refuse(socket, 404, "there is no channel at this path");
    } else if (isForeignOrigin(request.headers.origin, request.headers.host)) {
      refuse(socket, 403, "requests from other web pages are refused");
    } else {
      this.#channels.accept(role, request, socket, Buffer.from(head.buffer, head.byteOffset, head.byteLength));
    }
  }

  async #applyTopology(topology: Topology, text: string): Promise<string> {
    await this.#putIntoForce(topology, text);
    this.#options.logger.info("a topology was applied");
    const { topologyFile } = this.#options;
    if (topologyFile === undefined) return "the topology is in force";
    return `the topology is in force until the controller reads ${topologyFile} again (at its next start, or on SIGHUP)`;
  }

  async #putIntoForce(topology: Topology, text: string): Promise<void> {
    await this.#handled({ type: "topology", topology }, [topologyChange(text)]);
    this.#topologyText = text;
  }

  /** Resolves when what comes of the event is durable and carried out. */
  async #handled(event: Parameters<ControllerLoop["submit"]>[0], changes: readonly StoreChange[]): Promise<void> {
    return new Promise((resolve) => this.#loop.submit(event, changes, resolve));
  }
}

/** The same store, of which every write is timed. */
function timedStore(store: StorePort, onWritten: (seconds: number) => void): Pick<StorePort, "write"> {
  return {
    write: async (batch) => {
      const startedAt = performance.now();
      const written = await store.write(batch);
      onWritten((performance.now() - startedAt) / 1_000);
      return written;
    },
  };
}

async function makeDataDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new UserError(`cannot use the data directory ${path} (${code})`, {
      hint: "name a directory that this user may write in with --data",
      cause: error,
    });
  }
}
