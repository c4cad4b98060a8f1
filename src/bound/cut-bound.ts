/**
 * A time that no schedule can beat, in closed form, for any topology of the grammar: what must cross a cut, over what the
 * cut carries, for every cut of a family; and what blocks being whole adds (last-block.ts).
 *
 * The family (F: bytes; Kumar and Ross, Peer-assisted file distribution: the minimum distribution time, 2006, for a single
 * site; the others by the same argument):
 *   into an agent        what it lacks / its downlink
 *   out of origins       what nobody else has / the sum of their uplinks
 *   all uploads          what all lack together / the sum of all uplinks
 *   into sites           what no agent of theirs has / what can cross into them (each site; where links join sites, every
 *                        group of them up to a limit)
 *   out of sites         what only the origins' sites have / what can leave these
 *   between sites        what sites lack, summed / the sum of all sites' uplinks
 *   uploads into a site  what its agents lack together / (what can cross into it + the sum of their uplinks)
 * Several file sets use one cut together: of those that start at or after a time, all must pass from then on.
 * A growing file set cannot be complete before its last block exists and has been passed on.
 */
import { RangeSet } from "../std/ranges.ts";
import { agentNicDown, agentNicUp, siteUplink } from "../model/resources.ts";
import type { BoundFileSet, BoundInput } from "./bound-input.ts";
import { Capacities, type Rates } from "./capacities.ts";
import { disseminationSeconds, spreadSeconds } from "./last-block.ts";
import { SiteCuts } from "./site-cuts.ts";

export interface Bound {
  /** From the start of the first file set. */
  readonly seconds: number;
  /** Which kind of cut it is that binds: a few words. */
  readonly kind: string;
  /** Which one of that kind: names of agents or sites; empty where there is only one. */
  readonly where: string;
}

/** Where links by name join so many sites at most, every group of sites is looked at. */
const maximumSitesForGroups = 12;

interface Cut {
  readonly kind: string;
  readonly where: string;
  readonly rates: Rates;
  /** Bytes of a file set that must cross. */
  readonly bytesOf: (fileSet: Holdings) => number;
}

/** Works out bounds of several selections of file sets over the same links. */
export class CutBounds {
  readonly #capacities: Capacities;
  readonly #cuts: SiteCuts;
  readonly #siteOf: ReadonlyMap<string, string>;
  readonly #sites: ReadonlyMap<string, readonly string[]>;

  constructor(input: Pick<BoundInput, "agents" | "epochs">) {
    this.#capacities = new Capacities(input.agents, input.epochs);
    const sites = new Map<string, string[]>();
    for (const { name, site } of input.agents) {
      const members = sites.get(site);
      if (members === undefined) sites.set(site, [name]);
      else members.push(name);
    }
    this.#sites = sites;
    this.#siteOf = new Map(input.agents.map(({ name, site }) => [name, site]));
    this.#cuts = new SiteCuts(this.#capacities, [...sites.keys()]);
  }

