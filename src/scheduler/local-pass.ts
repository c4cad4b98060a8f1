/**
 * Transfers within a site, where only the two interfaces count. From the sources' side: each free source takes, of a few
 * free targets drawn at random, the one to which it can bring the rarest block; then from the targets' side for those
 * that are still free, since what a source lacked for one target it may have for another.
 */
import type { BlockOrder, Holding } from "./block-order.ts";
import { drawSource, drawTarget } from "./market.ts";
import type { Match, Matcher } from "./match.ts";
import type { PickRule } from "./pick-blocks.ts";
import type { Member, Place } from "./world.ts";

const anyBlock: PickRule = { rarity: "inSite" };

export class LocalPass {
  readonly #matcher: Matcher;

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
    let best: Match | undefined;
    const draws = Math.min(settings.drawnTargets, targets.length);
    for (let drawn = 0; drawn < draws; drawn += 1) {
      const index = drawn + (targets.length - drawn === 1 ? 0 : random.nextBelow(targets.length - drawn));
      best = this.#compare(best, source, drawTarget(targets, drawn, index));
    }
    return best;
  }

  #bestSource(target: Member, place: Place): Match | undefined {
    const { random, settings } = this.#matcher.parts;
    const { sources } = place;
    let best: Match | undefined;
    const draws = Math.min(settings.drawnTargets, sources.length);
    for (let drawn = 0; drawn < draws; drawn += 1) {
      const index = drawn + (sources.length - drawn === 1 ? 0 : random.nextBelow(sources.length - drawn));
      best = this.#compare(best, drawSource(sources, drawn, index), target);
    }
    return best;
  }

  #compare(best: Match | undefined, source: Member, target: Member): Match | undefined {
    const matcher = this.#matcher;
    if (target.place?.awaiting === target || !matcher.mayServe(source, target)) return best;
    const rate = matcher.rateWithin(source, target);
    if (rate === 0) return best;
    let better = best;
    for (const order of target.needs) {
      if (
        order.paused ||
        order.urgencyClass > this.#matcher.urgencyClass ||
        (better !== undefined && order.rank > better.order.rank)
      ) {
        continue;
      }
      const holding = order.find(source);
      if (holding === undefined || holding.soon.isEmpty) continue;
      better = this.#choose(better, order, holding, order.holding(target), rate);
    }
    return better;
  }

  /** An origin gives what nobody else has as long as there is such. */
  #choose(
    best: Match | undefined,
    order: BlockOrder,
    source: Holding,
    target: Holding,
    rate: number,
  ): Match | undefined {
    const matcher = this.#matcher;
    if (!source.counts && !order.freshBlocks.isEmpty) {
      const fresh = matcher.match(order, source, target, rate, { rarity: "inSite", only: order.freshBlocks });
      if (fresh !== undefined) return matcher.better(best, fresh);
    }
    return matcher.choose(best, order, source, target, rate, anyBlock);
  }
}
