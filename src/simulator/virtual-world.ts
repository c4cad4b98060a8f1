/**
 * The simulated world: agents, controller, publishers, and the network between them, all on one clock. It carries out what
 * the production state machines order and brings about what a scenario says; run.ts says when it is over.
 */
import { plainTickets } from "./plain-tickets.ts";
import type { ControllerSettings } from "../control/controller/settings.ts";
import type { AgentMessage } from "../protocol/agent-messages.ts";
import type { ControllerMessage } from "../protocol/controller-messages.ts";
import type { OnDecision } from "../scheduler/decision-record.ts";
import type { Manifest } from "../model/manifest.ts";
import { parseResourceName } from "../model/resources.ts";
import { matchesSelector } from "../model/selector.ts";
import { Topology } from "../model/topology.ts";
import { toHex } from "../std/hex.ts";
import { RangeSet } from "../std/ranges.ts";
import { SeededRandom } from "../std/seeded-random.ts";
import { nanosecondsPerSecond } from "../std/units.ts";
import { Account } from "./account.ts";
import { fakeChecksum } from "./fake-hash.ts";
import type { Link } from "./flow.ts";
import { LedgerChecker } from "./ledger-checker.ts";
import { Progress } from "./progress.ts";
import { controllerName, type Scenario, type ScenarioEvent, type ScenarioFileSet } from "./scenario.ts";
import { TicketWatch } from "./ticket-watch.ts";
import { VirtualAgent } from "./virtual-agent.ts";
import { phases, VirtualClock } from "./virtual-clock.ts";
import { VirtualContent } from "./virtual-content.ts";
import { VirtualController } from "./virtual-controller.ts";
import { VirtualDisk } from "./virtual-disk.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { VirtualPublisher } from "./virtual-publisher.ts";
import { WorldLinks } from "./world-links.ts";
import type { PathEnd, WorldParts } from "./world-parts.ts";

/** Agents find the controller before a scenario's time begins: this, and ten times the way to it. */
const warmUpNanoseconds = nanosecondsPerSecond;
/** After a capability is reduced, running lanes must fit it within this, and the ways to and from the controller. */
const reductionGraceNanoseconds = nanosecondsPerSecond;
/** A controller that was away when a capability was reduced makes running lanes fit it within this after its start. */
const recoveryGraceNanoseconds = 15 * nanosecondsPerSecond;
const foreverNanoseconds = 4e15;

export interface WorldOptions {
  readonly settings: ControllerSettings;
  readonly readSeconds?: (() => number) | undefined;
  readonly onDecision?: OnDecision | undefined;
  readonly inspectAgentMessage?: ((agent: string, message: AgentMessage) => void) | undefined;
  readonly inspectControllerMessage?: ((agent: string, message: ControllerMessage) => void) | undefined;
  readonly noted?: ((who: string, level: string, text: string) => void) | undefined;
}

export class VirtualWorld implements WorldParts {
  readonly scenario: Scenario;
  readonly clock = new VirtualClock();
  readonly tickets = new TicketWatch(this.clock);
  readonly ticketCodec = plainTickets();
  readonly network: VirtualNetwork;
  readonly account = new Account();
  readonly contents = new Map<string, VirtualContent>();
  readonly controller: VirtualController;
  readonly sharedManifests = new Map<string, Manifest>();
  readonly running = new Map<string, VirtualAgent>();
  readonly agents = new Map<string, VirtualAgent>();
  readonly publishers: VirtualPublisher[] = [];
  /** What agents that are no origins were given of a file set at the start, by its key and their names. */
  readonly givenBlocks = new Map<string, Map<string, RangeSet>>();
  readonly removedFileSets = new Set<string>();
  readonly progress: Progress;
  readonly ledger: LedgerChecker;
  readonly inspectAgentMessage: WorldOptions["inspectAgentMessage"];
  readonly inspectControllerMessage: WorldOptions["inspectControllerMessage"];
  readonly noted: WorldOptions["noted"];
  /** The scenario's time 0. */
  readonly startNanoseconds: number;
  readonly #random: SeededRandom;
  #topology: Topology;
  #worldLinks: WorldLinks;
  #topologyIsNews = false;
  #identities = 0;
  #overloads = new Set<string>();

