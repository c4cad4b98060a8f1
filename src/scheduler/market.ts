/**
 * Who has bandwidth free now: for each site the agents that hold something and could serve, and those that lack blocks and could take some.
 * An entry costs O(1) to make and to take out, so that a decision looks only at those that are free, whatever the fleet's size.
 */
import type { SchedulerSettings } from "./limits.ts";
import { downCapability, downFree, upCapability, upFree } from "./pace.ts";
import type { Member, World } from "./world.ts";

export class Market {
  readonly #world: World;
  readonly #settings: SchedulerSettings;

  constructor(world: World, settings: SchedulerSettings) {
    this.#world = world;
    this.#settings = settings;
  }

  /** After anything about a member has changed: its bandwidth, its lanes, what it needs, whether it may be used. */
  refresh(member: Member): void {
    const { place } = member;
    if (place === undefined) return;
    const { maximumLanesIn, maximumLanesOut, leastNicShare } = this.#settings;
    const { ledger } = this.#world;
    const serves =
      member.supplies > 0 &&
      member.online &&
      member.serves !== "no" &&
      member.runningOut < maximumLanesOut &&
      upFree(member, ledger) >= Math.max(1, upCapability(member, ledger) * leastNicShare);
    if (serves !== member.sourceAt >= 0) {
      if (serves) member.sourceAt = place.sources.push(member) - 1;
      else this.#leaveSources(member);
    }
    const takes =
      member.needCount > 0 &&
      member.online &&
      member.fetches &&
      member.runningIn < maximumLanesIn &&
      downFree(member, ledger) >= Math.max(1, downCapability(member, ledger) * leastNicShare);
    if (takes !== member.targetAt >= 0) {
      if (takes) member.targetAt = place.targets.push(member) - 1;
      else this.#leaveTargets(member);
    }
  }

  /** The member is gone. */
  remove(member: Member): void {
    if (member.sourceAt >= 0) this.#leaveSources(member);
    if (member.targetAt >= 0) this.#leaveTargets(member);
  }

  #leaveSources(member: Member): void {
    const list = member.place?.sources ?? [];
    const last = list.pop() as Member;
    if (last !== member) {
      list[member.sourceAt] = last;
      last.sourceAt = member.sourceAt;
    }
    member.sourceAt = -1;
  }

  #leaveTargets(member: Member): void {
    const list = member.place?.targets ?? [];
    if (member.place?.awaiting === member) member.place.awaiting = undefined;
    const last = list.pop() as Member;
    if (last !== member) {
      list[member.targetAt] = last;
      last.targetAt = member.targetAt;
    }
    member.targetAt = -1;
  }
}
