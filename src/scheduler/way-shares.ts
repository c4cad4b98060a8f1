/**
 * What lanes between two sites are to have of the way, where bytes are under way for long. There a connection takes many
 * times that to come up to its rate, and what a source has sent all of is not there for long yet; so lanes last, and the first of
 * them would keep all others from the uplink. Each way gets its share of what the two sites and the links between them can
 * carry, max-min fair among all ways that have something to carry; lanes are opened within it, and follow it while they run.
 */
import { fairShares, type SharingFlow } from "../std/fair-shares.ts";
import { unlimitedBitsPerSecond } from "./limits.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import type { SiteView } from "./site-view.ts";
import { hasSomethingFor } from "./supply.ts";
import type { Member, Place, World } from "./world.ts";

/** Where bytes are under way for longer than this, there and back, a way is long. */
const longWayNanoseconds = 5_000_000;
/** What a connection sends before it hears of its peer. */
const firstWindowBytes = 10 * 1_448;
/** Shares are worked out anew after this, and so much for each way: among many it takes a while. */
const validNanoseconds = 20_000_000;
const validNanosecondsForEach = 50_000;
/** Among more sites than this nothing is shared. */
const mostSites = 128;

export function isLongWay(roundTripNanoseconds: number): boolean {
  return roundTripNanoseconds > longWayNanoseconds;
}

/**
 * How much longer a transfer takes over a new connection than its rate says: a connection sends ten segments at first and
 * twice as much with each round trip (RFC 5681, RFC 6928), until as much as is under way at its rate. 0 where the way is not long.
 */
export function comingUpNanoseconds(wayNanoseconds: number, rateBitsPerSecond: number): number {
  if (!isLongWay(wayNanoseconds)) return 0;
  const underWayBytes = (rateBitsPerSecond * wayNanoseconds) / 8_000_000_000;
  let roundTrips = 0;
  for (let window = firstWindowBytes; window < underWayBytes; window *= 2) roundTrips += 1;
  return wayNanoseconds * roundTrips;
}

interface Shares {
  readonly validUntilNanoseconds: number;
  /** By the numbers of the two sites. */
  readonly bitsPerSecond: ReadonlyMap<number, number>;
}

export class WayShares {
  readonly #world: World;
  readonly #lanes: Lanes;
  readonly #shares = new WeakMap<BlockOrder, Shares>();

  constructor(world: World, lanes: Lanes) {
    this.#world = world;
    this.#lanes = lanes;
  }

  /** The share of the way between two agents in bits per second; Infinity where it is not long, or without limits. */
  of(order: BlockOrder, source: Member, target: Member, now: number): number {
    const world = this.#world;
    const { place: from } = source;
    const { place: to } = target;
    if (from === undefined || to === undefined || from === to) return Infinity;
    if (!isLongWay(world.ways.roundTripNanoseconds(source, target)) || order.views.size > mostSites) return Infinity;
    let shares = this.#shares.get(order);
    if (shares === undefined || shares.validUntilNanoseconds <= now) {
      shares = this.#share(order, now);
      this.#shares.set(order, shares);
    }
    return shares.bitsPerSecond.get(keyOf(from, to)) ?? Infinity;
  }

  /** What lanes have of the way between two sites. */
  given(source: Member, target: Member): number {
    let sum = 0;
    for (const lane of this.#over(source.place as Place)) {
      if (lane.target.place === target.place) sum += lane.rateBitsPerSecond;
    }
    return sum;
  }

  #over(from: Place): readonly Lane[] {
    return this.#lanes.over(from.uplink);
  }

  #share(order: BlockOrder, now: number): Shares {
    const world = this.#world;
    const { ledger } = world;
    const [keys, flows]: [number[], SharingFlow[]] = [[], []];
    const [links, capacities]: [Map<number, number>, number[]] = [new Map(), []];
    const hungry = hungryPlaces(order);
    for (const supplier of order.pairs.views) {
      const from = this.#placeOf(supplier);
      const busy = new Set(this.#over(from).map((lane) => lane.target.place));
      for (const view of order.pairs.views) {
        const to = this.#placeOf(view);
        if (view === supplier || view.absent.isEmpty || !hungry.has(to)) continue;
        if (!busy.has(to) && !hasSomethingFor(order, supplier, view)) continue;
        const used: number[] = [];
        for (const index of world.between(from, to)) {
          if (ledger.capabilityOn(index) === Infinity) continue;
          let link = links.get(index);
          if (link === undefined) {
            link = capacities.length;
            links.set(index, link);
            capacities.push(ledger.capabilityOn(index));
          }
          used.push(link);
        }
        if (used.length === 0) continue;
        keys.push(keyOf(from, to));
        flows.push({ demandBitsPerSecond: unlimitedBitsPerSecond, links: used });
      }
    }
    const rates = fairShares(flows, capacities);
    return {
      validUntilNanoseconds: now + validNanoseconds + flows.length * validNanosecondsForEach,
      bitsPerSecond: new Map(keys.map((key, place) => [key, rates[place] as number])),
    };
  }

  #placeOf(view: SiteView): Place {
    return view.place ?? this.#world.place(view.site);
  }
}

/** Sites in which somebody wants blocks that are not on their way to it. */
function hungryPlaces(order: BlockOrder): Set<Place> {
  const places = new Set<Place>();
  for (const { place } of order.hungry) {
    if (place !== undefined) places.add(place);
    if (places.size === order.views.size) break;
  }
  return places;
}

function keyOf(from: Place, to: Place): number {
  return from.index * 0x100000 + to.index;
}
