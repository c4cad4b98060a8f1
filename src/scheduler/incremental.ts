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
import { waysBind } from "./what-binds.ts";
import type { Member, Place } from "./world.ts";

/** What binds is worked out anew after so long. */
const bindsForNanoseconds = 1_000_000_000;

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
  readonly #binds = new Map<BlockOrder, { readonly ways: boolean; readonly untilNanoseconds: number }>();

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
    for (const order of orders) if (order.hungry.size > 0 && !order.paused) this.#remote.run(order, places);
    if (members.length > 1) random.shuffle(members);
    // What nobody has comes first: a step in which an origin brings nothing new is lost to all.
    for (const order of orders) {
      if (order.freshBlocks.isEmpty || order.hungry.size === 0 || order.paused) continue;
      for (const origin of order.origins) if (origin.sourceAt >= 0) this.#local.serveFrom(origin);
    }
    for (const member of members) if (member.sourceAt >= 0) this.#local.serveFrom(member);
    for (const member of members) if (member.targetAt >= 0) this.#local.fetchFor(member);
    this.#again(members);
    for (const member of members) this.#rescue.note(member);
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
        if (order.paused || order.views.size < 2 || this.#waysBind(order)) continue;
        while (target.targetAt >= 0 && target.needs.has(order)) if (!this.#remote.again(order, target)) break;
      }
    }
  }

  #waysBind(order: BlockOrder): boolean {
    const { now } = this.#matcher;
    const known = this.#binds.get(order);
    if (known !== undefined && known.untilNanoseconds > now) return known.ways;
    const ways = waysBind(order, this.#matcher.parts.world);
    this.#binds.set(order, { ways, untilNanoseconds: now + bindsForNanoseconds });
    return ways;
  }

  #rank(): readonly BlockOrder[] {
    if (this.#ranked === undefined) {
      this.#ranked = [...this.#orders.values()].sort(moreUrgent);
      for (const [rank, order] of this.#ranked.entries()) order.rank = rank;
    }
    return this.#ranked;
  }
}

/** Of equals the shorter one: it is out of the way sooner, and the longer one loses little. */
function moreUrgent(a: BlockOrder, b: BlockOrder): number {
  const [first, second] = [a.description, b.description];
  if (first.priority !== second.priority) return second.priority - first.priority;
  if (first.kind !== second.kind) return first.kind === "manifest" ? -1 : 1;
  const [firstBytes, secondBytes] = [first.bytesInRange(0, a.blockCount), second.bytesInRange(0, b.blockCount)];
  return firstBytes - secondBytes || first.sequence - second.sequence;
}
