/**
 * Transfers between sites. Ways between sites are scarce: a block goes into a site once, and out of a site where an origin
 * stands only if no other site has it, until all are out. Looked at from the targets' side, the site that lacks most for
 * what its downlink can carry first: a way that idles is lost.
 */
import type { BlockOrder, Holding } from "./block-order.ts";
import type { Match, Matcher } from "./match.ts";
import { downFree, isSlowTarget } from "./pace.ts";
import { pickBlock, type PickedBlock, type PickRule } from "./pick-blocks.ts";
import type { SiteView } from "./site-view.ts";
import type { SeededRandom } from "../std/seeded-random.ts";
import { hasSomethingFor, Supply } from "./supply.ts";
import type { Member, Place } from "./world.ts";

/** Other sites that are looked at for one transfer. */
const drawnSites = 8;
/** Of those that hold a block, so many are compared. */
const comparedHolders = 4;
/** Free sources of one site that are asked whether they hold it. */
const lookedAtSources = 256;
/** Sources of each site that are looked at for what may come into a site again: wherever it is from, it helps. */
const drawnAgain = 3;
/** ... and where so many sites' have nothing, it is likely that none has. */
const fruitlessSites = 3;
/** A way takes the uplink and the downlink; each link more between the two sites is one that others cannot use meanwhile. */
const endsOfAWay = 2;
const detour = 10_000;
const anyBlock: PickRule = { rarity: "sites" };

/** Whether transfers from one site to another are this pass's to schedule. */
export type Admits = (from: Place, to: Place) => boolean;

interface Needy {
  readonly view: SiteView;
  readonly need: number;
  /** Sites that have something for it. */
  suppliers: number;
  class: number;
}

