/** What all topics are made from: the controller's state, and what is counted beside it for showing. */
import type { ControllerState } from "../state.ts";
import type { FailureLog } from "./failure-log.ts";
import type { HeldBack } from "./held-back.ts";
import type { Progress, ProgressListener } from "./progress.ts";
import type { ResourceUsage } from "./resource-usage.ts";
import type { TopicParts } from "./topic-parts.ts";
import type { Traffic } from "./traffic.ts";

export interface LiveState {
  readonly state: ControllerState;
  readonly progress: Progress;
  readonly traffic: Traffic;
  readonly usage: ResourceUsage;
  readonly failures: FailureLog;
  readonly heldBack: HeldBack;
}

/** One topic that someone listens to. It hears which agents and file sets are different, and notes them. */
export interface LiveTopic extends ProgressListener {
  readonly parts: TopicParts;
  readonly periodMilliseconds: number;
  /** Brings the parts up to date. */
  refresh(nowNanoseconds: number): void;
  /** Nobody listens any more. */
  close?(): void;
}
