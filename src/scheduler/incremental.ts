/**
 * Incremental scheduling (claims 6, 35): on each call only targets are looked at for which something has changed since
 * the last one: they reported, a lane of theirs ended, a source got something, bandwidth became free.
 *
 * For each such target, most urgent order first: fill its running lanes ahead, then open lanes: first over ways
 * between sites for what its site lacks (a way that idles is lost), then within its site, then, if it would idle and
 * the way is not scarce, once more from another site. A target that gets nothing because others hold everything is
 * given its fair share of the tightest resource.
 */
import type { RangeSet } from "../std/ranges.ts";
import type { SeededRandom } from "../std/seeded-random.ts";
import type { BlockOrder } from "./block-order.ts";
import { offerOf, pickBlocks, type BlockOffer, type RemoteRule } from "./choose-blocks.ts";
import { scoreLane, type CostWeights } from "./cost.ts";
import type { OnDecision } from "./decision-record.ts";
import type { Decisions } from "./decisions.ts";
import { feeds } from "./feeds.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import { unlimitedBitsPerSecond, type SchedulerSettings } from "./limits.ts";
import { makeRoom } from "./make-room.ts";
import { outOfReach } from "./out-of-reach.ts";
import { recordQueued, type Scored } from "./record-queued.ts";
import type { Member, World } from "./world.ts";

export interface ModeParts {
  readonly world: World;
  readonly lanes: Lanes;
  readonly orders: ReadonlyMap<string, BlockOrder>;
  readonly settings: SchedulerSettings;
  readonly weights: CostWeights;
  readonly random: SeededRandom;
  /** Ends a lane and all that wait for what it was to bring. */
  readonly endLane: (lane: Lane) => void;
  /** Takes each decision for a trace; undefined: nobody looks, and nothing is spent on it. */
  readonly onDecision: OnDecision | undefined;
}

/** Targets looked at in one call; the rest follow in the next, so that no call takes long. */
const targetsPerCall = 512;
/** How often those that wait are looked at, and how many of them. */
const waitingPauseNanoseconds = 5_000_000;
const waitingPerLook = 64;
/** A target without any lane waits so long for bandwidth to become free before others must make room. */
const starvedAfterNanoseconds = 250_000_000;
/** ... and so long for those near it that have what it misses and cannot serve it: they may be back in a moment. */
const outOfReachAfterNanoseconds = 2_000_000_000;

interface Choice extends Scored {
  readonly offer: BlockOffer;
  readonly rateBitsPerSecond: number;
}

export class IncrementalMode {
  readonly #parts: ModeParts;
  #now = 0;
  #waitingLookedAt = -waitingPauseNanoseconds;
  /** Targets for which something has changed. */
  readonly #touched = new Set<Member>();
  /** Hungry targets that could not be served fully, since when. */
  readonly #waiting = new Map<Member, number>();

  constructor(parts: ModeParts) {
    this.#parts = parts;
  }

  get hasWaiting(): boolean {
    return this.#waiting.size > 0 || this.#touched.size > 0;
  }

  /** The member's holdings in an order changed: it needs less, and others can get more from it. */
  touched(member: Member, order: BlockOrder): void {
    if (order.hungry.has(member) || member.lanesIn.size > 0) this.#touched.add(member);
    for (const lane of member.lanesOut) this.#touched.add(lane.target);
  }

  /** A lane has ended: its two ends and its path have bandwidth free. */
  freed(lane: Lane): void {
    this.#touched.add(lane.target);
    for (const other of lane.source.lanesOut) this.#touched.add(other.target);
  }

  /** A lane uses all that it has. */
  touchedLane(lane: Lane): void {
    this.#touched.add(lane.target);
  }

