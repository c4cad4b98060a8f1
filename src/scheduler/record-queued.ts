/** Writes down a portion that was queued into a lane as a decision for a trace (decision-record.ts). */
import { maximumRunnersUp, type DecisionRecord, type OnDecision } from "./decision-record.ts";
import type { QueuedPortion } from "./decisions.ts";
import type { Member } from "./world.ts";

/** A source that was considered, and what the cost function made of it. */
export interface Scored {
  readonly source: Member;
  readonly score: number;
}

export interface Deliberation {
  readonly now: number;
  readonly mode: string;
  readonly reason: string;
  /** All that were scored, the chosen one among them; empty where there was no choice. */
  readonly considered: readonly Scored[];
}

/** Hands `onDecision` what was queued, with the score of the source and of those next to it. */
export function recordQueued(queued: QueuedPortion, why: Deliberation, onDecision: OnDecision): void {
  const { lane, order, ranges } = queued;
  const { fileSet, kind } = order.description;
  const target = lane.target.name;
  const chosen = why.considered.find(({ source }) => source === lane.source);
  const record: DecisionRecord = {
    atNanoseconds: why.now,
    mode: why.mode,
    reason: why.reason,
    fileSet: kind === "manifest" ? `${fileSet} manifest` : fileSet,
    source: lane.source.name,
    target,
    blocks: ranges.toFlat(),
    rateBitsPerSecond: lane.rateBitsPerSecond,
    score: chosen?.score ?? 0,
    runnersUp: why.considered
      .filter(({ source }) => source !== lane.source)
      .toSorted((one, other) => other.score - one.score)
      .slice(0, maximumRunnersUp)
      .map(({ source, score }) => ({ source: source.name, target, score })),
  };
  onDecision(record);
}
