/**
 * Whether the ways between sites, rather than interfaces, are what a distribution waits for. By the simplest cuts: the way
 * into each site, the way out of the sites that it starts from, all ways out together; against the interfaces of
 * targets, of origins, and of all.
 */
import type { BlockOrder } from "./block-order.ts";
import type { World } from "./world.ts";

/** The time that the ways need, as a part of what interfaces need: 1 or more where ways bind; 0 where no way is used. */
export function waysShare(order: BlockOrder, world: World): number {
  const { ledger } = world;
  let waysTime = 0;
  let outOfAll = 0;
  let outOfHomes = 0;
  let others = 0;
  for (const view of order.views.values()) {
    const place = world.place(view.site);
    const uplink = ledger.capabilityOn(place.uplink);
    outOfAll += uplink;
    if (view.isHome) outOfHomes += uplink;
    else if (view.members.some((member) => order.hungry.has(member))) {
      others += 1;
      waysTime = Math.max(waysTime, 1 / ledger.capabilityOn(place.downlink));
    }
  }
  if (others === 0) return 0;
  waysTime = Math.max(waysTime, others / outOfAll);
  if (outOfHomes > 0) waysTime = Math.max(waysTime, 1 / outOfHomes);
  let outOfOrigins = 0;
  let outOfMembers = 0;
  const downs: number[] = [];
  for (const { member, counts, view } of order.holdings.values()) {
    if (view === undefined) continue;
    const up = ledger.capabilityOn(member.nicUp);
    outOfMembers += up;
    if (!counts) outOfOrigins += up;
    if (order.hungry.has(member)) downs.push(ledger.capabilityOn(member.nicDown));
  }
  downs.sort((a, b) => a - b);
  let nicTime = Math.max(downs.length / outOfMembers, 1 / (downs[downs.length >>> 1] ?? Infinity));
  if (outOfOrigins > 0) nicTime = Math.max(nicTime, 1 / outOfOrigins);
  return nicTime === 0 ? Infinity : waysTime / nicTime;
}
