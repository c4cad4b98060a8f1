/**
 * Carries out the controller's instructions (claims 1, 13, 28): close, open, transfers, rates, in this order. What an
 * instruction names that cannot be pulled here ends its lane, so that the controller learns at once that it is to be
 * given anew; what is held or due on that lane already is left out.
 */
import { RangeSet } from "../../std/ranges.ts";
import type { Instruct } from "../../protocol/controller-messages.ts";
import type { Portion } from "../../protocol/parts.ts";
import type { AgentContext } from "./context.ts";
import { manifestOf } from "./file-set-record.ts";
import type { FileSets } from "./file-sets.ts";
import type { Lane, Lanes } from "./lanes.ts";
import { maximumLanes } from "./limits.ts";
import type { Reports } from "./reports.ts";

export class Instructions {
  readonly #context: AgentContext;
  readonly #fileSets: FileSets;
  readonly #lanes: Lanes;
  readonly #reports: Reports;

  constructor(context: AgentContext, fileSets: FileSets, lanes: Lanes, reports: Reports) {
    this.#context = context;
    this.#fileSets = fileSets;
    this.#lanes = lanes;
    this.#reports = reports;
  }

  carryOut(message: Instruct): void {
    this.#lanes.closeAll(message.close);
    for (const open of message.open) {
      const isKnown = this.#lanes.get(open.laneId) !== undefined;
      const isSelf = open.holderId === this.#context.identity.agentId;
      if (isSelf || (!isKnown && this.#lanes.count >= maximumLanes)) this.#refuse(open.laneId);
      else this.#lanes.open(open, message.term);
    }
    for (const { laneId, portions, ticket } of message.transfers) {
      const lane = this.#lanes.get(laneId);
      if (lane === undefined || !this.#pull(lane, portions, ticket)) this.#refuse(laneId);
      else lane.term = message.term;
      if (lane !== undefined) this.#lanes.endWhenEmpty(lane);
    }
    for (const { laneId, rateBitsPerSecond, ticket } of message.rates) {
      const lane = this.#lanes.get(laneId);
      if (lane === undefined) continue;
      lane.term = message.term;
      this.#lanes.setRate(lane, rateBitsPerSecond, ticket);
    }
  }

  /** @returns false when a portion is not one that this agent can pull */
  #pull(lane: Lane, portions: readonly Portion[], ticket: string): boolean {
    for (const portion of portions) {
      const blocks = this.#missing(portion);
      if (blocks === undefined) return false;
      const due = this.#lanes.dueOn(lane, portion.fileSet, portion.order);
      if (due !== undefined) blocks.removeAll(due);
      if (blocks.isEmpty) continue;
      if (!this.#lanes.pull(lane, portion.fileSet, portion.order, blocks, ticket)) return false;
    }
    return true;
  }

  /** What of a portion is not held; undefined when it is of nothing that is known here and wanted. */
  #missing({ fileSet, order, ranges }: Portion): RangeSet | undefined {
    const record = this.#fileSets.get(fileSet);
    if (record === undefined || record.phase.status === "deleting") return undefined;
    const blockCount = order === "manifest" ? record.intake.pieceCount : manifestOf(record)?.blockCount;
    const asked = RangeSet.fromFlat(ranges);
    if (blockCount === undefined || asked.last() >= blockCount) return undefined;
    return asked.difference(order === "manifest" ? record.intake.held : record.held);
  }

  /** Tells the controller that a lane is not there (any more). */
  #refuse(laneId: number): void {
    if (this.#lanes.get(laneId) !== undefined) this.#lanes.close(laneId);
    else this.#reports.laneEnded({ laneId, receivedBytes: 0, ended: "closed" });
  }
}
