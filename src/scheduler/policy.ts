/**
 * How sources and blocks are chosen: the part of scheduling that can be swapped. A policy is handed the orders of one class
 * of urgency and the members for which something has changed, and opens lanes through the matcher, which keeps every one
 * within the ledger. It keeps no lanes and no books of its own that matter: all that is true stands in orders and ledger.
 */
import type { BlockOrder } from "./block-order.ts";
import type { SchedulerSettings } from "./limits.ts";
import type { SchedulingPolicy } from "./modes.ts";
import type { Member, Place } from "./world.ts";

export interface Policy {
  /** Whether a target that has waited long is helped at the cost of others (`rescue.ts`); else it is only looked at again. */
  readonly rescues: boolean;
  /**
   * Gives free ends something to do.
   * @param orders of one class, those of more urgent ones having been served
   * @param members of which something has changed; the market knows who of them is free
   * @param places the sites that something has changed in
   */
  serve(orders: readonly BlockOrder[], members: readonly Member[], places: ReadonlySet<Place>): void;
  /** What was worked out about capabilities, or about the set of orders, may not be so any more. */
  forgetFindings(): void;
}

/** Uploads of one agent under the policy `random`, each at its part of the interface. */
export const swarmUploads = 4;
const swarmDownloads = 16;
/** Under `direct` an origin serves everybody at once. */
const directLanes = 1_000_000;
const directLanesIn = 64;
/** In effect any: with thousands of targets a fair share is small. */
const directNicShare = 1e-9;

/** What a policy needs set otherwise. */
export const policySettings: Readonly<Record<SchedulingPolicy, Partial<SchedulerSettings>>> = {
  cost: {},
  random: { maximumLanesOut: swarmUploads, maximumLanesIn: swarmDownloads, leastNicShare: 1 / swarmUploads },
  direct: { maximumLanesOut: directLanes, maximumLanesIn: directLanesIn, leastNicShare: directNicShare },
};
