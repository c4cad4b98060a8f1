/** Random scenarios and random orders of events for the property test: small, and full of what may go wrong. */
import { parseTopology } from "../model/topology-parser.ts";
import { matchesSelector, parseSelector } from "../model/selector.ts";
import { RangeSet } from "../std/ranges.ts";
import type { SeededRandom } from "../std/seeded-random.ts";
import { nanosecondsPerMillisecond, nanosecondsPerSecond } from "../std/units.ts";
import type { OperatorRequest } from "../protocol/views.ts";
import type { Scenario, ScenarioAgent, ScenarioFileSet } from "./scenario.ts";
import type { VirtualAgent } from "./virtual-agent.ts";
import { phases } from "./virtual-clock.ts";
import type { VirtualWorld } from "./virtual-world.ts";

/** Everything that goes wrong does so within this time; then all is put right again. */
const troubleNanoseconds = 12 * nanosecondsPerSecond;
const askAgainNanoseconds = nanosecondsPerSecond;
const megabit = 1_000_000;

type Random = SeededRandom;

function chance(random: Random, percent: number): boolean {
  return random.nextBelow(100) < percent;
}

function between(random: Random, least: number, most: number): number {
  return least + random.nextBelow(most - least + 1);
}

function rate(random: Random, least: number, most: number): string {
  return `${String(between(random, least, most))}Mbps`;
}

/** A small scenario without events. */
export function randomScenario(random: Random): Scenario {
  const sites = Array.from({ length: between(random, 1, 4) }, (_, index) => `s${String(index)}`);
  const agents: ScenarioAgent[] = [];
  for (const site of sites) {
    const count = between(random, 1, 4);
    for (let member = 0; member < count; member += 1) {
      const labels: Record<string, string> = chance(random, 40) ? { tier: "web" } : {};
      const nic = chance(random, 20) ? { upBitsPerSecond: between(random, 4, 60) * megabit } : {};
      const trueRate = chance(random, 10) ? between(random, 30, 90) / 100 : 1;
      agents.push({ name: `${site}-${String(member)}`, site, labels, nic, trueRate });
    }
  }
  const topology = parseTopology(randomTopology(random, sites));
  const fileSets = randomFileSets(random, agents);
  return {
    topology,
    agents,
    fileSets,
    controlDelayNanoseconds: chance(random, 50) ? between(random, 0, 100) * nanosecondsPerMillisecond : 0,
    dataDelayNanoseconds: chance(random, 50) ? between(random, 0, 40) * nanosecondsPerMillisecond : 0,
    verificationBitsPerSecond: chance(random, 20) ? between(random, 50, 500) * megabit : undefined,
    relays: "targets",
    events: [],
    jitter: chance(random, 30) ? 0.1 : 0,
    seed: random.nextUint32(),
  };
}

export function randomTopology(random: Random, sites: readonly string[]): unknown {
  const links = ["left", "right"].filter(() => chance(random, 50));
  const paths: unknown[] = [];
  for (const from of sites) {
    for (const to of sites) {
      if (from === to || links.length === 0 || chance(random, 50)) continue;
      paths.push({ from, to, through: links.filter(() => chance(random, 70)) });
    }
  }
  const nic = { up: rate(random, 8, 80), down: rate(random, 8, 80) };
  return {
    resources: Object.fromEntries(links.map((name) => [name, { capability: rate(random, 2, 40) }])),
    sites: Object.fromEntries(
      sites.map((site) => [
        site,
        {
          ...(chance(random, 60) ? { uplink: rate(random, 3, 40) } : {}),
          ...(chance(random, 60) ? { downlink: rate(random, 3, 40) } : {}),
        },
      ]),
    ),
    ...(chance(random, 85) ? { defaults: { nic } } : {}),
    paths,
  };
}

function randomFileSets(random: Random, agents: readonly ScenarioAgent[]): ScenarioFileSet[] {
  const count = between(random, 1, 3);
  const fileSets: ScenarioFileSet[] = [];
  for (let index = 0; index < count; index += 1) {
    const predecessor = fileSets.at(-1);
    // A version that is handed over in parts is lost if another supersedes it meanwhile.
    const mayFollow = predecessor?.growthBitsPerSecond === undefined && predecessor?.handOver === undefined;
    const follows = predecessor !== undefined && mayFollow && chance(random, 40);
    fileSets.push(randomFileSet(random, agents, index, follows ? predecessor : undefined));
  }
  return fileSets;
}

