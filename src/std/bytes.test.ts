import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromBase64, toBase64 } from "./base64.ts";
import { ByteReader, ByteWriter, concatenateBytes, equalBytes } from "./bytes.ts";
import { fromHex, toHex } from "./hex.ts";
import { decodeUtf8, encodeUtf8, utf8Length } from "./utf8.ts";

const anyBytes = fc.uint8Array({ maxLength: 60 });

test("UTF-8 agrees with the platform for all valid text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 50 }), (text) => {
      const expected = new TextEncoder().encode(text);
      assert.deepEqual(encodeUtf8(text), expected);
      assert.equal(utf8Length(text), expected.length);
      assert.equal(decodeUtf8(expected), text);
    }),
    { numRuns: 500 },
  );
  const long = "\u{1f600}aé".repeat(5000);
  assert.equal(decodeUtf8(encodeUtf8(long)), long);
});

test("bytes are decoded exactly where the platform takes them for valid", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const likely = fc.constantFrom(
    0x41,
    0x80,
    0xbf,
    0xc0,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xa0,
    0x9f,
    0xed,
    0xef,
    0xf0,
    0x90,
    0x8f,
    0xf4,
    0xf5,
  );
  fc.assert(
    fc.property(fc.array(likely, { maxLength: 6 }), (list) => {
      const bytes = Uint8Array.from(list);
      let expected: string | undefined;
      try {
        expected = decoder.decode(bytes);
      } catch {
        assert.throws(() => decodeUtf8(bytes), RangeError);
        return;
      }
      assert.equal(decodeUtf8(bytes), expected);
    }),
    { numRuns: 3000 },
  );
});

test("lone surrogates are refused", () => {
  for (const text of ["\ud800", "a\udc00", "\ud800\ud800", "\ud800a"]) {
    assert.throws(() => encodeUtf8(text), RangeError);
    assert.throws(() => utf8Length(text), RangeError);
  }
});

test("hexadecimal and Base64 text come back as the same bytes", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      assert.equal(toHex(bytes), Buffer.from(bytes).toString("hex"));
      assert.equal(toBase64(bytes), Buffer.from(bytes).toString("base64"));
      assert.deepEqual(fromHex(toHex(bytes)), bytes);
      assert.deepEqual(fromBase64(toBase64(bytes)), bytes);
    }),
  );
  assert.deepEqual(fromHex("AbfF"), Uint8Array.of(0xab, 0xff));
});

test("text that is not hexadecimal or Base64 is refused", () => {
  for (const text of ["a", "0g", "  ", "0\u0131"]) assert.throws(() => fromHex(text), RangeError);
  for (const text of ["A", "AA", "AAA", "AB==", "AAB=", "====", "A===", "AA=A", "AA==AAAA", "AA-_"]) {
    assert.throws(() => fromBase64(text), RangeError);
  }
});

test("what is written is read back", () => {
  const value = fc.oneof(
    fc.record({ kind: fc.constant("u8" as const), value: fc.integer({ min: 0, max: 255 }) }),
    fc.record({ kind: fc.constant("u32" as const), value: fc.integer({ min: 0, max: 2 ** 32 - 1 }) }),
    fc.record({ kind: fc.constant("varint" as const), value: fc.maxSafeNat() }),
    fc.record({
      kind: fc.constant("zigzag" as const),
      value: fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 }),
    }),
    fc.record({ kind: fc.constant("text" as const), value: fc.string({ unit: "binary" }) }),
    fc.record({ kind: fc.constant("bytes" as const), value: anyBytes }),
  );
  fc.assert(
    fc.property(fc.array(value), (list) => {
      const writer = new ByteWriter(1);
      for (const item of list) {
        if (item.kind === "text") writer.text(item.value);
        else if (item.kind === "bytes") writer.bytes(item.value);
        else writer[item.kind](item.value);
      }
      const bytes = writer.toBytes();
      assert.equal(bytes.length, writer.length);
      const reader = new ByteReader(bytes);
      for (const item of list) {
        if (item.kind === "bytes") assert.deepEqual(reader.bytes(item.value.length), item.value);
        else assert.equal(reader[item.kind](), item.value);
      }
      assert.equal(reader.remaining, 0);
      assert.equal(reader.position, bytes.length);
    }),
  );
});

test("any input is read or refused, never read past its end", () => {
  fc.assert(
    fc.property(anyBytes, fc.constantFrom("u8", "u32", "varint", "zigzag", "text"), (bytes, kind) => {
      const reader = new ByteReader(bytes);
      try {
        while (reader.remaining > 0) reader[kind]();
      } catch (error) {
        assert.ok(error instanceof RangeError);
      }
      assert.ok(reader.position <= bytes.length);
    }),
  );
});

test("numbers out of range or not in their shortest form are refused", () => {
  const writer = new ByteWriter();
  assert.throws(() => {
    writer.u8(256);
  }, RangeError);
  assert.throws(() => {
    writer.u32(-1);
  }, RangeError);
  assert.throws(() => {
    writer.varint(1.5);
  }, RangeError);
  assert.throws(() => {
    writer.zigzag(2 ** 53);
  }, RangeError);
  const tooLarge = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);
  assert.throws(() => new ByteReader(tooLarge).varint(), RangeError);
  assert.throws(() => new ByteReader(Uint8Array.of(0x81, 0x00)).varint(), RangeError);
  assert.throws(() => new ByteReader(Uint8Array.of(1)).bytes(2), RangeError);
});

test("concatenation and comparison", () => {
  const whole = concatenateBytes([Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)]);
  assert.ok(equalBytes(whole, Uint8Array.of(1, 2, 3)));
  assert.ok(!equalBytes(whole, Uint8Array.of(1, 2)));
  assert.ok(!equalBytes(whole, Uint8Array.of(1, 2, 4)));
});
