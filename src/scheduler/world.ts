/**
 * Who is there and which resources lie between any two of them: the members (agents, and publishers that hand over),
 * their sites, and the path of a lane (claim 3: ascertain the system resources).
 */
import type { Topology } from "../model/topology.ts";
import { agentNicDown, agentNicUp, namedResource, siteDownlink, siteUplink } from "../model/resources.ts";
import { Ledger } from "./ledger.ts";
import type { Lane } from "./lane.ts";

export interface Member {
  /** The agent's id, or the publish id of a publisher. */
  readonly id: string;
  readonly name: string;
  /** Undefined for a publisher that did not say where it is. */
  readonly site: string | undefined;
  readonly kind: "agent" | "publisher";
  /** Of a publisher: ids of the agents that it may hand over to. */
  receivers: ReadonlySet<string> | undefined;
  /** Of a publisher that shares its receiver's host: its lanes cost no resource. */
  readonly sameHost: boolean;
  /** May be given lanes at all: connected and its state known. */
  online: boolean;
  /** May serve / may fetch, as the operator or its failures allow. `lastResort`: serves only what no other holds. */
  serves: "yes" | "lastResort" | "no";
  fetches: boolean;
  readonly lanesIn: Set<Lane>;
  readonly lanesOut: Set<Lane>;
  /** Failures since it last delivered something; the cost function shies away from it. */
  recentFailures: number;
  /** How much more than usual is queued ahead for it: raised when its lanes run dry before the controller hears of it. */
  aheadScale: number;
  /** Sources of which a lane has just failed, and until when they are left alone. */
  readonly shunned: Map<Member, number>;
}

export class World {
  readonly ledger = new Ledger();
  readonly members = new Map<string, Member>();
  readonly #outOfUse = new Set<string>();
  #topology: Topology;
  readonly #paths = new Map<Member, Map<Member, readonly number[]>>();
  readonly #memberSites = new Map<string, Set<Member>>();

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  get topology(): Topology {
    return this.#topology;
  }

  /** Takes another topology: capabilities change at once; charges stay and are worked off by the scheduler. */
  setTopology(topology: Topology): void {
    this.#topology = topology;
    this.#paths.clear();
    for (const entry of this.ledger.entries()) entry.capability = Infinity;
    this.#applyCapabilities(this.members.values());
  }

  add(member: Member): void {
    this.members.set(member.id, member);
    if (member.site !== undefined && member.kind === "agent") this.#siteMembers(member.site).add(member);
    if (member.kind === "agent") this.#applyCapabilities([member]);
  }

  remove(id: string): void {
    const member = this.members.get(id);
    if (member === undefined) return;
    this.members.delete(id);
    this.#paths.delete(member);
    for (const paths of this.#paths.values()) paths.delete(member);
    if (member.site !== undefined) this.#siteMembers(member.site).delete(member);
  }

  /** The agents of a site. */
  agentsOf(site: string): ReadonlySet<Member> {
    return this.#siteMembers(site);
  }

  sites(): IterableIterator<string> {
    return this.#memberSites.keys();
  }

  /** Names of what lies between two members, in order of the way, limited or not. */
  pathNames(source: Member, target: Member): string[] {
    if (source.sameHost) return [];
    const names: string[] = [];
    if (source.kind === "agent") names.push(agentNicUp(source.name));
    if (source.site !== target.site) {
      if (source.site !== undefined) names.push(siteUplink(source.site));
      names.push(...this.#throughNames(source.site, target.site));
      if (source.site !== undefined && target.site !== undefined) names.push(siteDownlink(target.site));
    }
    names.push(agentNicDown(target.name));
    return names;
  }

  /** The ledger's indices of the path between two members. */
  path(source: Member, target: Member): readonly number[] {
    let paths = this.#paths.get(source);
    if (paths === undefined) {
      paths = new Map();
      this.#paths.set(source, paths);
    }
    let path = paths.get(target);
    if (path === undefined) {
      path = this.pathNames(source, target).map((name) => this.ledger.resource(name));
      paths.set(target, path);
    }
    return path;
  }

  setOutOfUse(component: string, out: boolean): void {
    if (out) this.#outOfUse.add(component);
    else this.#outOfUse.delete(component);
  }

  isOutOfUse(component: string): boolean {
    return this.#outOfUse.has(component);
  }

  /** Whether a lane between the two may be used at all: neither end nor anything between is out of use. */
  usable(source: Member, target: Member): boolean {
    if (this.#outOfUse.size === 0) return true;
    // What is out of use is the end that serves: the source, or the agent that a publisher hands over to.
    const server = source.kind === "publisher" ? target : source;
    if (this.#outOfUse.has(`agents.${server.name}`)) return false;
    return !this.pathNames(source, target).some((name) => this.#outOfUse.has(name));
  }

  #throughNames(from: string | undefined, to: string | undefined): string[] {
    if (from === undefined || to === undefined) return [];
    const entry = this.#topology.paths.find((candidate) => candidate.from === from && candidate.to === to);
    return (entry?.through ?? []).map((name) => namedResource(name));
  }

  #siteMembers(site: string): Set<Member> {
    let members = this.#memberSites.get(site);
    if (members === undefined) {
      members = new Set();
      this.#memberSites.set(site, members);
    }
    return members;
  }

  #applyCapabilities(members: Iterable<Member>): void {
    const agents: { name: string; site: string }[] = [];
    for (const { kind, name, site } of members) {
      if (kind === "agent" && site !== undefined) agents.push({ name, site });
    }
    for (const [name, capability] of this.#topology.capabilities(agents)) {
      this.ledger.setCapability(this.ledger.resource(name), capability);
    }
  }
}
