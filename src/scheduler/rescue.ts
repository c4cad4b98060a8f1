/**
 * Nobody starves: targets that have waited long without any lane. Where a more urgent or an equal lane holds all of what
 * one needs, room is made for it; where those that have what it misses cannot serve it, it is brought into its site again.
 * A bounded number of them is looked at, and not with every event.
 */
import { PagedBits } from "../std/paged-bits.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Lane } from "./lane.ts";
import { makeRoom } from "./make-room.ts";
import type { Match, Matcher } from "./match.ts";
import { outOfReach } from "./out-of-reach.ts";
import type { Member } from "./world.ts";

/** How often those that wait are looked at, and how many of them. */
const lookEveryNanoseconds = 50_000_000;
const membersPerLook = 16;
/** A target without any lane waits so long for bandwidth to become free before others must make room. */
const starvedAfterNanoseconds = 500_000_000;
/** ... and so long for those near it that have what it misses and cannot serve it: they may be back in a moment. */
const outOfReachAfterNanoseconds = 2_000_000_000;
/** Sources that are looked at for one target. */
const lookedAtSources = 64;

/** What a target's site cannot give it, and until when that is believed. */
interface OutOfReach {
  readonly order: BlockOrder;
  readonly only: PagedBits;
  readonly untilNanoseconds: number;
}

export class Rescue {
  readonly #matcher: Matcher;
  readonly #endLane: (lane: Lane) => void;
  readonly #helps: boolean;
  /** Targets that lack blocks and have no lane, since when. */
  readonly #waiting = new Map<Member, number>();
  /** Targets that are being brought what those near them cannot give: it goes on, block after block, without waiting again. */
  readonly #served = new Map<Member, OutOfReach>();
  #lookedAt = -lookEveryNanoseconds;

  /** @param helps false: those that wait are only looked at again, by the policy's own rules */
  constructor(matcher: Matcher, endLane: (lane: Lane) => void, helps: boolean) {
    this.#helps = helps;
    this.#matcher = matcher;
    this.#endLane = endLane;
  }

  /** When the next look is due; undefined: nobody waits. */
  get nextLookNanoseconds(): number | undefined {
    return this.#waiting.size === 0 ? undefined : this.#lookedAt + lookEveryNanoseconds;
  }

  /** Whether the member waits, after a decision. */
  note(member: Member): void {
    const waits = member.needCount > 0 && member.lanesIn.length === 0 && member.online && member.fetches;
    if (this.#served.size > 0) {
      if (member.needCount === 0) this.#served.delete(member);
      else if (waits && this.#goOn(member)) return;
    }
    if (!waits) {
      if (this.#waiting.size > 0) this.#waiting.delete(member);
    } else if (!this.#waiting.has(member)) this.#waiting.set(member, this.#matcher.now);
  }

  /** Brings a target that is served from elsewhere the next of it. @returns false when it is not, or no longer */
  #goOn(target: Member): boolean {
    const served = this.#served.get(target);
    if (served === undefined) return false;
    const { order, only, untilNanoseconds } = served;
    if (target.needs.has(order) && !order.paused) {
      const isKnown = this.#matcher.now < untilNanoseconds && only.size === order.blockCount;
      if (isKnown && this.#bring(served, target)) return true;
      if (this.#bringAgain(order, target)) return true;
    }
    this.#served.delete(target);
    return false;
  }

  /** The member is gone. */
  forget(member: Member): void {
    this.#waiting.delete(member);
    this.#served.delete(member);
  }

  /** Looks at some of those that wait. @returns them: they are worth another look by the passes too */
  look(orders: readonly BlockOrder[]): Member[] {
    const { now } = this.#matcher;
    if (this.#waiting.size === 0 || now < this.#lookedAt + lookEveryNanoseconds) return [];
    this.#lookedAt = now;
    const looked: Member[] = [];
    for (const [member, since] of this.#waiting) {
      if (looked.length >= membersPerLook) break;
      if (member.needCount === 0 || member.lanesIn.length > 0) this.#waiting.delete(member);
      else if (now - since >= starvedAfterNanoseconds) looked.push(member);
    }
    for (const member of looked) {
      const since = this.#waiting.get(member) ?? now;
      this.#waiting.delete(member);
      this.#waiting.set(member, since);
      if (!this.#helps) continue;
      const order = orders.find((candidate) => !candidate.paused && member.needs.has(candidate));
      if (order === undefined) continue;
      if (now - since >= outOfReachAfterNanoseconds && this.#bringAgain(order, member)) continue;
      this.#makeRoom(order, member);
    }
    return looked;
  }

  /** Of sources that hold what it lacks, the one whose way has most free gets room made on its way. */
  #makeRoom(order: BlockOrder, target: Member): void {
    const { world } = this.#matcher.parts;
    let best: Member | undefined;
    let most = -1;
    for (const source of this.#sources(order, target)) {
      const free = world.ledger.free(world.path(source, target));
      if (free <= most) continue;
      most = free;
      best = source;
    }
    if (best !== undefined) makeRoom(best, target, order, this.#matcher, this.#endLane);
  }

  #bringAgain(order: BlockOrder, target: Member): boolean {
    const matcher = this.#matcher;
    const lacking = outOfReach(order, target, order.missing(target), "site", (member) =>
      matcher.mayServe(member, target),
    );
    if (lacking.isEmpty) return false;
    const only = new PagedBits();
    only.grow(order.blockCount, false);
    lacking.forEach((start, end) => only.add(start, end));
    const found = { order, only, untilNanoseconds: matcher.now + outOfReachAfterNanoseconds };
    if (!this.#bring(found, target)) return false;
    this.#served.set(target, found);
    return true;
  }

  /** One transfer of what is out of the target's reach, from another site. */
  #bring({ order, only }: OutOfReach, target: Member): boolean {
    const matcher = this.#matcher;
    // The order may have grown since.
    only.grow(order.blockCount, false);
    let best: Match | undefined;
    for (const source of this.#sources(order, target)) {
      if (source.kind === "publisher" || source.site === target.site) continue;
      const rate = matcher.rateBetween(order, source, target, matcher.parts.world.middle(source.site, target.site));
      if (rate === 0) continue;
      const rule = { rarity: "sites", only } as const;
      best = matcher.choose(best, order, order.holding(source), order.holding(target), rate, rule);
    }
    if (best === undefined) matcher.forget();
    else matcher.open(best, "outOfReach");
    return best !== undefined;
  }

  /** Members that hold something and may serve the target: a bounded number of each site, its own first. */
  #sources(order: BlockOrder, target: Member): Member[] {
    const { random } = this.#matcher.parts;
    const found: Member[] = [];
    const lists = [order.membersIn(target.site ?? ""), ...[...order.views.values()].map((view) => view.members)];
    for (const members of lists) {
      const begin = members.length > 1 ? random.nextBelow(members.length) : 0;
      for (let step = 0; step < Math.min(members.length, lookedAtSources); step += 1) {
        const source = members[(begin + step) % members.length] as Member;
        if (order.holding(source).held.isEmpty || !this.#matcher.mayServe(source, target)) continue;
        found.push(source);
      }
      if (found.length >= 4 * lookedAtSources) break;
    }
    return found;
  }
}
