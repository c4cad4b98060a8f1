/**
 * Overall scheduling (claims 5, 34): everything is matched from scratch in one pass, from the state of all members and the
 * resources of the whole system. That happens at fixed intervals, at once when the situation has changed (a file set, the
 * topology, what an operator wants), and as soon as half of what the last pass set going has come to its end, since by then half of
 * the ends idle. In between, reports are taken in and publishers' lanes are kept filled; nothing is scheduled.
 */
import type { Decisions } from "./decisions.ts";
import type { IncrementalMode } from "./incremental.ts";
import type { Lane } from "./lane.ts";
import type { SchedulerSettings } from "./limits.ts";
import type { Mode } from "./mode.ts";
import type { Member } from "./world.ts";

export class OverallMode implements Mode {
  /** Does the matching; here all members are shown to it at once. */
  readonly #inner: IncrementalMode;
  readonly #settings: SchedulerSettings;
  readonly #lanes: ReadonlyMap<number, Lane>;
  #requested = true;
  #dueNanoseconds = 0;
  #lanesAfterPass = 0;

  constructor(inner: IncrementalMode, settings: SchedulerSettings, lanes: ReadonlyMap<number, Lane>) {
    this.#inner = inner;
    this.#settings = settings;
    this.#lanes = lanes;
  }

  touch(member: Member): void {
    this.#inner.touch(member);
  }

  touchAll(): void {
    this.#inner.touchAll();
    this.#requested = true;
  }

  rankAnew(): void {
    this.#inner.rankAnew();
    this.#requested = true;
  }

  forget(member: Member): void {
    this.#inner.forget(member);
  }

  get isTouched(): boolean {
    return this.#requested || (this.#inner.isTouched && this.#enoughEnded());
  }

  get nextLookNanoseconds(): number | undefined {
    if (this.#inner.isTouched) return this.#dueNanoseconds;
    const look = this.#inner.nextLookNanoseconds;
    return look === undefined ? undefined : Math.max(look, this.#dueNanoseconds);
  }

  decide(now: number, decisions: Decisions): void {
    if (!this.#requested && now < this.#dueNanoseconds && !this.#enoughEnded()) {
      this.#inner.keepHandingOver(now, decisions);
      return;
    }
    this.#requested = false;
    this.#inner.touchAll();
    this.#inner.decide(now, decisions);
    this.#lanesAfterPass = this.#lanes.size;
    this.#dueNanoseconds = now + this.#settings.replanMilliseconds * 1_000_000;
  }

  #enoughEnded(): boolean {
    const left = this.#lanes.size;
    return left < this.#lanesAfterPass && left <= this.#lanesAfterPass * this.#settings.replanBelowShare;
  }
}
