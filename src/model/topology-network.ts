/**
 * The topology: which sites there are, what every link may carry, and which links a path from agent to agent uses.
 *
 * Capabilities are bits per second on the wire; what has none given is not limited and is no resource. Within a site only
 * network interfaces count. topology-parser.ts shows how a topology is written.
 */
import { UserError } from "../std/errors.ts";
import { nearestSpelling } from "../std/nearest.ts";
import type { ResourceReference } from "./resources.ts";
import {
  agentNicDown,
  agentNicUp,
  formatResourceName,
  namedResource,
  parseResourceName,
  siteDownlink,
  siteUplink,
} from "./resources.ts";

/** What an agent's network interface may send and receive; undefined: not said. */
export interface NicCapability {
  readonly upBitsPerSecond?: number | undefined;
  readonly downBitsPerSecond?: number | undefined;
}

/** What may leave and enter a site in all; undefined: no limit. */
export interface SiteCapability {
  readonly uplinkBitsPerSecond?: number | undefined;
  readonly downlinkBitsPerSecond?: number | undefined;
}

/** What a path from one site to another uses beside both interfaces, the source's uplink and the target's downlink: links by name. */
export interface TopologyPath {
  readonly from: string;
  readonly to: string;
  readonly through: readonly string[];
}

export interface TopologyData {
  readonly sites: ReadonlyMap<string, SiteCapability>;
  /** Bits per second, by the link's name. */
  readonly resources: ReadonlyMap<string, number>;
  readonly agents: ReadonlyMap<string, { readonly nic: NicCapability }>;
  readonly defaults: { readonly nic: NicCapability };
  readonly paths: readonly TopologyPath[];
}

/** An agent and where it is; `nic`: what its group says of its interface. */
export interface AgentPlace {
  readonly name: string;
  readonly site: string;
  readonly nic?: NicCapability | undefined;
}

const noLinks: readonly string[] = [];

/** Immutable: a change gives a new topology. */
export class Topology {
  readonly sites: ReadonlyMap<string, SiteCapability>;
  readonly resources: ReadonlyMap<string, number>;
  readonly agents: ReadonlyMap<string, { readonly nic: NicCapability }>;
  readonly defaults: { readonly nic: NicCapability };
  readonly paths: readonly TopologyPath[];
  /** Whether any site is accepted, since there is no file that lists them. */
  readonly isUnlimited: boolean;
  /** The full names of the links from one site to another. */
  readonly #links = new Map<string, Map<string, readonly string[]>>();

  constructor(data: TopologyData, isUnlimited: boolean = false) {
    this.sites = data.sites;
    this.resources = data.resources;
    this.agents = data.agents;
    this.defaults = data.defaults;
    this.paths = data.paths;
    this.isUnlimited = isUnlimited;
    for (const { from, to, through } of data.paths) {
      const ofSource = this.#links.get(from) ?? new Map<string, readonly string[]>();
      ofSource.set(to, through.map(namedResource));
      this.#links.set(from, ofSource);
    }
  }

  /** Whether agents of this site are accepted. */
  acceptsSite(site: string): boolean {
    return this.isUnlimited || this.sites.has(site);
  }

  /** What an agent's interface may do, each direction by itself: what `agents` says of it, else its group, else the defaults. */
  nicOf(agent: AgentPlace): NicCapability {
    const own = this.agents.get(agent.name)?.nic;
    return {
      upBitsPerSecond: own?.upBitsPerSecond ?? agent.nic?.upBitsPerSecond ?? this.defaults.nic.upBitsPerSecond,
      downBitsPerSecond: own?.downBitsPerSecond ?? agent.nic?.downBitsPerSecond ?? this.defaults.nic.downBitsPerSecond,
    };
  }

