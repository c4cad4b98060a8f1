/**
 * The scheduler: from availability, the ledger and the cost function it decides lanes and what goes through them. This
 * file is its face: what the controller tells it, and `decide`. It knows no time but what it is handed, and nothing of
 * messages.
 */
import type { RangeSet } from "../std/ranges.ts";
import { SeededRandom } from "../std/seeded-random.ts";
import type { Topology } from "../model/topology.ts";
import { BlockOrder, type OrderDescription } from "./block-order.ts";
import { defaultCostWeights, type CostWeights } from "./cost.ts";
import type { OnDecision } from "./decision-record.ts";
import { Decisions } from "./decisions.ts";
import { IncrementalMode } from "./incremental.ts";
import { settleInLane, type Lane } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { defaultSchedulerSettings, type SchedulerSettings } from "./limits.ts";
import { World, type Member } from "./world.ts";

/** After a lane failed, its target is not sent to the same source for this long: what was wrong may be over then. */
const shunnedNanoseconds = 500_000_000;

/** The same after a lane was much slower than its rate while others hold what it was to bring. */
const slowShunnedNanoseconds = 10_000_000_000;

export interface SchedulerOptions {
  readonly topology: Topology;
  readonly seed: number;
  readonly firstLaneId: number;
  readonly settings?: Partial<SchedulerSettings>;
  readonly weights?: Partial<CostWeights>;
  /** Takes each decision for a trace. */
  readonly onDecision?: OnDecision | undefined;
}

export class Scheduler {
  readonly world: World;
  readonly settings: SchedulerSettings;
  readonly #lanes: Lanes;
  readonly #orders = new Map<string, BlockOrder>();
  readonly #mode: IncrementalMode;
  /** Decided between two calls of `decide`, outside the mode: ends of lanes, changes of rate. */
  #decisions = new Decisions();
  #topologyChanged = false;

