/**
 * Draws instructions from stored plans while reality agrees with them (claims 8, 37), and leaves the rest to another mode.
 *
 * A target takes its steps in their order. A step begins when its source holds the blocks and the ledger admits it. Where
 * reality differs, a target leaves the plan for good, by itself: its source is away, out of use, failed it, or is slower
 * than what it declares; or the step could not begin long after its time. What it still lacks is then decided on as if
 * there were no plan.
 */
import { BinaryHeap } from "../std/heap.ts";
import { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Decisions } from "./decisions.ts";
import type { Lane } from "./lane.ts";
import type { Matcher } from "./match.ts";
import type { Mode } from "./mode.ts";
import type { Plan, PlanStep } from "./plan.ts";
import { PlanProgress, type Follower } from "./plan-progress.ts";
import type { Member, Place } from "./world.ts";

/** A step begins at this part of its rate or more; else it waits for bandwidth. */
const leastRateShare = 0.95;
/** A way that could not carry this part of a step's rate if it were idle is not what was planned with. */
const leastAbleShare = 0.5;

/** A step that could be the next to begin. */
interface Candidate {
  readonly follower: Follower;
  readonly step: PlanStep;
}

interface Wake {
  readonly follower: Follower;
  readonly atNanoseconds: number;
}

export class PlanFollower implements Mode {
  readonly #inner: Mode;
  readonly #matcher: Matcher;
  readonly #plans = new Map<BlockOrder, PlanProgress>();
  readonly #touched = new Set<Member>();
  /** Whose next step waits for something at this member or site. */
  readonly #waiting = new Map<Member | Place, Set<Follower>>();
  readonly #wakes = new BinaryHeap<Wake>((one, other) => one.atNanoseconds < other.atNanoseconds);

  constructor(inner: Mode, matcher: Matcher) {
    this.#inner = inner;
    this.#matcher = matcher;
  }

  /** How a plan fares; undefined: none is followed for this order. */
  progress(order: BlockOrder): PlanProgress | undefined {
    return this.#plans.get(order);
  }

  /** Follows a plan from now on, in place of an earlier one of the same order. */
  follow(order: BlockOrder, plan: Plan): void {
    this.forgetPlan(order);
    this.#plans.set(order, new PlanProgress(order, plan, this.#matcher.parts.lag));
    this.touchAll();
  }

  /** The plan is not followed any more: its targets are decided on as others are. */
  forgetPlan(order: BlockOrder): void {
    const progress = this.#plans.get(order);
    if (progress === undefined) return;
    this.#plans.delete(order);
    for (const follower of progress.followers.values()) {
      if (follower.member !== undefined) this.#leave(follower, "left");
    }
  }

