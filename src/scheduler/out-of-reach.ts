/**
 * Blocks that a target's site has and that the target cannot get there: whoever has them is away, out of use, or has just
 * failed it. A rule that lets each block into a site once must not keep it waiting for them.
 */
import type { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Member } from "./world.ts";

/**
 * Of the blocks that a target misses, those that no agent which may serve it has or will have: in its site, or (of a
 * publisher, which hands each block over once to whomever) anywhere.
 * @param mayServe whether the target may pull from a member now
 */
export function outOfReach(
  order: BlockOrder,
  target: Member,
  missing: RangeSet,
  within: "site" | "anywhere",
  mayServe: (member: Member) => boolean,
): RangeSet {
  const left = missing.clone();
  for (const site of within === "site" ? [target.site ?? ""] : order.sites()) {
    for (const member of order.membersIn(site)) {
      if (left.isEmpty) return left;
      if (member === target || member.kind === "publisher" || !mayServe(member)) continue;
      const holding = order.holdings.get(member);
      if (holding === undefined) continue;
      left.removeAll(holding.held);
      left.removeAll(holding.coming);
    }
  }
  return left;
}