  /** The best bound for these file sets together: the time when the last target has everything. */
  bound(fileSets: readonly BoundFileSet[]): Bound {
    const holdings = fileSets.map((fileSet) => new Holdings(fileSet, this.#siteOf)).filter(({ isWanted }) => isWanted);
    const firstStart = fileSets.reduce((least, { startSeconds }) => Math.min(least, startSeconds), Infinity);
    let best: Bound = { seconds: 0, kind: "nothing to do", where: "" };
    const offer = (endSeconds: number, kind: string, where: string): void => {
      if (endSeconds - firstStart > best.seconds) best = { seconds: endSeconds - firstStart, kind, where };
    };
    for (const cut of this.#allCuts(holdings)) offer(this.#endOf(cut, holdings), cut.kind, cut.where);
    for (const fileSet of holdings) this.#offerLastBlock(fileSet, offer);
    return best;
  }

  /** When all of the file sets has crossed a cut: the worst over those that start at or after each start. */
  #endOf(cut: Cut, holdings: readonly Holdings[]): number {
    const crossing = holdings
      .map((fileSet) => ({ start: fileSet.fileSet.startSeconds, bytes: cut.bytesOf(fileSet) }))
      .filter(({ bytes }) => bytes > 0)
      .sort((one, other) => other.start - one.start);
    let bytes = 0;
    let end = 0;
    for (const entry of crossing) {
      bytes += entry.bytes;
      end = Math.max(end, this.#capacities.endSeconds(bytes * 8, entry.start, cut.rates));
    }
    return end;
  }

  *#allCuts(holdings: readonly Holdings[]): Generator<Cut> {
    const capacities = this.#capacities;
    const up = (names: Iterable<string>): Rates =>
      capacities.sum([...names].map((name) => capacities.of(agentNicUp(name))));
    const carriers = this.#carriers(holdings);
    for (const { name } of capacities.agents) {
      const bytesOf = (fileSet: Holdings): number => fileSet.missingBytes(name);
      yield { kind: "into an agent", where: name, rates: capacities.of(agentNicDown(name)), bytesOf };
    }
    for (const origins of distinctSets(holdings.map(({ fileSet }) => fileSet.origins))) {
      const where = [...origins].join(", ");
      yield { kind: "out of origins", where, rates: up(origins), bytesOf: (fileSet) => fileSet.bytesOnlyWith(origins) };
    }
    yield { kind: "all uploads", where: "", rates: up(carriers), bytesOf: (fileSet) => fileSet.allMissingBytes };
    yield* this.#siteCuts(holdings, carriers, up);
  }

  *#siteCuts(
    holdings: readonly Holdings[],
    carriers: ReadonlySet<string>,
    up: (names: Iterable<string>) => Rates,
  ): Generator<Cut> {
    const capacities = this.#capacities;
    if (this.#sites.size < 2) return;
    for (const sites of this.#groups()) {
      const bytesOf = (fileSet: Holdings): number => fileSet.bytesNotIn(sites);
      yield { kind: "into sites", where: [...sites].join(", "), rates: this.#cuts.into(sites), bytesOf };
    }
    for (const sites of distinctSets(holdings.map(({ originSites }) => [...originSites]))) {
      const others = new Set([...this.#sites.keys()].filter((site) => !sites.has(site)));
      const bytesOf = (fileSet: Holdings): number => fileSet.bytesNotIn(others);
      const uplinks = capacities.sum([...sites].map((site) => capacities.of(siteUplink(site))));
      const rates = capacities.least([uplinks, this.#cuts.into(others)]);
      yield { kind: "out of sites", where: [...sites].join(", "), rates, bytesOf };
    }
    const sending = [...this.#sites].filter(([, members]) => members.some((name) => carriers.has(name)));
    yield {
      kind: "between sites",
      where: "",
      rates: capacities.sum(sending.map(([site]) => capacities.of(siteUplink(site)))),
      bytesOf: (fileSet) => {
        let bytes = 0;
        for (const site of this.#sites.keys()) bytes += fileSet.bytesNotIn(new Set([site]));
        return bytes;
      },
    };
    for (const [site, members] of this.#sites) {
      const inside = up(members.filter((name) => carriers.has(name)));
      const rates = capacities.sum([this.#cuts.into(new Set([site])), inside]);
      const bytesOf = (fileSet: Holdings): number => fileSet.missingBytesIn(site);
      yield { kind: "uploads into a site", where: site, rates, bytesOf };
    }
  }

  /** Each site, and where links by name join them and they are few, every group of them. */
  *#groups(): Generator<ReadonlySet<string>> {
    const sites = [...this.#sites.keys()];
    if (!this.#cuts.hasLinks || sites.length > maximumSitesForGroups) {
      for (const site of sites) yield new Set([site]);
      return;
    }
    for (let mask = 1; mask < 2 ** sites.length - 1; mask += 1) {
      yield new Set(sites.filter((_, bit) => (mask >> bit) % 2 === 1));
    }
  }

  /** Who may pass any of these file sets on. */
  #carriers(holdings: readonly Holdings[]): ReadonlySet<string> {
    const carriers = new Set<string>();
    for (const { fileSet } of holdings) {
      const names = fileSet.relays === "all" ? this.#siteOf.keys() : [...fileSet.origins, ...fileSet.targets];
      for (const name of names) carriers.add(name);
      for (const name of fileSet.held?.keys() ?? []) carriers.add(name);
    }
    return carriers;
  }

  #offerLastBlock(holdings: Holdings, offer: (endSeconds: number, kind: string, where: string) => void): void {
    const { fileSet, peers } = holdings;
    const { totalBytes, shortestBytes } = fileSet.blocks;
    const carriers = this.#carriers([holdings]);
    let fastest = 0;
    for (const name of carriers) fastest = Math.max(fastest, ...this.#capacities.of(agentNicUp(name)));
    if (fileSet.origins.length === 1 && !holdings.hasPartialHolders && fileSet.growthBitsPerSecond === undefined) {
      const seconds = disseminationSeconds(totalBytes, shortestBytes, peers.length, fastest);
      offer(fileSet.startSeconds + seconds, "passing on the last block", "");
    }
    if (fileSet.growthBitsPerSecond === undefined) return;
    const producedAt = fileSet.startSeconds + (totalBytes * 8) / fileSet.growthBitsPerSecond;
    let spread = spreadSeconds(shortestBytes, fileSet.origins.length, peers.length, fastest);
    for (const site of this.#sites.keys()) {
      if (holdings.bytesNotIn(new Set([site])) === 0) continue;
      const rates = this.#cuts.into(new Set([site]));
      spread = Math.max(spread, this.#capacities.endSeconds(shortestBytes * 8, producedAt, rates) - producedAt);
    }
    offer(producedAt + spread, "production and the last block", "");
  }
}

/** The best bound for all file sets of the input. */
export function cutBound(input: BoundInput): Bound {
  return new CutBounds(input).bound(input.fileSets);
}

/** Who has and lacks what of one file set at its start. */
class Holdings {
  readonly fileSet: BoundFileSet;
  /** Targets that are no origins. */
  readonly peers: readonly string[];
  readonly originSites: ReadonlySet<string>;
  readonly hasPartialHolders: boolean;
  readonly #isPeer: ReadonlySet<string>;
  readonly #siteOf: ReadonlyMap<string, string>;
  readonly #peersOfSite = new Map<string, string[]>();

  constructor(fileSet: BoundFileSet, siteOf: ReadonlyMap<string, string>) {
    this.fileSet = fileSet;
    this.#siteOf = siteOf;
    const origins = new Set(fileSet.origins);
    this.peers = fileSet.targets.filter((name) => !origins.has(name));
    this.#isPeer = new Set(this.peers);
    this.originSites = new Set(fileSet.origins.map((name) => siteOf.get(name) ?? ""));
    this.hasPartialHolders = [...(fileSet.held?.values() ?? [])].some((held) => !held.isEmpty);
    for (const name of this.peers) {
      const site = siteOf.get(name) ?? "";
      const peers = this.#peersOfSite.get(site);
      if (peers === undefined) this.#peersOfSite.set(site, [name]);
      else peers.push(name);
    }
  }

  /** Nothing bounds it but what agents can take in. */
  get #isFromOutside(): boolean {
    return this.fileSet.origins.length === 0;
  }

  get isWanted(): boolean {
    return this.peers.length > 0 && this.fileSet.blocks.totalBytes > 0;
  }

  /** What an agent wants and lacks. */
  missingBytes(name: string): number {
    return this.#isPeer.has(name) ? this.#lackedBytes(name) : 0;
  }

  /** What all targets lack, summed. */
  get allMissingBytes(): number {
    return this.#isFromOutside ? 0 : this.#sum(this.peers);
  }

  missingBytesIn(site: string): number {
    return this.#isFromOutside ? 0 : this.#sum(this.#peersOfSite.get(site) ?? []);
  }

  /** What these agents alone have, and somebody else wants. */
  bytesOnlyWith(agents: ReadonlySet<string>): number {
    if (this.#isFromOutside || !this.fileSet.origins.every((name) => agents.has(name))) return 0;
    if (!this.peers.some((name) => !agents.has(name))) return 0;
    return this.#bytesWithout((name) => !agents.has(name));
  }

  /** What somebody in these sites wants and nobody there has. */
  bytesNotIn(sites: ReadonlySet<string>): number {
    if (this.#isFromOutside) return 0;
    for (const site of this.originSites) if (sites.has(site)) return 0;
    let isWanted = false;
    for (const site of sites) if (this.#peersOfSite.has(site)) isWanted = true;
    return isWanted ? this.#bytesWithout((name) => sites.has(this.#siteOf.get(name) ?? "")) : 0;
  }

  #sum(names: readonly string[]): number {
    if (!this.hasPartialHolders) return names.length * this.fileSet.blocks.totalBytes;
    return names.reduce((sum, name) => sum + this.#lackedBytes(name), 0);
  }

  #lackedBytes(name: string): number {
    const { blocks, held } = this.fileSet;
    const own = held?.get(name);
    return blocks.totalBytes - (own === undefined ? 0 : blocks.bytesOf(own));
  }

  /** All bytes but those that some partial holder among these has. */
  #bytesWithout(isMeant: (name: string) => boolean): number {
    const { blocks, held } = this.fileSet;
    if (!this.hasPartialHolders) return blocks.totalBytes;
    const there = new RangeSet();
    for (const [name, own] of held ?? []) if (isMeant(name)) there.addAll(own);
    return blocks.totalBytes - blocks.bytesOf(there);
  }
}

function distinctSets(lists: readonly (readonly string[])[]): ReadonlySet<string>[] {
  const sets = new Map<string, ReadonlySet<string>>();
  for (const list of lists) sets.set(list.toSorted().join(" "), new Set(list));
  return [...sets.values()];
}
