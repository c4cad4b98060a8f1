/**
 * Transfers between sites. Ways between sites are scarce: a block goes into a site once, and out of a site where an origin
 * stands only if no other site has it, until all are out. Looked at from the targets' side, the site that lacks most for
 * what its downlink can carry first: a way that idles is lost.
 */
import type { BlockOrder, Holding } from "./block-order.ts";
import { drawSource } from "./market.ts";
import type { Match, Matcher } from "./match.ts";
import { downFree, isSlowTarget } from "./pace.ts";
import type { PickRule } from "./pick-blocks.ts";
import type { SiteView } from "./site-view.ts";
import { hasSomethingFor, Supply } from "./supply.ts";
import type { Member, Place } from "./world.ts";

/** Other sites that are looked at for one transfer. */
const drawnSites = 8;

/** Whether transfers from one site to another are this pass's to schedule. */
export type Admits = (from: Place, to: Place) => boolean;

interface Needy {
  readonly place: Place;
  readonly view: SiteView;
}

export class RemotePass {
  readonly #matcher: Matcher;
  readonly #supply: Supply;
  readonly #admits: Admits;

  constructor(matcher: Matcher, admits: Admits = () => true) {
    this.#matcher = matcher;
    this.#admits = admits;
    this.#supply = new Supply(matcher.parts.world);
  }

  /**
   * @param touched sites of which something has changed; a transfer has at least one end in one of them
   * @param isScarce whether ways between sites are what a distribution waits for
   */
  run(orders: readonly BlockOrder[], touched: ReadonlySet<Place>, isScarce: (order: BlockOrder) => boolean): void {
    this.#supply.refresh(orders);
    for (const order of orders) if (order.views.size > 1) this.#serve(order, touched, isScarce(order));
  }

