/**
 * Where `current` of each file set points, and where the controller wants it: it moves when all of the wanted version is
 * held. Versions that were current before are remembered, for what is kept.
 */
import type { AgentContext } from "./context.ts";
import type { AgentDocument } from "./agent-document.ts";
import { longestRetryNanoseconds, maximumPreviousVersions, shortestRetryNanoseconds } from "./limits.ts";
import type { Reports } from "./reports.ts";

interface Name {
  /** Undefined: the controller has not said; null: nowhere. */
  wanted: string | null | undefined;
  /** Versions that were current before, the latest first. */
  previous: string[];
  current: string | null;
  /** The move that was ordered last and has not been answered. */
  moving: { readonly to: string | null } | undefined;
  failures: number;
  retryAtNanoseconds: number | undefined;
}

export class Activation {
  readonly #context: AgentContext;
  readonly #reports: Reports;
  readonly #isHeld: (name: string, version: string) => boolean;
  readonly #names = new Map<string, Name>();

  constructor(context: AgentContext, reports: Reports, isHeld: (name: string, version: string) => boolean) {
    this.#context = context;
    this.#reports = reports;
    this.#isHeld = isHeld;
  }

  restore(active: AgentDocument["active"], current: readonly { name: string; version: string }[]): void {
    for (const { name, version, previous } of active) {
      const entry = this.#name(name);
      entry.wanted = version;
      entry.previous = [...previous];
    }
    for (const { name, version } of current) this.#name(name).current = version;
  }

  /** The controller's word. @returns whether it is news */
  want(name: string, version: string | null): void {
    const entry = this.#name(name);
    if (entry.wanted !== version) {
      entry.wanted = version;
      this.#context.documentChanged = true;
    }
    this.settle(name);
  }

  /** Moves `current` if it is to be moved and can be. */
  settle(name: string): void {
    const entry = this.#names.get(name);
    if (entry === undefined || entry.moving !== undefined || entry.retryAtNanoseconds !== undefined) return;
    const { wanted, current } = entry;
    if (wanted === undefined || wanted === current) return;
    if (wanted === null || this.#isHeld(name, wanted)) this.#move(name, entry, wanted);
  }

  /** This version is about to be deleted: `current` must not point to it. */
  leave(name: string, version: string): void {
    const entry = this.#names.get(name);
    if (entry === undefined) return;
    if (entry.current === version || entry.moving?.to === version) this.#move(name, entry, null);
  }

  activated(name: string, version: string | null): void {
    const entry = this.#name(name);
    if (entry.moving?.to === version) entry.moving = undefined;
    entry.failures = 0;
    if (entry.current !== version) {
      if (entry.current !== null) this.#remember(entry, entry.current);
      entry.current = version;
      this.#context.documentChanged = true;
      this.#reports.currentMoved(name, version);
    }
    this.settle(name);
  }

  /** A move could not be made; it is tried again. */
  failed(name: string, problem: string): void {
    const entry = this.#names.get(name);
    if (entry?.moving === undefined) return;
    entry.moving = undefined;
    entry.failures += 1;
    const pause = shortestRetryNanoseconds * 2 ** Math.min(entry.failures - 1, 20);
    entry.retryAtNanoseconds = this.#context.nowNanoseconds + Math.min(longestRetryNanoseconds, pause);
    this.#context.note("error", `current of ${name} cannot be moved: ${problem}`);
  }

  retryDue(): void {
    for (const [name, entry] of this.#names) {
      if (entry.retryAtNanoseconds === undefined || entry.retryAtNanoseconds > this.#context.nowNanoseconds) continue;
      entry.retryAtNanoseconds = undefined;
      this.settle(name);
    }
  }

  get wakeAtNanoseconds(): number | undefined {
    let wakeAt: number | undefined;
    for (const { retryAtNanoseconds } of this.#names.values()) {
      if (retryAtNanoseconds !== undefined) wakeAt = Math.min(retryAtNanoseconds, wakeAt ?? retryAtNanoseconds);
    }
    return wakeAt;
  }

  /** Whether an order to move `current` has not been answered yet. */
  isMoving(name: string): boolean {
    return this.#names.get(name)?.moving !== undefined;
  }

  /** For deciding what is kept. */
  standing(name: string): { current: string | undefined; active: string | undefined; previous: readonly string[] } {
    const entry = this.#names.get(name);
    return {
      current: entry?.current ?? undefined,
      active: entry?.wanted ?? undefined,
      previous: entry?.previous ?? [],
    };
  }

  /** Where `current` points, for each name where it points somewhere. */
  whole(): { name: string; version: string }[] {
    return [...this.#names].flatMap(([name, { current }]) => (current === null ? [] : [{ name, version: current }]));
  }

  document(): AgentDocument["active"] {
    return [...this.#names].flatMap(([name, { wanted, previous }]) =>
      wanted === undefined && previous.length === 0 ? [] : [{ name, version: wanted ?? null, previous }],
    );
  }

  #move(name: string, entry: Name, version: string | null): void {
    entry.moving = { to: version };
    entry.retryAtNanoseconds = undefined;
    this.#context.order({ type: "activate", name, version });
  }

  #remember(entry: Name, version: string): void {
    entry.previous = [version, ...entry.previous.filter((other) => other !== version)].slice(
      0,
      maximumPreviousVersions,
    );
  }

  #name(name: string): Name {
    let entry = this.#names.get(name);
    if (entry === undefined) {
      entry = {
        wanted: undefined,
        previous: [],
        current: null,
        moving: undefined,
        failures: 0,
        retryAtNanoseconds: undefined,
      };
      this.#names.set(name, entry);
    }
    return entry;
  }
}