export class RemotePass {
  readonly #matcher: Matcher;
  readonly #supply: Supply;
  readonly #admits: Admits;
  readonly #picked: PickedBlock = { block: -1, copies: 0 };

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
    for (const order of orders) if (order.views.size > 1) this.#serve(order, touched, isScarce(order), false);
    for (const order of orders) {
      const isCarried = order.views.size > 1 && order.pairs.views.some((view) => view.onlyCarries);
      if (isCarried) this.#serve(order, touched, isScarce(order), true);
    }
  }

  /** @param carriers whether sites are served that carry blocks for others, or the others */
  #serve(order: BlockOrder, touched: ReadonlySet<Place>, isScarce: boolean, carriers: boolean): void {
    const suppliers: SiteView[] = [];
    const touchedSuppliers: SiteView[] = [];
    for (const view of order.pairs.views) {
      const place = this.#placeOf(view);
      if (place.sources.length === 0 || view.absent.count >= order.blockCount) continue;
      suppliers.push(view);
      if (touched.has(place)) touchedSuppliers.push(view);
    }
    if (suppliers.length === 0) return;
    const among = touchedSuppliers.length > 0 ? undefined : touched;
    const needy = this.#needy(order, isScarce ? suppliers : [], among, carriers);
    let elsewhere = 0;
    for (const { view } of needy) {
      const isTouched = touched.has(this.#placeOf(view));
      const from = isTouched ? suppliers : touchedSuppliers;
      if (from.length === 0) continue;
      // Where ways are ample, somebody else will bring it just as well: not every site is tried for each source.
      elsewhere += isTouched ? 0 : 1;
      if (!isScarce && elsewhere > drawnSites) continue;
      this.#fill(order, view, from);
    }
  }

  /**
   * Two free interfaces and a free way rarely coincide by themselves. Where a way into a site idles that another site has
   * something for, and no source there is free, one free target is kept from transfers within its site until one is.
   * @returns members that are not kept free any more
   */
  awaitSources(order: BlockOrder, touched: ReadonlySet<Place>): Member[] {
    const freed: Member[] = [];
    for (const view of order.pairs.views) {
      const place = this.#placeOf(view);
      const awaits = !view.absent.isEmpty && place.targets.length > 0 && this.#hasIdleWay(order, view, place);
      if (awaits && place.awaiting === undefined) place.awaiting = this.#target(order, view, place);
      if (awaits || place.awaiting === undefined || !touched.has(place)) continue;
      freed.push(place.awaiting);
      place.awaiting = undefined;
    }
    return freed;
  }

  /** Whether a way into a site idles that another site has something for. */
  #hasIdleWay(order: BlockOrder, view: SiteView, place: Place): boolean {
    const { world, settings } = this.#matcher.parts;
    const { ledger } = world;
    const into = ledger.freeOn(place.downlink);
    if (into < 1) return false;
    return order.pairs.views.some((other) => {
      if (other === view || !hasSomethingFor(order, other, view)) return false;
      const from = this.#placeOf(other);
      if (!this.#admits(from, place)) return false;
      const middle = world.between(from, place);
      return ledger.free(middle) >= Math.max(1, ledger.capabilityOf(middle) * settings.leastWayShare);
    });
  }

  /** Once more from any other site, for a target that would idle; only where ways are not what binds. */
  again(order: BlockOrder, target: Member): boolean {
    const { random, world } = this.#matcher.parts;
    const { views } = order.pairs;
    const own = target.place as Place;
    const holding = order.holding(target);
    if (world.ledger.roomOn(own.downlink) === 0 || holding.carries) return false;
    let best: Match | undefined;
    let looked = 0;
    const begin = random.nextBelow(views.length);
    for (let step = 0; step < views.length && looked < (best === undefined ? fruitlessSites : drawnSites); step += 1) {
      const view = views[(begin + step) % views.length] as SiteView;
      const place = this.#placeOf(view);
      if (place === own || place.sources.length === 0 || !this.#admits(place, own)) continue;
      looked += 1;
      const middle = world.between(place, own);
      if (world.ledger.room(middle) === 0) continue;
      best = this.#fromDrawn(best, order, view, holding, middle, anyBlock, drawnAgain);
    }
    if (best === undefined) this.#matcher.forget();
    else this.#matcher.open(best, "again");
    return best !== undefined;
  }

  /**
   * Sites that lack blocks and could take some: those that lack most for what their downlinks can carry first, of about
   * equals the one that the fewest other sites have something for, so that no supplier is taken from whom nobody else can serve.
   */
  #needy(
    order: BlockOrder,
    suppliers: readonly SiteView[],
    among: ReadonlySet<Place> | undefined,
    carriers: boolean,
  ): Needy[] {
    const { world, random } = this.#matcher.parts;
    const needy: Needy[] = [];
    let most = 0;
    for (const view of order.pairs.views) {
      if (view.absent.isEmpty || view.onlyCarries !== carriers) continue;
      const place = this.#placeOf(view);
      if (place.targets.length === 0 || among?.has(place) === false) continue;
      if (world.ledger.roomOn(place.downlink) === 0) continue;
      const capability = world.ledger.capabilityOn(place.downlink);
      const need = capability === Infinity ? 0 : view.absent.count / capability;
      most = Math.max(most, need);
      needy.push({ view, need, suppliers: 0, class: 0 });
    }
    if (needy.length < 2) return needy;
    for (const entry of needy) {
      const place = this.#placeOf(entry.view);
      entry.class =
        entry.need === 0 ? 0 : Math.floor(((most - entry.need) * world.ledger.capabilityOn(place.downlink)) / 3);
      for (const supplier of suppliers) {
        if (supplier === entry.view || !hasSomethingFor(order, supplier, entry.view)) continue;
        if (world.ledger.room(world.between(this.#placeOf(supplier), place)) > 0) entry.suppliers += 1;
      }
    }
    random.shuffle(needy);
    return needy.sort((a, b) => a.class - b.class || a.suppliers - b.suppliers || b.need - a.need);
  }

  /** @param suppliers their order is changed */
  #fill(order: BlockOrder, view: SiteView, suppliers: SiteView[]): void {
    const { world, random } = this.#matcher.parts;
    const place = this.#placeOf(view);
    while (place.targets.length > 0 && world.ledger.roomOn(place.downlink) > 0 && !view.absent.isEmpty) {
      const target = this.#target(order, view, place);
      if (target === undefined) return;
      const holding = order.holding(target);
      let best: Match | undefined;
      let looked = 0;
      for (let drawn = 0; drawn < suppliers.length; drawn += 1) {
        const from = draw(suppliers, drawn, random);
        const supplier = this.#placeOf(from);
        if (from === view || supplier.sources.length === 0 || !hasSomethingFor(order, from, view)) continue;
        if (!this.#admits(supplier, place)) continue;
        const { isHome } = from;
        const only = isHome && !view.isHome && !order.onlyHome.isEmpty ? order.onlyHome : view.absent;
        const beside = isHome ? 0 : this.#supply.dependenceBeside(supplier, view);
        const dependence = beside + detour * Math.max(0, world.between(supplier, place).length - endsOfAWay);
        best = this.#from(best, order, from, holding, { rarity: "sites", only, dependence });
        // Late in a round most ways out are taken: the few that are left must be found.
        if (best === undefined && world.ledger.room(world.between(supplier, place)) === 0) continue;
        looked += 1;
        if (looked >= (best === undefined ? 2 * drawnSites : drawnSites)) break;
      }
      if (best === undefined) return this.#matcher.forget();
      this.#matcher.open(best, "intoSite");
      this.#supply.used();
    }
  }

  /** Of a few free targets that lack this order, the one with most bandwidth free. */
  #target(order: BlockOrder, view: SiteView, { targets }: Place): Member | undefined {
    const { random, world, settings } = this.#matcher.parts;
    let best: Member | undefined;
    let most = 0;
    const begin = targets.length === 1 ? 0 : random.nextBelow(targets.length);
    let looked = 0;
    for (let step = 0; step < targets.length && looked < settings.drawnTargets; step += 1) {
      const target = targets[(begin + step) % targets.length] as Member;
      if (!target.needs.has(order) || (isSlowTarget(target) && hasFastTarget(order, view))) continue;
      looked += 1;
      const free = downFree(target, world.ledger);
      if (free <= most) continue;
      most = free;
      best = target;
    }
    return best;
  }

  /** The better of a match and the best transfer from one site. */
  #from(
    best: Match | undefined,
    order: BlockOrder,
    from: SiteView,
    target: Holding,
    rule: PickRule,
  ): Match | undefined {
    const { world } = this.#matcher.parts;
    const middle = world.between(this.#placeOf(from), target.member.place as Place);
    if (world.ledger.room(middle) === 0) return best;
    let better = best;
    for (const origin of order.origins) {
      if (origin.place === from.place && origin.sourceAt >= 0) {
        better = this.#fromOrigin(better, order, order.holding(origin), target, middle, rule);
      }
    }
    // The rarest block that the site has for it, from whom it is with; or, if they are all busy, whatever others have.
    const { settings, random } = this.#matcher.parts;
    if (from.held.isEmpty || !pickBlock(order, from.held, target, rule, random, this.#picked)) return better;
    const found = this.#fromHolders(better, order, from, target, middle, rule);
    return found === false ? this.#fromDrawn(better, order, from, target, middle, rule, settings.drawnSources) : found;
  }

  /** From those who hold the block that was picked. @returns false when nobody who is free does */
  #fromHolders(
    best: Match | undefined,
    order: BlockOrder,
    from: SiteView,
    target: Holding,
    middle: readonly number[],
    rule: PickRule,
  ): Match | undefined | false {
    const matcher = this.#matcher;
    const { block } = this.#picked;
    const { sources } = this.#placeOf(from);
    const begin = sources.length === 1 ? 0 : matcher.parts.random.nextBelow(sources.length);
    let better = best;
    let found = 0;
    for (let step = 0; step < Math.min(sources.length, lookedAtSources) && found < comparedHolders; step += 1) {
      const index = begin + step;
      const source = sources[index < sources.length ? index : index - sources.length] as Member;
      const given = order.find(source);
      if (given === undefined || !given.counts || !given.held.has(block)) continue;
      if (!matcher.mayServe(source, target.member)) continue;
      const rate = matcher.rateBetween(order, source, target.member, middle);
      if (rate === 0) continue;
      found += 1;
      better = matcher.chooseBlock(better, order, given, target, rate, rule, this.#picked);
    }
    if (found > 0) return better;
    order.noteGone(from, block);
    return false;
  }

  /** From a few free sources drawn at random. */
  #fromDrawn(
    best: Match | undefined,
    order: BlockOrder,
    from: SiteView,
    target: Holding,
    middle: readonly number[],
    rule: PickRule,
    draws: number,
  ): Match | undefined {
    const matcher = this.#matcher;
    const { sources } = this.#placeOf(from);
    const begin = sources.length === 1 ? 0 : matcher.parts.random.nextBelow(sources.length);
    let better = best;
    for (let step = 0; step < Math.min(sources.length, draws); step += 1) {
      const index = begin + step;
      const source = sources[index < sources.length ? index : index - sources.length] as Member;
      const given = order.find(source);
      if (given === undefined || given.held.isEmpty || !matcher.mayServe(source, target.member)) continue;
      if (!given.counts && this.#feedsNeighbours(order, given, middle)) continue;
      const rate = matcher.rateBetween(order, source, target.member, middle);
      if (rate > 0) better = matcher.choose(better, order, given, target, rate, rule);
    }
    return better;
  }

  #fromOrigin(
    best: Match | undefined,
    order: BlockOrder,
    origin: Holding,
    target: Holding,
    middle: readonly number[],
    rule: PickRule,
  ): Match | undefined {
    const matcher = this.#matcher;
    if (origin.held.isEmpty || !matcher.mayServe(origin.member, target.member)) return best;
    if (this.#feedsNeighbours(order, origin, middle)) return best;
    const rate = matcher.rateBetween(order, origin.member, target.member, middle);
    return rate > 0 ? matcher.choose(best, order, origin, target, rate, rule) : best;
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
    return view.place ?? this.#matcher.parts.world.place(view.site);
  }
}

/** What comes into a site must not wait there behind a slow interface. */
function hasFastTarget(order: BlockOrder, { members }: SiteView): boolean {
  return members.some((member) => order.hungry.has(member) && member.online && !isSlowTarget(member));
}

/** Moves an item drawn at random from those at `from` and beyond to `from`, and gives it. */
function draw<T>(items: T[], from: number, random: SeededRandom): T {
  const index = items.length - from === 1 ? from : from + random.nextBelow(items.length - from);
  const drawn = items[index] as T;
  items[index] = items[from] as T;
  items[from] = drawn;
  return drawn;
}
