import { strict as assert } from "node:assert";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { it } from "node:test";
import { paceSocket } from "./socket-pacing.ts";

it("a paced connection brings everything, also when its pace changes, ends, or cannot be set any more", async () => {
  const server = createServer((peer) => {
    paceSocket(peer, 1_000_000);
    peer.write(new Uint8Array(100_000));
    paceSocket(peer, 400_000_000);
    peer.end(new Uint8Array(100_000));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  let byteCount = 0;
  socket.on("data", (bytes: Buffer) => {
    byteCount += bytes.length;
  });
  await once(socket, "close");
  assert.equal(byteCount, 200_000);
  paceSocket(socket, 1_000_000);
  server.close();
});
