/**
 * The controller's state machine: one event in, one batch out. It hears agents, publishers and operators, keeps their
 * state, lets the scheduler decide, and instructs. No clock, no sockets, no randomness but a seed: the real program and
 * the simulator drive it in the same way.
 */
import type { Usage } from "../../protocol/api/rows.ts";
import { SeededRandom } from "../../std/seeded-random.ts";
import { UserError } from "../../std/errors.ts";
import type { Topology } from "../../model/topology.ts";
import type { AgentMessage } from "../../protocol/agent-messages.ts";
import { ticketCodec } from "../../protocol/ticket.ts";
import type {
  AgentView,
  FileList,
  ResourceView,
  StatusView,
  VersionDetail,
  VersionSummary,
} from "../../protocol/views.ts";
import type { PlanView } from "../../protocol/plan-views.ts";
import { ComponentFailures } from "../../scheduler/component-failures.ts";
import { Scheduler } from "../../scheduler/scheduler.ts";
import { agentDisconnected, agentGone, goneAfter, handleHello, handleState } from "./agent-channel.ts";
import { endChallengesOf, handleChallengeData, tickChallenges } from "./challenges.ts";
import type { ControllerEvent, ControllerOutput, ControllerPorts } from "./controller-events.ts";
import { newDueEchoes, sendEchoes, takeEchoed } from "./echoes.ts";
import { renewTickets, sendDecisions } from "./instructions.ts";
import { LiveView } from "./live/live-view.ts";
import { handleRequest } from "./operator.ts";
import { OutputBuilder } from "./output.ts";
import { expireProbes, handleProbeResult, retry } from "./probes.ts";
import { handlePublisherMessage, publisherDisconnected, type Drafts } from "./publishing.ts";
import { newPlans, planView, workOnPlans } from "./plans.ts";
import { refreshReceivers } from "./publish-member.ts";
import { abortPublish, noteHandOvers } from "./publish-progress.ts";
import { firstLaneId, restore } from "./restore.ts";
import { defaultControllerSettings, nanosecondsPerMillisecond, type ControllerSettings } from "./settings.ts";
import type { Connection, ControllerState } from "./state.ts";
import { silentAt } from "./silence.ts";
import { TicketTimes } from "./ticket-times.ts";
import { fileList } from "./views-files.ts";
import { agentView, maximumListedFiles, resourceViews, statusView, versionDetail, versionSummary } from "./views.ts";

export interface ControllerOptions {
  readonly ports: ControllerPorts;
  readonly settings?: Partial<ControllerSettings>;
}

export class ControllerCore {
  readonly #ports: ControllerPorts;
  readonly #settings: ControllerSettings;
  #state: ControllerState | undefined;
  #live: LiveView | undefined;
  readonly #drafts: Drafts = new Map();
  /**
   * Nobody is taken for silent or gone before. Who was heard from meanwhile only makes it later: it is worked out anew when
   * it has come.
   */
  #expiresAt = 0;
  readonly #ticketTimes = new TicketTimes();

  constructor(options: ControllerOptions) {
    this.#ports = options.ports;
    this.#settings = { ...defaultControllerSettings, ...options.settings };
  }

  /** Takes an event. `started` must be the first. @throws UserError when the store's rows cannot be read */
  handle(event: ControllerEvent, nowNanoseconds: number): ControllerOutput {
    if (event.type === "started") {
      this.#state = this.#start(event, nowNanoseconds);
    } else {
      const state = this.#running();
      state.now = nowNanoseconds;
      if (!isNewsOfKnown(event)) this.#expiresAt = Math.min(this.#expiresAt, state.now + shortestAbsence(state));
      this.#take(state, event);
    }
    return this.#finish(this.#running(), event.type === "timer");
  }

