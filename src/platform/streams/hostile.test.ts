import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket } from "node:net";
import fc from "fast-check";
import {
  encodeFileSetKey,
  encodeFrame,
  encodePushEntries,
  encodeRequest,
  firstOfBatch,
  frameType,
} from "../../protocol/frames.ts";
import { encodeUtf8 } from "../../std/utf8.ts";
import { accept, switchProtocols } from "../accept.ts";
import { formatAddress } from "../address.ts";
import { parseAddress } from "../address.ts";
import { dial } from "../dial.ts";
import { blockStreamPath, blockStreamProtocol } from "./stream-server.ts";
import { Content, digest, fileSet, settled, Source, Target, targetId, ticket, unlimited } from "./streams.testing.ts";

const content = new Content([1000, 1000, 1000, 1000]);
const { ticket: ticketFrame, open, request, push, data, cancel, flush } = frameType;

/** Opens a connection and sends these frames; resolves to what came back once the server has closed it. */
async function provoke(source: Source, frames: readonly Uint8Array[]): Promise<Buffer> {
  const { socket } = await dial({
    ...parseAddress(source.address),
    path: blockStreamPath,
    upgrade: blockStreamProtocol,
    headers: { "sluice-peer": targetId },
  });
  const received: Buffer[] = [];
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => received.push(bytes));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (const frame of frames) socket.write(frame);
  await closed;
  return Buffer.concat(received);
}

const fetchTicket = encodeFrame(ticketFrame, { tag: 1 }, encodeUtf8(ticket({ ranges: [0, 4] })));
const pushTicket = encodeFrame(
  ticketFrame,
  { tag: 1 },
  encodeUtf8(ticket({ laneId: 9, use: "handOver", ranges: [0, 4] })),
);
const openContent = encodeFrame(open, { tag: 2, block: 1, flags: 1 }, encodeFileSetKey(fileSet));
const askAll = encodeFrame(request, { tag: 2 }, encodeRequest([{ start: 0, end: 4, lastBlockBytes: 1000 }]));
const entry = (block: number, lengthBytes: number) => ({
  block,
  lengthBytes,
  final: false,
  checksum: digest(new Uint8Array(lengthBytes)),
});
const announce = encodeFrame(push, { tag: 2, block: 1, count: 1 }, encodePushEntries([entry(0, 1000)]));
const header = (
  type: number,
  fields: Partial<{ flags: number; count: number; tag: number; block: number; length: number }>,
): Uint8Array => {
  const bytes = Buffer.alloc(16);
  bytes[0] = type;
  bytes[1] = fields.flags ?? 0;
  bytes.writeUInt16LE(fields.count ?? 0, 2);
  bytes.writeUInt32LE(fields.tag ?? 0, 4);
  bytes.writeUInt32LE(fields.block ?? 0, 8);
  bytes.writeUInt32LE(fields.length ?? 0, 12);
  return bytes;
};

