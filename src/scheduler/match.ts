/**
 * What all passes of a decision share: whether a source may serve a target, at what rate the ledger would admit it, which
 * block it would bring and how good that is; and opening the lane that carries it.
 */
import type { SeededRandom } from "../std/seeded-random.ts";
import type { PagedBits } from "../std/paged-bits.ts";
import type { RangeSet } from "../std/ranges.ts";
import type { BlockOrder, Holding } from "./block-order.ts";
import { scoreTransfer, type CostWeights } from "./cost.ts";
import { maximumRunnersUp, type OnDecision, type RunnerUp } from "./decision-record.ts";
import type { Decisions } from "./decisions.ts";
import type { Lane } from "./lane.ts";
import type { Lanes } from "./lanes.ts";
import { unlimitedBitsPerSecond, type SchedulerSettings } from "./limits.ts";
import type { Market } from "./market.ts";
import { downCapability, downFree, type FleetLag, upCapability, upFree } from "./pace.ts";
import { pickBlock, portionAround, type PickedBlock, type PickRule } from "./pick-blocks.ts";
import type { SiteView } from "./site-view.ts";
import { freeBetween } from "./succession.ts";
import { hasSomethingFor } from "./supply.ts";
import { WayShares } from "./way-shares.ts";
import { isShunned, type Member, type World } from "./world.ts";

export interface MatchParts {
  readonly world: World;
  readonly lanes: Lanes;
  readonly market: Market;
  readonly settings: SchedulerSettings;
  readonly weights: CostWeights;
  readonly random: SeededRandom;
  readonly lag: FleetLag;
  readonly mode: string;
  readonly onDecision: OnDecision | undefined;
}

export interface Match {
  readonly order: BlockOrder;
  readonly source: Holding;
  readonly target: Holding;
  readonly rateBitsPerSecond: number;
  readonly block: number;
  readonly score: number;
  readonly only: PagedBits | undefined;
}

/** A lane that is to have its share of a long way is opened with this part of it or more: it gets the rest as that becomes free. */
const leastOfAShare = 0.25;
/** It is taken down when the way's lanes have more than its share by this part, but to no less than that part of the share. */
const muchMoreThanAShare = 0.2;
/** Other sites that are looked at before a lane within a site is filled again. */
const waysLookedAt = 16;

/** Why a transfer was scheduled, for the trace. */
export type MatchReason = "intoSite" | "withinSite" | "again" | "outOfReach" | "fromOrigin" | "uniform";

export class Matcher {
  readonly parts: MatchParts;
  readonly #wayShares: WayShares;
  now = 0;
  /** Orders of later classes are not looked at yet. */
  urgencyClass = 0;
  decisions!: Decisions;
  /** Matches that lost in the choice under way; kept only when somebody reads them. */
  #runnersUp: Match[] = [];
  /** The block that was last picked. */
  readonly #picked: PickedBlock = { block: -1, copies: 0 };

  constructor(parts: MatchParts) {
    this.parts = parts;
    this.#wayShares = new WayShares(parts.world, parts.lanes);
  }

  mayServe(source: Member, target: Member): boolean {
    if (source === target || !source.online || source.serves === "no") return false;
    if (target.shunned !== undefined && isShunned(target, source, this.now)) return false;
    return this.parts.world.usable(source, target);
  }

  /** What the ledger would admit between two agents of one site; 0 when it is too little to be worth a lane. */
  rateWithin(source: Member, target: Member): number {
    const { ledger } = this.parts.world;
    const full = Math.min(upCapability(source, ledger), downCapability(target, ledger));
    if (full === Infinity) return unlimitedBitsPerSecond;
    const free = Math.min(upFree(source, ledger), downFree(target, ledger));
    return free >= Math.max(1, full * this.parts.settings.leastNicShare) ? free : 0;
  }

  /** What a path could carry if it were idle, going by what both ends have been seen to do. */
  capabilityOf(source: Member, target: Member, path: readonly number[]): number {
    const { ledger } = this.parts.world;
    return Math.min(upCapability(source, ledger), ledger.capabilityOf(path), downCapability(target, ledger));
  }

  /** What of that is free. */
  freeOn(source: Member, target: Member, path: readonly number[]): number {
    const { ledger } = this.parts.world;
    return Math.min(upFree(source, ledger), ledger.free(path), downFree(target, ledger));
  }

  /** The same between two sites. @param middle what lies between them */
  rateBetween(order: BlockOrder, source: Member, target: Member, middle: readonly number[]): number {
    const { world } = this.parts;
    const { ledger } = world;
    const share = this.#wayShares.of(order, source, target, this.now);
    const left = share === Infinity ? share : share - this.#wayShares.given(source, target);
    const way = Math.min(share, ledger.capabilityOf(middle));
    const full = Math.min(upCapability(source, ledger), way, downCapability(target, ledger));
    if (full === Infinity) return unlimitedBitsPerSecond;
    const between = Math.min(left, freeBetween(source, target, middle, ledger));
    const free = Math.min(upFree(source, ledger), between, downFree(target, ledger));
    const least = share === Infinity ? this.parts.settings.leastWayShare : leastOfAShare;
    return free >= Math.max(1, full * least) ? free : 0;
  }

