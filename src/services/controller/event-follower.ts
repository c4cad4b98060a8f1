/**
 * One follower of the event stream: what waits to be read by it is bounded. If it falls behind, events are left out, and
 * when it reads again it gets a snapshot of everything in their place.
 */
import { maximumFollowerBytes, streamRetryMilliseconds } from "./limits.ts";
import type { SentEvent } from "./recent-events.ts";

export interface EventFollowerOptions {
  readonly topics: readonly string[];
  /** What all of its topics hold now. */
  readonly snapshots: () => readonly SentEvent[];
  readonly onGone: () => void;
}

export class EventFollower {
  readonly topics: readonly string[];
  readonly stream: ReadableStream<Uint8Array>;
  readonly #options: EventFollowerOptions;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #isBehind = false;
  /** Sent anything since the last keep-alive. */
  #isQuiet = true;

  constructor(options: EventFollowerOptions) {
    this.topics = options.topics;
    this.#options = options;
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          if (this.#isBehind) this.#catchUp();
        },
        cancel: () => this.#gone(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: maximumFollowerBytes }),
    );
  }

  /** @param missed what came since its last event; undefined: it gets snapshots */
  begin(missed: readonly SentEvent[] | undefined): void {
    this.#enqueue(Buffer.from(`retry: ${streamRetryMilliseconds}\n\n`));
    if (missed === undefined) this.#catchUp();
    else for (const event of missed) this.send(event);
  }

  send({ frame }: SentEvent): void {
    if (this.#isBehind) return;
    if ((this.#controller?.desiredSize ?? 0) <= 0) {
      this.#isBehind = true;
      return;
    }
    this.#isQuiet = false;
    this.#enqueue(frame);
  }

  /** Says, if nothing else was said for a while, that the controller is there and nothing is different. */
  keepAlive(id: string): void {
    if (this.#isQuiet && !this.#isBehind && (this.#controller?.desiredSize ?? 0) > 0) {
      const text = JSON.stringify({ topic: this.topics[0], atMilliseconds: Date.now() });
      this.#enqueue(Buffer.from(`event: delta\nid: ${id}\ndata: ${text}\n\n`));
    }
    this.#isQuiet = true;
  }

  end(): void {
    const controller = this.#controller;
    this.#gone();
    try {
      controller?.close();
    } catch {
      // It was cancelled already.
    }
  }

  #catchUp(): void {
    this.#isBehind = false;
    this.#isQuiet = false;
    for (const { frame } of this.#options.snapshots()) this.#enqueue(frame);
  }

  #enqueue(frame: Uint8Array): void {
    this.#controller?.enqueue(frame);
  }

  #gone(): void {
    this.#controller = undefined;
    this.#options.onGone();
  }
}
