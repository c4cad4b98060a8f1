/**
 * Drives a scheduler exactly: a lane's blocks come when its rate says, within a percent; those of each instant are told, then
 * it decides. What the loop itself costs is not counted.
 */
import type { Lane } from "#src/scheduler/lane.ts";
import type { Scheduler } from "#src/scheduler/scheduler.ts";
import { BinaryHeap } from "#src/std/heap.ts";
import { SeededRandom } from "#src/std/seeded-random.ts";

/** Durations vary by this part up and down: no two blocks come at the same instant by chance. */
const jitter = 0.01;
/** The controller hears of what came within so long together, as it does when it handles all events that wait for its store. */
const instantNanoseconds = 1_000_000;

interface Completion {
  readonly lane: Lane;
  readonly atNanoseconds: number;
}

export interface LoopFigures {
  readonly delivered: number;
  readonly decisions: number;
  /** Spent in the scheduler. */
  readonly cpuSeconds: number;
}

export class DecidingLoop {
  readonly #scheduler: Scheduler;
  readonly #random = new SeededRandom(3);
  readonly #completions = new BinaryHeap<Completion>((a, b) => a.atNanoseconds < b.atNanoseconds);
  /** Of each running lane the completion that counts: another rate makes another one. */
  readonly #current = new Map<Lane, Completion>();
  #now = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Runs until so many blocks have been delivered, or nothing is under way any more. */
  run(deliveries: number): LoopFigures {
    let delivered = 0;
    let decisions = 0;
    let nanosecondsInside = 0n;
    const cpuBefore = process.cpuUsage();
    const begin = process.hrtime.bigint();
    while (delivered < deliveries) {
      const due = this.#takeDue();
      const before = process.hrtime.bigint();
      for (const lane of due) delivered += this.#deliver(lane);
      const decided = this.#scheduler.decide(this.#now);
      nanosecondsInside += process.hrtime.bigint() - before;
      decisions += 1;
      for (const lane of decided.closed) this.#current.delete(lane);
      for (const lane of [...decided.opened, ...decided.rerated]) this.#plan(lane);
      if (this.#completions.size === 0) break;
    }
    const { user, system } = process.cpuUsage(cpuBefore);
    const share = Number(nanosecondsInside) / Number(process.hrtime.bigint() - begin);
    return { delivered, decisions, cpuSeconds: ((user + system) / 1e6) * share };
  }

  /** Moves the time on to the next completions. */
  #takeDue(): Lane[] {
    const due: Lane[] = [];
    const first = this.#completions.peek();
    if (first === undefined) return due;
    this.#now = first.atNanoseconds;
    for (let next = this.#completions.peek(); next?.atNanoseconds === this.#now; next = this.#completions.peek()) {
      this.#completions.pop();
      if (this.#current.get(next.lane) !== next) continue;
      this.#current.delete(next.lane);
      due.push(next.lane);
    }
    return due;
  }

  #deliver(lane: Lane): number {
    let blocks = 0;
    for (const [order, pending] of [...lane.pending]) {
      blocks += pending.count;
      this.#scheduler.addHeld(lane.target, order, pending.clone(), this.#now);
    }
    this.#scheduler.laneEnded(lane.laneId, false, this.#now);
    return blocks;
  }

  #plan(lane: Lane): void {
    if (!this.#scheduler.lanes.has(lane.laneId)) return;
    const seconds = (lane.pendingBytes * 8) / lane.rateBitsPerSecond;
    const varied = seconds * (1 + jitter * (this.#random.nextBelow(2_001) / 1_000 - 1));
    const completion = {
      lane,
      atNanoseconds: Math.ceil((this.#now + varied * 1e9) / instantNanoseconds) * instantNanoseconds,
    };
    this.#current.set(lane, completion);
    this.#completions.push(completion);
  }
}
