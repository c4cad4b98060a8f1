/**
 * Availability: one order of blocks (a file set's manifest pieces, or its content) and, for every member, what it
 * holds, what is coming to it, and whether it wants the rest. Counts for each block say how rare it is, in all and in
 * each site, "present or coming"; they are kept up to date as ranges change, never recomputed.
 *
 * Invariants: `coming` and `held` of a member are disjoint. A publisher's copy counts nowhere. The copy of an origin (the
 * agent that a file set entered through) counts as "its site has it", but not for rarity: it would make nothing ever fresh.
 */
import { RangeSet } from "../std/ranges.ts";
import type { Member } from "./world.ts";

export interface Holding {
  readonly held: RangeSet;
  readonly coming: RangeSet;
  /** Neither held nor coming, duplicates left out. */
  readonly missing: RangeSet;
  /** The member is a target that is ready for blocks. */
  wants: boolean;
  /** Its copy counts for rarity (false for an origin). */
  readonly counts: boolean;
}

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
  #blockCount = 0;
  /** Later copies of a block within the order: agents fill them themselves, they are never scheduled. */
  readonly duplicates = new RangeSet();
  readonly holdings = new Map<Member, Holding>();
  /** While it is being published: blocks that agents hold for sure, so that its publisher need not hand them over. */
  arrived: RangeSet | undefined;
  /** Members that want it and have not got all of it. */
  readonly hungry = new Set<Member>();
  #presence = new Uint16Array(64);
  /** Blocks that no counted member holds or is being sent. */
  readonly #fresh = new RangeSet();
  readonly #sites = new Map<string, SitePresence>();

  constructor(description: OrderDescription) {
    this.description = description;
  }

  get blockCount(): number {
    return this.#blockCount;
  }

  /** The order has grown to this many blocks. */
  grow(blockCount: number, duplicates: RangeSet): void {
    if (blockCount < this.#blockCount) throw new RangeError(`${this.description.key}: an order never shrinks`);
    const added = blockCount > this.#blockCount ? RangeSet.of(this.#blockCount, blockCount) : new RangeSet();
    this.#blockCount = blockCount;
    this.duplicates.addAll(duplicates);
    this.#fresh.addAll(added);
    const wanted = added.difference(this.duplicates);
    if (this.#presence.length < blockCount) {
      const length = Math.max(blockCount, 2 * this.#presence.length);
      this.#presence = enlarge(this.#presence, length);
      for (const site of this.#sites.values()) site.counts = enlarge(site.counts, length);
    }
    for (const site of this.#sites.values()) site.absent.addAll(added);
    for (const [member, holding] of this.holdings) {
      holding.missing.addAll(wanted);
      this.#updateHunger(member, holding);
    }
  }

  bytesOf(ranges: RangeSet): number {
    let bytes = 0;
    ranges.forEach((start, end) => {
      bytes += this.description.bytesInRange(start, end);
    });
    return bytes;
  }

  /** The member's entry; made when it is not there. */
  holding(member: Member, counts = member.kind === "agent"): Holding {
    let holding = this.holdings.get(member);
    if (holding === undefined) {
      const missing = this.#blockCount === 0 ? new RangeSet() : RangeSet.of(0, this.#blockCount);
      missing.removeAll(this.duplicates);
      holding = { held: new RangeSet(), coming: new RangeSet(), missing, wants: false, counts };
      this.holdings.set(member, holding);
      this.#site(member.site ?? "").members.push(member);
    }
    return holding;
  }

  setWants(member: Member, wants: boolean): void {
    const holding = this.holding(member);
    holding.wants = wants;
    this.#updateHunger(member, holding);
  }

  /** The member holds these blocks now, beside what it held. */
  addHeld(member: Member, ranges: RangeSet): void {
    const holding = this.holding(member);
    const fresh = ranges.difference(holding.held);
    const arrived = fresh.intersection(holding.coming);
    holding.coming.removeAll(arrived);
    holding.held.addAll(fresh);
    holding.missing.removeAll(fresh);
    this.#count(member, holding, fresh.difference(arrived), 1);
    this.#updateHunger(member, holding);
  }

  removeHeld(member: Member, ranges: RangeSet): void {
    const holding = this.holding(member);
    const gone = ranges.intersection(holding.held);
    holding.held.removeAll(gone);
    holding.missing.addAll(gone.difference(this.duplicates));
    this.#count(member, holding, gone, -1);
    this.#updateHunger(member, holding);
  }

  addComing(member: Member, ranges: RangeSet): void {
    const holding = this.holding(member);
    const fresh = ranges.difference(holding.held).difference(holding.coming);
    holding.coming.addAll(fresh);
    holding.missing.removeAll(fresh);
    this.#count(member, holding, fresh, 1);
  }

  removeComing(member: Member, ranges: RangeSet): void {
    const holding = this.holding(member);
    const gone = ranges.intersection(holding.coming);
    holding.coming.removeAll(gone);
    holding.missing.addAll(gone.difference(this.duplicates));
    this.#count(member, holding, gone, -1);
  }

  /** Forgets a member. */
  drop(member: Member): void {
    const holding = this.holdings.get(member);
    if (holding === undefined) return;
    this.#count(member, holding, holding.held, -1);
    this.#count(member, holding, holding.coming, -1);
    this.holdings.delete(member);
    this.hungry.delete(member);
    const { members } = this.#site(member.site ?? "");
    const index = members.indexOf(member);
    const last = members.pop();
    if (last !== undefined && last !== member) members[index] = last;
  }

  /** What the member neither holds nor is being sent, duplicates left out. Not to be changed. */
  missing(member: Member): RangeSet {
    return this.holding(member).missing;
  }

  /** How many members hold a block or are being sent it. */
  presence(block: number): number {
    return this.#presence[block] ?? 0;
  }

  /** The same within one site. */
  sitePresence(site: string, block: number): number {
    return this.#sites.get(site)?.counts[block] ?? 0;
  }

  /** Which of these blocks are neither held by nor coming to any agent of the site. */
  absentIn(site: string, ranges: RangeSet): RangeSet {
    return ranges.intersection(this.#site(site).absent);
  }

  /** Which of these blocks no counted member holds or is being sent. */
  fresh(ranges: RangeSet): RangeSet {
    return ranges.intersection(this.#fresh);
  }

  /** Sites of members that have an entry ("" for publishers that did not say where they are). */
  sites(): readonly string[] {
    return [...this.#sites.keys()];
  }

  /** Members with an entry, by site. */
  membersIn(site: string): readonly Member[] {
    return this.#sites.get(site)?.members ?? [];
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
    const unheard = this.fresh(ranges);
    for (const [member, holding] of this.holdings) {
      if (unheard.isEmpty) break;
      if (holding.counts || member.kind === "publisher") continue;
      unheard.removeAll(holding.held);
      unheard.removeAll(holding.coming);
    }
    return unheard;
  }

  /** Which of these blocks no serving agent but this one holds: the last resort. */
  onlyWith(source: Member, ranges: RangeSet): RangeSet {
    const only = ranges.clone();
    for (const [member, holding] of this.holdings) {
      if (only.isEmpty) break;
      if (member !== source && member.online && member.serves === "yes") only.removeAll(holding.held);
    }
    return only;
  }

  #updateHunger(member: Member, holding: Holding): void {
    const hungry = holding.wants && holding.held.count < this.#blockCount;
    if (hungry) this.hungry.add(member);
    else this.hungry.delete(member);
  }

  #site(site: string): SitePresence {
    let presence = this.#sites.get(site);
    if (presence === undefined) {
      const absent = this.#blockCount === 0 ? new RangeSet() : RangeSet.of(0, this.#blockCount);
      presence = { counts: new Uint16Array(this.#presence.length), absent, members: [] };
      this.#sites.set(site, presence);
    }
    return presence;
  }

  #count(member: Member, holding: Holding, ranges: RangeSet, change: 1 | -1): void {
    if (member.kind === "publisher") return;
    const site = this.#site(member.site ?? "");
    const { counts } = site;
    const turn = change === 1 ? 1 : 0;
    ranges.forEach((start, end) => {
      for (let block = start; block < end; block += 1) {
        counts[block] = (counts[block] ?? 0) + change;
        if (counts[block] === turn) mark(site.absent, block, change === -1);
        if (!holding.counts) continue;
        this.#presence[block] = (this.#presence[block] ?? 0) + change;
        if (this.#presence[block] === turn) mark(this.#fresh, block, change === -1);
      }
    });
  }
}

/** What one site has of an order. */
interface SitePresence {
  counts: Uint16Array<ArrayBuffer>;
  /** Blocks that no member of the site holds or is being sent. */
  readonly absent: RangeSet;
  readonly members: Member[];
}

function mark(set: RangeSet, block: number, there: boolean): void {
  if (there) set.add(block, block + 1);
  else set.remove(block, block + 1);
}

function enlarge(counts: Uint16Array, length: number): Uint16Array<ArrayBuffer> {
  const larger = new Uint16Array(length);
  larger.set(counts);
  return larger;
}
