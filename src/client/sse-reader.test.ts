/** Server-sent events out of bytes, however they are cut. */
import { strict as assert } from "node:assert";
import { test } from "node:test";
import fc from "fast-check";
import { readServerSentEvents, type ServerSentEvent } from "./sse-reader.ts";

const text =
  'retry: 1000\n\n: a comment\n\nevent: snapshot\nid: 1-2\ndata: {"a":"ü"}\n\ndata: one\ndata: two\r\n\r\nid\ndata:x\n\nevent: cut\ndata: off';

async function read(parts: readonly Uint8Array[], signal = new AbortController().signal): Promise<ServerSentEvent[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
  const events: ServerSentEvent[] = [];
  for await (const event of readServerSentEvents(body, signal)) events.push(event);
  return events;
}

test("events come out the same however their bytes are cut, and one without an end does not come", async () => {
  const bytes = new TextEncoder().encode(text);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(bytes.length)), async (cuts) => {
      const places = [0, ...cuts.sort((one, other) => one - other), bytes.length];
      const parts = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
      assert.deepEqual(await read(parts), [
        { type: "snapshot", data: '{"a":"ü"}', id: "1-2" },
        { type: "message", data: "one\ntwo", id: undefined },
        { type: "message", data: "x", id: "" },
      ]);
    }),
  );
});

test("a signal ends the reading", async () => {
  const stop = new AbortController();
  const body = new ReadableStream<Uint8Array>();
  const events = readServerSentEvents(body, stop.signal);
  const next = events.next();
  stop.abort();
  assert.equal((await next).done, true);
});
