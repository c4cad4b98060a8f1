/**
 * How far the targets of one plan have come with their steps, whose turn it is at each source, and by when a step should have
 * begun. Time is reckoned from how late steps begin in general: what slows everybody down (headers on the wire, a controller
 * far away) makes nobody late.
 */
import type { BlockOrder } from "./block-order.ts";
import type { FleetLag } from "./pace.ts";
import { numbersPerStep, stepAt, stepCount, type Plan, type PlannedTarget, type PlanStep } from "./plan.ts";
import type { Member, Place } from "./world.ts";

/** A step is late when it has not begun this long after steps like it do (programs that have just started are not quick) ... */
const patienceNanoseconds = 250_000_000;
/** ... and so many times as long as it would take. */
const patienceDurations = 4;
/** ... and so many times what transfers in the whole fleet take beside their durations: a busy machine makes everybody late. */
const patienceLags = 3;
/** How fast the general lateness follows that of single steps. */
const driftFollowShare = 1 / 64;
/** Everything may be late by this, and this part of the time that has passed: beyond that reality is another one. */
const tolerableNanoseconds = 100_000_000;
const tolerableShare = 0.06;

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

/** The sequence numbers of a source's steps, in order, and how many of them are behind it. */
interface Turns {
  readonly sequences: number[];
  at: number;
}

export class PlanProgress {
  readonly order: BlockOrder;
  readonly plan: Plan;
  /** By the target's id. */
  readonly followers = new Map<string, Follower>();
  /** By the source's id. */
  readonly #turns = new Map<string, Turns>();
  /** By sequence: whether a step has begun, or will not be. */
  readonly #isSettled: Uint8Array;
  /** The plan's beginning, on the clock; undefined: nothing has begun (again). */
  #beginNanoseconds: number | undefined;
  #driftNanoseconds = 0;
  readonly #lag: FleetLag;
  /** Steps that have begun as planned. */
  begunSteps = 0;

  constructor(order: BlockOrder, plan: Plan, lag: FleetLag) {
    this.#lag = lag;
    this.order = order;
    this.plan = plan;
    this.#isSettled = new Uint8Array(stepCount(plan));
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
      this.#enterTurns(planned);
    }
    for (const { sequences } of this.#turns.values()) sequences.sort((one, other) => one - other);
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
      this.#isSettled[step.sequence] = 1;
    }
    return undefined;
  }

  /** Whether nothing that was planned to leave the step's source before it is still to begin. */
  isItsTurn(step: PlanStep): boolean {
    const turns = this.#turns.get(step.sourceId);
    if (turns === undefined) return true;
    while (turns.at < turns.sequences.length && this.#isSettled[turns.sequences[turns.at] as number] === 1) {
      turns.at += 1;
    }
    return turns.sequences[turns.at] === step.sequence;
  }

  /** The step has begun. */
  begun(step: PlanStep, now: number): void {
    this.#isSettled[step.sequence] = 1;
    this.begunSteps += 1;
    const late = now - this.#plannedNanoseconds(step, now);
    this.#driftNanoseconds += (late - this.#driftNanoseconds) * driftFollowShare;
  }

  /** A target begins no more steps. @returns ids of the sources that need not wait for it any more */
  leave(follower: Follower): Set<string> {
    const sources = new Set<string>();
    const { planned } = follower;
    for (let index = follower.nextStep; index * numbersPerStep < planned.steps.length; index += 1) {
      const step = stepAt(this.plan, planned, index);
      this.#isSettled[step.sequence] = 1;
      sources.add(step.sourceId);
    }
    return sources;
  }

  /** When a step is late. What has not begun yet begins now, with the earliest step that anybody has left. */
  dueNanoseconds(step: PlanStep, now: number): number {
    const bytes = this.order.description.bytesInRange(step.start, step.end);
    const duration = (bytes * 8 * 1_000_000_000) / step.rateBitsPerSecond;
    const lag = this.#lag.nanoseconds;
    const patience = patienceNanoseconds + patienceDurations * duration + patienceLags * lag;
    const since = step.startMilliseconds * 1_000_000;
    const tolerable = tolerableNanoseconds + since * (tolerableShare + lag / Math.max(1, duration));
    const drift = Math.min(Math.max(0, this.#driftNanoseconds), tolerable);
    return Math.floor(this.#plannedNanoseconds(step, now) + drift + patience);
  }

  /** Time stands still: nothing of it can be done now, or yet. */
  pause(): void {
    if (!this.order.paused && !this.#isAwaited()) return;
    this.#beginNanoseconds = undefined;
    this.#driftNanoseconds = 0;
  }

  /** Nothing has begun, and what is to be given on is still being handed over. */
  #isAwaited(): boolean {
    if (this.begunSteps > 0) return false;
    return this.order.publishers.some(({ lanesOut }) => lanesOut.some(({ pendingBytes }) => pendingBytes > 0));
  }

  #plannedNanoseconds(step: PlanStep, now: number): number {
    this.#beginNanoseconds ??= now - this.#earliestMilliseconds() * 1_000_000;
    return this.#beginNanoseconds + step.startMilliseconds * 1_000_000;
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

  #enterTurns(planned: PlannedTarget): void {
    for (let index = 0; index * numbersPerStep < planned.steps.length; index += 1) {
      const { sourceId, sequence } = stepAt(this.plan, planned, index);
      const turns = this.#turns.get(sourceId);
      if (turns === undefined) this.#turns.set(sourceId, { sequences: [sequence], at: 0 });
      else turns.sequences.push(sequence);
    }
  }
}
