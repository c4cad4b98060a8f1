/** Members and an exact way to run a scheduler in tests: every lane delivers block by block at its rate. */
import { RangeSet } from "../std/ranges.ts";
import { parseTopology } from "../model/topology.ts";
import { BlockOrder, type OrderDescription } from "./block-order.ts";
import type { Lane } from "./lane.ts";
import type { Scheduler } from "./scheduler.ts";
import { World, type Member, type MemberDescription } from "./world.ts";

/** An agent as it is when it has just come. */
function newAgent(name: string, site: string): MemberDescription {
  return {
    id: name,
    name,
    site,
    kind: "agent",
    receivers: undefined,
    sameHost: false,
    online: true,
    serves: "yes",
    fetches: true,
  };
}

/** An agent that no scheduler knows. */
export function testMember(name: string, site: string): Member {
  return new World(parseTopology({})).add(newAgent(name, site));
}

/** An agent of a world without a scheduler. */
export function addTo(world: World, name: string, site: string): Member {
  return world.add(newAgent(name, site));
}

export function addAgent(scheduler: Scheduler, name: string, site: string): Member {
  return scheduler.addMember(newAgent(name, site));
}

function describe(fileSet: string, blockBytes: number, priority: number): OrderDescription {
  return {
    key: `${fileSet}/content`,
    fileSet,
    kind: "content",
    priority,
    sequence: 1,
    fromTheFront: false,
    bytesInRange: (start, end) => (end - start) * blockBytes,
  };
}

/** Blocks that no scheduler knows. */
export function testOrder(blocks: number, change: Partial<OrderDescription> = {}): BlockOrder {
  const order = new BlockOrder({ ...describe("index@1", 1_000, 0), ...change });
  order.grow(blocks, new RangeSet());
  return order;
}

export function addContent(
  scheduler: Scheduler,
  fileSet: string,
  blocks: number,
  blockBytes: number,
  change: Partial<OrderDescription> = {},
): BlockOrder {
  const order = scheduler.addOrder({ ...describe(fileSet, blockBytes, 0), ...change });
  scheduler.growOrder(order, blocks, new RangeSet());
  return order;
}

/** The agent holds all of the order, as its origin. */
export function makeOrigin(scheduler: Scheduler, order: BlockOrder, origin: Member): void {
  order.holding(origin, false);
  scheduler.addHeld(origin, order, RangeSet.of(0, order.blockCount), 0);
}

export interface Delivery {
  readonly lane: Lane;
  readonly order: BlockOrder;
  readonly block: number;
}

/** Runs lanes from instant to instant. Ends hear at once. */
export class LaneRunner {
  readonly #scheduler: Scheduler;
  readonly deliveries: Delivery[] = [];
  /** What a source really does at most on each lane, in bits per second, whatever it declares. */
  readonly reallyDoes = new Map<Member, number>();
  /** Bytes that came through a lane and make no whole block yet. */
  readonly #credit = new Map<Lane, number>();
  readonly #received = new Map<Lane, number>();
  now = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /**
   * Runs until nobody is hungry, or the time is over.
   * @param check runs after every decision
   * @returns the seconds that it took
   */
  run(orders: readonly BlockOrder[], check: () => void, limitSeconds: number): number {
    const from = this.now;
    const end = from + limitSeconds * 1e9;
    for (;;) {
      this.#scheduler.decide(this.now);
      check();
      if (this.now >= end || orders.every((order) => order.hungry.size === 0)) return (this.now - from) / 1e9;
      const next = Math.min(
        end,
        this.#scheduler.nextReleaseNanoseconds ?? Infinity,
        this.#scheduler.nextLookNanoseconds ?? Infinity,
        this.#nextArrival(),
      );
      this.#advance(Math.max(next, this.now + 1));
    }
  }

  #nextArrival(): number {
    let next = Infinity;
    for (const lane of this.#scheduler.lanes.values()) {
      const due = this.#firstDue(lane);
      if (due === undefined) continue;
      const lacking = due.order.description.bytesInRange(due.block, due.block + 1) - (this.#credit.get(lane) ?? 0);
      next = Math.min(next, this.now + Math.ceil((Math.max(0, lacking) * 8e9) / this.#rateOf(lane)));
    }
    return next;
  }

  #advance(until: number): void {
    const elapsed = until - this.now;
    this.now = until;
    for (const lane of [...this.#scheduler.lanes.values()]) {
      if (this.#firstDue(lane) === undefined) continue;
      const bytes = (this.#rateOf(lane) / 8e9) * elapsed;
      this.#credit.set(lane, (this.#credit.get(lane) ?? 0) + bytes);
      this.#received.set(lane, (this.#received.get(lane) ?? 0) + bytes);
      this.#deliver(lane);
      if (!lane.isShort) {
        this.#scheduler.laneMeasured(lane.laneId, Math.floor(this.#received.get(lane) ?? 0), this.now);
      } else if (lane.pendingBytes === 0) {
        this.#scheduler.laneEnded(lane.laneId, false, this.now);
      }
    }
  }

  #deliver(lane: Lane): void {
    for (let due = this.#firstDue(lane); due !== undefined; due = this.#firstDue(lane)) {
      const { order, block } = due;
      const bytes = order.description.bytesInRange(block, block + 1);
      const credit = this.#credit.get(lane) ?? 0;
      if (credit < bytes - 1e-3) return;
      this.#credit.set(lane, credit - bytes);
      this.deliveries.push({ lane, order, block });
      this.#scheduler.addHeld(lane.target, order, RangeSet.of(block, block + 1), this.now);
    }
  }

  #rateOf(lane: Lane): number {
    return Math.min(lane.rateBitsPerSecond, this.reallyDoes.get(lane.source) ?? Infinity);
  }

  #firstDue(lane: Lane): { order: BlockOrder; block: number } | undefined {
    for (const [order, pending] of lane.pending) {
      const held = order.holdings.get(lane.source)?.held;
      for (const [start, end] of pending.ranges()) {
        for (let block = start; block < end; block += 1) if (held?.has(block) === true) return { order, block };
      }
    }
    return undefined;
  }
}

/** What a distribution sent over each way between two sites: how many blocks came in, and how often each. */
export function copiesIntoSite(deliveries: readonly Delivery[], site: string): Map<number, number> {
  const copies = new Map<number, number>();
  for (const { lane, block } of deliveries) {
    if (lane.target.site === site && lane.source.site !== site) copies.set(block, (copies.get(block) ?? 0) + 1);
  }
  return copies;
}
