/** How far the targets of one plan have come with their steps, and by when a step should have begun. */
import type { BlockOrder } from "./block-order.ts";
import { numbersPerStep, stepAt, type Plan, type PlannedTarget, type PlanStep } from "./plan.ts";
import type { Member, Place } from "./world.ts";

/** A step is late when it has not begun this long after its time ... */
const patienceNanoseconds = 500_000_000;
/** ... and this part of its time more: everything may go a little slower than predicted, headers included. */
const patienceShare = 0.25;

export interface Follower {
  readonly progress: PlanProgress;
  readonly planned: PlannedTarget;
  state: "following" | "left" | "done";
  /** Undefined until it is there. */
  member: Member | undefined;
  nextStep: number;
  /** What its next step waits for is at these. */
  waitsAt: (Member | Place)[];
  /** When it is looked at although nothing was heard. */
  wakeNanoseconds: number | undefined;
}

export class PlanProgress {
  readonly order: BlockOrder;
  readonly plan: Plan;
  /** By the target's id. */
  readonly followers = new Map<string, Follower>();
  /** The plan's beginning, on the clock; undefined: nothing has begun (again). */
  #beginNanoseconds: number | undefined;

  constructor(order: BlockOrder, plan: Plan) {
    this.order = order;
    this.plan = plan;
    for (const planned of plan.targets) {
      this.followers.set(planned.id, {
        progress: this,
        planned,
        state: "following",
        member: undefined,
        nextStep: 0,
        waitsAt: [],
        wakeNanoseconds: undefined,
      });
    }
  }

  /** How many targets follow it, have left it, and are done with it. */
  counts(): Readonly<Record<Follower["state"], number>> {
    const counts = { following: 0, left: 0, done: 0 };
    for (const { state } of this.followers.values()) counts[state] += 1;
    return counts;
  }

  /** The first step that brings its target something; undefined: there is none left. */
  nextStep(follower: Follower): PlanStep | undefined {
    const { planned } = follower;
    const have = follower.member === undefined ? undefined : this.order.holding(follower.member).have;
    for (; follower.nextStep * numbersPerStep < planned.steps.length; follower.nextStep += 1) {
      const step = stepAt(this.plan, planned, follower.nextStep);
      if (step.end > this.order.blockCount) return undefined;
      for (let block = step.start; block < step.end; block += 1) if (have?.has(block) !== true) return step;
    }
    return undefined;
  }

  /** When a step is late. What has not begun yet begins now, with the earliest step that anybody has left. */
  dueNanoseconds(step: PlanStep, now: number): number {
    this.#beginNanoseconds ??= now - this.#earliestMilliseconds() * 1_000_000;
    const since = step.startMilliseconds * 1_000_000;
    return Math.floor(this.#beginNanoseconds + since + since * patienceShare) + patienceNanoseconds;
  }

  /** Time stands still: nothing of it can be done now. */
  pause(): void {
    if (this.order.paused) this.#beginNanoseconds = undefined;
  }

  #earliestMilliseconds(): number {
    let earliest = Infinity;
    for (const follower of this.followers.values()) {
      if (follower.state !== "following") continue;
      const step = this.nextStep(follower);
      if (step !== undefined) earliest = Math.min(earliest, step.startMilliseconds);
    }
    return earliest === Infinity ? 0 : earliest;
  }
}
