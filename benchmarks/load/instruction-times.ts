/**
 * How long it takes from a report to the instruction that it called for.
 *
 * A transfer can be instructed when both its ends are free. What called for it is the later of two reports: the last one
 * that ended a transfer into its target, and the last one that ended a transfer out of its source. The time counts from
 * when the agent hands the report to its connection until an agent has read the instruction. Blocks that had yet to come
 * to the source count too: then nothing could be instructed earlier, and it still counts as the controller's time.
 */
import type { Instruct } from "#src/protocol/controller-messages.ts";
import type { StateMessage } from "#src/protocol/agent-messages.ts";

export interface InstructionFigures {
  readonly transfers: number;
  /** Those with a report that called for them; the first ones of an agent have none. */
  readonly timed: number;
  readonly medianMilliseconds: number;
  readonly p99Milliseconds: number;
  readonly mostMilliseconds: number;
  readonly within50MillisecondsShare: number;
}

/** What a lane runs between, by its number. */
interface Ends {
  readonly source: string;
  readonly target: string;
}

const promisedMilliseconds = 50;

export class InstructionTimes {
  readonly #lanes = new Map<number, Ends>();
  readonly #freeSources = new Map<string, number>();
  readonly #freeTargets = new Map<string, number>();
  #milliseconds: number[] = [];
  #transfers = 0;

  /** Forgets what was measured so far, not what runs. */
  begin(): void {
    this.#milliseconds = [];
    this.#transfers = 0;
  }

  /** What an agent sends, at the moment at which it does. */
  reported(agent: string, { lanes }: StateMessage, nowMilliseconds: number): void {
    for (const { laneId, ended } of lanes) {
      const ends = ended === undefined ? undefined : this.#lanes.get(laneId);
      if (ends === undefined) continue;
      this.#lanes.delete(laneId);
      this.#freeTargets.set(agent, nowMilliseconds);
      this.#freeSources.set(ends.source, nowMilliseconds);
    }
  }

  /** What an agent has read, at the moment at which it has. */
  instructed(agent: string, { open, transfers }: Instruct, nowMilliseconds: number): void {
    this.#transfers += transfers.length;
    for (const { laneId, holderName } of open) {
      const target = this.#freeTargets.get(agent);
      const source = this.#freeSources.get(holderName);
      this.#lanes.set(laneId, { source: holderName, target: agent });
      // A report calls for one transfer.
      this.#freeTargets.delete(agent);
      this.#freeSources.delete(holderName);
      const calledAt = Math.max(target ?? 0, source ?? 0);
      if (calledAt > 0) this.#milliseconds.push(nowMilliseconds - calledAt);
    }
  }

  figures(): InstructionFigures {
    const sorted = Float64Array.from(this.#milliseconds).sort();
    const within = sorted.findIndex((time) => time > promisedMilliseconds);
    return {
      transfers: this.#transfers,
      timed: sorted.length,
      medianMilliseconds: quantile(sorted, 0.5),
      p99Milliseconds: quantile(sorted, 0.99),
      mostMilliseconds: quantile(sorted, 1),
      within50MillisecondsShare:
        sorted.length === 0 ? Number.NaN : (within < 0 ? sorted.length : within) / sorted.length,
    };
  }
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
