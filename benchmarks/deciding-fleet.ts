/** The fleet and the file set that deciding is measured on: sites behind uplinks, interfaces of three speeds. */
import { parseTopology } from "#src/model/topology.ts";
import type { BlockOrder } from "#src/scheduler/block-order.ts";
import { Scheduler } from "#src/scheduler/scheduler.ts";
import type { Member } from "#src/scheduler/world.ts";
import { RangeSet } from "#src/std/ranges.ts";

const megabitsPerSecond = [500, 1_000, 2_000] as const;
const uplinkMegabitsPerSecond = 4_000;
const blockBytes = 1_048_576;

/** A scheduler that knows so many agents, spread evenly over the sites. The first one is the origin. */
export function decidingScheduler(agents: number, sites: number): { scheduler: Scheduler; members: Member[] } {
  const rate = `${uplinkMegabitsPerSecond}Mbps`;
  const nameOf = (index: number): string => `a${index}`;
  const siteOf = (index: number): string => `s${index % sites}`;
  const indices = Array.from({ length: agents }, (_, index) => index);
  const nicOf = (index: number): string => `${megabitsPerSecond[Math.floor(index / sites) % 3] ?? 0}Mbps`;
  const topology = parseTopology({
    sites: Object.fromEntries(
      Array.from({ length: sites }, (_, site) => [`s${site}`, { uplink: rate, downlink: rate }]),
    ),
    agents: Object.fromEntries(
      indices.map((index) => [nameOf(index), { nic: { up: nicOf(index), down: nicOf(index) } }]),
    ),
  });
  const scheduler = new Scheduler({ topology, seed: 1, firstLaneId: 1 });
  const members = indices.map((index) =>
    scheduler.addMember({
      id: nameOf(index),
      name: nameOf(index),
      site: siteOf(index),
      kind: "agent",
      receivers: undefined,
      sameHost: false,
      online: true,
      serves: "yes",
      fetches: true,
    }),
  );
  return { scheduler, members };
}

export function contentOrder(scheduler: Scheduler, blocks: number): BlockOrder {
  const order = scheduler.addOrder({
    key: "payload@1/content",
    fileSet: "payload@1",
    kind: "content",
    priority: 0,
    sequence: 1,
    fromTheFront: false,
    bytesInRange: (start, end) => (end - start) * blockBytes,
  });
  scheduler.growOrder(order, blocks, new RangeSet());
  return order;
}