function randomFileSet(
  random: Random,
  agents: readonly ScenarioAgent[],
  index: number,
  predecessor: ScenarioFileSet | undefined,
): ScenarioFileSet {
  // Long manifests travel by transfers, short ones within the assignment.
  const isLong = chance(random, 25);
  const blockBytes = isLong ? between(random, 100, 400) : between(random, 500, 60_000);
  const blocks = isLong ? between(random, 500, 1_000) : between(random, 0, 60);
  const selector = random.pick(["all", "all", "site=s0", "tier=web", "site in (s0,s1)", "tier!=web"]);
  const isMeant = parseSelector(selector);
  const isGrowing = !isLong && predecessor === undefined && chance(random, 30);
  const isHandedOver =
    predecessor === undefined && chance(random, 35) && agents.some((agent) => matchesSelector(isMeant, agent));
  const origins = isHandedOver
    ? []
    : [random.pick(agents).name, ...(chance(random, 20) ? [agents[0]?.name ?? ""] : [])];
  const totalBytes = Math.max(0, blocks * blockBytes - random.nextBelow(blockBytes));
  return {
    name: predecessor?.name ?? `set${String(index)}`,
    version: `v${String(index)}`,
    fileCount: chance(random, 50) ? 1 : between(random, 1, isLong ? blocks : 8),
    totalBytes,
    blockBytes,
    ...(predecessor === undefined ? {} : { blockBytes: predecessor.blockBytes, content: "shared" }),
    origins: [...new Set(origins)],
    targets: isHandedOver ? selector : random.pick(["all", selector]),
    atNanoseconds: between(random, 0, 3_000) * nanosecondsPerMillisecond,
    priority: between(random, -1, 1),
    holders:
      chance(random, 20) && !isGrowing
        ? [{ selector: parseSelector("site=s0"), portion: between(random, 1, 9) / 10 }]
        : [],
    growthBitsPerSecond: isGrowing ? between(random, 1, 10) * megabit : undefined,
    distinctBlocks: chance(random, 25) ? Math.max(1, Math.floor(blocks / 2)) : undefined,
    ...(predecessor === undefined && chance(random, 50) ? { content: "shared" } : {}),
    handOver: isHandedOver ? { site: chance(random, 50) ? agents[0]?.site : undefined } : undefined,
  };
}

/** Brings trouble about at random times, and puts everything right at the end; `log` is told of each. */
export function scheduleTrouble(world: VirtualWorld, random: Random, log: (line: string) => void): void {
  const trouble = new Trouble(world, random, log);
  const count = between(random, 0, 14);
  const end = world.startNanoseconds + troubleNanoseconds;
  for (let index = 0; index < count; index += 1) {
    const at =
      world.startNanoseconds +
      random.nextBelow(troubleNanoseconds / nanosecondsPerMillisecond) * nanosecondsPerMillisecond;
    world.clock.at(at, phases.network, () => trouble.strike());
  }
  world.clock.at(end, phases.network, () => trouble.putRight());
  world.progress.holdUntil(end);
}

class Trouble {
  readonly #world: VirtualWorld;
  readonly #random: Random;
  readonly #log: (line: string) => void;
  /** Some agent may be the only one that has a block: it must not lose it. */
  readonly #hasSingleCopies: boolean;
  #isPutRight = false;

  constructor(world: VirtualWorld, random: Random, log: (line: string) => void) {
    this.#world = world;
    this.#random = random;
    this.#log = log;
    this.#hasSingleCopies = world.scenario.fileSets.some(({ handOver }) => handOver !== undefined);
  }

