/**
 * The scheduler: from availability, the ledger and the cost function it decides lanes and what goes through them. This
 * file is its face: what the controller tells it, and `decide`. It knows no time but what it is handed, and nothing of
 * messages.
 */
import { Absences } from "./absences.ts";
import type { RangeSet } from "../std/ranges.ts";
import { SeededRandom } from "../std/seeded-random.ts";
import type { Topology } from "../model/topology.ts";
import { BlockOrder, type OrderDescription } from "./block-order.ts";
import { defaultCostWeights, type CostWeights } from "./cost.ts";
import { chooseMode, createMode, type ModeChoice } from "./create-mode.ts";
import { Decisions } from "./decisions.ts";
import type { OnDecision } from "./decision-record.ts";
import { settleInLane, type Lane } from "./lane.ts";
import { LaneWatch, slowShunnedNanoseconds } from "./lane-watch.ts";
import { Lanes } from "./lanes.ts";
import { defaultSchedulerSettings, type SchedulerSettings } from "./limits.ts";
import { Market } from "./market.ts";
import { FleetLag } from "./pace.ts";
import type { PlanFollower } from "./plan-follower.ts";
import { policySettings } from "./policy.ts";
import { shun, World, type Member, type MemberDescription } from "./world.ts";

/** After a lane failed, its target is not sent to the same source for this long: what was wrong may be over then. */
const shunnedNanoseconds = 500_000_000;

export interface SchedulerOptions {
  readonly topology: Topology;
  readonly seed: number;
  readonly firstLaneId: number;
  readonly settings?: Partial<SchedulerSettings>;
  readonly weights?: Partial<CostWeights>;
  /** Incremental, by cost, when left out. */
  readonly choice?: Partial<ModeChoice>;
  /** Hears of every transfer that is scheduled. */
  readonly onDecision?: OnDecision | undefined;
}

export class Scheduler {
  readonly world: World;
  readonly settings: SchedulerSettings;
  readonly #lanes: Lanes;
  readonly #orders = new Map<string, BlockOrder>();
  /** Decides in the mode that was chosen, and follows plans. */
  readonly #mode: PlanFollower;
  /** Decided between two calls of `decide`, outside the mode: ends of lanes, changes of rate. */
  #decisions = new Decisions();
  readonly #watch: LaneWatch;
  readonly #absences = new Absences(this.#orders, (member) => this.#mode.touch(member));
  #topologyChanged = false;

