/**
 * Availability: one order of blocks (a file set's manifest pieces, or its content) and, for every member, what it
 * holds, what is coming to it, and whether it wants the rest. Counts for each block say how rare it is, in all, in
 * each site and by sites, "present or coming"; they are kept up to date as blocks come and go, never recomputed.
 *
 * Invariants: of a member, `have` is what it holds, what is coming to it, and duplicates (which it fills itself). A publisher's
 * copy counts nowhere. The copy of an origin (the agent that a file set entered through) counts as "its site has it",
 * but not for rarity: it would make nothing ever fresh.
 */
import { BitPages } from "../std/bit-pages.ts";
import { takeOut } from "../std/lists.ts";
import { PagedBits } from "../std/paged-bits.ts";
import { RangeSet } from "../std/ranges.ts";
import { noteNeeds, updateHunger, type Holding } from "./holding.ts";
import { SitePairs } from "./site-pairs.ts";
import { SiteView } from "./site-view.ts";
import type { Member } from "./world.ts";

export type { Holding };

export interface OrderDescription {
  /** `NAME@VERSION/content`. */
  readonly key: string;
  readonly fileSet: string;
  readonly kind: "manifest" | "content";
  readonly priority: number;
  readonly sequence: number;
  /** Blocks are wanted from the first on, as a reader follows a growing file. */
  readonly fromTheFront: boolean;
  readonly bytesInRange: (start: number, end: number) => number;
}

export class BlockOrder {
  readonly description: OrderDescription;
  paused = false;
  /** Its place among all orders: what has a lower one goes first where they compete. */
  rank = 0;
  /** Orders of one class (a priority; manifests before contents) are served together, those of a lower one first. */
  urgencyClass = 0;
  #blockCount = 0;
  /** Of all sets of this order's blocks. */
  readonly pages = new BitPages();
  /** Later copies of a block within the order: agents fill them themselves, they are never scheduled. */
  readonly duplicates = new RangeSet();
  readonly holdings = new Map<Member, Holding>();
  /** The same by the members' indices: looked at for each of many candidates in every choice. */
  readonly #byIndex: (Holding | undefined)[] = [];
  /** While it is being published: blocks that agents hold for sure, so that its publisher need not hand them over. */
  arrived: RangeSet | undefined;
  /** Members that want it and have not got all of it. */
  readonly hungry = new Set<Member>();
  readonly views = new Map<string, SiteView>();
  /** How much the sites could give each other; also the views as a list, by their numbers. */
  readonly pairs = new SitePairs();
  readonly publishers: Member[] = [];
  /** Agents whose copies do not count: those that the file set entered through. */
  readonly origins: Member[] = [];
  /** How many counted members hold each block or are being sent it. */
  presenceCounts = new Uint32Array(64);
  /** How many sites have each block. */
  siteCounts = new Uint16Array(64);
  /** How many sites that are no home have each block. */
  outsideCounts = new Uint16Array(64);
  /** Blocks that no counted member holds or is being sent. */
  readonly freshBlocks = new PagedBits(this.pages);
  /** Blocks that are in no site but a home. */
  readonly onlyHome = new PagedBits(this.pages);

  constructor(description: OrderDescription) {
    this.description = description;
  }

  get blockCount(): number {
    return this.#blockCount;
  }

  /** The order has grown to this many blocks. */
  grow(blockCount: number, duplicates: RangeSet): void {
    const before = this.#blockCount;
    if (blockCount < before) throw new RangeError(`${this.description.key}: an order never shrinks`);
    this.#blockCount = blockCount;
    this.duplicates.addAll(duplicates);
    this.freshBlocks.grow(blockCount, true);
    this.onlyHome.grow(blockCount, true);
    duplicates.forEach((start, end) => {
      this.freshBlocks.remove(start, end);
      this.onlyHome.remove(start, end);
    });
    if (this.presenceCounts.length < blockCount) {
      const length = Math.max(blockCount, 2 * this.presenceCounts.length);
      this.presenceCounts = enlarged(this.presenceCounts, new Uint32Array(length));
      this.siteCounts = enlarged(this.siteCounts, new Uint16Array(length));
      this.outsideCounts = enlarged(this.outsideCounts, new Uint16Array(length));
    }
    for (const view of this.views.values()) {
      view.grow(blockCount);
      duplicates.forEach((start, end) => {
        for (let block = start; block < end; block += 1) this.pairs.entered(view, block);
      });
    }
    for (const holding of this.holdings.values()) {
      this.#growHolding(holding, duplicates);
      updateHunger(this, holding);
    }
  }

  bytesOf(ranges: RangeSet): number {
    let bytes = 0;
    ranges.forEach((start, end) => {
      bytes += this.description.bytesInRange(start, end);
    });
    return bytes;
  }

  /** The member's entry. */
  find(member: Member): Holding | undefined {
    const { latest } = member;
    if (latest?.order === this) return latest;
    const holding = this.#byIndex[member.index];
    return holding?.member === member ? holding : this.holdings.get(member);
  }

