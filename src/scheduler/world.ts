/**
 * Who is there and which resources lie between any two of them: the members (agents, and publishers that hand over),
 * their sites, and the path of a lane (claim 3: ascertain the system resources).
 */
import type { Topology } from "../model/topology.ts";
import { agentNicDown, agentNicUp, namedResource, siteDownlink, siteUplink } from "../model/resources.ts";
import type { BlockOrder, Holding } from "./block-order.ts";
import { Ledger } from "./ledger.ts";
import type { Lane } from "./lane.ts";
import { newDelay, type Delay } from "./ahead.ts";
import { Pace } from "./pace.ts";
import { Ways } from "./ways.ts";

/** A site as the scheduler sees it: who is there, and who of them has bandwidth free now. */
export interface Place {
  readonly name: string;
  /** Its number among all sites. */
  readonly index: number;
  readonly agents: Set<Member>;
  /** Agents that could serve now, in no order; kept by the market. */
  readonly sources: Member[];
  /** Agents that lack blocks and could take some now. */
  readonly targets: Member[];
  /** A free target that is kept free for a transfer into the site: a way in idles, and a source will soon be free. */
  awaiting: Member | undefined;
  /** Indices of the ledger. */
  readonly uplink: number;
  readonly downlink: number;
}

/** What is set when a member enters. */
export type MemberDescription = Pick<
  Member,
  "id" | "name" | "site" | "kind" | "receivers" | "sameHost" | "online" | "serves" | "fetches"
>;

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
  /** It has not been online for a while: what it has does not count as there. Set by `Absences`. */
  isAway: boolean;
  /** May serve / may fetch, as the operator or its failures allow. `lastResort`: serves only what no other holds. */
  serves: "yes" | "lastResort" | "no";
  fetches: boolean;
  /** Few: a list is quicker than a set. */
  readonly lanesIn: Lane[];
  readonly lanesOut: Lane[];
  /** How many of them there are, less those whose end is foreseen. Kept by `Lanes`. */
  runningIn: number;
  runningOut: number;
  /** How long words to it and back take, as its transfers show. */
  readonly delay: Delay;
  /** Failures since it last delivered something; the cost function shies away from it. */
  recentFailures: number;
  /** How much more than usual is queued ahead for it: raised when its lanes run dry before the controller hears of it. */
  aheadScale: number;
  /** Orders of which it wants blocks that are not on their way to it. */
  readonly needs: Set<BlockOrder>;
  /** How many these are. */
  needCount: number;
  /** The one order in `needs`; undefined where there is none, or several. */
  soleNeed: BlockOrder | undefined;
  /** Its entry in the order of which something came to it last: looked up most often. */
  latest: Holding | undefined;
  /** Of how many orders it holds something. */
  supplies: number;
  /** Undefined for a publisher. */
  readonly place: Place | undefined;
  /** Small, and nobody else's in this world; of one that has left, the next that comes has it. */
  readonly index: number;
  /** The ledger's indices of its interface; of a publisher, -1. */
  readonly nicUp: number;
  readonly nicDown: number;
  /** Where it stands in its place's lists; -1: it does not. */
  sourceAt: number;
  targetAt: number;
  /** How fast it is seen to be. */
  readonly paceOut: Pace;
  readonly paceIn: Pace;
  /** Sources of which a lane has just failed, and until when they are left alone; undefined: there are none. */
  shunned: Map<Member, number> | undefined;
}

/** Leaves a source alone for a while. */
export function shun(target: Member, source: Member, untilNanoseconds: number): void {
  target.shunned ??= new Map();
  target.shunned.set(source, untilNanoseconds);
}

/** Whether a target leaves a source alone still. */
export function isShunned(target: Member, source: Member, now: number): boolean {
  const { shunned } = target;
  if (shunned === undefined) return false;
  const until = shunned.get(source);
  if (until !== undefined && until > now) return true;
  if (until !== undefined) shunned.delete(source);
  if (shunned.size === 0) target.shunned = undefined;
  return false;
}

export class World {
  readonly ledger = new Ledger();
  readonly ways = new Ways();
  readonly members = new Map<string, Member>();
  /** Of members that have left: with those of the others, they are all below the greatest number of members ever. */
  readonly #freeIndices: number[] = [];
  readonly #outOfUse = new Set<string>();
  #topology: Topology;
  readonly #places = new Map<string, Place>();
  /** By the two sites: what lies between them. */
  readonly #middles = new Map<string, Map<string, readonly number[]>>();
  /** The same by the numbers of two places. */
  readonly #between: (readonly number[] | undefined)[][] = [];
  /** By the ledger's index of an interface: whose it is. */
  readonly #owners: (Member | undefined)[] = [];

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  get topology(): Topology {
    return this.#topology;
  }

  /** Takes another topology: capabilities change at once; charges stay and are worked off by the scheduler. */
  setTopology(topology: Topology): void {
    this.#topology = topology;
    this.#middles.clear();
    this.#between.length = 0;
    for (let index = 0; index < this.ledger.size; index += 1) this.ledger.setCapability(index, Infinity);
    this.#applyCapabilities(this.members.values());
  }

