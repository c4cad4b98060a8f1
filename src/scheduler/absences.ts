/**
 * Members that are away. What only they hold is with nobody near, then: after a while it does not count as there any more, and
 * is brought into their site again like what never came there, without waiting until all else has been brought. Most
 * of those that go are back in a moment, hence the while.
 */
import type { BlockOrder } from "./block-order.ts";
import type { Member } from "./world.ts";

/** What an agent holds counts for this long after it has gone: about what a program takes to start again. */
export const countedNanoseconds = 1_000_000_000;

export class Absences {
  readonly #orders: ReadonlyMap<string, BlockOrder>;
  readonly #touch: (member: Member) => void;
  /** Those that still count, and until when; the first to go first. */
  readonly #going = new Map<Member, number>();

  constructor(orders: ReadonlyMap<string, BlockOrder>, touch: (member: Member) => void) {
    this.#orders = orders;
    this.#touch = touch;
  }

  /** When the next one stops counting; Infinity: nobody has gone. */
  get nextNanoseconds(): number {
    for (const until of this.#going.values()) return until;
    return Infinity;
  }

  gone(member: Member, now: number): void {
    if (!member.isAway && !this.#going.has(member)) this.#going.set(member, now + countedNanoseconds);
  }

  back(member: Member): void {
    this.#going.delete(member);
    if (!member.isAway) return;
    member.isAway = false;
    for (const order of this.#orders.values()) order.setCounted(member, true);
  }

  forget(member: Member): void {
    this.#going.delete(member);
  }

  /** Those whose time is over do not count any more. */
  tick(now: number): void {
    for (const [member, until] of this.#going) {
      if (until > now) return;
      this.#going.delete(member);
      for (const order of this.#orders.values()) {
        if (!order.setCounted(member, false)) continue;
        for (const beside of order.membersIn(member.site ?? "")) if (order.hungry.has(beside)) this.#touch(beside);
      }
      member.isAway = true;
    }
  }
}
