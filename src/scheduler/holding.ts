/** A member's entry in an order of blocks, and what its member must know of it: whether it needs, and could give, something. */
import type { PagedBits } from "../std/paged-bits.ts";
import type { BlockOrder } from "./block-order.ts";
import type { SiteView } from "./site-view.ts";
import type { Member } from "./world.ts";

export interface Holding {
  readonly order: BlockOrder;
  readonly member: Member;
  readonly held: PagedBits;
  /** Held, coming, or a duplicate: what need not be scheduled. */
  readonly have: PagedBits;
  /** The member is a target that is ready for blocks. */
  wants: boolean;
  /** What it still lacks is brought to it as a stored plan says: it needs nothing from anybody else. */
  planned: boolean;
  /** It stands in its order's `hungry`, and the order in its member's `needs`. */
  isHungry: boolean;
  isNeeding: boolean;
  /** Counted in its member's `supplies`. */
  isSupplying: boolean;
  /** Its copy counts for rarity (false for an origin). */
  counts: boolean;
  /** It carries blocks for others, and is no target itself. */
  carries: boolean;
  /** Undefined for a publisher. */
  readonly view: SiteView | undefined;
}

/** After what it holds, has coming or wants has changed: whether it lacks blocks, and whether it could serve. */
export function updateHunger(order: BlockOrder, holding: Holding): void {
  const { member, wants, planned, held, have } = holding;
  if (holding.isSupplying === held.isEmpty) {
    holding.isSupplying = !held.isEmpty;
    member.supplies += held.isEmpty ? -1 : 1;
  }
  const isHungry = wants && held.count < order.blockCount;
  if (isHungry !== holding.isHungry) {
    holding.isHungry = isHungry;
    if (isHungry) order.hungry.add(member);
    else order.hungry.delete(member);
  }
  const isNeeding = wants && !planned && have.count < order.blockCount;
  if (isNeeding === holding.isNeeding) return;
  holding.isNeeding = isNeeding;
  if (isNeeding) member.needs.add(order);
  else member.needs.delete(order);
  noteNeeds(member);
}

/** After the member's `needs` have changed. */
export function noteNeeds(member: Member): void {
  const [first] = member.needs;
  member.needCount = member.needs.size;
  member.soleNeed = member.needCount === 1 ? first : undefined;
}
