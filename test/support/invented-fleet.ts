/**
 * A fleet that does not exist, as the event stream would show it: any number of agents and file sets, halfway through a
 * distribution, going on a little with each step. For what a test cannot have for real: thousands of agents.
 */
import type { AnyTopicData, TopicData } from "#src/protocol/api/events.ts";
import type { AgentRow, FileSetRow, FlowRow, ResourceRow, SiteRow, TargetRow } from "#src/protocol/api/rows.ts";
import { parseTopic } from "#src/protocol/api/topics.ts";
import {
  blockBytes,
  blocks,
  gigabit,
  historySamples,
  inventedFailures,
  inventedRarity,
  names,
  nic,
  noise,
  none,
  siteNames,
  startMilliseconds,
  stepMilliseconds,
  totalBytes,
} from "./invented-parts.ts";

export interface InventedFleetOptions {
  readonly agents: number;
  readonly fileSets: number;
  readonly sites: number;
}

export class InventedFleet {
  readonly #options: InventedFleetOptions;
  #step = 0;

  constructor(options: InventedFleetOptions) {
    this.#options = options;
  }

  get nowMilliseconds(): number {
    return startMilliseconds + this.#step * stepMilliseconds;
  }

  /** A quarter of a second goes by. */
  advance(): void {
    this.#step += 1;
  }

  /** The whole of a topic as it is now. */
  topic(name: string): AnyTopicData | undefined {
    const parsed = parseTopic(name);
    switch (parsed?.kind) {
      case "overview":
        return this.#overview();
      case "agents":
        return { agents: this.#agents() };
      case "resources":
        return { resources: this.#resources() };
      case "transfers":
        return this.#transfers();
      case "fileSet":
        return this.#fileSet(parsed.about);
      case "agent":
        return this.#agent(parsed.about);
      case "resource":
        return this.#resource(parsed.about);
      default:
        return undefined;
    }
  }

  #siteOf(agent: number): string {
    return siteNames[agent % this.#options.sites] ?? "fra";
  }

  #nameOf(agent: number): string {
    return `${this.#siteOf(agent)}-${Math.floor(agent / this.#options.sites)}`;
  }

  /** How much of a file set an agent has, from 0 to 1: sites start one after another, agents differ. */
  #share(agent: number, fileSet: number, step = this.#step): number {
    const age = this.#options.fileSets - fileSet;
    const late = (agent % this.#options.sites) * 0.06 + noise(agent, fileSet) * 0.35;
    return Math.min(1, Math.max(0, age * 0.62 + step * 0.0012 - late));
  }

  #isOnline(agent: number): boolean {
    return noise(agent, 77) > 0.008;
  }

