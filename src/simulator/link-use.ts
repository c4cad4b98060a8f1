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
const maximumLooks = 512;
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

interface Watched {
  readonly link: Link;
  readonly isInterface: boolean;
  readonly direction: "up" | "down" | undefined;
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
  readonly #watched = new Map<string, Watched>();
  readonly #keepsHistory: boolean;
  readonly #means = { up: [] as number[], down: [] as number[] };
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
    const sums = { up: 0, down: 0 };
    const counts = { up: 0, down: 0 };
    for (const link of this.#world.network.links.values()) {
      const watched = this.#watched.get(link.name) ?? this.#watch(link);
      const use = this.#useSince(watched, elapsed);
      watched.use?.push(use);
      if (watched.direction === undefined) continue;
      sums[watched.direction] += use;
      counts[watched.direction] += 1;
    }
    if (!this.#keepsHistory) {
      this.#slowDown(this.#lookedAt - this.#world.startNanoseconds);
      return;
    }
    for (const direction of ["up", "down"] as const) {
      this.#means[direction].push(counts[direction] === 0 ? 0 : sums[direction] / counts[direction]);
    }
    this.#endsAt.push(this.#lookedAt - this.#world.startNanoseconds);
    this.#stored.push(this.#world.account.content.storedBytes);
    if (this.#endsAt.length >= maximumLooks) this.#thinOut();
  }

  busyTimes(): BusyTime[] {
    return [...this.#watched.values()].map(({ link, isInterface, busyNanoseconds, busyCapacityBits, bitsBefore }) => ({
      link,
      isInterface,
      busySeconds: busyNanoseconds / 1e9,
      useWhileBusy: busyCapacityBits === 0 ? 0 : Math.min(1, bitsBefore / busyCapacityBits),
    }));
  }

  history(): UseHistory {
    const own = [...this.#watched.values()].flatMap(({ link, use }) =>
      use === undefined ? [] : [{ name: link.name, use }],
    );
    return {
      endsAtNanoseconds: this.#endsAt,
      storedBytes: this.#stored,
      series: [
        ...own,
        { name: "all interfaces, up", use: this.#means.up },
        { name: "all interfaces, down", use: this.#means.down },
      ],
    };
  }

  #watch(link: Link): Watched {
    const { kind } = parseResourceName(link.name);
    const isInterface = kind === "agentNicUp" || kind === "agentNicDown";
    const isKept = this.#keepsHistory && (!isInterface || this.#world.network.links.size <= maximumSeries);
    const watched: Watched = {
      link,
      isInterface,
      direction: isInterface ? (kind === "agentNicUp" ? "up" : "down") : undefined,
      bitsBefore: 0,
      busyNanoseconds: 0,
      busyCapacityBits: 0,
      // A link that an event brings was not used before.
      use: isKept ? this.#endsAt.map(() => 0) : undefined,
    };
    this.#watched.set(link.name, watched);
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

  /** Without a history: as often as with one. */
  #slowDown(elapsedNanoseconds: number): void {
    if (elapsedNanoseconds >= this.#interval * maximumLooks) this.#interval *= 2;
  }

  #thinOut(): void {
    this.#interval *= 2;
    const uses = [...this.#watched.values()].flatMap(({ use }) => (use === undefined ? [] : [use]));
    for (const use of [...uses, this.#means.up, this.#means.down]) {
      replace(use, (first, second) => (first + second) / 2);
    }
    for (const total of [this.#endsAt, this.#stored]) replace(total, (_, second) => second);
  }
}

/** Makes one of every two values, in place. */
function replace(values: number[], combine: (first: number, second: number) => number): void {
  const half = Math.floor(values.length / 2);
  for (let index = 0; index < half; index += 1) {
    values[index] = combine(values[2 * index] ?? 0, values[2 * index + 1] ?? 0);
  }
  values.length = half;
}