  /** The better of a match and the transfer that two members could make. */
  choose(
    best: Match | undefined,
    order: BlockOrder,
    source: Holding,
    target: Holding,
    rate: number,
    rule: PickRule,
  ): Match | undefined {
    const picked = this.#picked;
    if (!pickBlock(order, source.held, target, rule, this.parts.random, picked)) return best;
    return this.chooseBlock(best, order, source, target, rate, rule, picked);
  }

  /** The better of a match and the transfer that two members of one site could make, both of which have bandwidth free. */
  chooseWithin(
    best: Match | undefined,
    order: BlockOrder,
    source: Holding,
    target: Holding,
    rule: PickRule,
  ): Match | undefined {
    const picked = this.#picked;
    // First what fails most often.
    if (!pickBlock(order, source.held, target, rule, this.parts.random, picked)) return best;
    const [from, to] = [source.member, target.member];
    if (!this.mayServe(from, to)) return best;
    const rate = this.rateWithin(from, to);
    return rate === 0 ? best : this.chooseBlock(best, order, source, target, rate, rule, picked);
  }

  /** The better of a match and the transfer of a certain block, which the source holds and the target lacks. */
  chooseBlock(
    best: Match | undefined,
    order: BlockOrder,
    source: Holding,
    target: Holding,
    rate: number,
    rule: PickRule,
    picked: PickedBlock,
  ): Match | undefined {
    const score = this.#scoreOf(order, source, target, rate, rule, picked);
    const isAsked = this.parts.onDecision !== undefined;
    if (score === undefined || (best !== undefined && !isAsked && !isBetter(order, score, best))) return best;
    const { block } = picked;
    return this.better(best, { order, source, target, rateBitsPerSecond: rate, block, score, only: rule.only });
  }

