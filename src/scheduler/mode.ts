/**
 * When the scheduler looks at what: a mode (claims 5 to 8) is told what has changed, and decides. What it chooses is the
 * matter of its policy (`policy.ts`).
 */
import type { Decisions } from "./decisions.ts";
import type { Member } from "./world.ts";

export interface Mode {
  /** Something about a member has changed: what it holds or wants, its bandwidth, whether it may be used. */
  touch(member: Member): void;
  /** Something that concerns everybody has changed. */
  touchAll(): void;
  /** The set of orders has changed, or how they rank. */
  rankAnew(): void;
  /** The member is gone. */
  forget(member: Member): void;
  decide(now: number, decisions: Decisions): void;
  /** Whether there is something to decide on at once. */
  readonly isTouched: boolean;
  /** When `decide` is worth calling although nothing was heard; undefined: it is not. */
  readonly nextLookNanoseconds: number | undefined;
}
