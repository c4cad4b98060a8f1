/**
 * Every byte from an agent, a publisher, a user or a passer-by may be hostile: what does not fit is refused, costs the
 * connection that it came on, and disturbs nobody else.
 */
import { strict as assert } from "node:assert";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket, WebSocketServer } from "ws";
import { encodeFileSetKey, encodeFrame, frameType } from "#src/protocol/frames.ts";
import { maximumMessageBytes } from "#src/protocol/limits.ts";
import { encodeTicket } from "#src/protocol/ticket.ts";
import { contentOf, kibibyte, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { describeTree } from "./support/trees.ts";
import { waitUntil, within } from "./support/waiting.ts";

const peerId = "0123456789abcdef0123456789abcdef";

const hello = {
  type: "hello",
  protocol: { major: 1, minor: 0 },
  agentId: peerId,
  name: "stranger",
  site: "fra",
  labels: {},
  address: "127.0.0.1:9",
  term: 0,
  programVersion: "0",
};
const begin = {
  type: "begin",
  protocol: { major: 1, minor: 0 },
  publishId: peerId,
  name: "hostile",
  version: "1",
  selector: "all",
  priority: 0,
  activate: true,
  growing: false,
  algorithm: "blake3",
  pieceBytes: 65_536,
  root: `blake3:${"0".repeat(64)}`,
  manifestBytes: 10,
};

/** Says things on a channel of the controller, and gives what it answers until it ends the connection. */
async function talk(
  fleet: Fleet,
  channel: "agent" | "publisher",
  texts: readonly (string | Buffer)[],
): Promise<string[]> {
  const socket = new WebSocket(`${fleet.url.replace("http:", "ws:")}/v1/${channel}-channel`);
  const answers: string[] = [];
  socket.on("message", (data: Buffer) => answers.push(data.toString()));
  socket.on("error", () => undefined);
  await once(socket, "open");
  for (const text of texts) socket.send(text);
  await within(`the controller ends the ${channel} channel`, 20_000, once(socket, "close"));
  return answers;
}

/** Opens a raw connection to a program's port. What comes is gathered; `ended` resolves when it is closed. */
function dialRaw(url: string): { socket: Socket; received: () => string; ended: Promise<unknown> } {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = "";
  socket.on("data", (bytes: Buffer) => (text += bytes.toString("latin1")));
  socket.on("error", () => undefined);
  const ended = new Promise((resolve) => socket.on("close", resolve));
  return { socket, received: () => text, ended };
}

const upgradeRequest = (protocol = "1.0"): string =>
  [
    "GET /v1/blocks HTTP/1.1",
    "Host: agent",
    "Connection: Upgrade",
    "Upgrade: sluice-blocks",
    `Sluice-Protocol: ${protocol}`,
    `Sluice-Peer: ${peerId}`,
    "\r\n",
  ].join("\r\n");

/** Upgrades to block streams and sends frames; gives what came until the agent ended the connection. */
async function stream(url: string, frames: readonly Uint8Array[]): Promise<string> {
  const { socket, received, ended } = dialRaw(url);
  socket.write(upgradeRequest());
  await waitUntil("the agent switches protocols", () => received().startsWith("HTTP/1.1 101"));
  for (const frame of frames) socket.write(frame);
  await within("the agent ends the connection", 20_000, ended);
  return received();
}

const ticket = {
  term: 1,
  laneId: 7,
  revision: 0,
  use: "fetch" as const,
  holderId: peerId,
  peerId,
  peerName: "stranger",
  portions: [{ fileSet: "index@1", order: "content" as const, ranges: [0, 1] }],
  rateBitsPerSecond: 1_000_000_000,
  durationMilliseconds: 60_000,
  signature: "",
};
const bytesOf = (text: string): Uint8Array => Buffer.from(text);

describe("a controller", () => {
  fleetTest(
    "ends channels on which nonsense comes, and goes on with everybody else",
    { agents: agentsOf({ fra: 2 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const nonsense: (string | Buffer)[] = [
        "not JSON",
        "[]",
        "null",
        '{"type":"nothing"}',
        Buffer.from([1, 2, 3]),
        JSON.stringify({ ...hello, name: "../../etc" }),
        JSON.stringify({ ...hello, address: "a b:1" }),
        `{"type":"hello","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`,
        "x".repeat(maximumMessageBytes + 1),
      ];
      for (const text of nonsense) assert.deepEqual(await talk(fleet, "agent", [text]), []);
      for (const text of nonsense.slice(0, 5)) assert.deepEqual(await talk(fleet, "publisher", [text]), []);

      // What fits, but comes at the wrong time or claims what cannot be.
      const state = { type: "state", whole: true, fileSets: [], deleted: [], current: [], lanes: [], failures: [] };
      const claims = [
        {
          fileSet: "index@1",
          root: `blake3:${"0".repeat(64)}`,
          status: "held",
          manifest: [0, 9e15],
          content: [0, 9e15],
          lost: [],
        },
      ];
      const stranger = new WebSocket(`${fleet.url.replace("http:", "ws:")}/v1/agent-channel`);
      await once(stranger, "open");
      stranger.send(JSON.stringify({ ...hello, unknown: "fields are ignored" }));
      stranger.send(JSON.stringify({ ...state, fileSets: claims, current: [{ name: "index", version: "1" }] }));
      stranger.send(
        JSON.stringify({ ...state, whole: false, lanes: [{ laneId: 3, receivedBytes: 9e15, ended: "failed" }] }),
      );
      stranger.send(JSON.stringify({ type: "probeResult", probeId: 1, outcome: "good" }));
      stranger.send(JSON.stringify({ type: "challengeData", challengeId: 1, bytes: "AAAA", end: "whole" }));
      await waitUntil("the stranger is known", async () => (await fleet.agent("stranger")).online);

      const source = join(fleet.directory, "index.bin");
      await writeFile(source, contentOf("index", mebibyte));
      await fleet.publish(source, "index", "1", "--to", "name in (fra-0,fra-1)");
      stranger.terminate();
      const programs = [fleet.controller, ...[...fleet.members.values()].map((member) => member.program)];
      for (const program of programs) assert.equal(program.outcome, undefined);
      assert.equal(await (await fetch(`${fleet.url}/healthz`)).text(), "ok");
    },
  );

  fleetTest("refuses another major version, and says what to do", { agents: [] }, async (fleet) => {
    const protocol = { major: 99, minor: 0 };
    const [refusal = ""] = await talk(fleet, "agent", [JSON.stringify({ ...hello, protocol })]);
    assert.match(refusal, /"refused".*agent stranger speaks protocol 99, this program speaks 1: upgrade this program/);
    const publisher = new WebSocket(`${fleet.url.replace("http:", "ws:")}/v1/publisher-channel`);
    await once(publisher, "open");
    publisher.send(JSON.stringify({ ...begin, protocol: { major: 0, minor: 9 } }));
    const [answer] = (await once(publisher, "message")) as [Buffer];
    assert.match(answer.toString(), /"rejected".*"protocol".*the publisher speaks protocol 0.*upgrade the publisher/);
    publisher.terminate();
    assert.deepEqual(await fleet.agents(), []);
  });

  fleetTest(
    "takes no manifest that is not what its root says, or that climbs out, and nothing of it stays",
    { agents: agentsOf({ fra: 1 }) },
    async (fleet) => {
      const publisher = new WebSocket(`${fleet.url.replace("http:", "ws:")}/v1/publisher-channel`);
      const answers: string[] = [];
      publisher.on("message", (data: Buffer) => answers.push(data.toString()));
      await once(publisher, "open");
      for (const [index, bytes] of ["AAAA", Buffer.from("SLUM\u0001\u0000\u0001\u0000").toString("base64")].entries()) {
        const publishId = peerId.replace(/^./, String(index));
        publisher.send(JSON.stringify({ ...begin, publishId }));
        publisher.send(JSON.stringify({ type: "append", publishId, offset: 0, bytes, root: begin.root }));
        await waitUntil("it is refused", () =>
          answers.some((answer) => answer.includes("rejected") && answer.includes(publishId)),
        );
        assert.match(answers.at(-1) ?? "", /"rejected".*"manifest".*the manifest is refused: /);
      }
      // Of a publish that nobody began.
      publisher.send(JSON.stringify({ type: "commit", publishId: "f".repeat(32) }));
      await waitUntil("it is refused", () => answers.at(-1)?.includes("unknownPublish") ?? false);
      publisher.terminate();
      assert.deepEqual(await fleet.versions(), []);
      assert.deepEqual(await readdir(join(fleet.dataOf("fra-0"), "filesets")).catch(() => []), []);
    },
  );

  fleetTest("bounds what its API takes, and answers in one form", { agents: [] }, async (fleet) => {
    const asked: [string, RequestInit, number][] = [
      ["/v1/topology", { method: "PUT", body: "x".repeat(9 * mebibyte) }, 413],
      ["/v1/topology", { method: "PUT", body: "sites: [" }, 400],
      ["/v1/filesets/..%2f..%2fetc/versions/passwd", {}, 400],
      ["/v1/filesets/a/versions/current", {}, 400],
      ["/v1/agents/nobody/drain", { method: "POST" }, 404],
      ["/v1/agents/nobody/verify?blocks=1e99", { method: "POST" }, 400],
      ["/v1/nothing", {}, 404],
      ["/v1/status", { headers: { origin: "http://evil.example" } }, 403],
    ];
    for (const [path, options, status] of asked) {
      const response = await fetch(fleet.url + path, options);
      const body = (await response.json()) as { error?: { code?: string; message?: string } };
      assert.equal(response.status, status, `${path}: ${JSON.stringify(body)}`);
      assert.ok((body.error?.message ?? "").length > 0, path);
      assert.doesNotMatch(body.error?.message ?? "", /\n\s+at /);
    }
    const { socket, received, ended } = dialRaw(fleet.url);
    socket.write(`GET /${"a".repeat(64 * kibibyte)} HTTP/1.1\r\n\r\n`);
    await ended;
    assert.match(received(), /^HTTP\/1\.1 4\d\d /);
    assert.equal(await (await fetch(`${fleet.url}/healthz`)).text(), "ok");
  });
});

describe("an agent", () => {
  fleetTest(
    "serves nothing without a ticket that is its own, survives nonsense on its port, and goes on serving others",
    { agents: agentsOf({ fra: 1 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const source = join(fleet.directory, "index.bin");
      await writeFile(source, contentOf("index", mebibyte));
      await fleet.publish(source, "index", "1");
      const { url, program } = fleet.member("fra-0");
      const { agentId } = await fleet.agent("fra-0");

      const raw = dialRaw(url);
      raw.socket.write(Buffer.concat([Buffer.from([0, 1, 2, 255]), contentOf("noise", 100 * kibibyte)]));
      await raw.ended;
      const other = dialRaw(url);
      other.socket.write(upgradeRequest("9.0"));
      await other.ended;
      assert.match(other.received(), /^HTTP\/1\.1 400 .*the caller speaks protocol 9, this program speaks 1/s);
      assert.equal((await fetch(`${url}/v1/filesets/index/1/index.bin`)).status, 404);
      assert.equal((await fetch(`${url}/..%2f..%2fstate/identity.json`)).status, 404);

      const open = encodeFrame(frameType.open, { tag: 1, block: 7, flags: 1 }, encodeFileSetKey("index@1"));
      const secret = contentOf("index", 32).toString("latin1");
      const tries: Uint8Array[][] = [
        [contentOf("noise", 4 * kibibyte)],
        [new Uint8Array(16).fill(255)],
        [encodeFrame(frameType.data, { tag: 1 }, new Uint8Array(1000))],
        [encodeFrame(frameType.request, { tag: 1 }, new Uint8Array(12))],
        [open, encodeFrame(frameType.request, { tag: 1 }, new Uint8Array(12))],
        [encodeFrame(frameType.ticket, { tag: 7 }, new Uint8Array(70_000))],
      ];
      for (const frames of tries) assert.ok(!(await stream(url, frames)).includes(secret));

      // Tickets that cannot be read, are for another holder, or for another peer: refused, and nothing is sent.
      const tickets = [
        "!!!",
        encodeTicket(ticket),
        encodeTicket({ ...ticket, holderId: agentId, peerId: "f".repeat(32) }),
      ];
      for (const text of tickets) {
        const { socket, received } = dialRaw(url);
        socket.write(upgradeRequest());
        await waitUntil("the agent switches protocols", () => received().startsWith("HTTP/1.1 101"));
        socket.write(encodeFrame(frameType.ticket, { tag: 7 }, bytesOf(text)));
        socket.write(open);
        await pause(300);
        assert.ok(!received().includes(secret));
        const answer = received().slice(received().indexOf("\r\n\r\n") + 4);
        assert.ok(answer === "" || answer.charCodeAt(0) === frameType.refused, JSON.stringify(answer));
        socket.destroy();
      }

      assert.equal(program.outcome, undefined, "it is still there");
      await fleet.startAgent({ name: "iad-0", site: "iad" });
      await fleet.waitHeld("index", "1", ["fra-0", "iad-0"]);
      fleet.assertTrees("index", "1", describeTree(fleet.tree("fra-0", "index", "1")));
    },
  );

  fleetTest("refuses a controller of another major version, and says what to do", { agents: [] }, async (fleet) => {
    const server = createServer().listen(0, "127.0.0.1");
    const channels = new WebSocketServer({ server });
    const settings = {
      heartbeatMilliseconds: 2_000,
      reportMilliseconds: 25,
      stallMilliseconds: 5_000,
      keepVersions: 2,
    };
    channels.on("connection", (socket) => {
      socket.on("message", () => {
        socket.send(JSON.stringify({ type: "welcome", term: 1, protocol: { major: 99, minor: 0 }, settings }));
      });
    });
    try {
      await waitUntil("the other controller listens", () => server.listening);
      const words = fleet.agentWords({ name: "fra-0", site: "fra" });
      words[words.indexOf("--controller") + 1] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { code, error } = await fleet.run(...words);
      assert.equal(code, 1);
      assert.match(
        error,
        /^sluice: .*the controller speaks protocol 99, this program speaks 1: upgrade this program$/m,
      );
    } finally {
      channels.close();
      for (const client of channels.clients) client.terminate();
      server.close();
    }
  });
});
