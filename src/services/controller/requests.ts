/** Operators' requests on their way through the state machine: each has an id, and its answer comes back by it. */
import type { ControllerEvent, OperatorReply } from "../../control/controller/controller-events.ts";
import type { OperatorRequest } from "../../protocol/views.ts";
import { maximumPendingRequests, requestTimeoutMilliseconds } from "./limits.ts";

interface PendingRequest {
  readonly resolve: (reply: OperatorReply) => void;
  readonly timer: NodeJS.Timeout;
}

export class PendingRequests {
  readonly #submit: (event: ControllerEvent) => void;
  readonly #pending = new Map<number, PendingRequest>();
  #nextId = 1;

  constructor(submit: (event: ControllerEvent) => void) {
    this.#submit = submit;
  }

  /** Asks the state machine. The answer is durable when it comes; `unavailable` when there are too many, or it takes too long. */
  async ask(request: OperatorRequest): Promise<OperatorReply> {
    if (this.#pending.size >= maximumPendingRequests) {
      return unavailable("too many requests wait for their answer: try again later");
    }
    const requestId = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => this.answer(requestId, unavailable("no answer came in time: try again later")),
        requestTimeoutMilliseconds,
      );
      this.#pending.set(requestId, { resolve, timer });
      this.#submit({ type: "request", requestId, request });
    });
  }

  /** The answer to this request; one that nobody waits for any more is dropped. */
  answer(requestId: number, reply: OperatorReply): void {
    const pending = this.#pending.get(requestId);
    if (pending === undefined) return;
    this.#pending.delete(requestId);
    clearTimeout(pending.timer);
    pending.resolve(reply);
  }

  /** The controller stops: whoever still waits is told so. */
  close(): void {
    for (const requestId of this.#pending.keys()) {
      this.answer(requestId, unavailable("the controller is stopping: try again"));
    }
  }
}

function unavailable(message: string): OperatorReply {
  return { ok: false, code: "unavailable", message };
}
