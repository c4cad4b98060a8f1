import { strict as assert } from "node:assert";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { LiveEvent } from "../../protocol/api/events.ts";
import { EventReader, followEvents } from "./event-stream.ts";

const stream =
  'id: 1\nevent: snapshot\ndata: {"topic":"overview","atMilliseconds":1,"data":{}}\n\n: remark\n\n' +
  'id: 2\r\nevent: delta\r\ndata: {"topic":"overview","atMilliseconds":2}\r\n\r\nevent: other\ndata: {}\n\n';

describe("event stream", () => {
  it("is read the same however it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 30 }), (cuts) => {
        const reader = new EventReader();
        const events: LiveEvent[] = [];
        const places = [0, ...cuts.sort((one, other) => one - other), stream.length];
        places.forEach((place, index) => events.push(...reader.read(stream.slice(place, places[index + 1] ?? place))));
        assert.deepEqual(
          events.map(({ type, atMilliseconds }) => [type, atMilliseconds]),
          [
            ["snapshot", 1],
            ["delta", 2],
          ],
        );
      }),
    );
  });

  it("comes back when the connection breaks", { timeout: 20_000 }, async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      requests += 1;
      assert.equal(request.url, "/v1/events?topics=overview,fileSet%3Aindex%401");
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(stream);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const stop = new AbortController();
    const events: LiveEvent[] = [];
    const problems: (string | undefined)[] = [];
    await followEvents({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      topics: ["overview", "fileSet:index@1"],
      signal: stop.signal,
      onEvent: (event) => {
        events.push(event);
        if (events.length === 4) stop.abort();
      },
      onProblem: (problem) => problems.push(problem),
    });
    server.close();
    assert.equal(requests, 2);
    assert.ok(problems.some((problem) => problem?.includes("closed the connection")));
  });
});