  constructor(scenario: Scenario, options: WorldOptions) {
    this.scenario = scenario;
    this.inspectAgentMessage = options.inspectAgentMessage;
    this.inspectControllerMessage = options.inspectControllerMessage;
    this.noted = options.noted;
    this.startNanoseconds = warmUpNanoseconds + 10 * scenario.controlDelayNanoseconds;
    this.#random = new SeededRandom(scenario.seed);
    this.network = new VirtualNetwork({
      clock: this.clock,
      jitter: scenario.jitter,
      random: new SeededRandom(this.#random.nextUint32()),
      overloaded: (link) => this.#overloaded(link),
    });
    this.#topology = withGroupInterfaces(scenario.topology, scenario);
    this.#worldLinks = this.#setLinks();
    this.ledger = new LedgerChecker(this);
    this.controller = new VirtualController({
      clock: this.clock,
      seed: scenario.seed,
      settings: options.settings,
      topology: this.#topology,
      tickets: this.ticketCodec,
      readSeconds: options.readSeconds,
      onDecision: options.onDecision,
      onCommand: (command) => this.ledger.onCommand(command),
      onEvent: (event) => this.ledger.onEvent(event),
    });
    for (const spec of scenario.fileSets) this.#addContent(spec);
    for (const spec of scenario.agents) {
      const random = new SeededRandom(this.#random.nextUint32());
      const agent = new VirtualAgent(this, spec, this.newDisk(spec.name), random);
      this.agents.set(spec.name, agent);
      for (const fileSet of scenario.fileSets) this.#giveBlocks(agent, fileSet);
    }
    this.progress = new Progress(this);
    this.#schedule();
  }

  get topology(): Topology {
    return this.#topology;
  }

  #schedule(): void {
    this.controller.start();
    for (const agent of this.agents.values()) agent.start();
    for (const content of this.contents.values()) {
      const at = this.startNanoseconds + content.spec.atNanoseconds;
      this.clock.at(at, phases.controller, () => this.publish(content.spec));
    }
    for (const event of this.scenario.events) {
      this.clock.at(this.startNanoseconds + event.atNanoseconds, phases.network, () => this.bringAbout(event));
    }
  }

  /** A disk of an agent that has just been made: nothing is on it. */
  newDisk(agentName: string): VirtualDisk {
    this.#identities += 1;
    const identity = fakeChecksum(`agent ${agentName} ${String(this.scenario.seed)}`, this.#identities);
    return new VirtualDisk(toHex(identity).slice(0, 32), this.contents);
  }

  laneSent(sink: string, laneId: number): void {
    const agentId = this.agents.get(sink)?.disk.agentId;
    if (agentId !== undefined) this.ledger.onSent(agentId, laneId);
  }

  agentSaid(agentId: string, message: AgentMessage): void {
    this.ledger.onSaid(agentId, message);
  }

  #addContent(spec: ScenarioFileSet): VirtualContent {
    const content = new VirtualContent(spec);
    this.contents.set(content.key, content);
    return content;
  }

  #giveBlocks(agent: VirtualAgent, spec: ScenarioFileSet): void {
    const key = `${spec.name}@${spec.version}`;
    if (spec.origins.includes(agent.name)) {
      agent.disk.give(key, "produced");
      return;
    }
    const blocks = this.contents.get(key)?.finalBlockCount ?? 0;
    for (const { selector, portion } of spec.holders) {
      if (!matchesSelector(selector, agent.spec)) continue;
      // A portion such as 0.29 is a little less in binary.
      const count = Math.floor(portion * blocks + 1e-9);
      const all = Array.from({ length: blocks }, (_, block) => block);
      this.#random.shuffle(all);
      const held = new RangeSet();
      for (const block of all.slice(0, count).sort((one, other) => one - other)) held.add(block, block + 1);
      agent.disk.give(key, held);
      const given = this.givenBlocks.get(key) ?? new Map<string, RangeSet>();
      this.givenBlocks.set(key, given.set(agent.name, held));
    }
  }

  /** Publishes a file set now, of a scenario or beside one. */
  publish(spec: ScenarioFileSet): VirtualPublisher {
    const key = `${spec.name}@${spec.version}`;
    const content = this.contents.get(key) ?? this.#addContent(spec);
    const publisher = new VirtualPublisher(this, content, true);
    this.publishers.push(publisher);
    return publisher;
  }

  bringAbout(event: ScenarioEvent): void {
    if (event.type === "set") {
      this.setTopology(this.#topology.withCapability(event.resource, event.bitsPerSecond));
    } else if (event.name === controllerName) {
      if (event.type === "stop") this.controller.stop();
      else if (event.type === "start") this.startController();
    } else {
      this.#bringAboutAt(event, this.agents.get(event.name));
    }
    this.progress.changed();
  }

  #bringAboutAt(event: Exclude<ScenarioEvent, { type: "set" }>, agent: VirtualAgent | undefined): void {
    if (agent === undefined) return;
    switch (event.type) {
      case "stop":
        this.stopAgent(agent);
        break;
      case "start":
        agent.start();
        break;
      case "lose": {
        this.stopAgent(agent);
        agent.lose(this.newDisk(agent.name));
        this.progress.lost(agent.name);
        break;
      }
      case "corrupt":
        agent.corrupt = true;
        break;
    }
  }

