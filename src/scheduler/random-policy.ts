/**
 * The policy `random`, to compare with: what a good swarm does. A uniformly chosen holder, anywhere, gives of what it has the
 * block of which there are the fewest copies anywhere (rarest first); each agent serves four at once, each with a quarter of its
 * interface. It knows nothing of sites; but the ledger holds here too, so that a transfer gets at most what its way has free.
 */
import type { BlockOrder } from "./block-order.ts";
import { unlimitedBitsPerSecond } from "./limits.ts";
import type { Match, Matcher } from "./match.ts";
import type { Policy } from "./policy.ts";
import { swarmUploads } from "./policy.ts";
import type { Member, Place } from "./world.ts";

/** Members drawn at random for the other end of a transfer; then so many are looked at in a row, from one drawn at random on. */
const drawnMembers = 16;
const lookedAtMembers = 256;
/** A transfer is made at this part or more of what it could get at best. */
const leastShare = 0.25;

type Side = "sources" | "targets";

export class RandomPolicy implements Policy {
  readonly rescues = false;
  readonly #matcher: Matcher;
  #places: Place[] = [];

  constructor(matcher: Matcher) {
    this.#matcher = matcher;
  }

  forgetFindings(): void {
    this.#places = [];
  }

  serve(orders: readonly BlockOrder[], members: readonly Member[]): void {
    this.#places = [...this.#matcher.parts.world.places()];
    for (const source of members) {
      while (source.sourceAt >= 0 && this.#open(orders, "targets", (target) => this.#match(orders, source, target)));
    }
    for (const target of members) {
      while (target.targetAt >= 0 && this.#open(orders, "sources", (source) => this.#match(orders, source, target)));
    }
  }

  #open(orders: readonly BlockOrder[], side: Side, matchWith: (other: Member) => Match | undefined): boolean {
    const { random } = this.#matcher.parts;
    let free = 0;
    for (const place of this.#places) free += place[side].length;
    if (free === 0 || orders.length === 0) return false;
    let match: Match | undefined;
    for (let drawn = 0; drawn < drawnMembers && match === undefined; drawn += 1) {
      match = matchWith(this.#nth(side, random.nextBelow(free)));
    }
    const begin = random.nextBelow(free);
    for (let step = 0; step < Math.min(free, lookedAtMembers) && match === undefined; step += 1) {
      match = matchWith(this.#nth(side, (begin + step) % free));
    }
    if (match !== undefined) this.#matcher.open(match, "uniform");
    return match !== undefined;
  }

  #nth(side: Side, index: number): Member {
    let left = index;
    for (const place of this.#places) {
      const list = place[side];
      if (left < list.length) return list[left] as Member;
      left -= list.length;
    }
    throw new RangeError(`there is no free member ${index}`);
  }

  #match(orders: readonly BlockOrder[], source: Member, target: Member): Match | undefined {
    const matcher = this.#matcher;
    let best: Match | undefined;
    for (const order of orders) {
      if (!target.needs.has(order) || (best !== undefined && best.order.rank <= order.rank)) continue;
      const given = order.holdings.get(source);
      if (given === undefined || given.held.isEmpty || !matcher.mayServe(source, target)) continue;
      const rate = this.#rate(source, target);
      if (rate > 0) {
        best = matcher.choose(undefined, order, given, order.holding(target), rate, { rarity: "anywhere" }) ?? best;
      }
    }
    return best;
  }

  #rate(source: Member, target: Member): number {
    const { world } = this.#matcher.parts;
    const { ledger } = world;
    const path = world.path(source, target);
    const upload = ledger.capabilityOn(source.nicUp) / swarmUploads;
    const share = Math.min(upload, this.#matcher.capabilityOf(source, target, path));
    if (share === Infinity) return unlimitedBitsPerSecond;
    const rate = Math.floor(Math.min(share, this.#matcher.freeOn(source, target, path)));
    return rate >= Math.max(1, share * leastShare) ? rate : 0;
  }
}
