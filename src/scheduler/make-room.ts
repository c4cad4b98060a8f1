/**
 * Nobody starves: when running lanes hold all of what a waiting target needs, those over its tightest resources are
 * taken down so that it gets its share. A lane of a less urgent order gives way as far as needed, one of an equal gives
 * its part.
 */
import type { BlockOrder } from "./block-order.ts";
import type { Lane } from "./lane.ts";
import type { Matcher } from "./match.ts";
import type { Member } from "./world.ts";

/** A lane that would be left with less than this part of a resource is ended instead. */
const leastShare = 0.05;

/** Takes from others what the target may claim. It is free for it when their ends have heard of it (`Lanes.takeFrom`). */
export function makeRoom(
  source: Member,
  target: Member,
  order: BlockOrder,
  matcher: Matcher,
  endLane: (lane: Lane) => void,
): void {
  const { world, lanes, settings } = matcher.parts;
  const path = world.path(source, target);
  for (const index of path) {
    const entry = world.ledger.entry(index);
    if (entry.capability === Infinity) continue;
    // A lane whose target is away would not hear of it.
    // Nor can one give what others follow it for, or what it has yet to take over.
    const over = lanes
      .over(index)
      .filter((lane) => lane.target.online && !lane.isOffered && lane.charges === undefined);
    const peers = over.filter((lane) => urgency(lane) >= order.description.priority);
    const share = Math.floor(entry.capability / (peers.length + 1));
    const wanted = Math.max(share, Math.ceil(entry.capability * settings.minimumRateShare));
    let lacking = wanted - (entry.capability - entry.allocated) - lanes.heldBackOn(index);
    for (const lane of over.sort((a, b) => urgency(a) - urgency(b) || b.rateBitsPerSecond - a.rateBitsPerSecond)) {
      if (lacking <= 0) break;
      const givesWay = urgency(lane) < order.description.priority;
      if (givesWay && lane.rateBitsPerSecond - lacking < entry.capability * leastShare) {
        lacking -= lane.rateBitsPerSecond;
        endLane(lane);
        continue;
      }
      const given = Math.min(
        lacking,
        lane.rateBitsPerSecond - (givesWay ? 1 : Math.min(share, lane.rateBitsPerSecond)),
      );
      if (given <= 0) continue;
      lanes.takeFrom(lane, given, matcher.decisions);
      lacking -= given;
    }
  }
}

/** The highest priority of what a lane carries. */
function urgency(lane: Lane): number {
  let highest = -Infinity;
  for (const order of lane.pending.keys()) highest = Math.max(highest, order.description.priority);
  return highest;
}