  constructor(options: SchedulerOptions) {
    this.world = new World(options.topology);
    const choice = chooseMode(options.choice);
    this.settings = { ...defaultSchedulerSettings, ...options.settings, ...policySettings[choice.policy] };
    this.#lanes = new Lanes(this.world, this.settings, options.firstLaneId);
    const lag = new FleetLag();
    this.#watch = new LaneWatch({
      world: this.world,
      lanes: this.#lanes,
      settings: this.settings,
      lag,
      touch: (member) => this.#mode.touch(member),
      extend: (lane) => this.#mode.extend(lane),
      close: (lane) => this.#closeWith(lane),
      drop: (lane) => this.#end(lane, false),
      withdraw: (member, order, ranges) => this.#withdraw(member, order, ranges),
    });
    this.#lanes.onFollowed = (successor, predecessor) => this.#watch.followed(successor, predecessor);
    this.#mode = createMode(
      choice,
      {
        world: this.world,
        lanes: this.#lanes,
        market: new Market(this.world, this.settings),
        settings: this.settings,
        weights: { ...defaultCostWeights, ...options.weights },
        random: new SeededRandom(options.seed),
        lag,
        mode: choice.mode,
        onDecision: options.onDecision,
      },
      this.#orders,
      (lane) => this.#closeWith(lane),
    );
  }

  get lanes(): ReadonlyMap<number, Lane> {
    return this.#lanes.byId;
  }

  get plans(): PlanFollower {
    return this.#mode;
  }

  setTopology(topology: Topology): void {
    this.world.setTopology(topology);
    this.#topologyChanged = true;
  }

  addMember(description: MemberDescription): Member {
    const member = this.world.add(description);
    this.#mode.touch(member);
    return member;
  }

  /** Forgets a member and ends its lanes. */
  removeMember(member: Member): void {
    this.endLanesOf(member);
    this.#absences.forget(member);
    for (const order of this.#orders.values()) order.drop(member);
    this.world.remove(member.id);
    this.#mode.forget(member);
  }

  /** Whether somebody is there: who is not serves nobody, and is sent nothing. */
  setOnline(member: Member, online: boolean, now: number): void {
    member.online = online;
    if (online) this.#absences.back(member);
    else this.#absences.gone(member, now);
    this.#mode.touch(member);
  }

  addOrder(description: OrderDescription): BlockOrder {
    const order = new BlockOrder(description);
    this.#orders.set(description.key, order);
    this.#mode.rankAnew();
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
    this.#mode.forgetPlan(order);
    for (const member of [...order.holdings.keys()]) order.drop(member);
    this.#orders.delete(key);
    this.#mode.rankAnew();
    this.#mode.touchAll();
  }

  /** An order has more blocks: how it ranks, and who lacks something, may be another. */
  growOrder(order: BlockOrder, blockCount: number, duplicates: RangeSet): void {
    order.grow(blockCount, duplicates);
    this.#mode.rankAnew();
    for (const member of order.hungry) this.#mode.touch(member);
  }

  /**
   * The target holds these blocks now, whoever brought them. A lane with nothing left to bring is charged until its target
   * says that it has ended: what it was to bring may have come another way while it still runs.
   */
  addHeld(member: Member, order: BlockOrder, ranges: RangeSet, now: number): void {
    for (const lane of [...member.lanesIn]) {
      if (settleInLane(lane, order, ranges, true).isEmpty) continue;
      lane.source.recentFailures = 0;
      lane.progressNanoseconds = now;
    }
    order.addHeld(member, ranges);
    this.#mode.touch(member);
  }

  /** These blocks are not held any more. Lanes that wait for them at this member are ended. */
  removeHeld(member: Member, order: BlockOrder, ranges: RangeSet): void {
    order.removeHeld(member, ranges);
    this.#withdraw(member, order, ranges);
    this.#mode.touch(member);
  }

  /** Takes the member's whole state in an order: what it does not name is not held. */
  setHeld(member: Member, order: BlockOrder, held: RangeSet, now: number): void {
    const before = order.holding(member).held.toRangeSet();
    // Also what counted as held already, since it was on its way: now it has come.
    this.addHeld(member, order, held, now);
    const gone = before.difference(held);
    // What counts as held since it is on its way may be so for a while yet.
    for (const { pending } of member.lanesIn) {
      const coming = pending.get(order);
      if (coming !== undefined) gone.removeAll(coming);
    }
    if (!gone.isEmpty) this.removeHeld(member, order, gone);
  }

  setWants(member: Member, order: BlockOrder, wants: boolean): void {
    order.setWants(member, wants);
    this.#mode.touch(member);
  }

  /** An id for a lane that is not the scheduler's own (a probe, a flush): no two lanes share one. */
  takeLaneId(): number {
    return this.#lanes.takeId();
  }

  laneMeasured(laneId: number, receivedBytes: number, now: number): void {
    const lane = this.#lanes.byId.get(laneId);
    if (lane === undefined) return;
    const finding = this.#lanes.measure(lane, receivedBytes, now, this.#decisions);
    this.#watch.measured(lane);
    if (finding === "full") this.#mode.touch(lane.target);
    // Bytes over a way between sites are not thrown away.
    else if (finding === "shrunk" && lane.source.site === lane.target.site && this.#watch.othersHold(lane, now)) {
      shun(lane.target, lane.source, now + slowShunnedNanoseconds);
      this.#closeWith(lane);
    }
  }

  /** A lane is at its end, as its target says; what it had pending is wanted anew. */
  laneEnded(laneId: number, failed: boolean, now: number): Lane | undefined {
    const lane = this.#lanes.byId.get(laneId);
    if (lane === undefined) return undefined;
    this.#lanes.setNow(now);
    if (failed) {
      lane.source.recentFailures += 1;
      shun(lane.target, lane.source, now + shunnedNanoseconds);
    } else if (lane.isShort && lane.pendingBytes === 0) this.#watch.ended(lane, now);
    this.#end(lane, false, this.#watch.paidUntil(lane, now));
    return lane;
  }

  /** Ends a lane and tells its target so. */
  closeLane(lane: Lane): void {
    this.#closeWith(lane);
  }

  endLanesOf(member: Member): void {
    for (const lane of lanesOf(member)) this.#closeWith(lane);
  }

  /** The member may be used in another way than before: it is away, for one. */
  touch(member: Member): void {
    this.#mode.touch(member);
  }

  /** Something outside lanes and blocks has changed (who serves, what is out of use): look at everybody again. */
  touchAll(): void {
    this.#mode.touchAll();
  }

  /** Decides on what has changed since the last call. */
  decide(now: number): Decisions {
    if (this.#topologyChanged) {
      this.#topologyChanged = false;
      for (const lane of this.#lanes.reroute()) this.#closeWith(lane);
      for (const lane of this.#lanes.relieve(this.#decisions)) this.#closeWith(lane);
      this.#mode.touchAll();
    }
    for (const member of this.#lanes.tick(now)) this.#mode.touch(member);
    this.#absences.tick(now);
    this.#watch.slowDown(now, this.#decisions);
    this.#mode.prepare(now, this.#decisions);
    this.#watch.goOn(now);
    for (const lane of this.#lanes.stuck()) {
      shun(lane.target, lane.source, now + shunnedNanoseconds);
      this.#closeWith(lane);
    }
    this.#mode.decide(now, this.#decisions);
    const decisions = this.#decisions;
    for (const lane of decisions.opened) {
      if (lane.isShort && !lane.isClosed) this.#watch.opened(lane, now);
    }
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

  /** When `decide` is worth calling again though nothing was heard: to look at those that wait, or are late. */
  get nextLookNanoseconds(): number | undefined {
    const watch = Math.min(this.#watch.nextNanoseconds, this.#absences.nextNanoseconds);
    const first = Math.min(watch, this.#mode.nextLookNanoseconds ?? Infinity);
    return first === Infinity ? undefined : first;
  }

  /** Whether something has changed since the last decision. */
  get isTouched(): boolean {
    return this.#mode.isTouched || !this.#decisions.isEmpty || this.#topologyChanged;
  }

  #closeWith(lane: Lane): void {
    if (this.#lanes.byId.get(lane.laneId) !== lane) return;
    this.#decisions.closed.push(lane);
    this.#end(lane, true);
  }

  /** Ends a lane, and every lane that waits at its target for what no longer comes. */
  #end(lane: Lane, maySendOn: boolean, paidUntilNanoseconds?: number): void {
    // Of one that never began its source need not have heard: those that were to follow it would wait for ever.
    const hasBegun = lane.receivedBytes + lane.arrivedBytes > 0;
    if (maySendOn || !hasBegun) for (const successor of [...lane.successors]) this.#closeWith(successor);
    const withdrawn = this.#lanes.close(lane, maySendOn, paidUntilNanoseconds);
    for (const { order, ranges } of withdrawn) this.#withdraw(lane.target, order, ranges);
    this.#mode.touch(lane.source);
    this.#mode.touch(lane.target);
  }

  #withdraw(member: Member, order: BlockOrder, ranges: RangeSet): void {
    for (const lane of [...member.lanesOut]) {
      const pending = lane.pending.get(order);
      if (pending !== undefined && !pending.intersection(ranges).isEmpty) this.#closeWith(lane);
    }
  }
}

/** Every lane in or out of a member. */
function lanesOf(member: Member): Lane[] {
  return [...member.lanesIn, ...member.lanesOut];
}
