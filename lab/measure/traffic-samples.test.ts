import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import {
  averageUntil,
  payloadBytes,
  ratesBySecond,
  samplesWithin,
  slidingWindows,
  type TrafficSample,
} from "./traffic-samples.ts";

/** A sample each 50 ms, with these bytes between two. */
function samplesOf(bytesPerStep: readonly number[]): TrafficSample[] {
  let bytes = 0;
  return [0, ...bytesPerStep].map((step, index) => {
    bytes += step;
    return { atMilliseconds: index * 50, bytes, packets: Math.floor(bytes / 1_514) };
  });
}

describe("sliding windows", () => {
  const steady = samplesOf(Array.from({ length: 100 }, () => 312_500)); // 50 Mbit/s

  it("has the rate of an even flow as its peak, and nothing beyond it", () => {
    const figures = slidingWindows(steady, [{ fromMilliseconds: 0, bitsPerSecond: 50_000_000 }]);
    assert.equal(Math.round(figures.peakBitsPerSecond), 50_000_000);
    assert.equal(figures.beyondBytes, 0);
  });

  it("finds a burst wherever a window begins", () => {
    const burst = samplesOf(Array.from({ length: 100 }, (_, index) => (index === 33 ? 412_500 : 312_500)));
    const figures = slidingWindows(burst, [{ fromMilliseconds: 0, bitsPerSecond: 50_000_000 }]);
    assert.equal(figures.beyondBytes, 100_000);
    assert.equal(Math.round(figures.peakBitsPerSecond), 50_800_000);
  });

  it("gives a second to follow a change, and no more", () => {
    const followed = samplesOf(Array.from({ length: 100 }, (_, index) => (index < 60 ? 312_500 : 125_000)));
    const early = [
      { fromMilliseconds: 0, bitsPerSecond: 50_000_000 },
      { fromMilliseconds: 2_000, bitsPerSecond: 20_000_000 },
    ];
    assert.equal(slidingWindows(followed, early).beyondBytes, 0);
    const tooEarly = [
      { fromMilliseconds: 0, bitsPerSecond: 50_000_000 },
      { fromMilliseconds: 1_500, bitsPerSecond: 20_000_000 },
    ];
    assert.ok(slidingWindows(followed, tooEarly).beyondBytes > 1_000_000);
  });

  it("knows no limit where there is none, and nothing of less than a second", () => {
    assert.equal(slidingWindows(steady, []).beyondBytes, 0);
    assert.equal(slidingWindows(steady.slice(0, 5), []).peakBitsPerSecond, 0);
  });
});

describe("payload", () => {
  it("is what is left without the header of each packet", () => {
    const samples = [
      { atMilliseconds: 0, bytes: 1_000, packets: 10 },
      { atMilliseconds: 100, bytes: 1_000 + 100 * 1_514, packets: 110 },
    ];
    assert.equal(payloadBytes(samples, 66), 144_800);
    assert.equal(payloadBytes([], 66), 0);
  });

  it("is followed up to an amount for the average until then", () => {
    const samples = [
      { atMilliseconds: 0, bytes: 0, packets: 0 },
      { atMilliseconds: 1_000, bytes: 1_000_000, packets: 0 },
      { atMilliseconds: 3_000, bytes: 1_200_000, packets: 0 },
    ];
    assert.equal(averageUntil(samples, 66, 1_000_000), 8_000_000);
    assert.equal(averageUntil(samples, 66, 5_000_000), 3_200_000);
    assert.equal(averageUntil(samples.slice(0, 1), 66, 1), undefined);
  });

  it("is told second by second", () => {
    const samples = samplesOf(Array.from({ length: 60 }, (_, index) => (index < 40 ? 125_000 : 12_500)));
    assert.deepEqual(ratesBySecond(samples, 0), [20_000_000, 20_000_000, 2_000_000]);
  });

  it("is cut out with the samples around it", () => {
    const times = samplesWithin(samplesOf([1, 1, 1, 1, 1]), 60, 140).map(({ atMilliseconds }) => atMilliseconds);
    assert.deepEqual(times, [50, 100, 150]);
  });
});
