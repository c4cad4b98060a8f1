/** Followers of the event stream: snapshots first, what was missed after a break, and bounds for those that do not read. */
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { EventHub } from "./event-hub.ts";
import { FakeLive } from "./fake-machine.testing.ts";
import { maximumEventStreams, maximumFollowerBytes } from "./limits.ts";

const hubs: EventHub[] = [];
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});

function hubOf(live: FakeLive, term = 1): EventHub {
  const hub = new EventHub({ live, term, nowNanoseconds: () => 0 });
  hubs.push(hub);
  return hub;
}

/** Reads a follower's stream, event by event. */
class Reader {
  lastId: string | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  constructor(stream: ReadableStream<Uint8Array> | undefined) {
    assert.ok(stream !== undefined);
    this.#reader = stream.getReader();
  }

  /** The next event: its type and its data. */
  async next(): Promise<{ type: string; data: Record<string, unknown> }> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const block = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data === undefined) continue;
        this.lastId = /^id: (.*)$/m.exec(block)?.[1] ?? this.lastId;
        return { type: /^event: (.*)$/m.exec(block)?.[1] ?? "", data: JSON.parse(data) as Record<string, unknown> };
      }
      const { value, done } = await this.#reader.read();
      assert.ok(!done, "the stream has ended");
      this.#text += Buffer.from(value).toString();
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

describe("event hub", () => {
  it("gives a snapshot of each topic, then what is told of them", async () => {
    const live = new FakeLive();
    const hub = hubOf(live);
    const reader = new Reader(hub.follow(["overview", "agents"]));
    for (const topic of ["overview", "agents"]) {
      assert.deepEqual(await reader.next(), { type: "snapshot", data: { topic, atMilliseconds: 1, data: {} } });
    }
    live.tell("transfers", {});
    live.tell("agents", { agents: [] });
    const event = await reader.next();
    assert.deepEqual(event, { type: "delta", data: { topic: "agents", atMilliseconds: 2, changed: { agents: [] } } });
    assert.equal(reader.lastId, "1-1");
  });

  it("gives a follower that comes back what it missed, or snapshots where that is not to be had", async () => {
    const live = new FakeLive();
    const hub = hubOf(live);
    const first = new Reader(hub.follow(["overview"]));
    await first.next();
    live.tell("overview", { turn: 1 });
    await first.next();
    await first.cancel();
    assert.equal(hub.followers, 0);
    live.tell("overview", { turn: 2 });
    await pause(30);
    const again = new Reader(hub.follow(["overview"], first.lastId));
    assert.deepEqual((await again.next()).data["changed"], { turn: 2 });
    for (const id of ["2-1", "nonsense", undefined]) {
      assert.equal((await new Reader(hub.follow(["overview"], id)).next()).type, "snapshot", id);
    }
    assert.equal((await new Reader(hub.follow(["overview", "agents"], first.lastId)).next()).type, "snapshot");
  });

  it("does not keep more than its bound for a follower that does not read, which gets a snapshot when it reads", async () => {
    const live = new FakeLive();
    const hub = hubOf(live);
    const stream = hub.follow(["overview"]);
    const text = "x".repeat(maximumFollowerBytes / 4);
    for (let turn = 0; turn < 12; turn += 1) {
      live.tell("overview", { turn, text });
      await pause(10);
    }
    const reader = new Reader(stream);
    assert.equal((await reader.next()).type, "snapshot");
    let deltas = 0;
    while ((await reader.next()).type === "delta") deltas += 1;
    assert.ok(deltas >= 3 && deltas <= 5, `${deltas} deltas were kept`);
    live.tell("overview", { turn: 99 });
    assert.deepEqual((await reader.next()).data["changed"], { turn: 99 });
  });

  it("takes no more streams than it may, and one again when another has gone", async () => {
    const hub = hubOf(new FakeLive());
    const readers = Array.from({ length: maximumEventStreams }, () => new Reader(hub.follow(["overview"])));
    assert.equal(hub.follow(["overview"]), undefined);
    await readers[0]?.cancel();
    assert.ok(hub.follow(["overview"]) !== undefined);
  });

  it("ends every stream when the controller stops", async () => {
    const hub = hubOf(new FakeLive());
    const reader = new Reader(hub.follow(["overview"]));
    await reader.next();
    hub.close();
    await assert.rejects(reader.next(), /the stream has ended/);
    assert.equal(hub.follow(["overview"]), undefined);
  });
});
