import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { UserError } from "./errors.ts";
import {
  bytesWithin,
  formatBitsPerSecond,
  formatBytes,
  formatDuration,
  parseBitsPerSecond,
  parseBytes,
  parseDurationNanoseconds,
  transmissionNanoseconds,
} from "./units.ts";

test("rates", () => {
  assert.equal(parseBitsPerSecond("10Gbps"), 10_000_000_000);
  assert.equal(parseBitsPerSecond("2.5 Mbps"), 2_500_000);
  assert.equal(parseBitsPerSecond("7kbps"), 7_000);
  assert.equal(parseBitsPerSecond("1Tbps"), 1_000_000_000_000);
  assert.equal(parseBitsPerSecond("100MB/s"), 800_000_000);
  assert.equal(parseBitsPerSecond("1MiB/s"), 8_388_608);
  assert.equal(parseBitsPerSecond(9600), 9600);
  assert.equal(parseBitsPerSecond("9600"), 9600);
});

test("sizes", () => {
  assert.equal(parseBytes("64MiB"), 67_108_864);
  assert.equal(parseBytes("200MB"), 200_000_000);
  assert.equal(parseBytes("1.5 KiB"), 1536);
  assert.equal(parseBytes("0.1KiB"), 102);
  assert.equal(parseBytes(17), 17);
  assert.equal(parseBytes("9007199254740991"), Number.MAX_SAFE_INTEGER);
  assert.equal(parseBytes("8191.999999999999999TiB"), Number.MAX_SAFE_INTEGER);
});

test("durations", () => {
  assert.equal(parseDurationNanoseconds("15m"), 900_000_000_000);
  assert.equal(parseDurationNanoseconds("0.3s"), 300_000_000);
  assert.equal(parseDurationNanoseconds("200 ms"), 200_000_000);
  assert.equal(parseDurationNanoseconds("1.5us"), 1500);
  assert.equal(parseDurationNanoseconds("3ns"), 3);
  assert.equal(parseDurationNanoseconds("2h"), 7_200_000_000_000);
  assert.equal(parseDurationNanoseconds("1d"), 86_400_000_000_000);
  assert.equal(parseDurationNanoseconds(0), 0);
});

test("what is none of them is refused with the accepted forms", () => {
  const wrong: [(text: string | number) => number, (string | number)[]][] = [
    [parseBitsPerSecond, ["", "fast", "-1Mbps", "1 MB", "1e9", "Gbps", "1.Gbps", "9007199254741Kbps", 1.5e300, -1]],
    [parseBytes, ["", "64M", "1mb", "1 constructor", "8192TiB", Number.NaN, Infinity]],
    [parseDurationNanoseconds, ["", "15", 15, "5 minutes", "-1s", "1000000000d"]],
  ];
  for (const [parse, texts] of wrong) {
    for (const text of texts) {
      assert.throws(
        () => parse(text),
        (error) => error instanceof UserError && (error.hint ?? "").length > 0,
        String(text),
      );
    }
  }
});

test("forms for people", () => {
  assert.equal(formatBitsPerSecond(1_500_000_000), "1.5 Gbps");
  assert.equal(formatBitsPerSecond(999_999), "1 Mbps");
  assert.equal(formatBitsPerSecond(0), "0 bps");
  assert.equal(formatBytes(67_108_864), "64 MiB");
  assert.equal(formatBytes(1023), "1023 B");
  assert.equal(formatBytes(1000 * 2 ** 40), "1000 TiB");
  assert.equal(formatDuration(350), "350 ns");
  assert.equal(formatDuration(12_345_678_901), "12.3 s");
  assert.equal(formatDuration(59_960_000_000), "1 m");
  assert.equal(formatDuration(125_000_000_000), "2 m 5 s");
  assert.equal(formatDuration(5_400_000_000_000), "1 h 30 m");
  assert.equal(formatDuration(273_600_000_000_000), "3 d 4 h");
  assert.equal(formatDuration(-1_000_000), "-1 ms");
});

test("times and volumes are exact", () => {
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  const bounded = (value: bigint): number => Number(value > most ? most : value);
  const bytes = fc.oneof(fc.maxSafeNat(), fc.nat(2 ** 24));
  const rate = fc.oneof(
    fc.maxSafeNat(),
    fc.nat(10_000),
    fc.nat(10_000).map((count) => count * 1_000_000),
  );
  fc.assert(
    fc.property(
      bytes,
      rate.filter((value) => value > 0),
      (amount, bitsPerSecond) => {
        const rateOf = BigInt(bitsPerSecond);
        const time = (BigInt(amount) * 8_000_000_000n + rateOf - 1n) / rateOf;
        assert.equal(transmissionNanoseconds(amount, bitsPerSecond), bounded(time));
        const volume = (BigInt(amount) * rateOf) / 8_000_000_000n;
        assert.equal(bytesWithin(amount, bitsPerSecond), bounded(volume));
      },
    ),
    { numRuns: 1000 },
  );
  assert.equal(transmissionNanoseconds(1_048_576, 1_000_000_000), 8_388_608);
  assert.equal(bytesWithin(5, 0), 0);
  assert.throws(() => transmissionNanoseconds(1, 0), RangeError);
});