  strike(): void {
    const random = this.#random;
    const agent = random.pick([...this.#world.agents.values()]);
    const kinds: (() => void)[] = [
      () => this.#stopAndStart(agent),
      () => this.#stopAndStart(agent),
      () => this.#lose(agent),
      () => this.#cut(agent),
      () => this.#restartController(),
      () => this.#crashController(),
      () => this.#changeCapability(),
      () => this.#changeTopology(),
      () => this.#corrupt(agent),
      () => this.#damage(agent),
      () => this.#pause(),
      () => this.#drain(agent),
      () => this.#block(agent),
      () => this.#activate(),
      () => this.#remove(),
      () => this.#verify(agent),
    ];
    random.pick(kinds)();
    this.#world.progress.changed();
  }

  /** From here on nothing goes wrong any more. */
  putRight(): void {
    const world = this.#world;
    this.#log("all is put right");
    this.#isPutRight = true;
    world.controller.crashAt(undefined);
    world.startController();
    for (const agent of world.agents.values()) {
      agent.corrupt = false;
      agent.start();
      this.#ask({ type: "undrain", agent: agent.name });
      this.#ask({ type: "unblock", agent: agent.name });
    }
    for (const { spec } of world.contents.values()) this.#ask({ type: "resume", name: spec.name });
    world.progress.changed();
  }

  #later(mostMilliseconds: number, what: () => void): void {
    this.#world.clock.after(this.#random.nextBelow(mostMilliseconds) * nanosecondsPerMillisecond, phases.network, what);
  }

  #stopAndStart(agent: VirtualAgent): void {
    this.#log(`${agent.name} is killed`);
    this.#world.stopAgent(agent);
    this.#later(5_000, () => {
      this.#log(`${agent.name} starts`);
      agent.start();
    });
  }

  #lose(agent: VirtualAgent): void {
    const isOrigin = this.#world.scenario.fileSets.some(({ origins }) => origins.includes(agent.name));
    if (isOrigin || this.#hasSingleCopies) return;
    this.#log(`${agent.name} loses its disk`);
    this.#world.bringAbout({ type: "lose", atNanoseconds: 0, name: agent.name });
    this.#later(5_000, () => agent.start());
  }

  #cut(agent: VirtualAgent): void {
    this.#log(`${agent.name} loses its channel`);
    agent.cutChannel();
  }

  #restartController(): void {
    this.#log("the controller is killed");
    this.#world.controller.stop();
    this.#later(4_000, () => this.#world.startController());
  }

  #crashController(): void {
    const point = this.#random.pick(["beforeStoring", "beforeSending"] as const);
    this.#log(`the controller crashes ${point}`);
    this.#world.controller.crashAt(point);
    this.#later(4_000, () => this.#world.startController());
  }

  #changeCapability(): void {
    const { topology, scenario } = this.#world;
    const names = [...topology.capabilities(scenario.agents).keys()];
    if (names.length === 0) return;
    const resource = this.#random.pick(names);
    const bitsPerSecond = between(this.#random, 2, 60) * megabit;
    this.#log(`${resource} becomes ${String(bitsPerSecond)}`);
    this.#world.bringAbout({ type: "set", atNanoseconds: 0, resource, bitsPerSecond });
  }

  #changeTopology(): void {
    this.#log("another topology");
    const sites = [...this.#world.topology.sites.keys()];
    this.#world.setTopology(parseTopology(randomTopology(this.#random, sites)));
  }

  #corrupt(agent: VirtualAgent): void {
    this.#log(`${agent.name} serves wrong bytes`);
    agent.corrupt = true;
    this.#later(6_000, () => {
      agent.corrupt = false;
    });
  }

  #damage(agent: VirtualAgent): void {
    const keys = [...this.#world.contents.values()]
      .filter(({ spec }) => spec.handOver === undefined)
      .map(({ key }) => key);
    const key = keys.length === 0 ? undefined : this.#random.pick(keys);
    const held = key === undefined ? undefined : agent.disk.held(key);
    if (key === undefined || held === undefined || held.isEmpty || agent.disk.producesAll(key)) return;
    const first = held.nth(this.#random.nextBelow(held.count));
    const blocks = RangeSet.of(first, first + 1 + this.#random.nextBelow(5)).intersection(held);
    this.#log(`${agent.name} has ${String(blocks.count)} blocks of ${key} damaged`);
    agent.damage(key, blocks);
  }

  #pause(): void {
    const { name } = this.#random.pick(this.#world.scenario.fileSets);
    this.#ask({ type: "pause", name });
    this.#later(4_000, () => this.#ask({ type: "resume", name }));
  }

  #drain(agent: VirtualAgent): void {
    this.#ask({ type: "drain", agent: agent.name });
    if (chance(this.#random, 50)) this.#later(5_000, () => this.#ask({ type: "undrain", agent: agent.name }));
  }

  #block(agent: VirtualAgent): void {
    this.#ask({ type: "block", agent: agent.name });
    this.#later(5_000, () => this.#ask({ type: "unblock", agent: agent.name }));
  }

  #activate(): void {
    const { name, version } = this.#random.pick(this.#world.scenario.fileSets);
    this.#ask({ type: "activate", name, version });
  }

  #remove(): void {
    const { name, version } = this.#random.pick(this.#world.scenario.fileSets);
    this.#ask({ type: "removeFileSet", name, version, force: true }, () => this.#world.removed(`${name}@${version}`));
  }

  #verify(agent: VirtualAgent): void {
    // What a corrupt disk shows is thrown away.
    if (this.#hasSingleCopies) return;
    this.#ask({ type: "verifyAgent", agent: agent.name, blocks: 3 });
  }

  /** Asks the controller, again and again while it is away. */
  #ask(request: OperatorRequest, onDone?: () => void): void {
    const isRepair = this.#isPutRight;
    let isAnswered = false;
    let asked = 0;
    this.#log(JSON.stringify(request));
    const ask = (): void => {
      // Trouble that the controller has not heard of by then does not come any more.
      if (isAnswered || (this.#isPutRight && !isRepair && (asked === 0 || onDone === undefined))) return;
      asked += 1;
      this.#world.controller.request(request, (reply) => {
        if (isAnswered) return;
        isAnswered = true;
        this.#log(`${request.type}: ${reply.ok ? "done" : reply.message}`);
        // Where it is not there any more, an earlier asking did it, and the answer was lost.
        if (reply.ok || (reply.code === "notFound" && asked > 1)) onDone?.();
      });
      this.#world.clock.after(askAgainNanoseconds, phases.network, ask);
    };
    ask();
  }
}
