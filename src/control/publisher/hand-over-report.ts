/**
 * What is to be told of hand-overs: gathered until it can be sent, the newest word on each lane only. Failures and ends
 * are kept over a broken connection.
 */
import { maximumTextLength } from "../../protocol/limits.ts";
import type { FailureKind } from "../../protocol/parts.ts";
import type { HandedOver } from "../../protocol/publisher-messages.ts";

export class HandOverReport {
  readonly #publishId: string;
  readonly #lanes = new Map<number, HandedOver["lanes"][number]>();
  #failures: HandedOver["failures"] = [];

  constructor(publishId: string) {
    this.#publishId = publishId;
  }

  progress(laneId: number, handedBytes: number): void {
    this.#lanes.set(laneId, { laneId, handedBytes });
  }

  ended(laneId: number, handedBytes: number, ended: "closed" | "failed"): void {
    this.#lanes.set(laneId, { laneId, handedBytes, ended });
  }

  failed(laneId: number, kind: FailureKind, detail: string): void {
    this.#failures.push({ laneId, kind, detail: detail.slice(0, maximumTextLength) });
  }

  /** What has not been told yet; undefined: nothing. */
  take(): HandedOver | undefined {
    if (this.#lanes.size === 0 && this.#failures.length === 0) return undefined;
    const lanes = [...this.#lanes.values()];
    const failures = this.#failures;
    this.#lanes.clear();
    this.#failures = [];
    return { type: "handedOver", publishId: this.#publishId, lanes, failures };
  }
}