  #isStalled(agent: number, fileSet: number): boolean {
    return noise(agent, 78) < 0.004 && this.#share(agent, fileSet) < 1;
  }

  readonly #known = new Map<string, { held: number; heldBytes: number }>();

  #progress(fileSet: number, step = this.#step): { held: number; heldBytes: number } {
    // Those of long ago are complete, and do not change.
    const isOld = this.#options.fileSets - fileSet > 4;
    const key = `${fileSet} ${isOld ? "" : step}`;
    let progress = this.#known.get(key);
    if (progress === undefined) this.#known.set(key, (progress = this.#addUp(fileSet, step)));
    return progress;
  }

  #addUp(fileSet: number, step: number): { held: number; heldBytes: number } {
    let held = 0;
    let heldShare = 0;
    for (let agent = 0; agent < this.#options.agents; agent += 1) {
      const share = this.#share(agent, fileSet, step);
      heldShare += share;
      if (share >= 1) held += 1;
    }
    return { held, heldBytes: Math.round(heldShare * totalBytes) };
  }

  #nameAndVersion(fileSet: number): { name: string; version: string } {
    const round = Math.floor(fileSet / names.length);
    const name = `${names[fileSet % names.length]}${this.#options.fileSets > 30 ? `-${round % 10}` : ""}`;
    return { name, version: String(40 + round) };
  }

  #newest(): string {
    const { name, version } = this.#nameAndVersion(this.#options.fileSets - 1);
    return `${name}@${version}`;
  }

  #fileSetRow(fileSet: number): FileSetRow {
    const { agents, fileSets } = this.#options;
    const { held, heldBytes } = this.#progress(fileSet);
    const wantedBytes = agents * totalBytes;
    const { name, version } = this.#nameAndVersion(fileSet);
    const rateBitsPerSecond = held === agents ? 0 : Math.round((agents * totalBytes * 8 * 0.0012) / 0.25);
    return {
      fileSet: `${name}@${version}`,
      name,
      version,
      state: "published",
      active: held === agents,
      paused: false,
      growing: false,
      selector: fileSet % 3 === 0 ? "all" : "role=serving",
      priority: 100,
      sequence: fileSet + 1,
      files: 1_240 + fileSet,
      blocks,
      totalBytes,
      createdAtMilliseconds: startMilliseconds - (fileSets - fileSet) * 3_600_000,
      targets: agents,
      held,
      offline: held === agents ? 0 : this.#count((agent) => !this.#isOnline(agent)),
      stalled: held === agents ? 0 : this.#count((agent) => this.#isStalled(agent, fileSet)),
      heldBytes,
      wantedBytes,
      rateBitsPerSecond,
      secondsLeft:
        held === agents ? null : Math.round(((wantedBytes - heldBytes) * 8) / Math.max(1, rateBitsPerSecond)) + 20,
      heldBackBy:
        held === agents
          ? null
          : {
              resource: "sites.sin.downlink",
              text: "the downlink of site sin",
              secondsAtLeast: Math.round(((wantedBytes - heldBytes) * 8) / Math.max(1, rateBitsPerSecond) / 1.6),
            },
    };
  }

  #count(predicate: (agent: number) => boolean): number {
    let count = 0;
    for (let agent = 0; agent < this.#options.agents; agent += 1) if (predicate(agent)) count += 1;
    return count;
  }

  #sites(): SiteRow[] {
    const { agents, sites } = this.#options;
    return siteNames.slice(0, sites).map((site, index) => {
      const known = Math.ceil((agents - index) / sites);
      const waver = 0.9 + 0.1 * noise(index, this.#step);
      const up = index === 3 ? 0.98 : index % 4 === 0 ? 0 : 0.2 + 0.4 * noise(index, 3);
      const down = index === 9 ? 0.97 : 0.15 + 0.6 * noise(index, 4);
      const use = (share: number, capabilityBitsPerSecond: number) => ({
        capabilityBitsPerSecond,
        allocatedBitsPerSecond: Math.round(capabilityBitsPerSecond * share),
        measuredBitsPerSecond: Math.round(capabilityBitsPerSecond * share * waver),
      });
      let away = 0;
      for (let agent = index; agent < agents; agent += sites) if (!this.#isOnline(agent)) away += 1;
      return {
        site,
        agentsOnline: known - away,
        agentsKnown: known,
        uplink: use(up, 10 * gigabit),
        downlink: use(down, (index === 9 ? 2 : 10) * gigabit),
        withinBitsPerSecond: Math.round(known * 0.4 * gigabit * waver),
        outOfUse: false,
      };
    });
  }

  #overview(): TopicData<"overview"> {
    const { agents, fileSets, sites } = this.#options;
    const siteRows = this.#sites();
    const away = this.#count((agent) => !this.#isOnline(agent));
    return {
      controller: {
        term: 3,
        agentsOnline: agents - away,
        agentsKnown: agents,
        lanes: agents * 4,
        lanesOpened: 128_411 + this.#step * 40,
        lanesEnded: 126_020 + this.#step * 40,
        lanesFailed: 12,
        receivedBitsPerSecond: siteRows.reduce(
          (sum, { downlink, withinBitsPerSecond }) => sum + downlink.measuredBitsPerSecond + withinBitsPerSecond,
          0,
        ),
        outOfUse: 1,
        waitsForAgents: false,
      },
      sites: siteRows,
      links: siteRows.flatMap(({ site, downlink }, index) => {
        const from = siteNames[index % 3 === 0 ? 5 % sites : 3 % sites] ?? "fra";
        if (from === site) return [];
        return [
          {
            link: `${from}>${site}`,
            from,
            to: site,
            through: [],
            lanes: 6,
            capabilityBitsPerSecond: downlink.capabilityBitsPerSecond,
            allocatedBitsPerSecond: downlink.allocatedBitsPerSecond,
            measuredBitsPerSecond: downlink.measuredBitsPerSecond,
            outOfUse: false,
          },
        ];
      }),
      resources: [],
      fileSets: Array.from({ length: fileSets }, (_, fileSet) => this.#fileSetRow(fileSet)),
    };
  }

  #agentRow(agent: number): AgentRow {
    const newest = this.#options.fileSets - 1;
    const online = this.#isOnline(agent);
    const share = this.#share(agent, newest);
    const stalled = this.#isStalled(agent, newest);
    const moving = online && !stalled && share < 1;
    return {
      agent: this.#nameOf(agent),
      site: this.#siteOf(agent),
      labels: { role: agent % 3 === 0 ? "indexing" : "serving", rack: `r${agent % 17}` },
      address: `10.${agent % this.#options.sites}.${Math.floor(agent / 250)}.${agent % 250}:7401`,
      online,
      drained: false,
      blocked: false,
      outOfUse: agent === 5,
      state: !online ? "offline" : stalled ? "stalled" : share < 1 ? "fetching" : "idle",
      fileSetsHeld: share < 1 ? 2 : 3,
      fileSetsWanted: 3,
      heldBytes: Math.round((2 + share) * totalBytes),
      wantedBytes: 3 * totalBytes,
      lanesIn: moving ? 4 : 0,
      lanesOut: online ? 3 : 0,
      inBitsPerSecond: moving ? Math.round((0.3 + noise(agent, this.#step, 1)) * gigabit) : 0,
      outBitsPerSecond: online ? Math.round((0.2 + noise(agent, this.#step, 2)) * gigabit) : 0,
      failures: agent === 5 ? 3 : 0,
      freeDiskBytes: Math.round((0.2 + noise(agent, 9)) * 2 ** 40),
    };
  }

  #agents(): AgentRow[] {
    return Array.from({ length: this.#options.agents }, (_, agent) => this.#agentRow(agent));
  }

  #resources(): ResourceRow[] {
    const ofSites = this.#sites().flatMap(({ site, uplink, downlink }): ResourceRow[] => [
      {
        ...none,
        ...uplink,
        resource: `sites.${site}.uplink`,
        kind: "siteUplink",
        owner: site,
        carriedBytes: 9 * totalBytes,
      },
      {
        ...none,
        ...downlink,
        resource: `sites.${site}.downlink`,
        kind: "siteDownlink",
        owner: site,
        carriedBytes: 5 * totalBytes,
      },
    ]);
    const ofAgents = this.#agents().flatMap(({ agent, inBitsPerSecond, outBitsPerSecond }): ResourceRow[] => [
      { ...none, ...nic(outBitsPerSecond), resource: `agents.${agent}.nic.up`, kind: "nicUp", owner: agent },
      { ...none, ...nic(inBitsPerSecond), resource: `agents.${agent}.nic.down`, kind: "nicDown", owner: agent },
    ]);
    const agent = this.#nameOf(5);
    return [
      ...ofSites,
      ...ofAgents,
      {
        ...none,
        resource: `agents.${agent}`,
        kind: "component",
        owner: agent,
        failures: 3,
        outOfUse: true,
        reason: "sent block 1711 of search-index@48 with a wrong checksum",
        retryInSeconds: 18,
      },
    ];
  }

  #flows(): FlowRow[] {
    const { agents, sites } = this.#options;
    return Array.from({ length: Math.min(400, agents) }, (_, index) => {
      const target = (index * 7) % agents;
      const source = (target + sites * (1 + (index % 5))) % agents;
      const allocatedBitsPerSecond = Math.round((0.2 + noise(index, 5)) * gigabit);
      return {
        flow: `${this.#nameOf(source)}>${this.#nameOf(target)}#${index}`,
        source: this.#nameOf(source),
        target: this.#nameOf(target),
        sourceSite: this.#siteOf(source),
        targetSite: this.#siteOf(target),
        publisher: false,
        lanes: 1 + (index % 3),
        allocatedBitsPerSecond,
        measuredBitsPerSecond: Math.round(allocatedBitsPerSecond * (0.8 + 0.19 * noise(index, this.#step))),
        pendingBytes: blockBytes * (1 + (index % 6)),
        fileSets: [this.#newest()],
      };
    });
  }

  #transfers(): TopicData<"transfers"> {
    const flows = this.#flows();
    const failures = inventedFailures(this.#newest(), (agent) => this.#nameOf(agent));
    return { totals: { lanes: flows.length * 2, flows: flows.length, cut: false }, flows, failures };
  }

  #fileSet(name: string): TopicData<"fileSet"> {
    const index = Array.from({ length: this.#options.fileSets }, (_, fileSet) => fileSet).find(
      (fileSet) => this.#fileSetRow(fileSet).fileSet === name,
    );
    if (index === undefined) return { summary: null, sites: [], agents: [], rarity: [], atBest: null, history: [] };
    const summary = this.#fileSetRow(index);
    const agents = Array.from({ length: this.#options.agents }, (_, agent) => this.#target(agent, index));
    const sites = siteNames.slice(0, this.#options.sites).map((site) => {
      const own = agents.filter((row) => row.site === site);
      return {
        site,
        targets: own.length,
        held: own.filter(({ status }) => status === "held").length,
        heldBytes: own.reduce((sum, { heldBytes }) => sum + heldBytes, 0),
        wantedBytes: own.length * totalBytes,
      };
    });
    const history = Array.from({ length: historySamples }, (_, sample) => {
      const step = this.#step - (historySamples - 1 - sample);
      const atMilliseconds = startMilliseconds + step * stepMilliseconds;
      return {
        sample: String(atMilliseconds),
        atMilliseconds,
        ...this.#progress(index, step),
        wantedBytes: summary.wantedBytes,
        targets: summary.targets,
      };
    });
    const [first] = history;
    const secondsAtLeast = (0.82 * historySamples * stepMilliseconds) / 1_000;
    const atBest =
      first === undefined
        ? null
        : { fromMilliseconds: first.atMilliseconds, heldBytes: first.heldBytes, secondsAtLeast };
    return { summary, sites, agents, rarity: inventedRarity, atBest, history };
  }

  #target(agent: number, fileSet: number): TargetRow {
    const share = this.#share(agent, fileSet);
    const stalled = this.#isStalled(agent, fileSet);
    return {
      agent: this.#nameOf(agent),
      site: this.#siteOf(agent),
      online: this.#isOnline(agent),
      target: true,
      status: share >= 1 ? "held" : stalled ? "stalled" : "fetching",
      heldBytes: Math.round(share * totalBytes),
      current: share >= 1,
      ...(stalled ? { problem: "no space left in the data directory" } : {}),
    };
  }

  #agent(name: string): TopicData<"agent"> {
    const index = Array.from({ length: this.#options.agents }, (_, agent) => agent).find(
      (agent) => this.#nameOf(agent) === name,
    );
    if (index === undefined) return { summary: null, fileSets: [], flows: [] };
    const { fileSets } = this.#options;
    return {
      summary: this.#agentRow(index),
      fileSets: [fileSets - 3, fileSets - 2, fileSets - 1].map((fileSet) => {
        const { target, status, heldBytes, current } = this.#target(index, fileSet);
        return { fileSet: this.#fileSetRow(fileSet).fileSet, target, status, heldBytes, totalBytes, current };
      }),
      flows: this.#flows()
        .slice(0, 6)
        .map((flow, at) => ({
          ...flow,
          flow: `${flow.flow}-${at}`,
          ...(at < 4 ? { target: name } : { source: name }),
        })),
    };
  }

  #resource(name: string): TopicData<"resource"> {
    const summary = this.#resources().find(({ resource }) => resource === name) ?? null;
    if (summary === null) return { summary, flows: [], history: [] };
    const { capabilityBitsPerSecond, allocatedBitsPerSecond } = summary;
    return {
      summary,
      flows: this.#flows().slice(0, 24),
      history: Array.from({ length: historySamples }, (_, sample) => {
        const step = this.#step - (historySamples - 1 - sample);
        const atMilliseconds = startMilliseconds + step * stepMilliseconds;
        return {
          sample: String(atMilliseconds),
          atMilliseconds,
          capabilityBitsPerSecond,
          allocatedBitsPerSecond,
          measuredBitsPerSecond: Math.round(allocatedBitsPerSecond * (0.86 + 0.13 * noise(step, 12))),
        };
      }),
    };
  }
}
