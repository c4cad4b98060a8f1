/**
 * The policy `cost`, ours: transfers are scored, the best that the ledger admits is scheduled (claim 30). Three passes: into
 * sites what they lack (a way between sites that idles is lost), within sites, then, for targets that would idle where ways
 * are not what binds, once more from another site.
 */
import type { BlockOrder } from "./block-order.ts";
import { LocalPass } from "./local-pass.ts";
import type { Matcher } from "./match.ts";
import type { Policy } from "./policy.ts";
import { RemotePass, type Admits } from "./remote-pass.ts";
import { waysShare } from "./what-binds.ts";
import type { Member, Place } from "./world.ts";

/** What binds is worked out anew after so long. */
const bindsForNanoseconds = 1_000_000_000;

/** From this share of the ways on, no block goes into a site twice. */
const noDuplicatesFrom = 0.75;
/** From this share on, interfaces wait for ways rather than the other way about. */
const awaitFrom = 0.95;

interface Binding {
  readonly share: number;
  /** How many were hungry then: when more are, it is worked out anew. */
  readonly hungry: number;
  readonly untilNanoseconds: number;
}

export class CostPolicy implements Policy {
  readonly rescues = true;
  readonly #matcher: Matcher;
  readonly #local: LocalPass;
  readonly #remote: RemotePass;
  readonly #binds = new Map<BlockOrder, Binding>();

  /** @param admits between which sites it may schedule; all when left out */
  constructor(matcher: Matcher, admits?: Admits) {
    this.#matcher = matcher;
    this.#local = new LocalPass(matcher);
    this.#remote = new RemotePass(matcher, admits);
  }

  forgetFindings(): void {
    this.#binds.clear();
  }

  serve(orders: readonly BlockOrder[], members: readonly Member[], places: ReadonlySet<Place>): void {
    const freed = this.serveSites(orders, places);
    this.serveWithin(orders, members, freed);
    this.serveAgain(members);
  }

  /** Into sites what they lack. @returns targets that were kept free for that, and are not any more */
  serveSites(orders: readonly BlockOrder[], places: ReadonlySet<Place>): Member[] {
    this.#remote.run(orders, places, (order) => this.#waysShare(order) >= noDuplicatesFrom);
    const freed: Member[] = [];
    for (const order of orders) {
      if (order.views.size > 1 && this.#waysShare(order) >= awaitFrom) {
        freed.push(...this.#remote.awaitSources(order, places));
      }
    }
    return freed;
  }

  /** Within the sites of these members; `freed`: targets that were kept free until now. */
  serveWithin(orders: readonly BlockOrder[], members: readonly Member[], freed: readonly Member[]): void {
    // What nobody has comes first: a step in which an origin brings nothing new is lost to all.
    for (const order of orders) {
      if (order.freshBlocks.isEmpty) continue;
      for (const origin of order.origins) if (origin.sourceAt >= 0) this.#local.serveFrom(origin);
    }
    for (const member of members) if (member.sourceAt >= 0) this.#local.serveFrom(member);
    for (const member of members) if (member.targetAt >= 0) this.#local.fetchFor(member);
    for (const member of freed) if (member.targetAt >= 0) this.#local.fetchFor(member);
  }

  /** Targets that would idle. */
  serveAgain(members: readonly Member[]): void {
    for (const target of members) {
      if (target.targetAt < 0) continue;
      for (const order of target.needs) {
        if (order.paused || order.urgencyClass > this.#matcher.urgencyClass) continue;
        if (order.views.size < 2 || this.#waysShare(order) >= noDuplicatesFrom) continue;
        while (target.targetAt >= 0 && target.needs.has(order)) if (!this.#remote.again(order, target)) break;
      }
    }
  }

  #waysShare(order: BlockOrder): number {
    const { now } = this.#matcher;
    const known = this.#binds.get(order);
    const hungry = order.hungry.size;
    if (known !== undefined && known.untilNanoseconds > now && hungry <= known.hungry) return known.share;
    const share = waysShare(order, this.#matcher.parts.world);
    this.#binds.set(order, { share, hungry, untilNanoseconds: now + bindsForNanoseconds });
    return share;
  }
}