  /** The member's entry; made when it is not there. */
  holding(member: Member, counts = member.kind === "agent"): Holding {
    let holding = this.find(member);
    if (holding === undefined) {
      const view = member.kind === "agent" ? this.#view(member) : undefined;
      holding = {
        order: this,
        member,
        held: new PagedBits(this.pages),
        have: new PagedBits(this.pages),
        wants: false,
        planned: false,
        isHungry: false,
        isNeeding: false,
        isSupplying: false,
        counts,
        carries: false,
        view,
      };
      this.#growHolding(holding, this.duplicates);
      this.holdings.set(member, holding);
      this.#byIndex[member.index] = holding;
      if (view === undefined) this.publishers.push(member);
      else view.members.push(member);
      if (view !== undefined && !counts) this.origins.push(member);
      if (view !== undefined && !counts && !view.isHome) this.#makeHome(view);
    }
    return holding;
  }

  /** A member is an origin from now on, if nothing of it is counted yet: it neither holds anything nor is being sent anything. */
  becomeOrigin(holding: Holding): void {
    const { member, view } = holding;
    if (!holding.counts || view === undefined || holding.have.count > this.duplicates.count) return;
    holding.counts = false;
    this.origins.push(member);
    if (!view.isHome) this.#makeHome(view);
  }

  /** A member carries blocks for others: it is served after those who are to have them. */
  setCarries(member: Member): void {
    const holding = this.holding(member);
    if (holding.carries || holding.view === undefined) return;
    holding.carries = true;
    holding.view.carriers += 1;
  }

  setWants(member: Member, wants: boolean): void {
    const holding = this.holding(member);
    holding.wants = wants;
    updateHunger(this, holding);
  }

  setPlanned(member: Member, planned: boolean): void {
    const holding = this.holding(member);
    holding.planned = planned;
    updateHunger(this, holding);
  }

  /** The member holds these blocks now, beside what it held. */
  addHeld(member: Member, ranges: RangeSet): void {
    const holding = this.holding(member);
    member.latest = holding;
    const { held, have, view, counts } = holding;
    ranges.forEach((start, end) => {
      for (let block = start; block < end; block += 1) {
        if (!held.set(block)) continue;
        if (have.set(block)) this.#entered(holding, block);
        if (counts && view !== undefined && !member.isAway) this.pairs.held(view, block);
      }
    });
    updateHunger(this, holding);
  }

  removeHeld(member: Member, ranges: RangeSet): void {
    const holding = this.holding(member);
    ranges.forEach((start, end) => {
      for (let block = start; block < end; block += 1) {
        if (!holding.held.clear(block) || this.duplicates.has(block)) continue;
        holding.have.clear(block);
        this.#left(holding, block);
      }
    });
    if (holding.view !== undefined) holding.view.mayBeGone = true;
    updateHunger(this, holding);
  }

  addComing(member: Member, ranges: RangeSet): void {
    const holding = this.holding(member);
    ranges.forEach((start, end) => {
      for (let block = start; block < end; block += 1) if (holding.have.set(block)) this.#entered(holding, block);
    });
    updateHunger(this, holding);
  }

  removeComing(member: Member, ranges: RangeSet): void {
    const holding = this.holding(member);
    ranges.forEach((start, end) => {
      for (let block = start; block < end; block += 1) {
        if (holding.held.has(block) || this.duplicates.has(block)) continue;
        if (holding.have.clear(block)) this.#left(holding, block);
      }
    });
    updateHunger(this, holding);
  }

  /** Whether what a member has counts: not while it is away. To be called while it is not marked so. @returns whether it has any */
  setCounted(member: Member, isCounted: boolean): boolean {
    const holding = this.find(member);
    if (holding === undefined || holding.have.count === this.duplicates.count) return false;
    const { held, have, counts, view } = holding;
    have.forEachRange((start, end) => {
      for (let block = start; block < end; block += 1) {
        if (this.duplicates.has(block)) continue;
        if (!isCounted) this.#left(holding, block);
        else this.#entered(holding, block);
        if (isCounted && counts && view !== undefined && held.has(block)) this.pairs.held(view, block);
      }
    });
    if (!isCounted && view !== undefined) view.mayBeGone = true;
    return true;
  }

