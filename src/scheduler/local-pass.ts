/**
 * Transfers within a site, where only the two interfaces count. From the sources' side: each free source takes, of a few
 * free targets drawn at random, the one to which it can bring the rarest block; then from the targets' side for those
 * that are still free: the rarest block that the site has for it, from somebody free who holds it. Where a site waits for
 * others, most ends are free and have nothing for each other: that is found out with one look at what the site holds.
 */
import type { BlockOrder, Holding } from "./block-order.ts";
import type { Match, Matcher } from "./match.ts";
import { pickBlock, type PickedBlock, type PickRule } from "./pick-blocks.ts";
import type { SiteView } from "./site-view.ts";
import type { Member, Place } from "./world.ts";

const anyBlock: PickRule = { rarity: "inSite" };
/** Free sources that are asked whether they hold a block; of those that do, so many are compared. */
const lookedAtSources = 16;
const comparedHolders = 2;

export class LocalPass {
  readonly #matcher: Matcher;
  readonly #picked: PickedBlock = { block: -1, copies: 0 };

  constructor(matcher: Matcher) {
    this.#matcher = matcher;
  }

  /** Gives a free source work until it or all that lack something are busy. */
  serveFrom(source: Member): void {
    const place = source.place as Place;
    while (source.sourceAt >= 0 && place.targets.length > 0) {
      const best = this.#bestTarget(source, place);
      if (best === undefined) return this.#matcher.forget();
      this.#matcher.open(best, "withinSite");
    }
  }

  /** Looks for sources for a free target. */
  fetchFor(target: Member): void {
    const place = target.place as Place;
    while (target.targetAt >= 0 && place.sources.length > 0) {
      const best = this.#bestSource(target, place);
      if (best === undefined) return this.#matcher.forget();
      this.#matcher.open(best, "withinSite");
    }
  }

  #bestTarget(source: Member, place: Place): Match | undefined {
    const { random, settings } = this.#matcher.parts;
    const { targets } = place;
    const { length } = targets;
    const begin = length === 1 ? 0 : random.nextBelow(length);
    let best: Match | undefined;
    // Who comes and goes is put in at the end, and fills gaps: those in a row have nothing in common.
    for (let index = begin; index < begin + Math.min(settings.drawnTargets, length); index += 1) {
      best = this.#compare(best, source, targets[index < length ? index : index - length] as Member);
    }
    return best;
  }

  #bestSource(target: Member, place: Place): Match | undefined {
    if (place.awaiting === target) return undefined;
    const { random } = this.#matcher.parts;
    let best: Match | undefined;
    let hasMore = false;
    for (const order of target.needs) {
      if (order.paused || order.urgencyClass > this.#matcher.urgencyClass) continue;
      const holding = order.holding(target);
      const { view } = holding;
      if (view === undefined) continue;
      // What origins hold is not counted: sources are drawn, for all orders alike.
      if (view.isHome) return this.#drawnSource(target, place);
      if (!pickBlock(order, view.held, holding, anyBlock, random, this.#picked)) continue;
      hasMore = true;
      best = this.#fromHolders(best, order, holding, view, place);
    }
    return best === undefined && hasMore ? this.#drawnSource(target, place) : best;
  }

  /** From those who hold the block that was picked. */
  #fromHolders(
    best: Match | undefined,
    order: BlockOrder,
    target: Holding,
    view: SiteView,
    { sources }: Place,
  ): Match | undefined {
    const matcher = this.#matcher;
    const { block } = this.#picked;
    const { length } = sources;
    const begin = length === 1 ? 0 : matcher.parts.random.nextBelow(length);
    let better = best;
    let found = 0;
    for (let index = begin; index < begin + Math.min(lookedAtSources, length) && found < comparedHolders; index += 1) {
      const source = sources[index < length ? index : index - length] as Member;
      const given = order.find(source);
      if (given === undefined || !given.held.has(block) || !matcher.mayServe(source, target.member)) continue;
      const rate = matcher.rateWithin(source, target.member);
      if (rate === 0) continue;
      found += 1;
      better = matcher.chooseBlock(better, order, given, target, rate, anyBlock, this.#picked);
    }
    if (found === 0) order.noteGone(view, block);
    return better;
  }

  #drawnSource(target: Member, place: Place): Match | undefined {
    const { random, settings } = this.#matcher.parts;
    const { sources } = place;
    const { length } = sources;
    const begin = length === 1 ? 0 : random.nextBelow(length);
    let best: Match | undefined;
    for (let index = begin; index < begin + Math.min(settings.drawnTargets, length); index += 1) {
      best = this.#compare(best, sources[index < length ? index : index - length] as Member, target);
    }
    return best;
  }

  #compare(best: Match | undefined, source: Member, target: Member): Match | undefined {
    if (target.place?.awaiting === target || source === target) return best;
    const { soleNeed } = target;
    if (soleNeed !== undefined) return this.#compareIn(best, soleNeed, source, target);
    let better = best;
    for (const order of target.needs) better = this.#compareIn(better, order, source, target);
    return better;
  }

  #compareIn(best: Match | undefined, order: BlockOrder, source: Member, target: Member): Match | undefined {
    const matcher = this.#matcher;
    if (order.paused || order.urgencyClass > matcher.urgencyClass) return best;
    if (best !== undefined && order.rank > best.order.rank) return best;
    const given = order.find(source);
    if (given === undefined || given.held.isEmpty) return best;
    const holding = order.holding(target);
    if (given.counts || order.freshBlocks.isEmpty) return matcher.chooseWithin(best, order, given, holding, anyBlock);
    // An origin gives what nobody else has as long as there is such.
    const rule: PickRule = { rarity: "inSite", only: order.freshBlocks };
    const fresh = matcher.chooseWithin(undefined, order, given, holding, rule);
    return fresh === undefined
      ? matcher.chooseWithin(best, order, given, holding, anyBlock)
      : matcher.better(best, fresh);
  }
}
