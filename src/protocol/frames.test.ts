import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeBlockList,
  decodeDetail,
  decodeOpen,
  decodePushEntries,
  decodeRequest,
  encodeBlockList,
  encodeDetail,
  encodeFileSetKey,
  encodeFrame,
  encodePushEntries,
  encodeRequest,
  frameHeaderBytes,
  frameType,
  ProtocolViolation,
  readFrameHeader,
  refusalCode,
  refusalKind,
} from "./frames.ts";
import type { FrameHeader } from "./frames.ts";

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });

test("a frame's header is read as it was written", () => {
  const frame = encodeFrame(
    frameType.data,
    { tag: 0xfedc_ba98, block: 0x0123_4567, count: 300, flags: 1 },
    new Uint8Array(5),
  );
  assert.equal(frame.length, frameHeaderBytes + 5);
  assert.deepEqual(Buffer.from(frame.subarray(0, 16)).toString("hex"), "07012c0198badcfe6745230105000000");
  assert.deepEqual(readFrameHeader(frame, 0, "fromAccepter"), {
    type: frameType.data,
    flags: 1,
    count: 300,
    tag: 0xfedc_ba98,
    block: 0x0123_4567,
    payloadBytes: 5,
  });
});

test("any 16 bytes are a header of this direction or a violation", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.nat(20),
      fc.boolean(),
      (bytes, type, isFromDialler) => {
        bytes[0] = type;
        try {
          const header = readFrameHeader(bytes, 0, isFromDialler ? "fromDialler" : "fromAccepter");
          assert.ok(header.payloadBytes <= 1024 * 1024);
        } catch (error) {
          assert.ok(error instanceof ProtocolViolation);
        }
      },
    ),
  );
});

test("requests are read as they were written, and never believed otherwise", () => {
  const range = fc.record({
    gap: fc.nat(1000),
    length: fc.integer({ min: 1, max: 1000 }),
    lastBlockBytes: fc.integer({ min: 1, max: 16_777_216 }),
  });
  fc.assert(
    fc.property(fc.array(range, { minLength: 1, maxLength: 50 }), (steps) => {
      let at = 0;
      const ranges = steps.map(({ gap, length, lastBlockBytes }) => {
        const start = at + gap;
        at = start + length;
        return { start, end: at, lastBlockBytes };
      });
      assert.deepEqual(decodeRequest(encodeRequest(ranges)), ranges);
    }),
  );
  for (const range of [
    { start: 1, end: 1, lastBlockBytes: 1 },
    { start: 2, end: 1, lastBlockBytes: 1 },
    { start: 0, end: 0xffff_ffff, lastBlockBytes: 1 },
    { start: 0, end: 1, lastBlockBytes: 0 },
    { start: 0, end: 1, lastBlockBytes: 16_777_217 },
  ]) {
    assert.throws(() => decodeRequest(encodeRequest([range])), ProtocolViolation);
  }
  const one = { start: 0, end: 2, lastBlockBytes: 1 };
  assert.throws(() => decodeRequest(encodeRequest([one, one])), ProtocolViolation);
});

const pushHeader = (count: number, payloadBytes: number): FrameHeader => ({
  type: frameType.push,
  flags: 0,
  count,
  tag: 1,
  block: 1,
  payloadBytes,
});

test("pushes are read as they were written", () => {
  const entries = [0, 1, 7].map((block) => ({
    block,
    lengthBytes: 1000 + block,
    final: block === 7,
    checksum: new Uint8Array(32).fill(block),
  }));
  const payload = encodePushEntries(entries);
  assert.deepEqual(decodePushEntries(pushHeader(3, payload.length), payload), entries);
  assert.throws(() => decodePushEntries(pushHeader(2, payload.length), payload), ProtocolViolation);
  const backwards = encodePushEntries(entries.toReversed());
  assert.throws(() => decodePushEntries(pushHeader(3, backwards.length), backwards), ProtocolViolation);
  const large = encodePushEntries(entries.map((entry) => ({ ...entry, lengthBytes: 400_000 })));
  assert.throws(() => decodePushEntries(pushHeader(3, large.length), large), ProtocolViolation);
});

test("no payload makes decoding fail with anything but a violation", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(5), (payload, count) => {
      for (const decode of [
        () => decodeRequest(payload),
        () => decodePushEntries(pushHeader(count, payload.length), payload),
        () => decodeBlockList(payload),
        () => decodeOpen(pushHeader(count, payload.length), payload),
        () => decodeDetail(payload),
      ]) {
        try {
          decode();
        } catch (error) {
          assert.ok(error instanceof ProtocolViolation, String(error));
        }
      }
    }),
  );
});

test("small payloads", () => {
  fc.assert(
    fc.property(fc.array(uint32, { maxLength: 20 }), (blocks) =>
      assert.deepEqual(decodeBlockList(encodeBlockList(blocks)), blocks),
    ),
  );
  const open = { type: frameType.open, flags: 1, count: 0, tag: 2, block: 1, payloadBytes: 6 };
  assert.deepEqual(decodeOpen(open, encodeFileSetKey("maps@1")), { fileSet: "maps@1", order: "content" });
  assert.equal(decodeDetail(encodeDetail("a line\nand \u00e9 another")), "a line?and ? another");
  assert.equal(refusalKind(refusalCode("notHeld"), ["notHeld"]), "notHeld");
  assert.throws(() => refusalKind(refusalCode("disk"), ["notHeld"]), ProtocolViolation);
  assert.throws(() => refusalKind(99, ["notHeld"]), ProtocolViolation);
});