const provocations: Record<string, readonly Uint8Array[]> = {
  "an unknown type": [header(200, {})],
  "a frame of the other direction": [header(frameType.accepted, {})],
  "a ticket that claims gigabytes": [header(ticketFrame, { length: 0xffff_ffff })],
  "a stream of no lane": [openContent],
  "a stream twice": [fetchTicket, openContent, openContent],
  "a name that climbs out": [fetchTicket, encodeFrame(open, { tag: 2, block: 1, flags: 1 }, encodeUtf8("../x@1"))],
  "a request on no stream": [askAll],
  "a request with its ranges the wrong way round": [
    fetchTicket,
    openContent,
    header(request, { tag: 2, length: 12 }),
    new Uint8Array(12),
  ],
  "a request that ends within a range": [
    fetchTicket,
    openContent,
    header(request, { tag: 2, length: 13 }),
    new Uint8Array(13),
  ],
  "data on a lane that pulls": [
    fetchTicket,
    openContent,
    encodeFrame(data, { tag: 2, flags: firstOfBatch, count: 1 }, new Uint8Array(10)),
  ],
  "data that no push announced": [
    pushTicket,
    openContent,
    encodeFrame(data, { tag: 2, flags: firstOfBatch, count: 1 }, new Uint8Array(10)),
  ],
  "a request on a lane that hands over": [pushTicket, openContent, askAll],
  "a batch longer than announced": [
    pushTicket,
    openContent,
    announce,
    encodeFrame(data, { tag: 2, flags: firstOfBatch, count: 1, block: 1 }, new Uint8Array(1001)),
  ],
  "a batch that begins in the middle": [
    pushTicket,
    openContent,
    announce,
    encodeFrame(data, { tag: 2, count: 1, block: 1 }, new Uint8Array(10)),
  ],
  "two pushes at once": [pushTicket, openContent, announce, announce],
  "a pushed block of 4 GiB": [
    pushTicket,
    openContent,
    header(push, { tag: 2, block: 1, count: 1, length: 44 }),
    Buffer.alloc(44, 0xff),
  ],
  "a push of many large blocks": [
    pushTicket,
    openContent,
    encodeFrame(push, { tag: 2, block: 1, count: 2 }, encodePushEntries([entry(0, 900_000), entry(1, 900_000)])),
  ],
  "a flush on a lane that pulls": [fetchTicket, openContent, encodeFrame(flush, { tag: 2, block: 1 })],
  "the end of no lane": [encodeFrame(cancel, { tag: 5 })],
};

test("whatever does not fit closes the connection with one line, and hurts nobody else", async () => {
  const source = await new Source({ content }).start();
  for (const [what, frames] of Object.entries(provocations)) {
    const lines = source.log.length;
    await provoke(source, frames);
    await settled(
      () => source.log.length === lines + 1,
      () => `${what}: ${source.log.length - lines} lines`,
    );
    assert.match(source.log.at(-1) ?? "", /closed the block stream of/, what);
  }
  assert.ok(
    source.log.every((line) => !line.includes("a fault of ours")),
    source.log.join("\n"),
  );
  await settled(
    () => source.server.connectionCount === 0 && source.receivePool.usedBytes === 0 && source.sendPool.usedBytes === 0,
    () => "memory in use",
  );
  const target = new Target({ content });
  target.client.openLane({ laneId: 1, address: source.address, rateBitsPerSecond: unlimited });
  target.client.pull(1, { fileSet, order: "content", ranges: [0, 4], ticket: ticket({ ranges: [0, 4] }) });
  await target.until(() => target.stored.count === 4, "a good peer");
  target.client.close();
  await source.stop();
});

test("no bytes at all make a source fail", async () => {
  const source = await new Source({ content }).start();
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.constantFrom(fetchTicket, pushTicket, openContent, askAll, announce),
          fc.uint8Array({ maxLength: 80 }),
          fc
            .record({
              type: fc.nat(16),
              tag: fc.nat(3),
              block: fc.nat(3),
              count: fc.nat(2),
              flags: fc.nat(2),
              payload: fc.uint8Array({ maxLength: 64 }),
            })
            .map(({ type, tag, block, count, flags, payload }) =>
              Buffer.concat([header(type, { tag, block, count, flags, length: payload.length }), payload]),
            ),
        ),
        { maxLength: 8 },
      ),
      async (frames) => {
        await provoke(source, [...frames, header(0, {}), new Uint8Array(100_000)]);
      },
    ),
    { numRuns: 60 },
  );
  assert.ok(
    source.log.every((line) => !line.includes("a fault of ours")),
    source.log.join("\n"),
  );
  await settled(
    () => source.receivePool.usedBytes === 0 && source.sendPool.usedBytes === 0,
    () => "memory in use",
  );
  await source.stop();
});