  /** Forgets a member. */
  drop(member: Member): void {
    const holding = this.holdings.get(member);
    if (holding === undefined) return;
    this.setCounted(member, false);
    if (holding.isSupplying) member.supplies -= 1;
    if (member.latest === holding) member.latest = undefined;
    holding.held.release();
    holding.have.release();
    if (holding.carries && holding.view !== undefined) holding.view.carriers -= 1;
    this.holdings.delete(member);
    if (this.#byIndex[member.index] === holding) this.#byIndex[member.index] = undefined;
    this.hungry.delete(member);
    member.needs.delete(this);
    noteNeeds(member);
    takeOut(holding.view?.members ?? this.publishers, member);
    takeOut(this.origins, member);
  }

  /** What the member neither holds nor is being sent, duplicates left out. */
  missing(member: Member): RangeSet {
    return this.holding(member).have.toRangeSet().complement(0, this.#blockCount);
  }

  /** How many members hold a block or are being sent it. */
  presence(block: number): number {
    return this.presenceCounts[block] ?? 0;
  }

  /** The same within one site. */
  sitePresence(site: string, block: number): number {
    return this.views.get(site)?.counts.at(block) ?? 0;
  }

  /** Members with an entry, by site. */
  membersIn(site: string): readonly Member[] {
    return this.views.get(site)?.members ?? [];
  }

  /** Which of these blocks a publisher has still to hand over: neither arrived nor on their way through its lanes. */
  toHandOver(publisher: Member, ranges: RangeSet): RangeSet {
    if (this.arrived === undefined) return this.unheard(ranges);
    const left = ranges.difference(this.arrived);
    for (const lane of publisher.lanesOut) {
      const pending = lane.pending.get(this);
      if (pending !== undefined) left.removeAll(pending);
    }
    return left;
  }

  /** Which of these blocks no agent at all holds or is being sent, origins included. */
  unheard(ranges: RangeSet): RangeSet {
    const unheard = ranges.clone();
    for (const view of this.views.values()) {
      if (unheard.isEmpty) break;
      unheard.removeAll(unheard.difference(view.absent.toRangeSet()));
    }
    return unheard;
  }

  /** Whether no serving agent but this one holds the block: the last resort. */
  isOnlyWith(source: Member, block: number): boolean {
    for (const [member, holding] of this.holdings) {
      if (member !== source && member.online && member.serves === "yes" && holding.held.has(block)) return false;
    }
    return true;
  }

  #growHolding(holding: Holding, duplicates: RangeSet): void {
    holding.held.grow(this.#blockCount, false);
    holding.have.grow(this.#blockCount, false);
    duplicates.forEach((start, end) => holding.have.add(start, end));
  }

  /** No counted member of the site holds the block, though one did: it is not looked for there again. */
  noteGone(view: SiteView, block: number): void {
    if (!view.mayBeGone) return;
    for (const member of view.members) {
      const holding = member.isAway ? undefined : this.find(member);
      if (holding !== undefined && holding.counts && holding.held.has(block)) return;
    }
    this.pairs.gone(view, block);
  }

  #view({ site = "", place }: Member): SiteView {
    let view = this.views.get(site);
    if (view === undefined) {
      view = new SiteView(site, this.pairs.views.length, this.pages);
      view.grow(this.#blockCount);
      const { absent } = view;
      this.duplicates.forEach((start, end) => absent.remove(start, end));
      this.views.set(site, view);
      this.pairs.add(view);
    }
    view.place ??= place;
    return view;
  }

  /** What the site has is not outside any more. */
  #makeHome(view: SiteView): void {
    view.isHome = true;
    for (let block = 0; block < this.#blockCount; block += 1) {
      if (view.has(block) && !this.duplicates.has(block)) this.#leftOutside(block);
    }
  }

  /** A block is with, or coming to, a member that did not have it. */
  #entered({ member, view, counts }: Holding, block: number): void {
    if (view === undefined || member.kind === "publisher" || member.isAway) return;
    if (view.counts.change(block, 1) === 1) {
      this.pairs.entered(view, block);
      this.siteCounts[block] = (this.siteCounts[block] as number) + 1;
      if (!view.isHome) {
        const outside = (this.outsideCounts[block] as number) + 1;
        this.outsideCounts[block] = outside;
        if (outside === 1) {
          this.onlyHome.clear(block);
          view.firstCopies += 1;
        }
      }
    }
    if (!counts) return;
    const presence = (this.presenceCounts[block] as number) + 1;
    this.presenceCounts[block] = presence;
    if (presence === 1) this.freshBlocks.clear(block);
  }

  #left({ member, view, counts }: Holding, block: number): void {
    if (view === undefined || member.kind === "publisher" || member.isAway) return;
    if (view.counts.change(block, -1) === 0) {
      this.pairs.left(view, block);
      this.siteCounts[block] = (this.siteCounts[block] as number) - 1;
      if (!view.isHome) this.#leftOutside(block);
    }
    if (!counts) return;
    const presence = (this.presenceCounts[block] as number) - 1;
    this.presenceCounts[block] = presence;
    if (presence === 0) this.freshBlocks.set(block);
  }

  #leftOutside(block: number): void {
    const outside = (this.outsideCounts[block] as number) - 1;
    this.outsideCounts[block] = outside;
    if (outside === 0) this.onlyHome.set(block);
  }
}

function enlarged<T extends Uint16Array | Uint32Array>(counts: T, larger: T): T {
  larger.set(counts);
  return larger;
}
