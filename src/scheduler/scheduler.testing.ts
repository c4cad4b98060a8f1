/** Members and a crude way to run a scheduler in tests: lanes deliver at their rate, step by step. */
import { RangeSet } from "../std/ranges.ts";
import type { BlockOrder } from "./block-order.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Member } from "./world.ts";

/** An agent as it is when it has just come. */
function newAgent(name: string, site: string) {
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
  } as const;
}

/** An agent that no scheduler knows. */
export function testMember(name: string, site: string): Member {
  const history = { recentFailures: 0, aheadScale: 1, shunned: new Map<Member, number>() };
  return { ...newAgent(name, site), ...history, lanesIn: new Set(), lanesOut: new Set() };
}

export function addAgent(scheduler: Scheduler, name: string, site: string): Member {
  return scheduler.addMember(newAgent(name, site));
}

export function addContent(
  scheduler: Scheduler,
  fileSet: string,
  blocks: number,
  blockBytes: number,
  priority = 0,
): BlockOrder {
  const order = scheduler.addOrder({
    key: `${fileSet}/content`,
    fileSet,
    kind: "content",
    priority,
    sequence: 1,
    fromTheFront: false,
    bytesInRange: (start, end) => (end - start) * blockBytes,
  });
  order.grow(blocks, new RangeSet());
  return order;
}

/**
 * Runs in steps of 10 ms until nobody is hungry: each lane delivers, in order, blocks that its source holds.
 * @param check runs after every decision
 * @returns seconds of virtual time, and for each block and member how often it came
 */
export function runToEnd(
  scheduler: Scheduler,
  orders: readonly BlockOrder[],
  check: () => void,
  limitSeconds: number,
): number {
  const stepNanoseconds = 10_000_000;
  const credit = new Map<number, number>();
  let now = 0;
  for (; now < limitSeconds * 1e9; now += stepNanoseconds) {
    scheduler.decide(now);
    check();
    if (orders.every((order) => order.hungry.size === 0)) return now / 1e9;
    for (const lane of [...scheduler.lanes.values()]) {
      let bytes = (credit.get(lane.laneId) ?? 0) + (lane.rateBitsPerSecond / 8) * (stepNanoseconds / 1e9);
      for (const [order, pending] of [...lane.pending]) {
        const ready = pending.intersection(order.holdings.get(lane.source)?.held ?? new RangeSet());
        const blockBytes = order.description.bytesInRange(0, 1);
        const arrived = ready.take(Math.floor(bytes / blockBytes));
        bytes -= arrived.count * blockBytes;
        if (!arrived.isEmpty) scheduler.addHeld(lane.target, order, arrived);
      }
      credit.set(lane.laneId, Math.min(bytes, (lane.rateBitsPerSecond / 8) * 0.1 + 1_048_576));
      scheduler.laneMeasured(lane.laneId, lane.receivedBytes + 1, now);
    }
  }
  return now / 1e9;
}
