/**
 * The rate that a new lane gets. Alone, it takes all that its path has free. Where others have that, it gets its share
 * of each resource on the path, and lanes that have more than their share are taken down: an interface is divided into
 * a few lanes, a site's way out or in among the sites that want something of it. Splitting it so lets blocks spread like
 * a mesh rather than along a chain, whose slowest member everybody behind it would wait for.
 */
import type { Decisions } from "./decisions.ts";
import type { Lanes } from "./lanes.ts";
import { unlimitedBitsPerSecond, type SchedulerSettings } from "./limits.ts";
import type { Member, World } from "./world.ts";

export interface RateQuestion {
  readonly source: Member;
  readonly target: Member;
  /** Other sites whose agents want the order: a site's way is divided among them. */
  readonly hungrySites: number;
  /** Whether lanes into the target itself give up what they have beyond their share. */
  readonly fromTarget: boolean;
}

export interface RateParts {
  readonly world: World;
  readonly lanes: Lanes;
  readonly settings: SchedulerSettings;
}

/** The rate that a lane would get, in bits per second; 0: not worth a lane now. */
export function rateFor(question: RateQuestion, parts: RateParts): number {
  const { world, settings } = parts;
  const path = world.path(question.source, question.target);
  if (world.ledger.capabilityOf(path) === Infinity) return unlimitedBitsPerSecond;
  let rate = Infinity;
  let least = Infinity;
  path.forEach((index, position) => {
    const { capability, allocated } = world.ledger.entry(index);
    if (capability === Infinity) return;
    const share = shareOf(question, parts, path.length, position, capability);
    const free = Math.max(0, capability - allocated);
    const mayTake = free < share && (question.fromTarget || position < path.length - 1);
    rate = Math.min(rate, mayTake ? Math.min(share, free + reclaimable(parts, index, share)) : free);
    least = Math.min(least, share * settings.minimumRateShare);
  });
  return rate >= Math.max(1, least) ? Math.floor(rate) : 0;
}

/** Takes lanes that have more than their share down, until the path has `rateBitsPerSecond` free. */
export function reclaim(
  question: RateQuestion,
  rateBitsPerSecond: number,
  parts: RateParts,
  decisions: Decisions,
): void {
  const path = parts.world.path(question.source, question.target);
  path.forEach((index, position) => {
    const entry = parts.world.ledger.entry(index);
    let lacking = rateBitsPerSecond - (entry.capability - entry.allocated);
    if (!(lacking > 0)) return;
    const share = shareOf(question, parts, path.length, position, entry.capability);
    const richest = [...parts.lanes.over(index)].sort((a, b) => b.rateBitsPerSecond - a.rateBitsPerSecond);
    for (const lane of richest) {
      if (lacking <= 0) return;
      const given = Math.min(lacking, lane.rateBitsPerSecond - Math.floor(share));
      if (given <= 0) return;
      parts.lanes.setRate(lane, lane.rateBitsPerSecond - given, decisions);
      lacking -= given;
    }
  });
}

/** What one lane may claim of a resource on the path: the first and last are interfaces, the others lie between sites. */
function shareOf(
  question: RateQuestion,
  { settings }: RateParts,
  length: number,
  position: number,
  capability: number,
): number {
  const isInterface = position === length - 1 || (position === 0 && question.source.kind === "agent");
  const ways = isInterface ? settings.nicLanes : Math.min(settings.siteLanes, Math.max(1, question.hungrySites));
  return capability / ways;
}

function reclaimable({ lanes }: RateParts, index: number, share: number): number {
  let bits = 0;
  for (const lane of lanes.over(index)) bits += Math.max(0, lane.rateBitsPerSecond - Math.floor(share));
  return bits;
}
