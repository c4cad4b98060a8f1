/**
 * Finds lanes that have stalled, and judges what they have in common. A lane ends as soon as it has stalled, so that its
 * blocks are given anew; the verdict waits, at most half a stall time, until it is clear of the other lanes whether they
 * deliver: a dead link is seen on one lane a moment before it is seen on the next.
 */
import type { FileSetKey } from "../../protocol/parts.ts";
import type { LanePath, Verdict } from "./blame.ts";
import { judgeStalls } from "./blame.ts";
import type { AgentContext } from "./context.ts";
import type { Lane, Lanes } from "./lanes.ts";
import { isExpecting } from "./lanes.ts";

interface Stall extends LanePath {
  readonly atNanoseconds: number;
  readonly fileSet: FileSetKey | undefined;
  readonly detail: string;
}

/** A verdict on lanes that stalled. */
export interface StallVerdict extends Verdict {
  readonly detail: string;
  readonly fileSet: FileSetKey | undefined;
}

export class StallWatch {
  readonly #context: AgentContext;
  readonly #lanes: Lanes;
  #unjudged: Stall[] = [];

  constructor(context: AgentContext, lanes: Lanes) {
    this.#context = context;
    this.#lanes = lanes;
  }

  /** A lane stalled; it has been taken out already. */
  add(lane: Lane, detail: string): void {
    this.#unjudged.push({
      sourceName: lane.open.holderName,
      path: lane.open.path,
      atNanoseconds: this.#context.nowNanoseconds,
      fileSet: lane.due[0]?.fileSet,
      detail,
    });
  }

  /** Ends the lanes that have stalled. @returns verdicts that are ready */
  check(): StallVerdict[] {
    const now = this.#context.nowNanoseconds;
    const { stallNanoseconds } = this.#context.settings;
    for (const lane of this.#lanes.all()) {
      if (!isExpecting(lane) || now - lane.quietSinceNanoseconds < stallNanoseconds) continue;
      this.#lanes.fail(lane.open.laneId, false);
      const seconds = Math.floor((now - lane.quietSinceNanoseconds) / 100_000_000) / 10;
      this.add(lane, `no byte came from ${lane.open.holderName} for ${String(seconds)} s`);
    }
    const [first] = this.#unjudged;
    if (first === undefined) return [];
    if (this.#isUnclear() && now < first.atNanoseconds + this.#halfStall) return [];
    return this.#judge(first.atNanoseconds - this.#halfStall);
  }

  get wakeAtNanoseconds(): number | undefined {
    const [first] = this.#unjudged;
    let wakeAt = first === undefined ? undefined : first.atNanoseconds + this.#halfStall;
    for (const lane of this.#lanes.all()) {
      if (!isExpecting(lane)) continue;
      const stallsAt = lane.quietSinceNanoseconds + this.#context.settings.stallNanoseconds;
      wakeAt = Math.min(stallsAt, wakeAt ?? stallsAt);
    }
    return wakeAt;
  }

  get #halfStall(): number {
    return Math.floor(this.#context.settings.stallNanoseconds / 2);
  }

  /** Whether a lane has been quiet for so long that it may be about to stall too. */
  #isUnclear(): boolean {
    const now = this.#context.nowNanoseconds;
    for (const lane of this.#lanes.all()) {
      if (isExpecting(lane) && now - lane.quietSinceNanoseconds >= this.#halfStall) return true;
    }
    return false;
  }

  #judge(sinceNanoseconds: number): StallVerdict[] {
    const stalls = this.#unjudged;
    this.#unjudged = [];
    const delivering: LanePath[] = [];
    for (const lane of this.#lanes.all()) {
      if (lane.lastByteAtNanoseconds !== undefined && lane.lastByteAtNanoseconds >= sinceNanoseconds) {
        delivering.push({ sourceName: lane.open.holderName, path: lane.open.path });
      }
    }
    return judgeStalls(this.#context.identity.name, stalls, delivering).map((verdict) => {
      const mine = stalls.filter((stall) => verdict.sourceNames.includes(stall.sourceName));
      return { ...verdict, detail: mine.map((stall) => stall.detail).join("; "), fileSet: mine[0]?.fileSet };
    });
  }
}