  touchAll(): void {
    for (const order of this.#parts.orders.values()) for (const member of order.hungry) this.#touched.add(member);
    for (const lane of this.#parts.lanes.byId.values()) this.#touched.add(lane.target);
  }

  decide(now: number, decisions: Decisions): void {
    this.#now = now;
    this.#touchWaiting();
    const targets = [...this.#touched].slice(0, targetsPerCall);
    for (const target of targets) this.#touched.delete(target);
    const orders = [...this.#parts.orders.values()].filter((order) => !order.paused).sort(moreUrgent);
    for (const target of targets) this.#extendLanes(target, orders, decisions);
    this.#parts.random.shuffle(targets);
    for (const order of orders) {
      for (const pass of passes) {
        for (const target of targets) {
          if (order.hungry.has(target)) this.#openLanes(target, order, pass, now, decisions);
        }
      }
    }
    for (const target of targets) this.#settle(target, orders, now, decisions);
    for (const target of targets) for (const lane of target.lanesIn) this.#parts.lanes.grow(lane, decisions);
  }

  /** Looks at targets that wait, in turn, a bounded number at a time, and not with every event. */
  #touchWaiting(): void {
    if (this.#now < this.#waitingLookedAt + waitingPauseNanoseconds) return;
    this.#waitingLookedAt = this.#now;
    for (const [member, since] of [...this.#waiting].slice(0, waitingPerLook)) {
      this.#waiting.delete(member);
      this.#waiting.set(member, since);
      this.#touched.add(member);
    }
  }

  /** Queues more into lanes that run low, and closes those that have nothing to do any more. */
  #extendLanes(target: Member, orders: readonly BlockOrder[], decisions: Decisions): void {
    for (const lane of [...target.lanesIn]) {
      const ahead = this.#aheadBytes(lane);
      if (lane.pendingBytes > ahead * refillShare) continue;
      const wasDry = lane.pendingBytes === 0;
      if (this.#mayServe(lane.source, target)) {
        let budget = ahead - lane.pendingBytes;
        for (const order of orders) {
          if (budget <= 0) break;
          if (order.hungry.has(target)) budget -= this.#queueMore(lane, order, budget, decisions);
        }
      }
      if (lane.pendingBytes === 0) this.#parts.endLane(lane);
      else if (wasDry && lane.receivedBytes > 0) {
        target.aheadScale = Math.min(maximumAheadScale, target.aheadScale * 2);
      }
    }
  }

  #queueMore(lane: Lane, order: BlockOrder, budgetBytes: number, decisions: Decisions): number {
    const { source, target } = lane;
    let offer = this.#offer(order, source, target, order.missing(target), "once", lane);
    if (offer.ranges.isEmpty && lane.bringsAgain) {
      offer = this.#offer(order, source, target, this.#outOfReach(source, target, order), "again", lane);
    }
    if (offer.ranges.isEmpty) return 0;
    const picked = pickBlocks(order, offer.ranges, source, target, budgetBytes, this.#parts.random);
    this.#queue(lane, order, picked, decisions, "the lane runs low");
    return order.bytesOf(picked);
  }

  #queue(
    lane: Lane,
    order: BlockOrder,
    picked: RangeSet,
    decisions: Decisions,
    reason: string,
    considered: readonly Scored[] = [],
  ): void {
    this.#parts.lanes.queue(lane, order, picked, decisions);
    const { onDecision } = this.#parts;
    if (onDecision === undefined) return;
    recordQueued(
      { lane, order, ranges: picked },
      { now: this.#now, mode: "incremental", reason, considered },
      onDecision,
    );
  }

  #openLanes(target: Member, order: BlockOrder, pass: Pass, now: number, decisions: Decisions): void {
    const { settings } = this.#parts;
    while (target.online && target.fetches && target.lanesIn.size < settings.maximumLanesIn) {
      const missing = order.missing(target);
      if (missing.isEmpty) return;
      const considered = this.#parts.onDecision === undefined ? undefined : [];
      const choice = this.#bestSource(target, order, missing, pass, true, considered);
      if (choice === undefined) return;
      const lane = this.#parts.lanes.open(choice.source, target, choice.rateBitsPerSecond, now, decisions);
      const budget = this.#aheadBytes(lane);
      const picked = pickBlocks(order, choice.offer.ranges, choice.source, target, budget, this.#parts.random);
      this.#queue(lane, order, picked, decisions, pass.reason, considered);
    }
  }

  /** Scores sources for a target (claims 3, 30, 32) and gives the best, if any may be used now. */
  #bestSource(
    target: Member,
    order: BlockOrder,
    missing: RangeSet,
    pass: Pass,
    needRate = true,
    considered?: Choice[],
  ): Choice | undefined {
    let best: Choice | undefined;
    for (const source of this.#candidates(target, order, pass)) {
      const rate = this.#rateFor(source, target, pass);
      if (needRate && rate === 0) continue;
      const offer = this.#offer(order, source, target, missing, pass.rule, undefined);
      if (offer.ranges.isEmpty) continue;
      const choice = { source, offer, rateBitsPerSecond: rate, score: this.#score(source, target, order, offer, rate) };
      considered?.push(choice);
      if (best === undefined || choice.score > best.score) best = choice;
    }
    return best;
  }

  /** Members that might serve the target, a bounded number drawn at random, those with the fewest lanes first. */
  #candidates(target: Member, order: BlockOrder, pass: Pass): Member[] {
    const { random, settings } = this.#parts;
    const home = target.site ?? "";
    const sites = pass.local ? [home] : order.sites().filter((site) => site !== home);
    const found: Member[] = [];
    const looks = settings.candidateSources * 4;
    random.shuffle(sites);
    for (const site of sites) {
      const members = order.membersIn(site);
      const most = pass.local ? looks : Math.max(4, Math.ceil(looks / sites.length));
      const start = members.length > most ? random.nextBelow(members.length) : 0;
      for (let step = 0; step < Math.min(most, members.length); step += 1) {
        const member = members[(start + step) % members.length];
        if (member !== undefined && this.#isCandidate(member, target, order)) found.push(member);
      }
      if (found.length >= looks) break;
    }
    random.shuffle(found);
    return found.sort((a, b) => a.lanesOut.size - b.lanesOut.size).slice(0, settings.candidateSources);
  }

  #isCandidate(member: Member, target: Member, order: BlockOrder): boolean {
    if (member === target || member.lanesOut.size >= this.#parts.settings.maximumLanesOut) return false;
    const holding = order.holdings.get(member);
    if (holding === undefined || (holding.held.isEmpty && holding.coming.isEmpty)) return false;
    return !hasLane(member, target) && this.#mayServe(member, target);
  }

  #mayServe(source: Member, target: Member): boolean {
    if (!source.online || source.serves === "no") return false;
    const shunnedUntil = target.shunned.get(source);
    if (shunnedUntil !== undefined) {
      if (shunnedUntil > this.#now) return false;
      target.shunned.delete(source);
    }
    if (source.receivers !== undefined && !source.receivers.has(target.id)) return false;
    return this.#parts.world.usable(source, target);
  }

  /** The rate that a new lane would get: what is free on its path, if that is worth a lane; else 0. */
  #rateFor(source: Member, target: Member, pass: Pass): number {
    const { world, settings } = this.#parts;
    const path = world.path(source, target);
    const capability = world.ledger.capabilityOf(path);
    if (capability === Infinity) return unlimitedBitsPerSecond;
    if (pass.rule === "repeat" && this.#isScarce(path)) return 0;
    const free = world.ledger.free(path);
    return free >= Math.max(1, capability * settings.minimumRateShare) ? Math.floor(free) : 0;
  }

  /** Whether the links between two sites, rather than the ends' interfaces, are what a distribution over them waits for. */
  #isScarce(path: readonly number[]): boolean {
    const { ledger } = this.#parts.world;
    return ledger.capabilityOf(path.slice(1, -1)) < ampleShare * ledger.capabilityOf(path.slice(-1));
  }

  #offer(
    order: BlockOrder,
    source: Member,
    target: Member,
    missing: RangeSet,
    rule: RemoteRule,
    lane: Lane | undefined,
  ): BlockOffer {
    const relays = source.kind === "agent" && !feeds(target, source, lane);
    const offer = offerOf(order, source, target, missing, relays, rule);
    if (source.serves !== "lastResort") return offer;
    return { ...offer, ranges: offer.ranges.intersection(order.onlyWith(source, offer.ranges)) };
  }

  #score(source: Member, target: Member, order: BlockOrder, offer: BlockOffer, rate: number): number {
    const { world, weights } = this.#parts;
    const most = world.ledger.capabilityOf(world.path(source, target).slice(-1));
    const ratePerMille = most === Infinity ? 1_000 : Math.floor((Math.min(rate, most) * 1_000) / most);
    const holding = order.holdings.get(source);
    return scoreLane(
      {
        ratePerMille,
        fresh: !order.fresh(offer.ranges).isEmpty,
        holdsSome: offer.holdsSome,
        sameSite: source.site === target.site,
        lanesOut: source.lanesOut.size,
        origin: source.kind === "publisher" || holding?.counts === false,
        lastResort: source.serves === "lastResort",
        recentFailures: source.recentFailures,
      },
      weights,
    );
  }

  /** Keeps count of targets that still wait; makes room for one that has waited long without getting anything. */
  #settle(target: Member, orders: readonly BlockOrder[], now: number, decisions: Decisions): void {
    const order = orders.find((candidate) => candidate.hungry.has(target) && !candidate.missing(target).isEmpty);
    if (order === undefined || !target.online || !target.fetches) {
      this.#waiting.delete(target);
      return;
    }
    const since = this.#waiting.get(target) ?? now;
    this.#waiting.set(target, since);
    if (target.lanesIn.size > 0) {
      this.#waiting.set(target, now);
      return;
    }
    if (now - since < starvedAfterNanoseconds) return;
    if (now - since >= outOfReachAfterNanoseconds && this.#bringAgain(target, order, now, decisions)) return;
    for (const pass of passes) {
      const choice = this.#bestSource(target, order, order.missing(target), pass, false);
      if (choice === undefined) continue;
      makeRoom(choice.source, target, order, this.#parts, decisions);
      return;
    }
  }

  /** Where those that have what the target misses cannot serve it, it is brought into its site, or handed over, again. */
  #bringAgain(target: Member, order: BlockOrder, now: number, decisions: Decisions): boolean {
    let best: Choice | undefined;
    for (const source of this.#candidates(target, order, againPass)) {
      const rate = this.#rateFor(source, target, againPass);
      if (rate === 0) continue;
      const offer = this.#offer(order, source, target, this.#outOfReach(source, target, order), "again", undefined);
      if (offer.ranges.isEmpty) continue;
      const score = this.#score(source, target, order, offer, rate);
      if (best === undefined || score > best.score) best = { source, offer, rateBitsPerSecond: rate, score };
    }
    if (best === undefined) return false;
    const lane = this.#parts.lanes.open(best.source, target, best.rateBitsPerSecond, now, decisions);
    lane.bringsAgain = true;
    const budget = this.#aheadBytes(lane);
    const picked = pickBlocks(order, best.offer.ranges, best.source, target, budget, this.#parts.random);
    this.#queue(lane, order, picked, decisions, againPass.reason, [best]);
    return true;
  }

  /** What the target misses and nobody may give it but this source, or others as far away. */
  #outOfReach(source: Member, target: Member, order: BlockOrder): RangeSet {
    const within = source.kind === "publisher" ? "anywhere" : "site";
    return outOfReach(order, target, order.missing(target), within, (member) => this.#mayServe(member, target));
  }

  /** How much is queued ahead into a lane: its rate, or what it was measured to do, for a set time. */
  #aheadBytes(lane: Lane): number {
    const { settings } = this.#parts;
    const { rateBitsPerSecond, measuredBitsPerSecond } = lane;
    const rate =
      measuredBitsPerSecond === undefined ? rateBitsPerSecond : Math.min(rateBitsPerSecond, 2 * measuredBitsPerSecond);
    const seconds = (settings.aheadNanoseconds / 1_000_000_000) * lane.target.aheadScale;
    const bytes = Math.floor((rate / 8) * seconds);
    return Math.min(settings.aheadMaximumBytes, Math.max(settings.aheadMinimumBytes, bytes));
  }
}

/** A lane is refilled when less than this part of what is to be queued ahead is left. */
const refillShare = 0.7;
const maximumAheadScale = 10;

interface Pass {
  readonly local: boolean;
  readonly rule: RemoteRule;
  readonly reason: string;
}

const passes: readonly Pass[] = [
  { local: false, rule: "once", reason: "its site lacks them" },
  { local: true, rule: "once", reason: "another of its site has them" },
  { local: false, rule: "repeat", reason: "it would idle, and the way has room" },
];
const againPass: Pass = { local: false, rule: "again", reason: "who has them near it cannot give them" };
/** A block comes into a site a second time only over links that carry this many times what one target can take. */
const ampleShare = 1.5;

function moreUrgent(a: BlockOrder, b: BlockOrder): number {
  const [first, second] = [a.description, b.description];
  if (first.priority !== second.priority) return second.priority - first.priority;
  if (first.kind !== second.kind) return first.kind === "manifest" ? -1 : 1;
  return first.sequence - second.sequence;
}

function hasLane(source: Member, target: Member): boolean {
  for (const lane of target.lanesIn) if (lane.source === source) return true;
  return false;
}