  /** The capability of every resource, by its name: of all sites and links, and of the interfaces of `agents`. Bits per second. */
  capabilities(agents: Iterable<AgentPlace>): Map<string, number> {
    const all = new Map<string, number>();
    const put = (name: string, bitsPerSecond: number | undefined): void => {
      if (bitsPerSecond !== undefined) all.set(name, bitsPerSecond);
    };
    for (const [site, capability] of this.sites) {
      put(siteUplink(site), capability.uplinkBitsPerSecond);
      put(siteDownlink(site), capability.downlinkBitsPerSecond);
    }
    for (const [name, bitsPerSecond] of this.resources) put(namedResource(name), bitsPerSecond);
    for (const agent of agents) {
      const nic = this.nicOf(agent);
      put(agentNicUp(agent.name), nic.upBitsPerSecond);
      put(agentNicDown(agent.name), nic.downBitsPerSecond);
    }
    return all;
  }

  /** The names of the resources with a capability that a path uses, in order from source to target. */
  pathResources(source: AgentPlace, target: AgentPlace): string[] {
    const path: string[] = [];
    if (this.nicOf(source).upBitsPerSecond !== undefined) path.push(agentNicUp(source.name));
    if (source.site !== target.site) {
      if (this.sites.get(source.site)?.uplinkBitsPerSecond !== undefined) path.push(siteUplink(source.site));
      path.push(...(this.#links.get(source.site)?.get(target.site) ?? noLinks));
      if (this.sites.get(target.site)?.downlinkBitsPerSecond !== undefined) path.push(siteDownlink(target.site));
    }
    if (this.nicOf(target).downBitsPerSecond !== undefined) path.push(agentNicDown(target.name));
    return path;
  }

  /**
   * This topology with another capability of one resource; an agent's interface counts as said under `agents`. Throws
   * UserError for a resource that is of no site or link here, RangeError unless the capability is a positive integer.
   */
  withCapability(resourceName: string, bitsPerSecond: number): Topology {
    if (!Number.isSafeInteger(bitsPerSecond) || bitsPerSecond < 1) {
      throw new RangeError(`${String(bitsPerSecond)} is not a capability`);
    }
    const reference = parseResourceName(resourceName);
    this.#checkKnown(reference);
    const sites = new Map(this.sites);
    const resources = new Map(this.resources);
    const agents = new Map(this.agents);
    switch (reference.kind) {
      case "siteUplink":
        sites.set(reference.site, { ...sites.get(reference.site), uplinkBitsPerSecond: bitsPerSecond });
        break;
      case "siteDownlink":
        sites.set(reference.site, { ...sites.get(reference.site), downlinkBitsPerSecond: bitsPerSecond });
        break;
      case "agentNicUp":
        agents.set(reference.agent, { nic: { ...agents.get(reference.agent)?.nic, upBitsPerSecond: bitsPerSecond } });
        break;
      case "agentNicDown":
        agents.set(reference.agent, { nic: { ...agents.get(reference.agent)?.nic, downBitsPerSecond: bitsPerSecond } });
        break;
      case "link":
        resources.set(reference.name, bitsPerSecond);
        break;
    }
    return new Topology({ sites, resources, agents, defaults: this.defaults, paths: this.paths }, this.isUnlimited);
  }

  #checkKnown(reference: ResourceReference): void {
    // The interface of an agent may be spoken of before the agent has been seen.
    if (reference.kind === "agentNicUp" || reference.kind === "agentNicDown") return;
    const [isKnown, name, known] =
      reference.kind === "link"
        ? ([this.resources.has(reference.name), reference.name, this.resources] as const)
        : ([this.acceptsSite(reference.site), reference.site, this.sites] as const);
    if (isKnown) return;
    const nearest = nearestSpelling(name, known.keys());
    throw new UserError(
      `there is no resource ${JSON.stringify(formatResourceName(reference))}`,
      nearest === undefined ? {} : { hint: `did you mean ${nearest}?` },
    );
  }
}

/** What holds without a file: any site is accepted, nothing is limited. */
export function emptyTopology(): Topology {
  return new Topology(
    { sites: new Map(), resources: new Map(), agents: new Map(), defaults: { nic: {} }, paths: [] },
    true,
  );
}