  stopAgent(agent: VirtualAgent): void {
    const { agentId } = agent.disk;
    agent.stop();
    for (const publisher of this.publishers) publisher.receiverGone(agentId);
  }

  startController(): void {
    if (this.controller.core !== undefined) return;
    this.controller.start();
    if (this.#topologyIsNews) this.network.tolerateUntil(this.clock.nowNanoseconds + recoveryGraceNanoseconds);
    this.#topologyIsNews = false;
  }

  /** Other capabilities and paths, in the network and for the controller. */
  setTopology(given: Topology): void {
    const topology = withGroupInterfaces(given, this.scenario);
    this.#topology = topology;
    // A controller that is away learns of it when it starts.
    this.#topologyIsNews ||= this.controller.core === undefined;
    const { controlDelayNanoseconds, dataDelayNanoseconds } = this.scenario;
    const grace = this.#topologyIsNews
      ? foreverNanoseconds
      : reductionGraceNanoseconds + 2 * controlDelayNanoseconds + dataDelayNanoseconds;
    this.#worldLinks = this.#setLinks();
    this.network.tolerateUntil(this.clock.nowNanoseconds + grace);
    for (const agent of this.running.values()) {
      for (const { lane } of agent.lanes.running()) {
        if (lane.flow === undefined || lane.source === undefined) continue;
        this.network.reroute(lane.flow, this.linksBetween(lane.source, agent));
      }
    }
    for (const publisher of this.publishers) {
      for (const { lane, receiver } of publisher.running()) {
        if (lane.flow !== undefined) this.network.reroute(lane.flow, publisher.linksTo(receiver));
      }
    }
    this.controller.setTopology(topology);
  }

  /** Gives the ways between all ends that they make. */
  #setLinks(): WorldLinks {
    const trueRates = new Map(this.scenario.agents.map(({ name, trueRate }) => [name, trueRate]));
    for (const [name, capability] of this.#topology.capabilities(this.scenario.agents)) {
      const reference = parseResourceName(name);
      const isNic = reference.kind === "agentNicUp" || reference.kind === "agentNicDown";
      const part = isNic ? (trueRates.get(reference.agent) ?? 1) : 1;
      const known = this.network.links.get(name);
      const trueRate = Math.max(1, Math.floor(capability * part));
      if (known?.capabilityBitsPerSecond === capability && known.trueBitsPerSecond === trueRate) continue;
      this.network.setLink(name, capability, trueRate);
    }
    return new WorldLinks(this.#topology, this.network.links);
  }

  linksBetween(source: PathEnd, target: PathEnd): readonly Link[] {
    return this.#worldLinks.between(source, target);
  }

  delayBetween(source: string | undefined, target: string | undefined): number {
    return source === target || source === undefined ? 0 : this.scenario.dataDelayNanoseconds;
  }

  progressed(): void {
    this.progress.moved();
  }

  completed(agent: VirtualAgent, fileSet: string): void {
    this.progress.completed(agent.name, fileSet);
  }

  incompleted(agent: VirtualAgent, fileSet: string): void {
    this.progress.incompleted(agent.name, fileSet);
  }

  /** An operator has had a file set removed. */
  removed(fileSet: string): void {
    this.removedFileSets.add(fileSet);
    this.progress.remove(fileSet);
  }

  #overloaded(link: Link): void {
    if (this.#overloads.has(link.name)) return;
    this.#overloads.add(link.name);
    this.account.violation(
      `lanes on ${link.name} send at ${String(link.offeredBitsPerSecond)} bits per second at ${String(this.clock.nowNanoseconds)} ns, and it is declared to carry ${String(link.capabilityBitsPerSecond)}`,
    );
  }
}

/** The topology as the controller is given it: what groups say of their interfaces stands with each agent. */
function withGroupInterfaces(topology: Topology, scenario: Scenario): Topology {
  const special = scenario.agents.filter(
    ({ nic }) => nic.upBitsPerSecond !== undefined || nic.downBitsPerSecond !== undefined,
  );
  if (special.length === 0) return topology;
  const agents = new Map(topology.agents);
  for (const agent of special) agents.set(agent.name, { nic: topology.nicOf(agent) });
  const { sites, resources, defaults, paths } = topology;
  return new Topology({ sites, resources, agents, defaults, paths }, topology.isUnlimited);
}
