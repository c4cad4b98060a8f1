/**
 * Takes server-sent events out of a stream of bytes (the event stream format of the HTML standard): names, data and ids.
 * What is incomplete waits for more, up to a bound.
 */
import { ClientError } from "./client-error.ts";

/** The largest event that is read: a snapshot of thousands of agents is far below it. */
export const maximumEventBytes = 256 * 1024 * 1024;

export interface ServerSentEvent {
  readonly type: string;
  readonly data: string;
  readonly id: string | undefined;
}

/**
 * @param signal ends the reading, as if the body had ended
 * @throws ClientError when an event is larger than the bound
 */
export async function* readServerSentEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let waiting: string[] = [];
  let waitingLength = 0;
  for await (const bytes of readBytes(body, signal)) {
    const text = decoder.decode(bytes, { stream: true });
    waiting.push(text);
    waitingLength += text.length;
    if (waitingLength > maximumEventBytes) throw new ClientError("failed", "an event of the controller is too large");
    // Blocks end with an empty line; a block without one is kept as it is until it has come.
    if (!text.includes("\n")) continue;
    const blocks = waiting.join("").split(/\r?\n\r?\n/);
    const rest = blocks.pop() ?? "";
    waiting = [rest];
    waitingLength = rest.length;
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event !== undefined) yield event;
    }
  }
}

/** The signal that a request was made with may be forgotten once its answer has begun: so the reader itself is told. */
async function* readBytes(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const onAbort = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    for (;;) {
      const { value } = await reader.read();
      if (value === undefined) return;
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    onAbort();
  }
}

/** undefined: a comment, or a pause to keep. */
function parseBlock(block: string): ServerSentEvent | undefined {
  let type = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") type = value;
    else if (field === "data") data.push(value);
    else if (field === "id") id = value;
  }
  return data.length === 0 ? undefined : { type, data: data.join("\n"), id };
}
