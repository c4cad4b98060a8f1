import test from "node:test";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { z } from "zod";
import { UserError } from "../std/errors.ts";
import { channelAddress, openChannel, parseControllerUrl, type Channel, type ChannelProblem } from "./channel.ts";
import { retryPauseMilliseconds } from "./retry-pause.ts";

const incoming = z.object({ type: z.literal("say"), text: z.string().max(1_000_000) });
type Message = z.infer<typeof incoming>;

async function startServer(port = 0): Promise<{ server: WebSocketServer; url: string; port: number }> {
  const server = new WebSocketServer({ host: "127.0.0.1", port, path: "/v1/test" });
  await once(server, "listening");
  const bound = (server.address() as AddressInfo).port;
  return { server, url: `http://127.0.0.1:${bound}`, port: bound };
}

async function stopServer(server: WebSocketServer): Promise<void> {
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
}

/** Opens a channel whose happenings are a list that can be waited on. */
function listen(url: string, quietMilliseconds = 10_000) {
  const log: string[] = [];
  const problems: ChannelProblem[] = [];
  let wake: () => void = () => undefined;
  const note = (entry: string): void => {
    log.push(entry);
    wake();
  };
  const channel: Channel<Message> = openChannel<Message, Message>({
    url,
    path: "/v1/test",
    incoming,
    quietMilliseconds,
    random: () => 0,
    onOpen: () => note("open"),
    onMessage: (message) => note(message.text),
    onClosed: (reason) => note(`closed: ${reason}`),
    onUnreachable: (problem) => {
      problems.push(problem);
      note("unreachable");
    },
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { channel, log, problems, until };
}

test("messages go both ways in order, and closing ends it", async () => {
  const { server, url } = await startServer();
  server.on("connection", (socket) => socket.on("message", (data: Buffer) => socket.send(data.toString())));
  const { channel, log, until } = listen(url);
  assert.equal(channel.send({ type: "say", text: "too early" }), false);
  await until(() => log.includes("open"));
  for (const text of ["a", "b", "c"]) assert.equal(channel.send({ type: "say", text }), true);
  await until(() => log.length === 4);
  assert.deepEqual(log, ["open", "a", "b", "c"]);
  const [peer] = server.clients;
  const gone = once(peer!, "close");
  await channel.close();
  await gone;
  assert.equal(channel.send({ type: "say", text: "too late" }), false);
  await stopServer(server);
});

test("a lost connection is dialled again, also while nothing listens", async () => {
  const first = await startServer();
  const { channel, log, problems, until } = listen(first.url);
  await until(() => log.includes("open"));
  await stopServer(first.server);
  await until(() => problems.length >= 1);
  assert.match(log[1]!, /^closed: /);
  assert.match(problems[0]!.reason, /refused/);
  const second = await startServer(first.port);
  await until(() => log.filter((entry) => entry === "open").length === 2);
  await channel.close();
  await stopServer(second.server);
});

test("what does not fit ends the connection, with a reason", async () => {
  for (const [sent, reason] of [
    ["no json", /not JSON/],
    [Buffer.from("x"), /binary/],
    [JSON.stringify({ type: "say", text: 5 }), /does not fit the protocol came at text/],
    [JSON.stringify({ type: "say", text: "x".repeat(9 * 1024 * 1024) }), /payload size exceeded/],
  ] as const) {
    const { server, url } = await startServer();
    server.once("connection", (socket: WebSocket) => socket.send(sent));
    const { channel, log, until } = listen(url);
    await until(() => log.some((entry) => entry.startsWith("closed")));
    assert.match(log[1]!, reason);
    await channel.close();
    await stopServer(server);
  }
});

test("a peer that falls silent is noticed", async () => {
  const silent = createServer();
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const real = await startServer();
  const sockets: Socket[] = [];
  // Carries the handshake over, then nothing more in either direction.
  silent.on("connection", (socket) => {
    sockets.push(socket);
    void import("node:net").then(({ connect }) => {
      const onward = connect(real.port, "127.0.0.1");
      sockets.push(onward);
      socket.once("data", (data) => onward.write(data));
      onward.once("data", (data) => socket.write(data));
      for (const end of [socket, onward]) end.on("error", () => undefined);
    });
  });
  const { channel, log, until } = listen(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`, 40);
  await until(() => log.some((entry) => entry.startsWith("closed")));
  assert.match(log[1]!, /fallen silent/);
  await channel.close();
  for (const socket of sockets) socket.destroy();
  silent.close();
  await stopServer(real.server);
});

test("restart dials anew; paused, nothing is handed up", async () => {
  const { server, url } = await startServer();
  server.on("connection", (socket) => socket.send(JSON.stringify({ type: "say", text: "hello" })));
  const { channel, log, until } = listen(url);
  await until(() => log.length === 2);
  channel.setPaused(true);
  channel.restart("try another time", 0);
  await until(() => log.length === 4);
  assert.deepEqual(log.slice(2), ["closed: try another time", "open"]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(log.length, 4);
  channel.setPaused(false);
  await until(() => log.length === 5);
  await channel.close();
  await stopServer(server);
});

test("drained waits while much is waiting to go out", async () => {
  const { server, url } = await startServer();
  const { channel, log, until } = listen(url);
  await until(() => log.includes("open"));
  const [peer] = server.clients;
  peer!.pause();
  while (channel.bufferedBytes < 8 * 1024 * 1024) channel.send({ type: "say", text: "x".repeat(1024 * 1024) });
  let drained = false;
  const wait = channel.drained().then(() => {
    drained = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(drained, false);
  peer!.resume();
  await wait;
  await channel.close();
  await stopServer(server);
});

test("pauses grow, are bounded and spread", () => {
  assert.equal(
    retryPauseMilliseconds(0, () => 0.5),
    200,
  );
  const plain = [1, 2, 3, 4, 5, 6, 7, 100].map((attempt) => retryPauseMilliseconds(attempt, () => 0.5));
  assert.deepEqual(plain, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(
    retryPauseMilliseconds(1, () => 0),
    500,
  );
  assert.equal(
    retryPauseMilliseconds(1, () => 0.999_999),
    1_500,
  );
});

test("addresses", () => {
  assert.equal(channelAddress("http://127.0.0.1:7070", "/v1/x"), "ws://127.0.0.1:7070/v1/x");
  assert.equal(
    channelAddress("https://controller.example/sluice/?a#b", "/v1/x"),
    "wss://controller.example/sluice/v1/x",
  );
  for (const wrong of ["", "localhost:7070", "ftp://host", "127.0.0.1:80"]) {
    assert.throws(() => parseControllerUrl(wrong), UserError);
  }
});
