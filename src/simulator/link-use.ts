/**
 * How much of each link was used, and when: looks at the network again and again while a simulation runs. It changes nothing
 * of what it looks at, so that a run is the same with and without it.
 *
 * Memory is bounded: when there are many looks, every other one is dropped and they are taken half as often.
 */
import { parseResourceName } from "../model/resources.ts";
import type { Link } from "./flow.ts";
import type { VirtualWorld } from "./virtual-world.ts";

const firstIntervalNanoseconds = 10_000_000;
/** Looks that are kept. */
const maximumLooks = 256;
/** Links whose use is kept for every look; with more, only sites and links by name have their own. */
const maximumSeries = 6_000;

/** Use of one link, or the mean of some, over time. */
export interface UseSeries {
  readonly name: string;
  /** For each stretch of time, the part of its true capacity that was used, 0..1. */
  readonly use: readonly number[];
}

export interface UseHistory {
  /** When each stretch ends, in nanoseconds since the scenario's time 0. */
  readonly endsAtNanoseconds: readonly number[];
  /** Bytes of content that targets have stored by then. */
  readonly storedBytes: readonly number[];
  readonly series: readonly UseSeries[];
}

/** Links of one kind, and the mean of their use. */
interface Group {
  readonly name: string;
  readonly use: number[];
  sum: number;
  count: number;
}

interface Watched {
  readonly link: Link;
  readonly isInterface: boolean;
  /** Links of its kind; undefined for links by name. */
  readonly group: Group | undefined;
  bitsBefore: number;
  /** While anything went over it: nanoseconds, and what it could have carried in bits. */
  busyNanoseconds: number;
  busyCapacityBits: number;
  readonly use: number[] | undefined;
}

export interface BusyTime {
  readonly link: Link;
  readonly isInterface: boolean;
  readonly busySeconds: number;
  /** Of what it could have carried in that time, 0..1. */
  readonly useWhileBusy: number;
}

export class LinkUse {
  readonly #world: VirtualWorld;
  /** In the order of the network's links, of which there are only ever more. */
  readonly #watched: Watched[] = [];
  readonly #keepsHistory: boolean;
  readonly #groups = {
    agentNicUp: groupOf("all interfaces, up"),
    agentNicDown: groupOf("all interfaces, down"),
    siteUplink: groupOf("all site uplinks"),
    siteDownlink: groupOf("all site downlinks"),
  };
  readonly #endsAt: number[] = [];
  readonly #stored: number[] = [];
  #interval = firstIntervalNanoseconds;
  #lookedAt: number;

  constructor(world: VirtualWorld, keepsHistory: boolean) {
    this.#world = world;
    this.#keepsHistory = keepsHistory;
    this.#lookedAt = world.startNanoseconds;
  }

  /** When it wants to look next. */
  get nextAtNanoseconds(): number {
    return this.#lookedAt + this.#interval;
  }

  /** Looks at what every link has carried since the last look. */
  look(): void {
    const elapsed = this.#world.clock.nowNanoseconds - this.#lookedAt;
    if (elapsed <= 0) return;
    this.#lookedAt = this.#world.clock.nowNanoseconds;
    this.#watchNewLinks();
    for (const watched of this.#watched) {
      const use = this.#useSince(watched, elapsed);
      watched.use?.push(use);
      if (watched.group !== undefined) watched.group.sum += use;
    }
    if (!this.#keepsHistory) {
      this.#slowDown(this.#lookedAt - this.#world.startNanoseconds);
      return;
    }
    for (const group of Object.values(this.#groups)) {
      group.use.push(group.count === 0 ? 0 : group.sum / group.count);
      group.sum = 0;
    }
    this.#endsAt.push(this.#lookedAt - this.#world.startNanoseconds);
    this.#stored.push(this.#world.account.content.storedBytes);
    if (this.#endsAt.length >= maximumLooks) this.#thinOut();
  }

  busyTimes(): BusyTime[] {
    return this.#watched.map(({ link, isInterface, busyNanoseconds, busyCapacityBits, bitsBefore }) => ({
      link,
      isInterface,
      busySeconds: busyNanoseconds / 1e9,
      useWhileBusy: busyCapacityBits === 0 ? 0 : Math.min(1, bitsBefore / busyCapacityBits),
    }));
  }

  history(): UseHistory {
    const own = this.#watched.flatMap(({ link, use }) => (use === undefined ? [] : [{ name: link.name, use }]));
    return {
      endsAtNanoseconds: this.#endsAt,
      storedBytes: this.#stored,
      series: [...own, ...Object.values(this.#groups).map(({ name, use }) => ({ name, use }))],
    };
  }

  #watchNewLinks(): void {
    const { links } = this.#world.network;
    if (links.size === this.#watched.length) return;
    for (const link of [...links.values()].slice(this.#watched.length)) this.#watched.push(this.#watch(link));
  }

  #watch(link: Link): Watched {
    const { kind } = parseResourceName(link.name);
    const isInterface = kind === "agentNicUp" || kind === "agentNicDown";
    const group = kind === "link" ? undefined : this.#groups[kind];
    if (group !== undefined) group.count += 1;
    const isKept = this.#keepsHistory && (!isInterface || this.#world.network.links.size <= maximumSeries);
    const watched: Watched = {
      link,
      isInterface,
      group,
      bitsBefore: 0,
      busyNanoseconds: 0,
      busyCapacityBits: 0,
      // A link that an event brings was not used before.
      use: isKept ? this.#endsAt.map(() => 0) : undefined,
    };
    return watched;
  }

  /** The part of its capacity that was used since the last look. */
  #useSince(watched: Watched, elapsedNanoseconds: number): number {
    const { link } = watched;
    const now = this.#world.clock.nowNanoseconds;
    let bits = link.carriedBits;
    for (const flow of link.sending) bits += (flow.receivedBytes(now) - flow.sentBytes) * 8;
    const carried = bits - watched.bitsBefore;
    watched.bitsBefore = bits;
    if (carried <= 0) return 0;
    const capacityBits = (link.trueBitsPerSecond * elapsedNanoseconds) / 1e9;
    watched.busyNanoseconds += elapsedNanoseconds;
    watched.busyCapacityBits += capacityBits;
    return Math.min(1, carried / capacityBits);
  }

  /** Without a history: as often as with one, so that both give the same figures. */
  #slowDown(elapsedNanoseconds: number): void {
    if (elapsedNanoseconds >= this.#interval * maximumLooks) this.#interval *= 2;
  }

  #thinOut(): void {
    this.#interval *= 2;
    const uses = this.#watched.flatMap(({ use }) => (use === undefined ? [] : [use]));
    for (const use of [...uses, ...Object.values(this.#groups).map((group) => group.use)]) {
      replace(use, (first, second) => (first + second) / 2);
    }
    for (const total of [this.#endsAt, this.#stored]) replace(total, (_, second) => second);
  }
}

function groupOf(name: string): Group {
  return { name, use: [], sum: 0, count: 0 };
}

/** Makes one of every two values, in place. */
function replace(values: number[], combine: (first: number, second: number) => number): void {
  const half = Math.floor(values.length / 2);
  for (let index = 0; index < half; index += 1) {
    values[index] = combine(values[2 * index] ?? 0, values[2 * index + 1] ?? 0);
  }
  values.length = half;
}
