/**
 * How flows share links that cannot carry all of them: max-min fair, each flow at most its own demand (Bertsekas and
 * Gallager, Data Networks, 6.5.2: progressive filling).
 *
 * Whole bits per second, rounded down, so that no link is ever over its capacity; a flow gets at least 1 bit per second.
 */

export interface SharingFlow {
  readonly demandBitsPerSecond: number;
  /** Which links it uses, as indexes into the capacities. */
  readonly links: readonly number[];
}

/** The rate of each flow. All flows start at nothing and rise together; each stops at its demand or when a link of its is full. */
export function fairShares(flows: readonly SharingFlow[], capacitiesBitsPerSecond: readonly number[]): number[] {
  const rates = flows.map(() => 0);
  const left = capacitiesBitsPerSecond.slice();
  const waiting = capacitiesBitsPerSecond.map(() => 0);
  const users: number[][] = capacitiesBitsPerSecond.map(() => []);
  for (const [index, flow] of flows.entries()) {
    for (const link of flow.links) {
      waiting[link] = (waiting[link] ?? 0) + 1;
      users[link]?.push(index);
    }
  }
  const byDemand = flows.map((_, index) => index);
  byDemand.sort((one, other) => demandOf(flows, one) - demandOf(flows, other) || one - other);
  const isSet = flows.map(() => false);

  const settle = (index: number, rate: number): void => {
    isSet[index] = true;
    rates[index] = Math.max(1, rate);
    for (const link of flows[index]?.links ?? []) {
      left[link] = Math.max(0, (left[link] ?? 0) - rate);
      waiting[link] = (waiting[link] ?? 0) - 1;
    }
  };

  let next = 0;
  for (;;) {
    while (next < byDemand.length && isSet[byDemand[next] as number]) next += 1;
    const lowest = byDemand[next];
    if (lowest === undefined) return rates;
    const full = fullestLink(left, waiting);
    if (demandOf(flows, lowest) <= full.share) {
      settle(lowest, demandOf(flows, lowest));
    } else {
      for (const user of users[full.link] ?? []) {
        if (!isSet[user]) settle(user, Math.floor(full.share));
      }
    }
  }
}

function demandOf(flows: readonly SharingFlow[], index: number): number {
  return flows[index]?.demandBitsPerSecond ?? 0;
}

/** The link that fills first when all flows that are not set yet rise together, and at what rate; link -1 if none has any. */
function fullestLink(left: readonly number[], waiting: readonly number[]): { link: number; share: number } {
  let link = -1;
  let share = Infinity;
  for (let index = 0; index < left.length; index += 1) {
    const count = waiting[index] ?? 0;
    if (count === 0) continue;
    const linkShare = (left[index] ?? 0) / count;
    if (linkShare < share) {
      share = linkShare;
      link = index;
    }
  }
  return { link, share };
}