/** A source that answers a request as `answer` says: the first lane of a connection has tag 1, its stream tag 2. */
async function withLiar(answer: (socket: Socket) => void, check: (target: Target) => Promise<void>): Promise<void> {
  const accepting = await accept({
    host: "127.0.0.1",
    port: 0,
    onRequest: (_request, response) => void response.end(),
    upgrades: {
      [blockStreamProtocol]: (_request, socket) => {
        switchProtocols(socket, blockStreamProtocol);
        socket.on("error", () => undefined);
        socket.once("data", () => answer(socket));
      },
    },
  });
  const target = new Target({ content });
  try {
    target.client.openLane({ laneId: 7, address: formatAddress(accepting.address), rateBitsPerSecond: unlimited });
    target.client.pull(7, { fileSet, order: "content", ranges: [0, 3], ticket: ticket({ ranges: [0, 3] }) });
    await check(target);
  } finally {
    target.client.close();
    await accepting.close();
  }
  assert.equal(target.pool.usedBytes, 0);
}

const dataFrame = (block: number, count: number, length: number, flags: number = firstOfBatch): Uint8Array =>
  encodeFrame(data, { tag: 2, block, count, flags }, new Uint8Array(length));

const lies: Record<string, readonly Uint8Array[]> = {
  "a block that was not asked for": [dataFrame(3, 1, 1000)],
  "more blocks than were asked for": [dataFrame(0, 4, 1000)],
  "a block longer than the manifest says": [dataFrame(0, 1, 1001)],
  "a block twice": [dataFrame(0, 1, 1000), dataFrame(0, 1, 1000)],
  "the middle of a block": [dataFrame(0, 1, 100, 0)],
  "another block in the middle of one": [dataFrame(0, 1, 100), dataFrame(1, 1, 100)],
  "data of no stream": [encodeFrame(data, { tag: 99, block: 0, count: 1, flags: firstOfBatch }, new Uint8Array(10))],
  "a frame that claims gigabytes": [header(data, { tag: 2, count: 1, flags: firstOfBatch, length: 0xffff_ffff })],
  "a request": [askAll],
  "a refusal with the target's own fault as reason": [encodeFrame(frameType.refused, { tag: 1, flags: 4 })],
  "an answer to a hand-over": [encodeFrame(frameType.accepted, { tag: 1 })],
  "the end of a lane that goes on": [encodeFrame(frameType.closed, { tag: 1 })],
  noise: [Buffer.alloc(200_000, 0xa5)],
};

for (const [what, frames] of Object.entries(lies)) {
  test(`a source that sends ${what} has broken the protocol`, async () => {
    await withLiar(
      (socket) => {
        for (const frame of frames) socket.write(frame);
      },
      async (target) => {
        await target.until(() => target.failures.length === 1, what);
        assert.deepEqual([target.failures[0]?.laneId, target.failures[0]?.kind], [7, "protocol"]);
        assert.equal(target.failures.length, 1);
      },
    );
  });
}

test("a source that closes in the middle of a block has reset the connection", async () => {
  await withLiar(
    (socket) => {
      socket.write(dataFrame(0, 1, 400));
      setTimeout(() => socket.destroy(), 20);
    },
    async (target) => {
      await target.until(() => target.failures.length === 1);
      assert.equal(target.failures[0]?.kind, "reset");
    },
  );
});

test("frames that come one byte at a time are the same frames", async () => {
  const bytes = Buffer.concat(
    [0, 1, 2].map((block) =>
      encodeFrame(data, { tag: 2, block, count: 1, flags: firstOfBatch }, content.blocks[block]),
    ),
  );
  await withLiar(
    (socket) => {
      let index = 0;
      const next = (): void => {
        for (let count = 0; count < 7 && index < bytes.length; count += 1) socket.write(bytes.subarray(index, ++index));
        if (index < bytes.length) setImmediate(next);
      };
      next();
    },
    async (target) => {
      await target.until(() => target.stored.count === 3);
      assert.deepEqual(target.failures, []);
    },
  );
});
