/**
 * The policy `direct`, to compare with: every target pulls from an origin, all at once, and interfaces and links are shared
 * fairly (max-min) among them. An origin is an agent that a file set entered through, or that had all of it without being sent
 * any. Only for what no origin can serve, whoever holds it is asked.
 */
import { fairShares } from "../std/fair-shares.ts";
import type { BlockOrder, Holding } from "./block-order.ts";
import { unlimitedBitsPerSecond } from "./limits.ts";
import type { Matcher } from "./match.ts";
import type { Policy } from "./policy.ts";
import type { Member } from "./world.ts";

/** Shares are worked out anew at most this often while targets come to their ends. */
const sharesForNanoseconds = 10_000_000;
/** Pulls that had no bandwidth are tried again, so many at a time. */
const triedAgain = 64;
/** A pull begins at this part of its share or more; else it waits for others to give way. */
const leastShare = 0.5;
/** Holders that are looked at where there is no origin. */
const lookedAtHolders = 64;

/** What one target pulls of one file set. */
interface Pull {
  readonly order: BlockOrder;
  readonly target: Member;
  readonly source: Member | undefined;
  readonly shareBitsPerSecond: number;
}

/** The pulls of orders of one class of urgency. */
interface Shares {
  readonly pulls: ReadonlyMap<BlockOrder, ReadonlyMap<Member, Pull>>;
  /** Pulls that are not under way. */
  readonly waiting: Set<Pull>;
  readonly hungry: number;
  readonly untilNanoseconds: number;
}

export class DirectPolicy implements Policy {
  readonly rescues = false;
  readonly #matcher: Matcher;
  readonly #shares = new Map<number, Shares>();
  /** Who was sent blocks of an order is no origin of it. */
  readonly #wasSent = new WeakMap<BlockOrder, WeakSet<Member>>();

  constructor(matcher: Matcher) {
    this.#matcher = matcher;
  }

  forgetFindings(): void {
    this.#shares.clear();
  }

  serve(orders: readonly BlockOrder[], members: readonly Member[]): void {
    const shares = this.#sharesOf(orders, members);
    let left = Math.min(triedAgain, shares.waiting.size);
    for (const pull of shares.waiting) {
      if (left === 0) break;
      left -= 1;
      this.#begin(shares, pull);
    }
    for (const target of members) {
      for (const order of target.needs) {
        const pull = shares.pulls.get(order)?.get(target);
        if (pull !== undefined) this.#begin(shares, pull);
      }
    }
  }

  #sharesOf(orders: readonly BlockOrder[], members: readonly Member[]): Shares {
    const { now, urgencyClass } = this.#matcher;
    const known = this.#shares.get(urgencyClass);
    let hungry = 0;
    for (const order of orders) hungry += order.hungry.size;
    const isNew = (target: Member, order: BlockOrder): boolean =>
      target.needs.has(order) && target.online && known?.pulls.get(order)?.has(target) !== true;
    const someAreNew = members.some((target) => orders.some((order) => isNew(target, order)));
    if (known !== undefined && !someAreNew && (hungry === known.hungry || now < known.untilNanoseconds)) return known;
    const shares = this.#share(orders, hungry);
    this.#shares.set(urgencyClass, shares);
    return shares;
  }

  /** Who pulls from whom, and what each may have, worked out from all that lack something. */
  #share(orders: readonly BlockOrder[], hungry: number): Shares {
    const { now, parts } = this.#matcher;
    const wanted: Omit<Pull, "shareBitsPerSecond">[] = [];
    for (const order of orders) {
      const origins = this.#origins(order);
      for (const target of order.hungry) {
        if (!target.online) continue;
        const usable = origins.filter((origin) => origin !== target && parts.world.usable(origin, target));
        wanted.push({ order, target, source: originFor(usable, target, wanted.length) });
      }
    }
    const { ledger } = parts.world;
    const shares = fairShares(
      wanted.map(({ source, target }) => ({
        demandBitsPerSecond: Infinity,
        links: source === undefined ? [target.nicDown] : parts.world.path(source, target),
      })),
      ledger.entries().map(({ capability }) => capability),
    );
    const pulls = new Map<BlockOrder, Map<Member, Pull>>();
    for (const order of orders) pulls.set(order, new Map());
    const waiting = new Set<Pull>();
    for (const [index, { order, target, source }] of wanted.entries()) {
      const pull = { order, target, source, shareBitsPerSecond: shares[index] ?? 0 };
      pulls.get(order)?.set(target, pull);
      waiting.add(pull);
    }
    return { pulls, waiting, hungry, untilNanoseconds: now + sharesForNanoseconds };
  }

  #origins(order: BlockOrder): Member[] {
    const sent = this.#wasSent.get(order);
    const origins = new Set(order.origins.filter((member) => maySource(member)));
    for (const [member, { held }] of order.holdings) {
      if (held.count < order.blockCount || sent?.has(member) === true) continue;
      if (member.kind === "agent" && maySource(member)) origins.add(member);
    }
    return [...origins];
  }

  #begin({ waiting }: Shares, pull: Pull): void {
    const { order, target, source } = pull;
    waiting.delete(pull);
    if (!target.needs.has(order) || hasLane(order, target)) return;
    const isServed = source !== undefined && hasSomethingFor(order, source, target);
    for (const member of isServed ? [source] : this.#holders(order)) {
      const given = order.holdings.get(member);
      if (given !== undefined && this.#open(pull, given)) return;
    }
    // Behind the others: none of those that wait is overlooked.
    waiting.add(pull);
  }

  #open({ order, target, shareBitsPerSecond }: Pull, given: Holding): boolean {
    const matcher = this.#matcher;
    const source = given.member;
    if (target.targetAt < 0 || given.held.isEmpty || !matcher.mayServe(source, target)) return false;
    const { world } = matcher.parts;
    const path = world.path(source, target);
    const share = Math.min(shareBitsPerSecond, unlimitedBitsPerSecond, matcher.capabilityOf(source, target, path));
    const rate = Math.floor(Math.min(share, matcher.freeOn(source, target, path)));
    if (rate < Math.max(1, share * leastShare)) return false;
    const match = matcher.choose(undefined, order, given, order.holding(target), rate, { rarity: "anywhere" });
    if (match === undefined) return false;
    matcher.open(match, "fromOrigin");
    const sent = this.#wasSent.get(order) ?? new WeakSet<Member>();
    this.#wasSent.set(order, sent.add(target));
    return true;
  }

  #holders(order: BlockOrder): Member[] {
    const holders = [...order.holdings.keys()].filter((member) => member.kind === "agent");
    this.#matcher.parts.random.shuffle(holders);
    return holders.slice(0, lookedAtHolders);
  }
}

function maySource(member: Member): boolean {
  return member.online && member.serves !== "no";
}

/** An origin of its own site if there is one; else they take turns. */
function originFor(origins: readonly Member[], target: Member, turn: number): Member | undefined {
  return origins.find((origin) => origin.site === target.site) ?? origins[turn % Math.max(1, origins.length)];
}

/** An origin may have lost some. */
function hasSomethingFor(order: BlockOrder, origin: Member, target: Member): boolean {
  const held = order.holdings.get(origin)?.held;
  if (held === undefined || held.isEmpty) return false;
  if (held.count === order.blockCount) return true;
  for (const [start, end] of order.missing(target).ranges()) {
    for (let block = start; block < end; block += 1) if (held.has(block)) return true;
  }
  return false;
}

function hasLane(order: BlockOrder, target: Member): boolean {
  for (const lane of target.lanesIn) if (lane.pending.has(order)) return true;
  return false;
}
