import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "node:test";
import { firstRetryMilliseconds, longestRetryMilliseconds, silenceMilliseconds } from "./limits.ts";
import { LiveSource, type EventStream, type Surroundings } from "./live-source.ts";

class FakeStream implements EventStream {
  readonly url: string;
  closed = false;
  readonly #listeners = new Map<string, (event: { readonly data?: string }) => void>();

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(type: string, listener: (event: { readonly data?: string }) => void): void {
    this.#listeners.set(type, listener);
  }

  close(): void {
    this.closed = true;
  }

  send(type: string, event: object): void {
    this.#listeners.get(type)?.({ data: JSON.stringify(event) });
  }

  sendText(type: string, data: string): void {
    this.#listeners.get(type)?.({ data });
  }
}

/** Time, frames and streams that a test moves by hand. */
class FakeSurroundings implements Surroundings {
  readonly streams: FakeStream[] = [];
  #now = 1_000;
  #timers: { at: number; action: () => void }[] = [];
  #frames: (() => void)[] = [];
  framesAsked = 0;

  openStream(url: string): EventStream {
    const stream = new FakeStream(url);
    this.streams.push(stream);
    return stream;
  }

  now(): number {
    return this.#now;
  }

  setTimer(action: () => void, delayMilliseconds: number): () => void {
    const timer = { at: this.#now + delayMilliseconds, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  onNextFrame(action: () => void): void {
    this.framesAsked += 1;
    this.#frames.push(action);
  }

  drawFrame(): void {
    for (const frame of this.#frames.splice(0)) frame();
  }

  passTime(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.#now = next.at;
      next.action();
    }
    this.#now = end;
  }

  get last(): FakeStream {
    return this.streams.at(-1)!;
  }
}

const agents = (...names: string[]) => ({ agents: names.map((agent) => ({ agent })) });
const settle = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("the page's line to the controller", () => {
  let world = new FakeSurroundings();
  let live = new LiveSource(world);

  beforeEach(async () => {
    world = new FakeSurroundings();
    live = new LiveSource(world);
    live.follow("agents");
    await settle();
  });

  it("asks for all topics in one stream, and again when they change", async () => {
    assert.equal(world.last.url, "v1/events?topics=agents");
    const leave = live.follow("agent:fra-0");
    live.follow("overview");
    await settle();
    assert.equal(world.streams.length, 2);
    assert.ok(world.streams[0]?.closed);
    assert.equal(decodeURIComponent(world.last.url), "v1/events?topics=agent:fra-0,agents,overview");
    leave();
    live.follow("agent:fra-0");
    await settle();
    assert.equal(world.streams.length, 2, "what is left and wanted again at once is no change");
  });

  it("shows what has come once a frame", () => {
    world.last.send("snapshot", { topic: "agents", atMilliseconds: 1, data: agents("fra-0") });
    world.last.send("delta", { topic: "agents", atMilliseconds: 2, changed: agents("fra-1") });
    assert.equal(live.topic("agents").value, undefined);
    assert.equal(world.framesAsked, 1);
    world.drawFrame();
    assert.deepEqual(live.topic("agents").value, agents("fra-0", "fra-1"));
    assert.equal(live.connection.value.state, "live");
  });

  it("connects again after a loss, later and later, and keeps what it shows meanwhile", () => {
    world.last.send("snapshot", { topic: "agents", atMilliseconds: 1, data: agents("fra-0") });
    world.drawFrame();
    world.last.send("error", {});
    assert.deepEqual(live.connection.value, { state: "lost", sinceMilliseconds: world.now(), hadOne: true });
    assert.deepEqual(live.topic("agents").value, agents("fra-0"));
    const begun = world.streams.length;
    world.passTime(firstRetryMilliseconds);
    assert.equal(world.streams.length, begun + 1);
    for (let attempt = 0; attempt < 8; attempt += 1) {
      world.last.send("error", {});
      world.passTime(longestRetryMilliseconds);
    }
    assert.equal(world.streams.length, begun + 9);
    world.last.send("snapshot", { topic: "agents", atMilliseconds: 3, data: agents("fra-2") });
    world.drawFrame();
    assert.equal(live.connection.value.state, "live");
    assert.deepEqual(live.topic("agents").value, agents("fra-2"));
  });

  it("gives up a connection that says nothing", () => {
    world.last.send("snapshot", { topic: "agents", atMilliseconds: 1, data: agents("fra-0") });
    world.drawFrame();
    const { last } = world;
    world.passTime(silenceMilliseconds - 1);
    assert.equal(last.closed, false);
    world.passTime(1);
    assert.ok(last.closed);
    assert.equal(live.connection.value.state, "lost");
  });

  it("takes no delta without a snapshot, and nothing from a stream that it has left", () => {
    world.last.send("delta", { topic: "agents", atMilliseconds: 2, changed: agents("fra-1") });
    world.drawFrame();
    assert.equal(live.topic("agents").value, undefined);
    const old = world.last;
    live.retry();
    old.send("snapshot", { topic: "agents", atMilliseconds: 1, data: agents("fra-0") });
    world.drawFrame();
    assert.equal(live.topic("agents").value, undefined);
  });

  it("starts anew when what comes cannot be read", () => {
    const { last } = world;
    last.sendText("snapshot", "{");
    assert.ok(last.closed);
    assert.equal(live.connection.value.state, "lost");
  });
});