  #serve(order: BlockOrder, touched: ReadonlySet<Place>, isScarce: boolean): void {
    const { random } = this.#matcher.parts;
    const suppliers: Place[] = [];
    for (const view of order.views.values()) {
      const place = this.#placeOf(view);
      if (place.sources.length > 0 && view.absent.count < order.blockCount) suppliers.push(place);
    }
    if (suppliers.length === 0) return;
    const touchedSuppliers = suppliers.filter((place) => touched.has(place));
    const needy = this.#needy(order, isScarce ? suppliers : [], touchedSuppliers.length > 0 ? undefined : touched);
    let elsewhere = 0;
    for (const { place, view } of needy) {
      const isTouched = touched.has(place);
      const from = isTouched ? suppliers : touchedSuppliers;
      if (from.length === 0) continue;
      // Where ways are ample, somebody else will bring it just as well: not every site is tried for each source.
      elsewhere += isTouched ? 0 : 1;
      if (!isScarce && elsewhere > drawnSites) continue;
      random.shuffle(from);
      this.#fill(order, place, view, from);
    }
  }

  /**
   * Two free interfaces and a free way rarely coincide by themselves. Where a way into a site idles that another site has
   * something for, and no source there is free, one free target is kept from transfers within its site until one is.
   * @returns members that are not kept free any more
   */
  awaitSources(order: BlockOrder, touched: ReadonlySet<Place>): Member[] {
    const { world, settings } = this.#matcher.parts;
    const freed: Member[] = [];
    for (const view of order.views.values()) {
      const place = this.#placeOf(view);
      const awaits =
        !view.absent.isEmpty &&
        place.targets.length > 0 &&
        [...order.views.values()].some((other) => {
          if (other === view || !this.#admits(this.#placeOf(other), place)) return false;
          const middle = world.middle(other.site, view.site);
          const least = world.ledger.capabilityOf(middle) * settings.leastWayShare;
          return world.ledger.free(middle) >= Math.max(1, least) && hasSomethingFor(order, other, view);
        });
      if (awaits && place.awaiting === undefined) place.awaiting = this.#target(order, place);
      if (awaits || place.awaiting === undefined || !touched.has(place)) continue;
      freed.push(place.awaiting);
      place.awaiting = undefined;
    }
    return freed;
  }

  /** Once more from any other site, for a target that would idle; only where ways are not what binds. */
  again(order: BlockOrder, target: Member): boolean {
    const { random } = this.#matcher.parts;
    const own = target.place as Place;
    const places = [...order.views.values()]
      .map((view) => this.#placeOf(view))
      .filter((place) => place !== own && this.#admits(place, own));
    random.shuffle(places);
    let best: Match | undefined;
    for (const place of places.slice(0, drawnSites)) {
      best = this.#from(best, order, place, target, { rarity: "sites" });
    }
    if (best === undefined) this.#matcher.forget();
    else this.#matcher.open(best, "again");
    return best !== undefined;
  }

  /**
   * Sites that lack blocks and could take some: those that lack most for what their downlinks can carry first, of about
   * equals the one that the fewest other sites have something for, so that no supplier is taken from whom nobody else can serve.
   */
  #needy(order: BlockOrder, suppliers: readonly Place[], among: ReadonlySet<Place> | undefined): Needy[] {
    const { world, random } = this.#matcher.parts;
    const needy: { place: Place; view: SiteView; need: number; suppliers: number; class: number }[] = [];
    let most = 0;
    for (const view of order.views.values()) {
      if (view.absent.isEmpty) continue;
      const place = this.#placeOf(view);
      if (place.targets.length === 0 || among?.has(place) === false) continue;
      if (world.ledger.roomOn(place.downlink) === 0) continue;
      const capability = world.ledger.capabilityOn(place.downlink);
      const need = capability === Infinity ? 0 : view.absent.count / capability;
      most = Math.max(most, need);
      needy.push({ place, view, need, suppliers: 0, class: 0 });
    }
    if (needy.length < 2) return needy;
    for (const entry of needy) {
      entry.class =
        entry.need === 0 ? 0 : Math.floor(((most - entry.need) * world.ledger.capabilityOn(entry.place.downlink)) / 3);
      for (const supplier of suppliers) {
        const view = order.views.get(supplier.name);
        if (supplier === entry.place || view === undefined) continue;
        if (world.ledger.room(world.middle(supplier.name, entry.place.name)) === 0) continue;
        if (hasSomethingFor(order, view, entry.view)) entry.suppliers += 1;
      }
    }
    random.shuffle(needy);
    return needy.sort((a, b) => a.class - b.class || a.suppliers - b.suppliers || b.need - a.need);
  }

  #fill(order: BlockOrder, place: Place, view: SiteView, suppliers: readonly Place[]): void {
    const { world } = this.#matcher.parts;
    while (place.targets.length > 0 && world.ledger.roomOn(place.downlink) > 0 && !view.absent.isEmpty) {
      const target = this.#target(order, place);
      if (target === undefined) return;
      let best: Match | undefined;
      let looked = 0;
      for (const supplier of suppliers) {
        const from = order.views.get(supplier.name);
        if (supplier === place || supplier.sources.length === 0 || from === undefined) continue;
        if (!this.#admits(supplier, place)) continue;
        if (!hasSomethingFor(order, from, view)) continue;
        const { isHome } = from;
        const only = isHome && !view.isHome && !order.onlyHome.isEmpty ? order.onlyHome : view.absent;
        const dependence = isHome ? 0 : this.#supply.dependenceBeside(supplier, view);
        best = this.#from(best, order, supplier, target, { rarity: "sites", only, dependence });
        looked += 1;
        if (looked >= (best === undefined ? 2 * drawnSites : drawnSites)) break;
      }
      if (best === undefined) return this.#matcher.forget();
      this.#matcher.open(best, "intoSite");
      this.#supply.used();
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
      if (!target.needs.has(order) || (isSlowTarget(target) && this.#hasFastTarget(order, place))) continue;
      looked += 1;
      const free = downFree(target, world.ledger);
      if (free <= most) continue;
      most = free;
      best = target;
    }
    return best;
  }

  /** What comes into a site must not wait there behind a slow interface. */
  #hasFastTarget(order: BlockOrder, place: Place): boolean {
    const members = order.views.get(place.name)?.members ?? [];
    return members.some((member) => order.hungry.has(member) && member.online && !isSlowTarget(member));
  }

  #from(best: Match | undefined, order: BlockOrder, place: Place, target: Member, rule: PickRule): Match | undefined {
    const matcher = this.#matcher;
    const { random, settings, world } = matcher.parts;
    const middle = world.middle(place.name, target.site);
    if (world.ledger.room(middle) === 0) return best;
    const { sources } = place;
    const holding = order.holding(target);
    let better = best;
    const draws = Math.min(settings.drawnSources, sources.length);
    for (let drawn = 0; drawn < draws; drawn += 1) {
      const index = drawn + (sources.length - drawn === 1 ? 0 : random.nextBelow(sources.length - drawn));
      const source = drawSource(sources, drawn, index);
      const given = order.find(source);
      if (given === undefined || given.held.isEmpty || !matcher.mayServe(source, target)) continue;
      if (!given.counts && this.#feedsNeighbours(order, given, middle)) continue;
      const rate = matcher.rateBetween(source, target, middle);
      if (rate > 0) better = matcher.choose(better, order, given, holding, rate, rule);
    }
    return better;
  }

  /**
   * An origin with neighbours gives them, at its full rate, what nobody has, and they feed the uplink: an uplink that is
   * slower than an interface must not hold up the origin. While nobody else has anything, an origin that can do both does.
   */
  #feedsNeighbours(order: BlockOrder, origin: Holding, middle: readonly number[]): boolean {
    if (order.freshBlocks.isEmpty) return false;
    const { ledger } = this.#matcher.parts.world;
    const nobodyHasAny = order.freshBlocks.count + order.duplicates.count === order.blockCount;
    if (nobodyHasAny && 2 * ledger.capabilityOf(middle) <= ledger.capabilityOn(origin.member.nicUp)) return false;
    for (const member of origin.view?.members ?? []) {
      if (member !== origin.member && member.online && order.hungry.has(member)) return true;
    }
    return false;
  }

  #placeOf(view: SiteView): Place {
    return this.#matcher.parts.world.place(view.site);
  }
}
