/**
 * Failures that this agent has worked out and the controller has not acknowledged yet (claim 16). They are part of the
 * document, so a restart does not lose them.
 */
import type { Failure, FailureKind, FileSetKey } from "../../protocol/parts.ts";
import { maximumTextLength } from "../../protocol/limits.ts";
import type { Verdict } from "./blame.ts";
import type { AgentContext } from "./context.ts";
import { maximumUnacknowledgedFailures } from "./limits.ts";
import type { Reports } from "./reports.ts";

const maximumSourceNameLength = 128;
const maximumAlsoSuspected = 32;

export class Failures {
  readonly #context: AgentContext;
  readonly #reports: Reports;
  #waiting: Failure[] = [];
  #nextFailureId = 1;

  constructor(context: AgentContext, reports: Reports) {
    this.#context = context;
    this.#reports = reports;
  }

  restore(failures: readonly Failure[], nextFailureId: number): void {
    this.#waiting = [...failures];
    this.#nextFailureId = nextFailureId;
  }

  get waiting(): readonly Failure[] {
    return this.#waiting;
  }

  get nextFailureId(): number {
    return this.#nextFailureId;
  }

  add(verdict: Verdict, kind: FailureKind, detail: string, fileSet: FileSetKey | undefined): void {
    const [sourceName] = verdict.sourceNames;
    const failure: Failure = {
      failureId: this.#nextFailureId,
      component: verdict.component,
      certain: verdict.certain,
      alsoSuspected: verdict.alsoSuspected.slice(0, maximumAlsoSuspected),
      kind,
      ...(sourceName === undefined ? {} : { sourceName: sourceName.slice(0, maximumSourceNameLength) }),
      ...(fileSet === undefined ? {} : { fileSet }),
      detail: detail.slice(0, maximumTextLength),
    };
    this.#nextFailureId += 1;
    this.#waiting.push(failure);
    if (this.#waiting.length > maximumUnacknowledgedFailures) this.#waiting.shift();
    this.#context.documentChanged = true;
    this.#reports.failed(failure);
  }

  /** The controller has them in its store. */
  acknowledge(failureIds: readonly number[]): void {
    const known = new Set(failureIds);
    const left = this.#waiting.filter((failure) => !known.has(failure.failureId));
    if (left.length === this.#waiting.length) return;
    this.#waiting = left;
    this.#context.documentChanged = true;
  }
}
