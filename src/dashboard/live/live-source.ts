/**
 * The page's line to the controller: one event stream with all topics that the page shows, opened again whenever it
 * breaks or falls silent. What comes is put together here and shown once for each frame of the display at most.
 */
import { batch, signal, type Signal } from "@preact/signals";
import { applyEvent } from "../../protocol/api/apply-event.ts";
import type { AnyTopicData, LiveEvent } from "../../protocol/api/events.ts";
import { firstRetryMilliseconds, longestRetryMilliseconds, silenceMilliseconds } from "./limits.ts";

/** What this needs of a browser's `EventSource`; tests bring their own. */
export interface EventStream {
  addEventListener(type: string, listener: (event: { readonly data?: string }) => void): void;
  close(): void;
}

/** What this needs of its surroundings. */
export interface Surroundings {
  openStream(url: string): EventStream;
  /** Milliseconds since 1970. */
  now(): number;
  /** @returns a function that stops the timer */
  setTimer(action: () => void, delayMilliseconds: number): () => void;
  /** Calls back before the next frame is drawn. */
  onNextFrame(action: () => void): void;
}

export type Connection =
  | { readonly state: "connecting" }
  | { readonly state: "live" }
  /** `hadOne`: whether anything ever came. */
  | { readonly state: "lost"; readonly sinceMilliseconds: number; readonly hadOne: boolean };

export class LiveSource {
  readonly connection: Signal<Connection> = signal<Connection>({ state: "connecting" });
  readonly #surroundings: Surroundings;
  readonly #shown = new Map<string, Signal<AnyTopicData | undefined>>();
  readonly #newest = new Map<string, AnyTopicData | undefined>();
  readonly #dates = new Map<string, number>();
  readonly #wanted = new Map<string, number>();
  readonly #unseen = new Set<string>();
  #stream: EventStream | undefined;
  #openTopics = "";
  #stopTimer: () => void = () => undefined;
  #retryMilliseconds = firstRetryMilliseconds;
  #hadOne = false;
  #frameAsked = false;
  #updateAsked = false;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** What is known of a topic: undefined until its first snapshot. */
  topic(name: string): Signal<AnyTopicData | undefined> {
    let shown = this.#shown.get(name);
    if (shown === undefined) this.#shown.set(name, (shown = signal<AnyTopicData | undefined>(undefined)));
    return shown;
  }

  /** When it was as it is shown, by the controller's clock: milliseconds since 1970. Undefined before the first snapshot. */
  dateOf(name: string): number | undefined {
    return this.#dates.get(name);
  }

  /** Follows a topic until the returned function is called. */
  follow(name: string): () => void {
    this.#wanted.set(name, (this.#wanted.get(name) ?? 0) + 1);
    this.#askForUpdate();
    let following = true;
    return () => {
      if (!following) return;
      following = false;
      const left = (this.#wanted.get(name) ?? 1) - 1;
      if (left > 0) this.#wanted.set(name, left);
      else this.#wanted.delete(name);
      this.#askForUpdate();
    };
  }

  /** Tries again now, without waiting for the next attempt. */
  retry(): void {
    this.#retryMilliseconds = firstRetryMilliseconds;
    this.#open();
  }

  /** A change of pages ends and begins several topics: one new stream for all of it. */
  #askForUpdate(): void {
    if (this.#updateAsked) return;
    this.#updateAsked = true;
    queueMicrotask(() => {
      this.#updateAsked = false;
      if (this.#topics() !== this.#openTopics) this.#open();
    });
  }

  #topics(): string {
    return [...this.#wanted.keys()].sort().join(",");
  }

  #open(): void {
    this.#close();
    this.#openTopics = this.#topics();
    // What nobody looks at is out of date when somebody looks again.
    for (const name of this.#shown.keys()) if (!this.#wanted.has(name)) this.#shown.delete(name);
    if (this.#openTopics === "") return;
    const stream = this.#surroundings.openStream(`v1/events?topics=${encodeURIComponent(this.#openTopics)}`);
    this.#stream = stream;
    for (const type of ["snapshot", "delta"] as const) {
      stream.addEventListener(type, ({ data }) => {
        if (this.#stream === stream) this.#receive(type, data ?? "");
      });
    }
    stream.addEventListener("error", () => {
      if (this.#stream === stream) this.#lose();
    });
    this.#expectSomething();
  }

  #close(): void {
    this.#stopTimer();
    this.#stream?.close();
    this.#stream = undefined;
    this.#newest.clear();
    this.#unseen.clear();
  }

  #receive(type: "snapshot" | "delta", text: string): void {
    let event: LiveEvent;
    try {
      event = { ...(JSON.parse(text) as Omit<LiveEvent, "type">), type } as LiveEvent;
    } catch {
      this.#lose();
      return;
    }
    this.#newest.set(event.topic, applyEvent(this.#newest.get(event.topic), event));
    this.#dates.set(event.topic, event.atMilliseconds);
    this.#unseen.add(event.topic);
    this.#hadOne = true;
    this.#retryMilliseconds = firstRetryMilliseconds;
    this.#expectSomething();
    if (this.#frameAsked) return;
    this.#frameAsked = true;
    this.#surroundings.onNextFrame(() => {
      this.#frameAsked = false;
      this.#show();
    });
  }

  #show(): void {
    batch(() => {
      for (const name of this.#unseen) {
        const newest = this.#newest.get(name);
        if (newest !== undefined) this.topic(name).value = newest;
      }
      this.#unseen.clear();
      if (this.#stream !== undefined && this.#newest.size > 0 && this.connection.value.state !== "live") {
        this.connection.value = { state: "live" };
      }
    });
  }

  #expectSomething(): void {
    this.#stopTimer();
    this.#stopTimer = this.#surroundings.setTimer(() => this.#lose(), silenceMilliseconds);
  }

  #lose(): void {
    this.#close();
    if (this.connection.value.state !== "lost") {
      this.connection.value = { state: "lost", sinceMilliseconds: this.#surroundings.now(), hadOne: this.#hadOne };
    }
    this.#stopTimer = this.#surroundings.setTimer(() => this.#open(), this.#retryMilliseconds);
    this.#retryMilliseconds = Math.min(longestRetryMilliseconds, this.#retryMilliseconds * 2);
  }
}
