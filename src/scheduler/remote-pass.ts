/**
 * Transfers between sites. Ways between sites are scarce: a block goes into a site once, and out of a site where an origin
 * stands only if no other site has it, until all are out. Looked at from the targets' side, the site that lacks most for
 * what its downlink can carry first: a way that idles is lost.
 */
import type { BlockOrder, Holding } from "./block-order.ts";
import { drawSource } from "./market.ts";
import type { Match, Matcher } from "./match.ts";
import type { PickRule } from "./pick-blocks.ts";
import type { SiteView } from "./site-view.ts";
import type { Member, Place } from "./world.ts";

/** Other sites that are looked at for one transfer. */
const drawnSites = 8;

export class RemotePass {
  readonly #matcher: Matcher;

  constructor(matcher: Matcher) {
    this.#matcher = matcher;
  }

  /** @param touched sites of which something has changed; a transfer has at least one end in one of them */
  run(order: BlockOrder, touched: ReadonlySet<Place>): void {
    if (order.views.size < 2) return;
    const { random } = this.#matcher.parts;
    const needy = this.#needy(order);
    const suppliers: Place[] = [];
    for (const view of order.views.values()) {
      const place = this.#placeOf(view);
      if (place.sources.length > 0 && view.absent.count < order.blockCount) suppliers.push(place);
    }
    if (suppliers.length === 0) return;
    const touchedSuppliers = suppliers.filter((place) => touched.has(place));
    for (const { place, view } of needy) {
      const from = touched.has(place) ? suppliers : touchedSuppliers;
      if (from.length === 0) continue;
      random.shuffle(from);
      this.#fill(order, place, view, from);
    }
  }

  /** Once more from any other site, for a target that would idle; only where ways are not what binds. */
  again(order: BlockOrder, target: Member): boolean {
    const { random } = this.#matcher.parts;
    const places = [...order.views.values()].map((view) => this.#placeOf(view)).filter((place) => place !== target.place);
    random.shuffle(places);
    let best: Match | undefined;
    for (const place of places.slice(0, drawnSites)) {
      best = this.#from(best, order, place, target, { rarity: "sites" });
    }
    this.#matcher.forget();
    if (best === undefined) return false;
    this.#matcher.open(best, "again");
    return true;
  }

  /** Sites that lack blocks and could take some, the one that lacks most for what its downlink can carry first. */
  #needy(order: BlockOrder): { place: Place; view: SiteView; need: number }[] {
    const { world, random } = this.#matcher.parts;
    const needy: { place: Place; view: SiteView; need: number }[] = [];
    for (const view of order.views.values()) {
      if (view.absent.isEmpty) continue;
      const place = this.#placeOf(view);
      if (place.targets.length === 0 || world.ledger.freeOn(place.downlink) === 0) continue;
      const capability = world.ledger.capabilityOn(place.downlink);
      needy.push({ place, view, need: capability === Infinity ? 0 : view.absent.count / capability });
    }
    if (needy.length > 1) {
      random.shuffle(needy);
      needy.sort((a, b) => b.need - a.need);
    }
    return needy;
  }

  #fill(order: BlockOrder, place: Place, view: SiteView, suppliers: readonly Place[]): void {
    const { world } = this.#matcher.parts;
    while (place.targets.length > 0 && world.ledger.freeOn(place.downlink) > 0 && !view.absent.isEmpty) {
      const target = this.#target(order, place);
      if (target === undefined) return;
      let best: Match | undefined;
      let looked = 0;
      for (const supplier of suppliers) {
        if (supplier === place || supplier.sources.length === 0) continue;
        const isHome = order.views.get(supplier.name)?.isHome === true;
        const only = isHome && !view.isHome && !order.onlyHome.isEmpty ? order.onlyHome : view.absent;
        best = this.#from(best, order, supplier, target, { rarity: "sites", only });
        looked += 1;
        if (looked >= drawnSites && best !== undefined) break;
      }
      this.#matcher.forget();
      if (best === undefined) return;
      this.#matcher.open(best, "intoSite");
    }
  }

  /** Of a few free targets that lack this order, the one with most bandwidth free. */
  #target(order: BlockOrder, place: Place): Member | undefined {
    const { random, world, settings } = this.#matcher.parts;
    const { targets } = place;
    let best: Member | undefined;
    let most = 0;
    const begin = targets.length === 1 ? 0 : random.nextBelow(targets.length);
    let looked = 0;
    for (let step = 0; step < targets.length && looked < settings.drawnTargets; step += 1) {
      const target = targets[(begin + step) % targets.length] as Member;
      if (!target.needs.has(order)) continue;
      looked += 1;
      const free = Math.min(target.paceIn.limitBitsPerSecond, world.ledger.freeOn(target.nicDown));
      if (free <= most) continue;
      most = free;
      best = target;
    }
    return best;
  }

  #from(best: Match | undefined, order: BlockOrder, place: Place, target: Member, rule: PickRule): Match | undefined {
    const matcher = this.#matcher;
    const { random, settings, world } = matcher.parts;
    const middle = world.middle(place.name, target.site);
    if (world.ledger.free(middle) === 0) return best;
    const { sources } = place;
    const holding = order.holding(target);
    let better = best;
    const draws = Math.min(settings.drawnSources, sources.length);
    for (let drawn = 0; drawn < draws; drawn += 1) {
      const index = drawn + (sources.length - drawn === 1 ? 0 : random.nextBelow(sources.length - drawn));
      const source = drawSource(sources, drawn, index);
      const given = order.holdings.get(source);
      if (given === undefined || given.held.isEmpty || !matcher.mayServe(source, target)) continue;
      if (!given.counts && this.#feedsNeighbours(order, given)) continue;
      const rate = matcher.rateBetween(source, target, middle);
      if (rate > 0) better = matcher.better(better, matcher.match(order, given, holding, rate, rule));
    }
    return better;
  }

  /**
   * An origin with neighbours gives them, at its full rate, what nobody has, and they feed the uplink: an uplink that is
   * slower than an interface must not hold up the origin.
   */
  #feedsNeighbours(order: BlockOrder, origin: Holding): boolean {
    if (order.freshBlocks.isEmpty) return false;
    for (const member of origin.view?.members ?? []) {
      if (member !== origin.member && member.online && order.hungry.has(member)) return true;
    }
    return false;
  }

  #placeOf(view: SiteView): Place {
    return this.#matcher.parts.world.place(view.site);
  }
}