  add(description: MemberDescription): Member {
    const isAgent = description.kind === "agent";
    const place = isAgent ? this.place(description.site ?? "") : undefined;
    const nicUp = isAgent ? this.ledger.resource(agentNicUp(description.name)) : -1;
    const nicDown = isAgent ? this.ledger.resource(agentNicDown(description.name)) : -1;
    // First what every choice reads of each candidate: it is to lie side by side.
    const member: Member = {
      place,
      nicUp,
      nicDown,
      sourceAt: -1,
      targetAt: -1,
      latest: undefined,
      soleNeed: undefined,
      index: this.#freeIndices.pop() ?? this.members.size,
      shunned: undefined,
      serves: description.serves,
      online: description.online,
      isAway: false,
      fetches: description.fetches,
      needCount: 0,
      supplies: 0,
      runningIn: 0,
      runningOut: 0,
      recentFailures: 0,
      lanesIn: [],
      lanesOut: [],
      needs: new Set(),
      site: description.site,
      id: description.id,
      name: description.name,
      kind: description.kind,
      receivers: description.receivers,
      sameHost: description.sameHost,
      delay: newDelay(),
      aheadScale: 1,
      paceOut: new Pace(this.ledger, nicUp),
      paceIn: new Pace(this.ledger, nicDown),
    };
    this.members.set(member.id, member);
    place?.agents.add(member);
    if (isAgent) this.#owners[member.nicUp] = this.#owners[member.nicDown] = member;
    if (isAgent) this.#applyCapabilities([member]);
    return member;
  }

  remove(id: string): void {
    const member = this.members.get(id);
    if (member === undefined) return;
    this.members.delete(id);
    this.#freeIndices.push(member.index);
    member.place?.agents.delete(member);
    for (const nic of [member.nicUp, member.nicDown]) {
      if (this.#owners[nic] === member) this.#owners[nic] = undefined;
    }
  }

  /** Whose interface a resource is; undefined: it is nobody's. */
  ownerOf(resource: number): Member | undefined {
    return this.#owners[resource];
  }

  places(): IterableIterator<Place> {
    return this.#places.values();
  }

  place(site: string): Place {
    let place = this.#places.get(site);
    if (place === undefined) {
      const [uplink, downlink] = [this.ledger.resource(siteUplink(site)), this.ledger.resource(siteDownlink(site))];
      const index = this.#places.size;
      place = { name: site, index, agents: new Set(), sources: [], targets: [], awaiting: undefined, uplink, downlink };
      this.#places.set(site, place);
      this.#applyCapabilities([]);
    }
    return place;
  }

  /** Names of what lies between two members, in order of the way, limited or not. */
  pathNames(source: Member, target: Member): string[] {
    if (source.sameHost) return [];
    const names: string[] = [];
    if (source.kind === "agent") names.push(agentNicUp(source.name));
    if (source.site !== target.site) names.push(...this.#middleNames(source.site, target.site));
    names.push(agentNicDown(target.name));
    return names;
  }

  /** The ledger's indices of the path between two members. */
  path(source: Member, target: Member): readonly number[] {
    if (source.sameHost) return [];
    const path = source.nicUp >= 0 ? [source.nicUp] : [];
    if (source.site !== target.site) path.push(...this.middle(source.site, target.site));
    path.push(target.nicDown);
    return path;
  }

  /** The ledger's indices of what lies between two different sites: uplink, links by name, downlink. */
  middle(from: string | undefined, to: string | undefined): readonly number[] {
    let row = this.#middles.get(from ?? "");
    if (row === undefined) {
      row = new Map();
      this.#middles.set(from ?? "", row);
    }
    let middle = row.get(to ?? "");
    if (middle === undefined) {
      middle = this.#middleNames(from, to).map((name) => this.ledger.resource(name));
      row.set(to ?? "", middle);
    }
    return middle;
  }

  /** The same, quicker. */
  between(from: Place, to: Place): readonly number[] {
    const row = (this.#between[from.index] ??= []);
    return (row[to.index] ??= this.middle(from.name, to.name));
  }

  setOutOfUse(component: string, out: boolean): void {
    if (out) this.#outOfUse.add(component);
    else this.#outOfUse.delete(component);
  }

  outOfUse(): ReadonlySet<string> {
    return this.#outOfUse;
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

  #middleNames(from: string | undefined, to: string | undefined): string[] {
    const names = from === undefined ? [] : [siteUplink(from)];
    names.push(...this.#throughNames(from, to));
    if (from !== undefined && to !== undefined) names.push(siteDownlink(to));
    return names;
  }

  #throughNames(from: string | undefined, to: string | undefined): string[] {
    if (from === undefined || to === undefined) return [];
    const entry = this.#topology.paths.find((candidate) => candidate.from === from && candidate.to === to);
    return (entry?.through ?? []).map((name) => namedResource(name));
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