  constructor(options: SchedulerOptions) {
    this.world = new World(options.topology);
    this.settings = { ...defaultSchedulerSettings, ...options.settings };
    this.#lanes = new Lanes(this.world, this.settings, options.firstLaneId);
    this.#mode = new IncrementalMode({
      world: this.world,
      lanes: this.#lanes,
      orders: this.#orders,
      settings: this.settings,
      weights: { ...defaultCostWeights, ...options.weights },
      random: new SeededRandom(options.seed),
      endLane: (lane) => this.#closeWith(lane),
      onDecision: options.onDecision,
    });
  }

  get lanes(): ReadonlyMap<number, Lane> {
    return this.#lanes.byId;
  }

  setTopology(topology: Topology): void {
    this.world.setTopology(topology);
    this.#topologyChanged = true;
  }

  addMember(member: Omit<Member, "lanesIn" | "lanesOut" | "recentFailures" | "aheadScale" | "shunned">): Member {
    const entered: Member = {
      ...member,
      lanesIn: new Set(),
      lanesOut: new Set(),
      recentFailures: 0,
      aheadScale: 1,
      shunned: new Map(),
    };
    this.world.add(entered);
    return entered;
  }

  /** Forgets a member and ends its lanes. */
  removeMember(member: Member): void {
    this.endLanesOf(member);
    for (const order of this.#orders.values()) order.drop(member);
    this.world.remove(member.id);
  }

  addOrder(description: OrderDescription): BlockOrder {
    const order = new BlockOrder(description);
    this.#orders.set(description.key, order);
    return order;
  }

  order(key: string): BlockOrder | undefined {
    return this.#orders.get(key);
  }

  /** Forgets an order; lanes drop what they had of it. */
  removeOrder(key: string): void {
    const order = this.#orders.get(key);
    if (order === undefined) return;
    for (const lane of this.#lanes.byId.values()) {
      const pending = lane.pending.get(order);
      if (pending === undefined) continue;
      settleInLane(lane, order, pending.clone(), false);
      this.#closeWith(lane);
    }
    this.#orders.delete(key);
    this.#mode.touchAll();
  }

  /** The target holds these blocks now, whoever brought them. */
  addHeld(member: Member, order: BlockOrder, ranges: RangeSet): void {
    for (const lane of member.lanesIn) {
      if (!settleInLane(lane, order, ranges, true).isEmpty) lane.source.recentFailures = 0;
    }
    order.addHeld(member, ranges);
    this.#mode.touched(member, order);
  }

  /** These blocks are not held any more. Lanes that wait for them at this member are ended. */
  removeHeld(member: Member, order: BlockOrder, ranges: RangeSet): void {
    order.removeHeld(member, ranges);
    this.#withdraw(member, order, ranges);
    this.#mode.touched(member, order);
  }

  /** Takes the member's whole state in an order: what it does not name is not held. */
  setHeld(member: Member, order: BlockOrder, held: RangeSet): void {
    const before = order.holding(member).held.clone();
    this.addHeld(member, order, held.difference(before));
    const gone = before.difference(held);
    if (!gone.isEmpty) this.removeHeld(member, order, gone);
  }

  setWants(member: Member, order: BlockOrder, wants: boolean): void {
    order.setWants(member, wants);
    this.#mode.touched(member, order);
  }

  /** An id for a lane that is not the scheduler's own (a probe, a flush): no two lanes share one. */
  takeLaneId(): number {
    return this.#lanes.takeId();
  }

  laneMeasured(laneId: number, receivedBytes: number, now: number): void {
    const lane = this.#lanes.byId.get(laneId);
    if (lane === undefined) return;
    const finding = this.#lanes.measure(lane, receivedBytes, now, this.#decisions);
    if (finding === "full") this.#mode.touchedLane(lane);
    else if (finding === "shrunk" && this.#othersHold(lane)) {
      lane.target.shunned.set(lane.source, now + slowShunnedNanoseconds);
      this.#closeWith(lane);
    }
  }

  /** A lane is at its end, as its target says; what it had pending is wanted anew. */
  laneEnded(laneId: number, failed: boolean, now: number): Lane | undefined {
    const lane = this.#lanes.byId.get(laneId);
    if (lane === undefined) return undefined;
    if (failed) {
      lane.source.recentFailures += 1;
      lane.target.shunned.set(lane.source, now + shunnedNanoseconds);
    }
    this.#end(lane, false);
    return lane;
  }

  /** Ends a lane and tells its target so. */
  closeLane(lane: Lane): void {
    this.#closeWith(lane);
  }

  endLanesOf(member: Member): void {
    for (const lane of [...member.lanesIn, ...member.lanesOut]) this.#closeWith(lane);
  }

  /** Something outside lanes and blocks has changed (who serves, what is out of use): look at everybody again. */
  touchAll(): void {
    this.#mode.touchAll();
  }

  /** Decides on what has changed since the last call. */
  decide(now: number): Decisions {
    if (this.#topologyChanged) {
      this.#topologyChanged = false;
      this.#lanes.reroute();
      this.#lanes.relieve(this.#decisions);
      this.#mode.touchAll();
    }
    if (this.#lanes.tick(now)) this.#mode.touchAll();
    for (const lane of this.#lanes.stuck()) {
      lane.target.shunned.set(lane.source, now + shunnedNanoseconds);
      this.#closeWith(lane);
    }
    this.#mode.decide(now, this.#decisions);
    const decisions = this.#decisions;
    this.#decisions = new Decisions();
    return decisions;
  }

  /** When bandwidth that is held back will be free. */
  get nextReleaseNanoseconds(): number | undefined {
    return this.#lanes.nextReleaseNanoseconds;
  }

  /** What is held back on a resource, in bits per second: charged, though no lane has it. */
  heldBackOn(resource: number): number {
    return this.#lanes.heldBackOn(resource);
  }

  /** True when hungry targets were left waiting, so that `decide` is worth calling again soon. */
  get hasWaiting(): boolean {
    return this.#mode.hasWaiting;
  }

  /** Whether what a lane has pending could come from somebody else: then a slow source is not waited for. */
  #othersHold(lane: Lane): boolean {
    for (const [order, pending] of lane.pending) {
      const block = pending.first();
      for (const [member, { held }] of order.holdings) {
        if (member !== lane.source && member.online && member.serves === "yes" && held.has(block)) return true;
      }
    }
    return false;
  }

  #closeWith(lane: Lane): void {
    if (this.#lanes.byId.get(lane.laneId) !== lane) return;
    this.#decisions.closed.push(lane);
    this.#end(lane, true);
  }

  /** Ends a lane, and every lane that waits at its target for what no longer comes. */
  #end(lane: Lane, maySendOn: boolean): void {
    const withdrawn = this.#lanes.close(lane, maySendOn);
    for (const { order, ranges } of withdrawn) this.#withdraw(lane.target, order, ranges);
    for (const order of this.#orders.values()) {
      if (order.hungry.has(lane.target)) this.#mode.touched(lane.target, order);
    }
    this.#mode.freed(lane);
  }

  #withdraw(member: Member, order: BlockOrder, ranges: RangeSet): void {
    for (const lane of [...member.lanesOut]) {
      const pending = lane.pending.get(order);
      if (pending !== undefined && !pending.intersection(ranges).isEmpty) this.#closeWith(lane);
    }
  }
}
