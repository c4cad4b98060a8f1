/**
 * Follows the controller's event stream. It promises to come back by itself when the connection breaks, to notice one on
 * which nothing comes any more, and to keep no more of it in memory than one event.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { LiveEvent } from "../../protocol/api/events.ts";

/** The largest event: a snapshot of thousands of agents with all that they hold. */
const maximumEventBytes = 256 * 1024 * 1024;
/** The controller says something every 5 s at least. */
const silenceMilliseconds = 15_000;
const retryPauseMilliseconds = 1_000;

export interface EventStreamOptions {
  /** The controller's, without a slash at its end. */
  readonly url: string;
  readonly topics: readonly string[];
  readonly signal: AbortSignal;
  readonly onEvent: (event: LiveEvent) => void;
  /** Why nothing is heard at the moment; undefined: something is. */
  readonly onProblem: (problem: string | undefined) => void;
}

/** Runs until the signal is given. */
export async function followEvents(options: EventStreamOptions): Promise<void> {
  const { signal, onProblem } = options;
  while (!signal.aborted) {
    try {
      await readOnce(options);
      onProblem("the controller has closed the connection; trying again");
    } catch (error) {
      if (signal.aborted) return;
      onProblem(`${problemOf(error)}; trying again`);
    }
    await pause(retryPauseMilliseconds, undefined, { signal }).catch(() => undefined);
  }
}

async function readOnce({ url, topics, signal, onEvent, onProblem }: EventStreamOptions): Promise<void> {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), silenceMilliseconds);
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(new Error("nothing is heard of the controller")), silenceMilliseconds);
  };
  try {
    const response = await fetch(`${url}/v1/events?topics=${topics.map(encodeURIComponent).join(",")}`, {
      headers: { accept: "text/event-stream" },
      redirect: "error",
      signal: AbortSignal.any([signal, silence.signal]),
    });
    if (!response.ok || response.body === null) {
      throw new Error(`the controller answers with status ${response.status}`);
    }
    const reader = new EventReader();
    const decoder = new TextDecoder();
    for await (const bytes of response.body) {
      heard();
      onProblem(undefined);
      for (const event of reader.read(decoder.decode(bytes, { stream: true }))) onEvent(event);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Parts the text of the stream into events; what has come of the next one is kept. */
export class EventReader {
  #parts: string[] = [];
  #length = 0;

  read(text: string): LiveEvent[] {
    const events: LiveEvent[] = [];
    let rest = text.replaceAll("\r", "");
    for (;;) {
      // The two line ends that part events may come in two pieces of text.
      const last = this.#parts.at(-1);
      const isSplit = last !== undefined && last.endsWith("\n") && rest.startsWith("\n");
      const end = isSplit ? 0 : rest.indexOf("\n\n");
      if (end < 0) break;
      const event = parseEvent([...this.#parts, rest.slice(0, end)].join(""));
      if (event !== undefined) events.push(event);
      this.#parts = [];
      this.#length = 0;
      rest = rest.slice(end + (isSplit ? 1 : 2));
    }
    if (rest !== "") this.#parts.push(rest);
    this.#length += rest.length;
    if (this.#length > maximumEventBytes) throw new Error("the controller sends an event that is too large");
    return events;
  }
}

function parseEvent(text: string): LiveEvent | undefined {
  let type = "";
  const data: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("event:")) type = line.slice("event:".length).trim();
    else if (line.startsWith("data:")) data.push(line.slice("data:".length).replace(/^ /, ""));
  }
  if (type !== "snapshot" && type !== "delta") return undefined;
  const value: unknown = JSON.parse(data.join("\n"));
  if (typeof value !== "object" || value === null || !("topic" in value)) return undefined;
  return { type, ...value } as LiveEvent;
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error && "code" in cause) return `the controller cannot be reached (${String(cause.code)})`;
  return cause instanceof Error ? cause.message : error.message;
}
