/**
 * What can get from all other sites into a group of them: the capacity of a cut between sites.
 *
 * Every path from a site outside to one inside uses the source's uplink, the links between, and the target's downlink. Any
 * choice of resources that every such path uses one of bounds what crosses, by the sum of their capabilities (weak duality
 * of the packing of paths); the least of several choices is taken.
 */
import { namedResource, siteDownlink, siteUplink } from "../model/resources.ts";
import type { Capacities, Rates } from "./capacities.ts";

export class SiteCuts {
  readonly sites: readonly string[];
  readonly #capacities: Capacities;
  readonly #known = new Map<string, Rates>();
  /** Links between two sites, by "from to", in each epoch. */
  readonly #through: readonly ReadonlyMap<string, readonly string[]>[];
  readonly #hasLinks: boolean;

  /** @param sites those with agents */
  constructor(capacities: Capacities, sites: readonly string[]) {
    this.#capacities = capacities;
    this.sites = sites;
    this.#through = capacities.epochs.map(
      ({ topology }) =>
        new Map(
          topology.paths.map(({ from, to, through }) => [`${from} ${to}`, through.map((name) => namedResource(name))]),
        ),
    );
    this.#hasLinks = this.#through.some((links) => links.size > 0);
  }

  /** Whether links by name join sites: then groups of several sites can be scarcer than single ones. */
  get hasLinks(): boolean {
    return this.#hasLinks;
  }

  /** What can cross into these sites. Infinity where some way in has no limit. */
  into(inside: ReadonlySet<string>): Rates {
    const key = [...inside].toSorted().join(" ");
    let rates = this.#known.get(key);
    if (rates === undefined) {
      const capacities = this.#capacities;
      rates = capacities.epochs.map((_, epoch) => this.#capacityInto(inside, epoch));
      this.#known.set(key, rates);
    }
    return rates;
  }

  #capacityInto(inside: ReadonlySet<string>, epoch: number): number {
    const outside = this.sites.filter((site) => !inside.has(site));
    const sumOf = (names: readonly string[]): number =>
      names.reduce((sum, name) => sum + this.#capability(name, epoch), 0);
    const simple = Math.min(sumOf([...inside].map(siteDownlink)), sumOf(outside.map(siteUplink)));
    if (!this.#hasLinks) return simple;
    const ways: string[][] = [];
    for (const from of outside) {
      for (const to of inside) {
        const links = this.#through[epoch]?.get(`${from} ${to}`) ?? [];
        const way = [siteUplink(from), ...links, siteDownlink(to)].filter(
          (name) => this.#capability(name, epoch) < Infinity,
        );
        if (way.length === 0) return simple;
        ways.push(way);
      }
    }
    const choices = [
      ways.map((way) => way[0] ?? ""),
      ways.map((way) => way.at(-1) ?? ""),
      ways.map((way) =>
        way.reduce((least, name) => (this.#capability(name, epoch) < this.#capability(least, epoch) ? name : least)),
      ),
      greedyCover(ways, (name) => this.#capability(name, epoch)),
    ];
    return choices.reduce((least, choice) => Math.min(least, sumOf([...new Set(choice)])), simple);
  }

  #capability(name: string, epoch: number): number {
    return this.#capacities.of(name)[epoch] ?? Infinity;
  }
}

/** Resources of which every way uses one: again and again that which costs least for each way that it covers. */
function greedyCover(ways: readonly (readonly string[])[], costOf: (name: string) => number): string[] {
  let open = ways;
  const chosen: string[] = [];
  while (open.length > 0) {
    const uses = new Map<string, number>();
    for (const way of open) for (const name of way) uses.set(name, (uses.get(name) ?? 0) + 1);
    let best = "";
    let bestCost = Infinity;
    for (const [name, count] of uses) {
      if (costOf(name) / count >= bestCost) continue;
      best = name;
      bestCost = costOf(name) / count;
    }
    chosen.push(best);
    open = open.filter((way) => !way.includes(best));
  }
  return chosen;
}
