/**
 * A stored schedule of one file set (claims 8, 37): for each target, in order, which blocks it is to get from whom at what
 * rate, and when that was predicted to begin. It is compact, since a plan may have a million steps.
 */

/** Steps of one plan. What a longer one would have besides is left to incremental decisions. */
export const maximumPlanSteps = 1_000_000;

/** Numbers that make a step up: index of the source, first block, end of the blocks, index of the rate, start in milliseconds, sequence. */
export const numbersPerStep = 6;

export interface PlanStep {
  readonly sourceId: string;
  readonly start: number;
  /** Not included. */
  readonly end: number;
  readonly rateBitsPerSecond: number;
  /** Since the plan's beginning. */
  readonly startMilliseconds: number;
  /** Its place among all steps of the plan. */
  readonly sequence: number;
}

export interface PlannedTarget {
  readonly id: string;
  /** `numbersPerStep` for each step, in the order in which they are to begin. */
  readonly steps: Uint32Array;
}

export interface Plan {
  readonly blockCount: number;
  /** When the last step was predicted to end. */
  readonly predictedMilliseconds: number;
  /** Every target has everything at its end. */
  readonly isWhole: boolean;
  /** Ids of members that steps name by index. */
  readonly members: readonly string[];
  readonly ratesBitsPerSecond: readonly number[];
  readonly targets: readonly PlannedTarget[];
}

export function stepCount(plan: Plan): number {
  let steps = 0;
  for (const target of plan.targets) steps += target.steps.length / numbersPerStep;
  return steps;
}

/** @throws RangeError when the target has no such step */
export function stepAt(plan: Plan, target: PlannedTarget, index: number): PlanStep {
  const [source, start, end, rate, startMilliseconds, sequence] = target.steps.subarray(
    index * numbersPerStep,
    (index + 1) * numbersPerStep,
  );
  const sourceId = plan.members[source ?? -1];
  const rateBitsPerSecond = plan.ratesBitsPerSecond[rate ?? -1];
  if (sourceId === undefined || rateBitsPerSecond === undefined) throw new RangeError(`the plan has no step ${index}`);
  return {
    ...{ sourceId, start: start ?? 0, end: end ?? 0, rateBitsPerSecond },
    ...{ startMilliseconds: startMilliseconds ?? 0, sequence: sequence ?? 0 },
  };
}
