/**
 * Follows a controller's event stream for as long as the reader wants: a broken connection, or a controller that is
 * restarted, is connected to again, with what came last, so that nothing is missed or a snapshot says all anew.
 */
import { setTimeout as pause } from "node:timers/promises";
import { retryPauseMilliseconds } from "../platform/retry-pause.ts";
import type { LiveEvent } from "../protocol/api/events.ts";
import type { ControllerClient } from "./controller-client.ts";
import { ClientError } from "./client-error.ts";
import { readServerSentEvents } from "./sse-reader.ts";

/** A stream on which nothing comes for this long is broken: the controller says something every 5 s. */
const silenceMilliseconds = 20_000;

export interface FollowOptions {
  /** Ends the stream; the iterator then ends without an error. */
  readonly signal?: AbortSignal;
  /** How long a controller that does not answer is tried again; without end when left out. */
  readonly patienceMilliseconds?: number;
  /** The longest pause between two tries; half a minute when left out, for what need not be on time. */
  readonly longestPauseMilliseconds?: number;
  /** Called whenever the connection has broken or did not come about, with why; it is tried again. */
  readonly onBroken?: (problem: string) => void;
}

/**
 * The events of these topics, in order.
 * @throws ClientError when the controller refuses, or cannot be reached for longer than the patience
 */
export async function* followEvents(
  client: ControllerClient,
  topics: readonly string[],
  { signal, patienceMilliseconds = Infinity, longestPauseMilliseconds = Infinity, onBroken }: FollowOptions,
): AsyncGenerator<LiveEvent> {
  let lastEventId: string | undefined;
  let attempt = 0;
  let lostAt = performance.now();
  const isOver = (): boolean => signal?.aborted ?? false;
  for (; !isOver(); attempt += 1) {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal?.addEventListener("abort", onAbort, { once: true });
    let silence = setTimeout(onAbort, silenceMilliseconds);
    try {
      const { body } = await client.openEvents(topics.join(","), lastEventId, stop.signal);
      for await (const event of readServerSentEvents(body, stop.signal)) {
        clearTimeout(silence);
        silence = setTimeout(onAbort, silenceMilliseconds);
        // The pause that follows the next break is a first one again.
        attempt = -1;
        lastEventId = event.id ?? lastEventId;
        yield { ...(JSON.parse(event.data) as object), type: event.type } as LiveEvent;
      }
      lostAt = performance.now();
      if (!isOver()) onBroken?.("the controller has closed the connection");
    } catch (error) {
      if (isOver()) return;
      if (error instanceof ClientError && error.kind !== "unavailable") throw error;
      if (attempt <= 0) lostAt = performance.now();
      if (performance.now() - lostAt > patienceMilliseconds) throw lostError(error);
      onBroken?.(error instanceof ClientError ? error.message : "the controller cannot be reached");
    } finally {
      clearTimeout(silence);
      signal?.removeEventListener("abort", onAbort);
      stop.abort();
    }
    await pause(
      Math.min(longestPauseMilliseconds, retryPauseMilliseconds(Math.max(0, attempt), Math.random)),
      undefined,
      signal === undefined ? {} : { signal },
    ).catch(() => undefined);
  }
}

function lostError(cause: unknown): ClientError {
  return new ClientError("unreachable", "the controller's event stream was lost and does not come back", { cause });
}