  status(): StatusView {
    return statusView(this.#running(), this.#usageOf);
  }

  fileSets(): VersionSummary[] {
    const state = this.#running();
    return [...state.fileSets.values()].map((fileSet) => versionSummary(state, fileSet));
  }

  /** `withFiles` false leaves the list of files out. */
  fileSet(name: string, version: string, withFiles = true): VersionDetail | undefined {
    const state = this.#running();
    const found = state.fileSets.get(`${name}@${version}`);
    return found === undefined ? undefined : versionDetail(state, found, withFiles ? maximumListedFiles : 0);
  }

  /** Some of the files of a version, in the order of its manifest; `fileSet` is its key. */
  files(fileSet: string, offset: number, limit: number): FileList | undefined {
    return fileList(this.#running().fileSets.get(fileSet), offset, limit);
  }

  agents(): AgentView[] {
    const state = this.#running();
    return [...state.agents.values()]
      .map((agent) => agentView(state, agent))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  resources(): ResourceView[] {
    return resourceViews(this.#running(), this.#usageOf);
  }

  /** The bytes of a file set's manifest, as far as it has grown. */
  manifestBytes(fileSet: string): Uint8Array | undefined {
    return this.#running().fileSets.get(fileSet)?.bytes;
  }

  /** After a start, until agents are back or for a while: nothing is scheduled. */
  waitsForAgents(): boolean {
    return this.#running().recoveringUntilNanoseconds !== undefined;
  }

  /** Counted from when somebody first asked for the live views. */
  readonly #usageOf = (index: number): Usage | undefined => this.#live?.usageOf(index);

  /** What the event stream shows; one for each controller. */
  live(): LiveView {
    return (this.#live ??= new LiveView(this.#running()));
  }

  /** A file set's plan; undefined: it has none. @param agent whose steps are listed */
  plan(name: string, version: string, agent: string | undefined): PlanView | undefined {
    const state = this.#running();
    const found = state.fileSets.get(`${name}@${version}`);
    return found === undefined ? undefined : planView(state, found, agent);
  }

  topology(): Topology {
    return this.#running().scheduler.world.topology;
  }

  #running(): ControllerState {
    if (this.#state === undefined) throw new Error("the controller has not been started");
    return this.#state;
  }

  #start(event: ControllerEvent & { type: "started" }, now: number): ControllerState {
    const settings = this.#settings;
    const ofMilliseconds = (milliseconds: number): number => milliseconds * nanosecondsPerMillisecond;
    const state: ControllerState = {
      hash: this.#ports.hash,
      tickets: this.#ports.tickets ?? ticketCodec,
      settings,
      random: new SeededRandom(this.#ports.seed),
      out: new OutputBuilder(),
      scheduler: new Scheduler({
        topology: event.topology,
        seed: this.#ports.seed,
        firstLaneId: firstLaneId(event.term),
        settings: settings.scheduler,
        weights: settings.weights,
        choice: settings,
        onDecision: this.#ports.onDecision,
      }),
      term: event.term,
      now,
      epochMilliseconds: event.dateMilliseconds - now / nanosecondsPerMillisecond,
      // Like the first term: later than anything that agents may know from a store that was lost.
      nextSequence: Math.floor(event.dateMilliseconds / 1_000),
      removed: new Set(),
      connections: new Map(),
      agents: new Map(),
      agentsByName: new Map(),
      fileSets: new Map(),
      active: new Map(),
      publishes: new Map(),
      plans: newPlans(),
      failures: new ComponentFailures({
        outOfUseAfter: settings.outOfUseAfter,
        memoryNanoseconds: ofMilliseconds(settings.failureMemoryMilliseconds),
        retryNanoseconds: ofMilliseconds(settings.retryMilliseconds),
        retryMaximumNanoseconds: ofMilliseconds(settings.retryMaximumMilliseconds),
      }),
      probes: new Map(),
      challenges: new Map(),
      waitingRuns: new Set(),
      dueEchoes: newDueEchoes(),
      nextChallengeAtNanoseconds: undefined,
      recoveringUntilNanoseconds: undefined,
      awaitedAgents: new Set(),
    };
    restore(state, event.rows);
    if (state.awaitedAgents.size + state.publishes.size > 0) {
      state.recoveringUntilNanoseconds = now + ofMilliseconds(settings.recoveryMilliseconds);
    }
    for (const agent of state.agents.values()) if (agent.row.online) agent.goneAtNanoseconds = now + goneAfter(state);
    return state;
  }

  #take(state: ControllerState, event: Exclude<ControllerEvent, { type: "started" }>): void {
    switch (event.type) {
      case "opened":
        state.connections.set(event.connectionId, {
          role: event.role,
          agent: undefined,
          publishIds: new Set(),
          lastHeardNanoseconds: state.now,
        });
        break;
      case "agentMessage":
        this.#agentMessage(state, event.connectionId, event.message);
        break;
      case "publisherMessage": {
        const connection = state.connections.get(event.connectionId);
        if (connection?.role === "publisher") {
          connection.lastHeardNanoseconds = state.now;
          handlePublisherMessage(state, this.#drafts, event.connectionId, connection, event.message);
        }
        break;
      }
      case "closed":
        this.#closed(state, event.connectionId);
        break;
      case "request":
        handleRequest(state, event.requestId, event.request);
        break;
      case "topology":
        state.scheduler.setTopology(event.topology);
        this.#refuseLostSites(state);
        break;
      case "timer":
        break;
    }
  }

  #agentMessage(state: ControllerState, connectionId: number, message: AgentMessage): void {
    const connection = state.connections.get(connectionId);
    if (connection?.role !== "agent") return;
    if (message.type === "hello") {
      if (connection.agent === undefined) handleHello(state, connectionId, connection, message);
      else this.#breaksProtocol(state, connectionId, "said hello twice");
      return;
    }
    const { agent } = connection;
    if (agent === undefined) {
      this.#breaksProtocol(state, connectionId, "did not say hello first");
      return;
    }
    agent.lastHeardNanoseconds = state.now;
    try {
      if (message.type === "state") handleState(state, agent, message);
      else if (message.type === "probeResult") handleProbeResult(state, agent, message);
      else if (message.type === "echoed") takeEchoed(state, agent, message.echoId);
      else handleChallengeData(state, agent, message);
    } catch (error) {
      if (!(error instanceof UserError) && !(error instanceof RangeError)) throw error;
      this.#breaksProtocol(state, connectionId, error.message);
    }
  }

  #breaksProtocol(state: ControllerState, connectionId: number, how: string): void {
    const agent = state.connections.get(connectionId)?.agent;
    const name = agent?.row.name ?? "an agent";
    const fields = agent === undefined ? {} : { agent: agent.row.name, agentId: agent.row.agentId };
    state.out.note("warn", `${name} broke the protocol (${how}): its connection is closed`, fields);
    state.out.close(connectionId);
    this.#closed(state, connectionId);
  }

  #closed(state: ControllerState, connectionId: number): void {
    const connection = state.connections.get(connectionId);
    if (connection === undefined) return;
    state.connections.delete(connectionId);
    this.#expiresAt = Math.min(this.#expiresAt, state.now + shortestAbsence(state));
    if (connection.role === "publisher") publisherDisconnected(state, this.#drafts, connectionId, connection);
    else this.#lose(state, connectionId, connection);
  }

  #lose(state: ControllerState, connectionId: number, connection: Connection): void {
    const { agent } = connection;
    if (agent === undefined || agent.connectionId !== connectionId) return;
    agentDisconnected(state, agent);
    endChallengesOf(state, agent.row.agentId);
  }

  /** A topology that no longer has an agent's site: the agent is told, and comes back when it has. */
  #refuseLostSites(state: ControllerState): void {
    const { topology } = state.scheduler.world;
    for (const agent of state.agents.values()) {
      if (agent.connectionId === undefined || topology.acceptsSite(agent.row.site)) continue;
      state.out.sendAgent(agent.connectionId, {
        type: "refused",
        code: "unknownSite",
        reason: `site ${agent.row.site} is no longer in the topology`,
        retry: true,
      });
      state.out.close(agent.connectionId);
    }
  }

  /**
   * What follows every event: time-outs, then decisions, then when to be woken. Decisions wait for the timer, which comes
   * after all that is there to be heard now: what happened at one instant is decided on together.
   */
  #finish(state: ControllerState, isTimer: boolean): ControllerOutput {
    // Whoever seems silent may have spoken: what waits to be heard comes first.
    if (isTimer && this.#expiresAt <= state.now) this.#expiresAt = this.#expire(state) ?? Infinity;
    let wake = this.#expiresAt;
    const wakeBy = (nanoseconds: number | undefined): void => {
      if (nanoseconds !== undefined && nanoseconds < wake) wake = nanoseconds;
    };
    wakeBy(sendEchoes(state));
    wakeBy(expireProbes(state));
    wakeBy(tickChallenges(state));
    if (state.failures.size > 0) {
      for (const component of [...state.failures.due(state.now)]) retry(state, component);
      for (const component of state.failures.all()) if (component.outOfUse) wakeBy(component.retryAtNanoseconds);
    }
    if (this.#mayDecide(state)) {
      if (isTimer) {
        wakeBy(workOnPlans(state));
        this.#decide(state);
      } else if (state.plans.planning.size > 0) wakeBy(state.now);
      if (state.scheduler.isTouched) wakeBy(state.now);
      wakeBy(state.scheduler.nextReleaseNanoseconds);
      wakeBy(state.scheduler.nextLookNanoseconds);
    } else {
      wakeBy(state.recoveringUntilNanoseconds);
    }
    wakeBy(renewTickets(state, this.#ticketTimes));
    return state.out.take(wake === Infinity ? undefined : wake);
  }

  #decide(state: ControllerState): void {
    refreshReceivers(state);
    const decisions = state.scheduler.decide(state.now);
    if (decisions.isEmpty) return;
    noteHandOvers(state, decisions);
    sendDecisions(state, decisions, this.#ticketTimes);
  }

  #mayDecide(state: ControllerState): boolean {
    if (state.recoveringUntilNanoseconds === undefined) return true;
    const awaitsPublisher = [...state.publishes.values()].some((publish) => publish.connectionId === undefined);
    const awaits = state.awaitedAgents.size > 0 || awaitsPublisher;
    if (awaits && state.now < state.recoveringUntilNanoseconds) return false;
    state.recoveringUntilNanoseconds = undefined;
    state.awaitedAgents.clear();
    state.scheduler.touchAll();
    return true;
  }

  #expire(state: ControllerState): number | undefined {
    let next: number | undefined;
    for (const agent of state.agents.values()) {
      if (agent.connectionId !== undefined) {
        const due = silentAt(state, agent);
        if (due <= state.now) {
          const { name, agentId } = agent.row;
          const fields = { agent: name, agentId };
          state.out.note("warn", `agent ${name} has been silent for too long: its connection is closed`, fields);
          state.out.close(agent.connectionId);
          this.#closed(state, agent.connectionId);
        } else next = Math.min(next ?? Infinity, due);
      }
      if (agent.goneAtNanoseconds === undefined) continue;
      if (agent.goneAtNanoseconds <= state.now) agentGone(state, agent);
      else next = Math.min(next ?? Infinity, agent.goneAtNanoseconds);
    }
    for (const [connectionId, connection] of [...state.connections]) {
      if (connection.role !== "publisher") continue;
      const due = silentAt(state, connection);
      if (due <= state.now) {
        state.out.note("warn", "a publisher has been silent for too long: its connection is closed");
        state.out.close(connectionId);
        this.#closed(state, connectionId);
      } else next = Math.min(next ?? Infinity, due);
    }
    for (const publish of [...state.publishes.values()]) {
      if (publish.connectionId !== undefined || publish.goneAtNanoseconds === undefined) continue;
      if (publish.goneAtNanoseconds <= state.now) abortPublish(state, publish, "its publisher is gone");
      else next = Math.min(next ?? Infinity, publish.goneAtNanoseconds);
    }
    return next;
  }
}

/** Events by which nobody comes or goes. */
function isNewsOfKnown(event: ControllerEvent): boolean {
  if (event.type === "timer") return true;
  if (event.type === "agentMessage") return event.message.type !== "hello";
  return event.type === "publisherMessage" && event.message.type === "handedOver";
}

/** Whoever has just come, or gone, is not taken for silent or gone before this. */
function shortestAbsence(state: ControllerState): number {
  const { heartbeatMilliseconds, publisherGoneMilliseconds } = state.settings;
  const shortest = Math.min(3 * heartbeatMilliseconds, publisherGoneMilliseconds) * nanosecondsPerMillisecond;
  return Math.min(shortest, goneAfter(state));
}
