/**
 * Blocks that a target's site has and that the target cannot get there: whoever has them is away, out of use, has just
 * failed it, or is drained while others hold them too. A rule that lets each block into a site once must not keep it waiting for them.
 */
import { RangeSet } from "../std/ranges.ts";
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
  const views = within === "anywhere" ? [...order.views.values()] : [order.views.get(target.site ?? "")];
  const reachable = views
    .flatMap((view) => view?.members ?? [])
    .filter((member) => member !== target && mayServe(member));
  const left = new RangeSet();
  missing.forEach((start, end) => {
    for (let block = start; block < end; block += 1) {
      const isThere = reachable.some((member) => givesIt(order, member, block));
      if (!isThere) left.add(block, block + 1);
    }
  });
  return left;
}

/** A drained member gives what no other holds; what it is being sent is not its to give yet. */
function givesIt(order: BlockOrder, member: Member, block: number): boolean {
  if (!order.holding(member).have.has(block)) return false;
  return member.serves !== "lastResort" || order.isOnlyWith(member, block);
}
