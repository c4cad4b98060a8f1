/**
 * Works out a schedule beforehand (claims 8, 37): our own scheduler is run on a predicted timeline, from what members hold now
 * and from the whole capability of every resource, with each transfer taking just the time that its rate says. What it
 * decides becomes the plan. It works in slices, so that a controller can do other things in between.
 */
import { BinaryHeap } from "../std/heap.ts";
import type { RangeSet } from "../std/ranges.ts";
import { durationNanoseconds } from "./ahead.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Lane } from "./lane.ts";
import { maximumPlanSteps, type Plan } from "./plan.ts";
import { Scheduler, type SchedulerOptions } from "./scheduler.ts";
import type { Member } from "./world.ts";

/** The prediction is given up when for so long of its own time nothing is under way though something is missing. */
const stillNanoseconds = 30_000_000_000;
const longestMilliseconds = 0xffff_ffff;

/** A transfer of the prediction. */
interface Predicted {
  readonly lane: Lane;
  readonly ranges: RangeSet;
  readonly endNanoseconds: number;
}

export class PlanMaker {
  readonly #scheduler: Scheduler;
  readonly #order: BlockOrder;
  readonly #running = new BinaryHeap<Predicted>(isBefore);
  readonly #members: string[] = [];
  readonly #memberIndices = new Map<string, number>();
  readonly #rates: number[] = [];
  readonly #rateIndices = new Map<number, number>();
  readonly #steps = new Map<string, number[]>();
  #stepCount = 0;
  #now = 0;
  #movedAt = 0;
  #isDone = false;

  /**
   * @param live the scheduler whose members, out-of-use components and holdings the prediction starts from; it is only read
   * @param targets who is to get the order, whether or not it asks for it already
   */
  constructor(
    live: Scheduler,
    order: BlockOrder,
    targets: Iterable<Member>,
    options: Omit<SchedulerOptions, "topology">,
  ) {
    const { world } = live;
    this.#scheduler = new Scheduler({ ...options, topology: world.topology, onDecision: undefined });
    this.#order = this.#scheduler.addOrder(order.description);
    this.#scheduler.growOrder(this.#order, order.blockCount, order.duplicates);
    const wanted = new Set(targets);
    for (const member of world.members.values()) {
      const holding = order.holdings.get(member);
      if (member.kind !== "agent" || !member.online || (holding === undefined && !wanted.has(member))) continue;
      if (world.isOutOfUse(`agents.${member.name}`)) continue;
      this.#enter(member, holding?.counts ?? true, holding?.held.toRangeSet(), wanted.has(member));
    }
    for (const component of world.outOfUse()) this.#scheduler.world.setOutOfUse(component, true);
  }

  /** Goes on for at most so many transfers. @returns whether the plan is made */
  work(transfers: number): boolean {
    const until = this.#stepCount + transfers;
    while (!this.#isDone && this.#stepCount < until) this.#step();
    return this.#isDone;
  }

  /** The plan, as far as it is made. */
  plan(): Plan {
    return {
      blockCount: this.#order.blockCount,
      predictedMilliseconds: milliseconds(this.#now),
      isWhole: this.#order.hungry.size === 0,
      members: this.#members,
      ratesBitsPerSecond: this.#rates,
      targets: [...this.#steps].map(([id, steps]) => ({ id, steps: Uint32Array.from(steps) })),
    };
  }

  #enter(member: Member, counts: boolean, held: RangeSet | undefined, wants: boolean): void {
    const { id, name, site, kind, sameHost, serves, fetches } = member;
    const copy = this.#scheduler.addMember({
      ...{ id, name, site, kind, sameHost, serves, fetches },
      receivers: undefined,
      online: true,
    });
    this.#order.holding(copy, counts);
    if (held !== undefined) this.#scheduler.addHeld(copy, this.#order, held, 0);
    if (wants) this.#scheduler.setWants(copy, this.#order, true);
  }

  /** Decides at one instant, and goes to the next at which something ends. */
  #step(): void {
    for (const { lane, ranges } of this.#scheduler.decide(this.#now).queued) this.#note(lane, ranges);
    const next = this.#running.peek();
    if (next !== undefined) {
      this.#now = next.endNanoseconds;
      this.#movedAt = this.#now;
      this.#end();
    } else {
      const look = this.#scheduler.nextLookNanoseconds ?? Infinity;
      const release = this.#scheduler.nextReleaseNanoseconds ?? Infinity;
      this.#now = Math.max(this.#now + 1, Math.min(look, release));
    }
    const isStill = this.#running.peek() === undefined && this.#now - this.#movedAt > stillNanoseconds;
    if (isStill) this.#now = this.#movedAt;
    this.#isDone = this.#order.hungry.size === 0 || isStill || this.#stepCount >= maximumPlanSteps;
  }

  #note(lane: Lane, ranges: RangeSet): void {
    const { wireShare } = this.#scheduler.settings;
    const duration = Math.max(1, durationNanoseconds(this.#order.bytesOf(ranges), lane.rateBitsPerSecond, wireShare));
    this.#running.push({ lane, ranges, endNanoseconds: this.#now + duration });
    const steps = this.#steps.get(lane.target.id) ?? [];
    this.#steps.set(lane.target.id, steps);
    this.#indexOf(lane.target.id, this.#members, this.#memberIndices);
    const source = this.#indexOf(lane.source.id, this.#members, this.#memberIndices);
    const rate = this.#indexOf(lane.rateBitsPerSecond, this.#rates, this.#rateIndices);
    ranges.forEach((start, end) => {
      if (this.#stepCount >= maximumPlanSteps) return;
      steps.push(source, start, end, rate, milliseconds(this.#now), this.#stepCount);
      this.#stepCount += 1;
    });
  }

  /** All that ends at this instant is in place before anything is decided. */
  #end(): void {
    for (let first = this.#running.peek(); first?.endNanoseconds === this.#now; first = this.#running.peek()) {
      this.#running.pop();
      const { lane, ranges } = first;
      if (this.#scheduler.lanes.get(lane.laneId) !== lane) continue;
      this.#scheduler.addHeld(lane.target, this.#order, ranges, this.#now);
      this.#scheduler.laneEnded(lane.laneId, false, this.#now);
    }
  }

  #indexOf<Key>(key: Key, list: Key[], indices: Map<Key, number>): number {
    let index = indices.get(key);
    if (index === undefined) {
      index = list.push(key) - 1;
      indices.set(key, index);
    }
    return index;
  }
}

function isBefore(one: Predicted, other: Predicted): boolean {
  if (one.endNanoseconds !== other.endNanoseconds) return one.endNanoseconds < other.endNanoseconds;
  return one.lane.laneId < other.lane.laneId;
}

function milliseconds(nanoseconds: number): number {
  return Math.min(longestMilliseconds, Math.floor(nanoseconds / 1_000_000));
}
