/** The last failures that agents reported, with what they were put down to; each once, however often it is reported. */
import type { FailureRow } from "../../../protocol/api/rows.ts";
import type { Failure } from "../../../protocol/parts.ts";
import { maximumListedFailures } from "./limits.ts";

export class FailureLog {
  readonly #rows: FailureRow[] = [];
  readonly #byKind = new Map<string, number>();
  #reported = 0;

  /** How many there have been. */
  get reported(): number {
    return this.#reported;
  }

  get byKind(): ReadonlyMap<string, number> {
    return this.#byKind;
  }

  /** Newest last. */
  get rows(): readonly FailureRow[] {
    return this.#rows;
  }

  note(reporter: string, failure: Failure, atMilliseconds: number): void {
    this.#reported += 1;
    this.#byKind.set(failure.kind, (this.#byKind.get(failure.kind) ?? 0) + 1);
    this.#rows.push({
      failure: String(this.#reported),
      atMilliseconds,
      reporter,
      kind: failure.kind,
      component: failure.component,
      certain: failure.certain,
      alsoSuspected: failure.alsoSuspected,
      source: failure.sourceName ?? null,
      fileSet: failure.fileSet ?? null,
      detail: failure.detail,
    });
    if (this.#rows.length > maximumListedFailures) this.#rows.shift();
  }
}