  /** The score of a transfer; undefined: it is not to be made. */
  #scoreOf(
    order: BlockOrder,
    source: Holding,
    target: Holding,
    rate: number,
    rule: PickRule,
    picked: PickedBlock,
  ): number | undefined {
    const { weights, world } = this.parts;
    const [from, to] = [source.member, target.member];
    if (from.serves === "lastResort" && !order.isOnlyWith(from, picked.block)) return undefined;
    const full = Math.min(world.ledger.capabilityOn(from.nicUp), world.ledger.capabilityOn(to.nicDown));
    return scoreTransfer(
      {
        ratePerMille: full === Infinity ? 1_000 : Math.floor((Math.min(rate, full) * 1_000) / full),
        copies: picked.copies,
        fresh: order.presenceCounts[picked.block] === 0,
        origin: !source.counts,
        lanesOut: from.lanesOut.length,
        dependence: rule.dependence ?? 0,
        slowTarget: world.ledger.limitOn(to.nicDown) !== Infinity,
        slowSource: world.ledger.limitOn(from.nicUp) !== Infinity,
        lastResort: from.serves === "lastResort",
        recentFailures: from.recentFailures,
      },
      weights,
    );
  }

  /** The better of two; what loses is remembered for the trace. Of equals the first. */
  better(best: Match | undefined, other: Match | undefined): Match | undefined {
    if (other === undefined || best === undefined) return best ?? other;
    const first = isBetter(other.order, other.score, best) ? other : best;
    if (this.parts.onDecision !== undefined) this.#runnersUp.push(first === best ? other : best);
    return first;
  }

  /** Nothing is being chosen any more. */
  forget(): void {
    if (this.#runnersUp.length > 0) this.#runnersUp = [];
  }

  /**
   * Queues another portion into a lane that will soon be empty, if its source has one for its target by the same rules, and
   * a lane within a site does not keep from its source what an idling way out of the site could take.
   * @returns whether it did
   */
  extend(lane: Lane): boolean {
    const { source, target } = lane;
    if (!this.mayServe(source, target) || lane.shrunk) return false;
    let best: Match | undefined;
    for (const order of target.needs) {
      const given = order.find(source);
      if (order.paused || given === undefined || (best !== undefined && best.order.rank <= order.rank)) continue;
      const holding = order.holding(target);
      const rule = extensionRule(order, given, holding);
      best = this.choose(undefined, order, given, holding, lane.rateBitsPerSecond, rule) ?? best;
    }
    this.forget();
    if (best === undefined || (source.site === target.site && this.#isWantedOutside(best))) return false;
    const { lanes } = this.parts;
    this.#followShare(lane, best.order);
    lanes.queue(lane, best.order, this.#portion(best), this.decisions);
    return true;
  }

  /** A lane that lasts gets more of its way, or less, as the way's share is now. */
  #followShare(lane: Lane, order: BlockOrder): void {
    const { source, target } = lane;
    const share = this.#wayShares.of(order, source, target, this.now);
    lane.isShare = this.#isShare(source, target, share);
    if (!lane.isShare) return;
    const { lanes } = this.parts;
    const left = share - this.#wayShares.given(source, target);
    if (left >= 0) lanes.grow(lane, this.decisions, lane.rateBitsPerSecond + left);
    else if (-left > share * muchMoreThanAShare && !lane.isOffered && lane.charges === undefined) {
      const less = Math.min(-left, lane.rateBitsPerSecond - Math.ceil(share * leastOfAShare));
      if (less > 0) lanes.takeFrom(lane, less, this.decisions);
    }
  }

  /** Whether a way's share, and neither interface, is what limits a lane between two agents. */
  #isShare(source: Member, target: Member, share: number): boolean {
    const { ledger } = this.parts.world;
    return share <= Math.min(ledger.capabilityOn(source.nicUp), ledger.capabilityOn(target.nicDown));
  }

  /** Whether a way out of a site idles, its source's interface is full, and another site lacks what the site has. */
  #isWantedOutside({ order, source }: Match): boolean {
    const { world, settings } = this.parts;
    const { ledger } = world;
    const { view, member } = source;
    const place = member.place;
    if (view === undefined || place === undefined || ledger.freeOn(place.uplink) === 0) return false;
    const { views } = order.pairs;
    for (let looked = 0; looked < Math.min(views.length, waysLookedAt); looked += 1) {
      const other = views[(view.index + 1 + looked) % views.length] as SiteView;
      if (other === view || other.absent.isEmpty || !hasSomethingFor(order, view, other)) continue;
      const middle = world.between(place, other.place ?? world.place(other.site));
      const capability = ledger.capabilityOf(middle);
      const least = Math.max(1, capability * settings.leastWayShare);
      if (capability < Infinity && ledger.free(middle) >= least && upFree(member, ledger) < least) return true;
    }
    return false;
  }

  /** Opens the lane and queues its portion. */
  open(match: Match, reason: MatchReason): void {
    const { lanes, market, onDecision, mode } = this.parts;
    const { order, source, target, rateBitsPerSecond } = match;
    const ranges = this.#portion(match);
    const lane = lanes.open(source.member, target.member, rateBitsPerSecond, this.now, this.decisions, true);
    const share = this.#wayShares.of(order, source.member, target.member, this.now);
    lane.isShare = this.#isShare(source.member, target.member, share);
    lanes.queue(lane, order, ranges, this.decisions);
    market.refresh(source.member);
    market.refresh(target.member);
    onDecision?.({
      atNanoseconds: this.now,
      mode,
      reason,
      fileSet: order.description.fileSet,
      source: source.member.name,
      target: target.member.name,
      blocks: ranges.toFlat(),
      rateBitsPerSecond,
      score: match.score,
      runnersUp: this.#bestRunnersUp(),
    });
    this.forget();
  }

  #bestRunnersUp(): RunnerUp[] {
    const sorted = this.#runnersUp.sort((a, b) => a.order.rank - b.order.rank || b.score - a.score);
    return sorted.slice(0, maximumRunnersUp).map(({ source, target, score }) => ({
      source: source.member.name,
      target: target.member.name,
      score,
    }));
  }

  #portion({ order, source, target, block, only, rateBitsPerSecond }: Match): RangeSet {
    const { settings } = this.parts;
    const total = order.description.bytesInRange(0, order.blockCount);
    // What passes between a transfer and the next must be little beside it.
    const pause = this.parts.lag.nanoseconds;
    const seconds = Math.max(settings.portionMilliseconds / 1_000, (settings.portionPauses * pause) / 1_000_000_000);
    const atLeast = Math.min(
      settings.portionMaximumBytes,
      Math.max(
        total / settings.portionsOfAFileSet,
        Math.min(total / settings.leastPortions, (rateBitsPerSecond / 8) * seconds),
      ),
    );
    const blocks = Math.max(1, Math.floor((atLeast * order.blockCount) / Math.max(1, total)));
    // Powers of two: aligned groups of one size are parts of those of another, and stay whole from member to member.
    return portionAround(order, source, target, block, 1 << (31 - Math.clz32(blocks)), only);
  }
}

function isBetter(order: BlockOrder, score: number, other: Match): boolean {
  const [first, second] = [order.rank, other.order.rank];
  return first === second ? score > other.score : first < second;
}

/** Between sites only what the target's site lacks, and out of a home what is nowhere else; within a site anything. */
function extensionRule(order: BlockOrder, source: Holding, target: Holding): PickRule {
  if (source.view === target.view || target.view === undefined) return { rarity: "inSite" };
  const isFromHome = source.view?.isHome === true && !target.view.isHome && !order.onlyHome.isEmpty;
  return { rarity: "sites", only: isFromHome ? order.onlyHome : target.view.absent };
}
