/**
 * Who has which file set, and since when; and whether anything is still to come: what a simulation ends by, and the figures
 * that it gives.
 */
import { matchesSelector, parseSelector } from "../model/selector.ts";
import type { VirtualWorld } from "./virtual-world.ts";

interface Want {
  readonly agent: string;
  readonly fileSet: string;
  completedAtNanoseconds: number | undefined;
}

export class Progress {
  readonly #world: VirtualWorld;
  /** Targets that are not origins, by file set and agent. */
  readonly #wants = new Map<string, Map<string, Want>>();
  #incomplete = 0;
  #movedAt = 0;
  #heldUntil = 0;
  /** Something happened that may have been the last thing. */
  #isStale = true;
  #isOver = false;

  constructor(world: VirtualWorld) {
    this.#world = world;
    for (const content of world.contents.values()) this.add(content.key);
  }

  /** From now on this file set counts. */
  add(fileSet: string): void {
    const spec = this.#world.contents.get(fileSet)?.spec;
    if (spec === undefined || this.#wants.has(fileSet)) return;
    const selector = parseSelector(spec.targets);
    const wants = new Map<string, Want>();
    for (const { spec: agent } of this.#world.agents.values()) {
      if (!matchesSelector(selector, agent) || spec.origins.includes(agent.name)) continue;
      wants.set(agent.name, { agent: agent.name, fileSet, completedAtNanoseconds: undefined });
      this.#incomplete += 1;
    }
    this.#wants.set(fileSet, wants);
    this.changed();
  }

  /** It was removed: nobody is to have it any more. */
  remove(fileSet: string): void {
    for (const want of this.#wants.get(fileSet)?.values() ?? []) {
      if (want.completedAtNanoseconds === undefined) this.#incomplete -= 1;
    }
    this.#wants.delete(fileSet);
    this.changed();
  }

  moved(): void {
    this.#movedAt = this.#world.clock.nowNanoseconds;
  }

  changed(): void {
    this.moved();
    this.#isStale = true;
  }

  completed(agent: string, fileSet: string): void {
    const want = this.#wants.get(fileSet)?.get(agent);
    this.changed();
    if (want === undefined || want.completedAtNanoseconds !== undefined) return;
    want.completedAtNanoseconds = this.#world.clock.nowNanoseconds;
    this.#incomplete -= 1;
  }

  incompleted(agent: string, fileSet: string): void {
    const want = this.#wants.get(fileSet)?.get(agent);
    if (want?.completedAtNanoseconds === undefined) return;
    want.completedAtNanoseconds = undefined;
    this.#incomplete += 1;
    this.changed();
  }

  /** An agent's disk is lost. */
  lost(agent: string): void {
    for (const fileSet of this.#wants.keys()) this.incompleted(agent, fileSet);
  }

  /** Until then more is to come, whatever is complete. */
  holdUntil(nanoseconds: number): void {
    this.#heldUntil = nanoseconds;
  }

  /** When something last came closer to its end. */
  get movedAtNanoseconds(): number {
    return this.#movedAt;
  }

  /** Every publish is over, and every target that runs has everything. */
  get isOver(): boolean {
    if (this.#world.clock.nowNanoseconds < this.#heldUntil) return false;
    if (!this.#isStale) return this.#isOver;
    this.#isStale = false;
    this.#isOver = this.#mayBeOver() && this.missing().every(({ isDead }) => isDead);
    return this.#isOver;
  }

  /** A look at the counts, before who lacks what is looked through. */
  #mayBeOver(): boolean {
    const { agents, running, contents } = this.#world;
    const names = new Set([...contents.values()].map(({ spec }) => spec.name));
    const dead = (agents.size - running.size) * this.#wants.size;
    return (this.#incomplete <= dead || names.size < contents.size) && this.#publishesAreOver();
  }

  #publishesAreOver(): boolean {
    const { publishers, contents } = this.#world;
    return (
      publishers.length >= contents.size &&
      publishers.every(({ outcome, content }) => outcome !== undefined || !this.#wants.has(content.key))
    );
  }

  /** Who lacks what of the file sets that are to be had. `isDead`: it does not run. */
  missing(): { agent: string; fileSet: string; isDead: boolean }[] {
    const superseded = this.#superseded();
    return [...this.#wants].flatMap(([fileSet, wants]) =>
      [...wants.values()]
        .filter(() => !superseded.has(fileSet))
        .filter(({ completedAtNanoseconds }) => completedAtNanoseconds === undefined)
        .map(({ agent }) => ({ agent, fileSet, isDead: this.#world.agents.get(agent)?.core === undefined })),
    );
  }

  /** Targets that are no origins and do not run. */
  deadTargets(): ReadonlySet<string> {
    const dead = new Set<string>();
    for (const wants of this.#wants.values()) {
      for (const agent of wants.keys()) if (this.#world.agents.get(agent)?.core === undefined) dead.add(agent);
    }
    return dead;
  }

  /** How many targets that are no origins a file set has. */
  wantCount(fileSet: string): number {
    return this.#wants.get(fileSet)?.size ?? 0;
  }

  /** Versions before the active one, by the controller's word: nobody has to obtain them any more. */
  #superseded(): ReadonlySet<string> {
    const names = new Set([...this.#world.contents.values()].map(({ spec }) => spec.name));
    const { core } = this.#world.controller;
    if (names.size === this.#world.contents.size || core === undefined) return new Set();
    const versions = core.fileSets();
    const activeOf = new Map(
      versions.flatMap(({ name, active, sequence }) => (active ? [[name, sequence] as const] : [])),
    );
    return new Set(
      versions.filter(({ name, sequence }) => sequence < (activeOf.get(name) ?? 0)).map(({ fileSet }) => fileSet),
    );
  }

  /** Nanoseconds from the scenario's time 0 at which each target that does not lack it had a file set, by agent. */
  completions(fileSet: string): Map<string, number> {
    const completions = new Map<string, number>();
    for (const { agent, completedAtNanoseconds } of this.#wants.get(fileSet)?.values() ?? []) {
      if (completedAtNanoseconds === undefined) continue;
      completions.set(agent, completedAtNanoseconds - this.#world.startNanoseconds);
    }
    return completions;
  }
}
