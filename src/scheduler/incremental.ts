/**
 * Incremental scheduling (claims 6, 35): on each call only members are looked at for which something has changed since the
 * last one: they reported, a lane of theirs ended, they got something, bandwidth became free. All that happened at
 * one instant is taken together.
 * Whom they are matched with is the policy's to choose.
 */
import type { BlockOrder } from "./block-order.ts";
import type { Decisions } from "./decisions.ts";
import { HandOver } from "./hand-over.ts";
import type { Lane } from "./lane.ts";
import type { Matcher } from "./match.ts";
import type { Mode } from "./mode.ts";
import type { Policy } from "./policy.ts";
import { Rescue } from "./rescue.ts";
import type { Member, Place } from "./world.ts";

export class IncrementalMode implements Mode {
  readonly #matcher: Matcher;
  readonly #orders: ReadonlyMap<string, BlockOrder>;
  readonly #policy: Policy;
  readonly #handOver: HandOver;
  readonly #rescue: Rescue;
  readonly #touched = new Set<Member>();
  readonly #touchedPlaces = new Set<Place>();
  #ranked: BlockOrder[] | undefined;

  /** @param endLane ends a lane and all that wait for what it was to bring */
  constructor(
    matcher: Matcher,
    orders: ReadonlyMap<string, BlockOrder>,
    policy: Policy,
    endLane: (lane: Lane) => void,
  ) {
    this.#matcher = matcher;
    this.#orders = orders;
    this.#policy = policy;
    this.#handOver = new HandOver(matcher, endLane);
    this.#rescue = new Rescue(matcher, endLane, policy.rescues);
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
    this.#policy.forgetFindings();
  }

  /** The set of orders has changed, or how they rank. */
  rankAnew(): void {
    this.#ranked = undefined;
    this.#policy.forgetFindings();
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
    for (const wanted of classesOf(orders)) {
      matcher.urgencyClass = (wanted[0] as BlockOrder).urgencyClass;
      this.#policy.serve(wanted, members, places);
    }
    for (const member of members) this.#rescue.note(member);
  }

  /** Keeps publishers' lanes filled, and decides nothing else; what has changed is still to be looked at. */
  keepHandingOver(now: number, decisions: Decisions): void {
    this.#matcher.now = now;
    this.#matcher.decisions = decisions;
    if (this.#touched.size > 0) this.#handOvers([...this.#touched], this.#rank());
  }

  #handOvers(members: readonly Member[], orders: readonly BlockOrder[]): void {
    const withPublishers = orders.filter((order) => order.publishers.length > 0 && !order.paused);
    if (this.#matcher.parts.lanes.fromPublishers > 0) {
      for (const target of members) if (target.lanesIn.length > 0) this.#handOver.extend(target, withPublishers);
    }
    for (const order of withPublishers) {
      for (const target of members) if (target.needs.has(order)) this.#handOver.open(target, order);
    }
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
