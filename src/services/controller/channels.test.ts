import { strict as assert } from "node:assert";
import { once } from "node:events";
import { afterEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import type { ControllerEvent } from "../../control/controller/controller-events.ts";
import { eventually } from "../../platform/eventually.testing.ts";
import { accept } from "../../platform/accept.ts";
import type { Accepting } from "../../platform/accept.ts";
import { createLogger } from "../../platform/log.ts";
import { ControllerChannels } from "./channels.ts";
import type { ControllerChannelsOptions } from "./channels.ts";

let accepting: Accepting | undefined;
let logged: string[] = [];
let events: ControllerEvent[] = [];

afterEach(async () => accepting?.close());

async function start(
  options: Partial<ControllerChannelsOptions>,
): Promise<{ channels: ControllerChannels; url: string }> {
  logged = [];
  const heard: ControllerEvent[] = [];
  events = heard;
  const destination = { write: (text: string) => void logged.push(text) };
  const channels = new ControllerChannels({
    submit: (event) => void heard.push(event),
    logger: createLogger({ program: "controller", human: false, level: "info", destination }),
    ...options,
  });
  accepting = await accept({
    host: "127.0.0.1",
    port: 0,
    onRequest: (_request, response) => response.end(),
    upgrades: { websocket: (request, socket, head) => channels.accept("agent", request, socket, Buffer.from(head)) },
  });
  return { channels, url: accepting.url.replace("http", "ws") };
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await once(socket, "open");
  return socket;
}

describe("bounds of the controller's channels", () => {
  it("turn away one connection too many, and take one again when another has gone", async () => {
    const { url } = await start({ maximumChannels: 1 });
    const first = await open(url);
    const second = new WebSocket(url);
    const [error] = (await once(second, "error")) as [Error];
    assert.match(error.message, /503/);
    first.close();
    await once(first, "close");
    await pause(10);
    (await open(url)).terminate();
  });

  it("give up a connection that does not read", async () => {
    const { channels, url } = await start({ maximumBufferedBytes: 1_000_000 });
    const socket = await open(url);
    socket.pause();
    const text = "x".repeat(200_000);
    for (let count = 0; count < 200 && channels.count > 0; count += 1) {
      channels.send(1, { text });
      await pause(1);
    }
    assert.match(logged.join(""), /does not read what it is sent/);
    assert.deepEqual(events.at(-1), { type: "closed", connectionId: 1 });
    socket.terminate();
  });

  it("close a connection that says nothing", async () => {
    const { url } = await start({ firstMessageTimeoutMilliseconds: 20 });
    const socket = await open(url);
    const [code] = (await once(socket, "close")) as [number];
    assert.equal(code, 1008);
    assert.match(logged.join(""), /said nothing/);
  });

  it("read nothing while paused", async () => {
    const { channels, url } = await start({});
    const socket = await open(url);
    await eventually(() => assert.equal(events.length, 1));
    channels.setPaused(true);
    socket.send(JSON.stringify({ type: "probeResult", probeId: 1, outcome: "good" }));
    await pause(30);
    assert.deepEqual(
      events.map(({ type }) => type),
      ["opened"],
    );
    channels.setPaused(false);
    await eventually(() => assert.equal(events.length, 2));
    socket.terminate();
  });
});
