/**
 * Incremental scheduling (claims 6, 35): on each call only members are looked at for which something has changed since the
 * last one: they reported, a lane of theirs ended, they got something, bandwidth became free. All that happened at
 * one instant is taken together.
 *
 * Three passes: into sites what they lack (a way between sites that idles is lost), within sites, then, for targets that
 * would idle where ways are not what binds, once more from another site.
 */
import type { BlockOrder } from "./block-order.ts";
import type { Decisions } from "./decisions.ts";
import { HandOver } from "./hand-over.ts";
import type { Lane } from "./lane.ts";
import { LocalPass } from "./local-pass.ts";
import { Matcher, type MatchParts } from "./match.ts";
import { RemotePass } from "./remote-pass.ts";
import { Rescue } from "./rescue.ts";
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

export class IncrementalMode {
  readonly #matcher: Matcher;
  readonly #orders: ReadonlyMap<string, BlockOrder>;
  readonly #local: LocalPass;
  readonly #remote: RemotePass;
  readonly #handOver: HandOver;
  readonly #rescue: Rescue;
  readonly #touched = new Set<Member>();
  readonly #touchedPlaces = new Set<Place>();
  #ranked: BlockOrder[] | undefined;
  readonly #binds = new Map<BlockOrder, Binding>();

  /** @param endLane ends a lane and all that wait for what it was to bring */
  constructor(parts: MatchParts, orders: ReadonlyMap<string, BlockOrder>, endLane: (lane: Lane) => void) {
    this.#matcher = new Matcher(parts);
    this.#orders = orders;
    this.#local = new LocalPass(this.#matcher);
    this.#remote = new RemotePass(this.#matcher);
    this.#handOver = new HandOver(this.#matcher, endLane);
    this.#rescue = new Rescue(this.#matcher, endLane);
  }

  get isTouched(): boolean {
    return this.#touched.size > 0;
  }

  /** When those that wait are to be looked at; undefined: nobody waits. */
  get nextLookNanoseconds(): number | undefined {
    return this.#rescue.nextLookNanoseconds;
  }

  /** Something about a member has changed: what it holds or wants, its bandwidth, whether it may be used. */
  touch(member: Member): void {
    this.#touched.add(member);
    if (member.place !== undefined) this.#touchedPlaces.add(member.place);
  }

  touchAll(): void {
    for (const member of this.#matcher.parts.world.members.values()) this.touch(member);
    this.#binds.clear();
  }

  /** The set of orders has changed, or how they rank. */
  rankAnew(): void {
    this.#ranked = undefined;
    this.#binds.clear();
  }

  forget(member: Member): void {
    this.#touched.delete(member);
    this.#rescue.forget(member);
    this.#matcher.parts.market.remove(member);
  }

  decide(now: number, decisions: Decisions): void {
    const matcher = this.#matcher;
    matcher.now = now;
    matcher.decisions = decisions;
    const orders = this.#rank();
    for (const member of this.#rescue.look(orders)) this.touch(member);
    if (this.#touched.size === 0) return;
    const { market, random } = matcher.parts;
    const members = [...this.#touched];
    const places = new Set(this.#touchedPlaces);
    this.#touched.clear();
    this.#touchedPlaces.clear();
    for (const member of members) market.refresh(member);
    this.#handOvers(members, orders);
    if (members.length > 1) random.shuffle(members);
    for (const wanted of classesOf(orders)) this.#serve(wanted, members, places);
    for (const member of members) this.#rescue.note(member);
  }

  /** All passes for the orders of one class. */
  #serve(orders: readonly BlockOrder[], members: readonly Member[], places: ReadonlySet<Place>): void {
    this.#matcher.urgencyClass = (orders[0] as BlockOrder).urgencyClass;
    this.#remote.run(orders, places, (order) => this.#waysShare(order) >= noDuplicatesFrom);
    const freed: Member[] = [];
    for (const order of orders) {
      if (order.views.size > 1 && this.#waysShare(order) >= awaitFrom)
        freed.push(...this.#remote.awaitSources(order, places));
    }
    // What nobody has comes first: a step in which an origin brings nothing new is lost to all.
    for (const order of orders) {
      if (order.freshBlocks.isEmpty) continue;
      for (const origin of order.origins) if (origin.sourceAt >= 0) this.#local.serveFrom(origin);
    }
    for (const member of members) if (member.sourceAt >= 0) this.#local.serveFrom(member);
    for (const member of members) if (member.targetAt >= 0) this.#local.fetchFor(member);
    for (const member of freed) if (member.targetAt >= 0) this.#local.fetchFor(member);
    this.#again(members);
  }

  #handOvers(members: readonly Member[], orders: readonly BlockOrder[]): void {
    const withPublishers = orders.filter((order) => order.publishers.length > 0 && !order.paused);
    for (const target of members) {
      if (target.lanesIn.size > 0) this.#handOver.extend(target, withPublishers);
    }
    for (const order of withPublishers) {
      for (const target of members) if (target.needs.has(order)) this.#handOver.open(target, order);
    }
  }

  /** Targets that would idle. */
  #again(members: readonly Member[]): void {
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

  #rank(): readonly BlockOrder[] {
    if (this.#ranked === undefined) {
      this.#ranked = [...this.#orders.values()].sort(moreUrgent);
      let before: BlockOrder | undefined;
      for (const order of this.#ranked) {
        const isSameClass = before !== undefined && classOrder(before, order) === 0;
        const isSameSize = before !== undefined && sizeClass(before) === sizeClass(order);
        order.urgencyClass = before === undefined ? 0 : before.urgencyClass + (isSameClass ? 0 : 1);
        order.rank = before === undefined ? 0 : before.rank + (isSameClass && isSameSize ? 0 : 1);
        before = order;
      }
    }
    return this.#ranked;
  }
}

/** Orders that somebody lacks blocks of, by class, the most urgent first. */
function classesOf(orders: readonly BlockOrder[]): BlockOrder[][] {
  const classes: BlockOrder[][] = [];
  for (const order of orders) {
    if (order.hungry.size === 0 || order.paused) continue;
    const last = classes.at(-1);
    if (last?.[0]?.urgencyClass === order.urgencyClass) last.push(order);
    else classes.push([order]);
  }
  return classes;
}

/** Of equals much the shorter one: it is out of the way sooner, and the longer one loses little. */
function moreUrgent(a: BlockOrder, b: BlockOrder): number {
  return classOrder(a, b) || sizeClass(a) - sizeClass(b) || a.description.sequence - b.description.sequence;
}

function classOrder({ description: first }: BlockOrder, { description: second }: BlockOrder): number {
  if (first.priority !== second.priority) return second.priority - first.priority;
  if (first.kind !== second.kind) return first.kind === "manifest" ? -1 : 1;
  return 0;
}

/** Sizes within a factor of two are taken for equal. */
function sizeClass(order: BlockOrder): number {
  return 32 - Math.clz32(Math.min(0xffff_ffff, order.description.bytesInRange(0, order.blockCount) / 65_536));
}