  touch(member: Member): void {
    if (this.#plans.size > 0) this.#touched.add(member);
    this.#inner.touch(member);
  }

  /** What is decided from now on is decided now, and goes there. */
  prepare(now: number, decisions: Decisions): void {
    this.#matcher.now = now;
    this.#matcher.decisions = decisions;
  }

  /** Queues more into a lane that will soon be empty. @returns whether there was more */
  extend(lane: Lane): boolean {
    return this.#matcher.extend(lane);
  }

  touchAll(): void {
    if (this.#plans.size > 0) {
      for (const member of this.#matcher.parts.world.members.values()) this.#touched.add(member);
    }
    this.#inner.touchAll();
  }

  rankAnew(): void {
    this.#inner.rankAnew();
  }

  forget(member: Member): void {
    this.#touched.delete(member);
    for (const progress of this.#plans.values()) {
      const follower = progress.followers.get(member.id);
      if (follower?.member === member) this.#leave(follower, "left");
    }
    this.#waiting.delete(member);
    this.#inner.forget(member);
  }

  get isTouched(): boolean {
    return this.#touched.size > 0 || this.#inner.isTouched;
  }

  get nextLookNanoseconds(): number | undefined {
    const look = this.#inner.nextLookNanoseconds;
    const wake = this.#wakes.peek()?.atNanoseconds;
    return wake === undefined || (look !== undefined && look < wake) ? look : wake;
  }

  decide(now: number, decisions: Decisions): void {
    if (this.#plans.size > 0) {
      this.#matcher.now = now;
      this.#matcher.decisions = decisions;
      this.#followAll(now);
    } else {
      this.#touched.clear();
      this.#wakes.clear();
    }
    this.#inner.decide(now, decisions);
  }

  #followAll(now: number): void {
    const { market } = this.#matcher.parts;
    const looked = new Set<Follower>();
    const lookAt = (followers: Iterable<Follower>): void => {
      for (const follower of followers) looked.add(follower);
    };
    for (let wake = this.#wakes.peek(); wake !== undefined && wake.atNanoseconds <= now; wake = this.#wakes.peek()) {
      this.#wakes.pop();
      wake.follower.wakeNanoseconds = undefined;
      looked.add(wake.follower);
    }
    const places = new Set<Place>();
    for (const member of this.#touched) {
      market.refresh(member);
      for (const progress of this.#plans.values()) {
        const follower = progress.followers.get(member.id);
        if (follower !== undefined) looked.add(follower);
      }
      lookAt(this.#waiting.get(member) ?? []);
      if (member.place !== undefined) places.add(member.place);
    }
    for (const place of places) lookAt(this.#waiting.get(place) ?? []);
    this.#touched.clear();
    this.#advanceInOrder(looked);
  }

  /** Of all that could begin now, what was planned to begin first does: who comes too early takes what others need. */
  #advanceInOrder(followers: Iterable<Follower>): void {
    const due = new BinaryHeap<Candidate>(isEarlier);
    const enter = (follower: Follower): void => {
      const step = this.#next(follower);
      if (step !== undefined) due.push({ follower, step });
    };
    for (const follower of followers) enter(follower);
    for (let first = due.pop(); first !== undefined; first = due.pop()) {
      if (!this.#advance(first)) continue;
      enter(first.follower);
      // Now it is somebody else's turn at its source.
      const source = this.#matcher.parts.world.members.get(first.step.sourceId);
      for (const follower of source === undefined ? [] : (this.#waiting.get(source) ?? [])) enter(follower);
    }
  }

  /** What a target is to get next; undefined: nothing, or not now. */
  #next(follower: Follower): PlanStep | undefined {
    if (follower.state !== "following") return undefined;
    const { progress, planned } = follower;
    const { order } = progress;
    const member = this.#matcher.parts.world.members.get(planned.id);
    if (member === undefined || order.paused) {
      progress.pause();
      return undefined;
    }
    this.#endWait(follower);
    if (follower.member !== member) {
      follower.member = member;
      order.setPlanned(member, true);
    }
    const holding = order.holding(member);
    if (!holding.wants) {
      if (holding.held.count === order.blockCount) this.#leave(follower, "done");
      return undefined;
    }
    const step = progress.nextStep(follower);
    if (step === undefined && holding.have.count < order.blockCount) this.#leave(follower, "left");
    else if (holding.held.count === order.blockCount) this.#leave(follower, "done");
    return step;
  }

  /** @returns whether the step has begun */
  #advance({ follower, step }: Candidate): boolean {
    const { progress, member } = follower;
    if (member === undefined) return false;
    const { now } = this.#matcher;
    const outcome = this.#begin(progress, member, step);
    if (outcome === "begun") {
      progress.begun(step, now);
      return true;
    }
    progress.pause();
    const due = progress.dueNanoseconds(step, now);
    if (outcome === "differs" || now >= due) this.#leave(follower, "left");
    else this.#wait(follower, step, due);
    return false;
  }

  #begin(progress: PlanProgress, target: Member, step: PlanStep): "begun" | "differs" | "notYet" {
    const { order } = progress;
    const { world, lanes, market, settings } = this.#matcher.parts;
    const source = world.members.get(step.sourceId);
    if (source === undefined || source.serves !== "yes" || !this.#matcher.mayServe(source, target)) return "differs";
    if (!target.online || !target.fetches) return "differs";
    if (!progress.isItsTurn(step)) return "notYet";
    const { have } = order.holding(target);
    const ranges = RangeSet.of(step.start, step.end).difference(rangesOf(have, step));
    const given = order.holdings.get(source)?.held;
    if (given === undefined || !rangesOf(given, step).intersection(ranges).equals(ranges)) return "notYet";
    const path = world.path(source, target);
    const able = Math.min(step.rateBitsPerSecond, this.#matcher.capabilityOf(source, target, path));
    // Who was slow for a moment may be so no longer before the step is late.
    if (able < step.rateBitsPerSecond * leastAbleShare) return "notYet";
    const rate = Math.floor(Math.min(able, this.#matcher.freeOn(source, target, path)));
    if (rate < Math.max(1, able * leastRateShare)) return "notYet";
    if (target.lanesIn.length >= settings.maximumLanesIn || source.lanesOut.length >= settings.maximumLanesOut) {
      return "notYet";
    }
    const lane = lanes.open(source, target, rate, this.#matcher.now, this.#matcher.decisions, true);
    lanes.queue(lane, order, ranges, this.#matcher.decisions);
    market.refresh(source);
    market.refresh(target);
    this.#matcher.parts.onDecision?.({
      atNanoseconds: this.#matcher.now,
      mode: "precomputed",
      reason: "asPlanned",
      fileSet: order.description.fileSet,
      source: source.name,
      target: target.name,
      blocks: ranges.toFlat(),
      rateBitsPerSecond: rate,
      score: 0,
      runnersUp: [],
    });
    return "begun";
  }

  #wait(follower: Follower, step: PlanStep, due: number): void {
    const source = this.#matcher.parts.world.members.get(step.sourceId);
    const { member } = follower;
    // Between sites the way may be what it waits for; whoever frees it has an end in one of the two.
    const places = source?.site === member?.site ? [] : [source?.place, member?.place];
    follower.waitsAt = [source, ...places].filter((key) => key !== undefined);
    for (const key of follower.waitsAt) {
      const waiting = this.#waiting.get(key) ?? new Set<Follower>();
      this.#waiting.set(key, waiting.add(follower));
    }
    // One that comes too early or a little late does no harm: the step is late or not by then.
    if (follower.wakeNanoseconds !== undefined) return;
    follower.wakeNanoseconds = due;
    this.#wakes.push({ follower, atNanoseconds: due });
  }

  #endWait(follower: Follower): void {
    for (const key of follower.waitsAt) this.#waiting.get(key)?.delete(follower);
    follower.waitsAt = [];
  }

  /** The target's steps are over: what it still lacks is decided on otherwise. */
  #leave(follower: Follower, state: "left" | "done"): void {
    this.#endWait(follower);
    follower.state = state;
    for (const id of follower.progress.leave(follower)) {
      const source = this.#matcher.parts.world.members.get(id);
      if (source !== undefined) this.#touched.add(source);
    }
    const { member } = follower;
    if (member === undefined) return;
    follower.progress.order.setPlanned(member, false);
    this.#inner.touch(member);
  }
}

function isEarlier({ step: one }: Candidate, { step: other }: Candidate): boolean {
  return one.sequence < other.sequence;
}

/** Of the blocks of a step, those that are in a set. */
function rangesOf(bits: { has(index: number): boolean }, step: PlanStep): RangeSet {
  const found = new RangeSet();
  for (let block = step.start; block < step.end; block += 1) if (bits.has(block)) found.add(block, block + 1);
  return found;
}
