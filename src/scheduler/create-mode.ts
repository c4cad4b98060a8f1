/** Puts a mode together from its name, a policy and what they share. */
import type { BlockOrder } from "./block-order.ts";
import { CostPolicy } from "./cost-policy.ts";
import { DirectPolicy } from "./direct-policy.ts";
import { IncrementalMode } from "./incremental.ts";
import type { Lane } from "./lane.ts";
import { Matcher, type MatchParts } from "./match.ts";
import { checkMode, type Partitions, type SchedulingMode, type SchedulingPolicy } from "./modes.ts";
import { OverallMode } from "./overall.ts";
import { PartitionPolicy } from "./partition-policy.ts";
import { PlanFollower } from "./plan-follower.ts";
import type { Policy } from "./policy.ts";
import { RandomPolicy } from "./random-policy.ts";

export interface ModeChoice {
  readonly mode: SchedulingMode;
  readonly policy: SchedulingPolicy;
  readonly partitions: Partitions;
}

/** What is not chosen is incremental, by cost. */
export function chooseMode(choice: Partial<ModeChoice> = {}): ModeChoice {
  const { mode = "incremental", policy = "cost", partitions = new Map<string, string>() } = choice;
  return { mode, policy, partitions };
}

/**
 * The mode, behind one that follows plans: a plan that was asked for is followed whatever the mode is.
 * @throws UserError when mode and policy cannot go together
 */
export function createMode(
  choice: ModeChoice,
  parts: MatchParts,
  orders: ReadonlyMap<string, BlockOrder>,
  endLane: (lane: Lane) => void,
): PlanFollower {
  checkMode(choice.mode, choice.policy, choice.partitions);
  const matcher = new Matcher(parts);
  const incremental = new IncrementalMode(matcher, orders, createPolicy(choice, matcher), endLane);
  const isOverall = choice.mode === "overall";
  const inner = isOverall ? new OverallMode(incremental, parts.settings, parts.lanes.byId) : incremental;
  return new PlanFollower(inner, matcher);
}

function createPolicy({ mode, policy, partitions }: ModeChoice, matcher: Matcher): Policy {
  if (policy === "random") return new RandomPolicy(matcher);
  if (policy === "direct") return new DirectPolicy(matcher);
  return mode === "partition" ? new PartitionPolicy(matcher, partitions) : new CostPolicy(matcher);
}
