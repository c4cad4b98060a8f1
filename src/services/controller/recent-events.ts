/** The last events of a topic, bounded in number and bytes, for followers whose connection broke for a moment. */
import { maximumRecentEventBytes, maximumRecentEvents } from "./limits.ts";

export interface SentEvent {
  /** Rises over the events of all topics. */
  readonly sequence: number;
  /** As it goes over the wire. */
  readonly frame: Uint8Array;
}

export class RecentEvents {
  readonly #events: SentEvent[] = [];
  #lengthBytes = 0;
  /** Whoever has seen this one, or a later one, has missed nothing that is not here. */
  #completeSince: number;

  /** @param sequence that of the last event before the topic began */
  constructor(sequence: number) {
    this.#completeSince = sequence;
  }

  add(event: SentEvent): void {
    this.#events.push(event);
    this.#lengthBytes += event.frame.length;
    while (this.#events.length > maximumRecentEvents || this.#lengthBytes > maximumRecentEventBytes) {
      const oldest = this.#events.shift();
      if (oldest === undefined) return;
      this.#completeSince = oldest.sequence;
      this.#lengthBytes -= oldest.frame.length;
    }
  }

  /** What came after; undefined: not all of it is here any more. */
  since(sequence: number): SentEvent[] | undefined {
    if (sequence < this.#completeSince) return undefined;
    return this.#events.filter((event) => event.sequence > sequence);
  }
}
