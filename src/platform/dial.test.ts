import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { test } from "node:test";
import { UserError } from "../std/errors.ts";
import { accept, switchProtocols } from "./accept.ts";
import type { Accepting } from "./accept.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { dial, DialError } from "./dial.ts";

async function withEcho(host: string, run: (accepting: Accepting) => Promise<void>): Promise<void> {
  const accepting = await accept({
    host,
    port: 0,
    onRequest: (_request, response) => response.end("plain"),
    upgrades: {
      "sluice-test": (_request, socket, head) => {
        switchProtocols(socket, "sluice-test");
        socket.write(head);
        socket.pipe(socket);
      },
    },
  });
  try {
    await run(accepting);
  } finally {
    await accepting.close();
  }
}

async function answering(answer: string, run: (port: number) => Promise<void>): Promise<void> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => socket.write(answer));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  try {
    await run((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

const isKind = (kind: string) => (error: unknown) => error instanceof DialError && error.kind === kind;

for (const host of ["127.0.0.1", "::1"]) {
  test(`an upgraded connection carries bytes both ways, into the receiver's buffer, on ${host}`, async () => {
    await withEcho(host, async ({ address }) => {
      const buffer = new Uint8Array(new SharedArrayBuffer(64));
      let text = "";
      const { socket, head } = await dial({
        ...address,
        path: "/v1/test",
        upgrade: "sluice-test",
        receiver: {
          buffer: () => buffer,
          received: (byteCount) => {
            text += Buffer.from(buffer.slice(0, byteCount)).toString();
            if (text.length >= 5) socket.destroy();
            return true;
          },
        },
      });
      assert.equal(head.length, 0);
      const closed = new Promise((resolve) => socket.once("close", resolve));
      socket.resume();
      socket.write("hello");
      await closed;
      assert.equal(text, "hello");
    });
  });
}

test("ordinary requests are answered on the same port, and unknown protocols refused", async () => {
  await withEcho("127.0.0.1", async ({ address, url }) => {
    assert.equal(await (await fetch(url)).text(), "plain");
    await assert.rejects(dial({ ...address, path: "/", upgrade: "other" }), (error: unknown) => {
      assert.ok(isKind("protocol")(error));
      assert.match((error as Error).message, /does not speak that protocol/);
      return true;
    });
    await assert.rejects(
      dial({ ...address, path: "/", upgrade: "sluice-test", headers: { "Sluice-Protocol": "9.0" } }),
      /speaks protocol|malformed/,
    );
  });
});

test("a port in use is one clear line", async () => {
  await withEcho("127.0.0.1", async ({ address }) => {
    await assert.rejects(
      accept({ ...address, onRequest: () => undefined, upgrades: {} }),
      (error: unknown) =>
        error instanceof UserError && error.message === `${formatAddress(address)} is in use by another program`,
    );
  });
});

test("nobody there, no answer, and closed too early are told apart", async () => {
  let freePort = 0;
  await answering("", async (port) => {
    freePort = port;
    await assert.rejects(
      dial({ host: "127.0.0.1", port, path: "/", upgrade: "x", connectTimeoutMilliseconds: 100 }),
      isKind("reset"),
    );
  });
  await assert.rejects(dial({ host: "127.0.0.1", port: freePort, path: "/", upgrade: "x" }), isKind("refused"));
});

const hostileAnswers = [
  "SSH-2.0-OpenSSH_9.2\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: sluice-test\r\n\r\n",
  "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n Upgrade: sluice-test\r\n\r\n",
  `HTTP/1.1 101 ${"x".repeat(100_000)}`,
];
for (const answer of hostileAnswers) {
  test(`this answer is refused: ${JSON.stringify(answer.slice(0, 60))}`, async () => {
    await answering(answer, async (port) => {
      await assert.rejects(dial({ host: "127.0.0.1", port, path: "/", upgrade: "sluice-test" }), isKind("protocol"));
    });
  });
}

test("what stands behind an accepting answer is handed over as head", async () => {
  await answering("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: Sluice-Test\r\n\r\nmore", async (port) => {
    const { socket, head } = await dial({ host: "127.0.0.1", port, path: "/", upgrade: "sluice-test" });
    assert.equal(Buffer.from(head).toString(), "more");
    socket.destroy();
  });
});

test("addresses", () => {
  assert.deepEqual(parseAddress("127.0.0.1:80"), { host: "127.0.0.1", port: 80 });
  assert.deepEqual(parseAddress("[fe80::1%eth0]:8080"), { host: "fe80::1%eth0", port: 8080 });
  assert.equal(formatAddress(parseAddress("[::1]:0")), "[::1]:0");
  for (const text of [
    "",
    "host",
    "host:",
    ":80",
    "::1:80",
    "host:70000",
    "http://host:80",
    "a b:80",
    "[::1]",
    "host:80/",
  ]) {
    assert.throws(() => parseAddress(text, "--listen"), /--listen must be HOST:PORT/, text);
  }
});
