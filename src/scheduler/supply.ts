/**
 * How much the other sites depend on what each site could send them: who is the only supplier of some must not be kept busy
 * with what others could bring as well. Each site that lacks blocks spreads one unit of dependence over those that have
 * some of them; worked out anew only now and then.
 */
import { pageBits, pageShift } from "../std/bit-pages.ts";
import type { BlockOrder } from "./block-order.ts";
import type { SiteView } from "./site-view.ts";
import type { Place, World } from "./world.ts";

/** One site's dependence, in all. */
const unit = 1_000;

export class Supply {
  readonly #world: World;
  /** By the places' numbers. */
  #dependence: number[] = [];
  #shares = new Map<SiteView, number>();
  #transfersUntilAnew = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** To be called before a decision on these orders. */
  refresh(orders: readonly BlockOrder[]): void {
    if (this.#transfersUntilAnew > 0) return;
    this.#dependence = [];
    this.#shares = new Map();
    let sites = 0;
    for (const order of orders) {
      if (order.views.size < 3) continue;
      sites = Math.max(sites, order.views.size);
      for (const view of order.pairs.views) if (!view.absent.isEmpty) this.#spread(order, view);
    }
    this.#transfersUntilAnew = sites;
  }

  /** A transfer between sites has been decided on. */
  used(): void {
    this.#transfersUntilAnew -= 1;
  }

  /** What sites other than the one of this view depend on a supplier for. */
  dependenceBeside(supplier: Place, view: SiteView): number {
    return Math.max(0, (this.#dependence[supplier.index] ?? 0) - (this.#shares.get(view) ?? 0));
  }

  #spread(order: BlockOrder, view: SiteView): void {
    const suppliers: Place[] = [];
    for (const other of order.pairs.views) {
      if (other === view || !hasSomethingFor(order, other, view)) continue;
      suppliers.push(other.place ?? this.#world.place(other.site));
    }
    if (suppliers.length === 0) return;
    const share = Math.floor(unit / suppliers.length);
    this.#shares.set(view, share);
    for (const supplier of suppliers) {
      this.#dependence[supplier.index] = (this.#dependence[supplier.index] ?? 0) + share;
    }
  }
}

/** Whether a site has a block that may go from it to another site. */
export function hasSomethingFor(order: BlockOrder, supplier: SiteView, view: SiteView): boolean {
  if (view.absent.isEmpty) return false;
  if (!supplier.isHome) return order.pairs.given(supplier, view) > 0;
  // What a home's origins hold is not counted by pairs. There are few homes, and mostly the first look tells.
  const only = view.isHome || order.onlyHome.isEmpty ? view.absent : order.onlyHome;
  const { words, table } = order.pages;
  for (let page = 0; page << pageShift < order.blockCount; page += 1) {
    const onlyAt = table[only.row + 2 * page] as number;
    const absentAt = table[supplier.absent.row + 2 * page] as number;
    const length = Math.min(pageBits, order.blockCount - (page << pageShift) + 31) >>> 5;
    for (let summary = 0; summary << 5 < length; summary += 1) {
      let filled = words[onlyAt + length + summary] as number;
      for (; filled !== 0; filled &= filled - 1) {
        const word = (summary << 5) + 31 - Math.clz32(filled & -filled);
        if (((words[onlyAt + word] as number) & ~(words[absentAt + word] as number)) !== 0) return true;
      }
    }
  }
  return false;
}
