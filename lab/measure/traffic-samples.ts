/** What was counted at one device over time, and what can be read from it. Pure: no clock, no kernel. */

export interface TrafficSample {
  /** Milliseconds since 1970, with a fraction. */
  readonly atMilliseconds: number;
  /** Bytes on the wire so far, headers included. */
  readonly bytes: number;
  readonly packets: number;
}

/** What a resource may carry from a time on. */
export interface CapabilityStep {
  readonly fromMilliseconds: number;
  readonly bitsPerSecond: number;
}

/** The window in which no link may carry more than its rate. */
export const windowMilliseconds = 1_000;

export interface WindowFigures {
  /** The highest rate of any window. */
  readonly peakBitsPerSecond: number;
  /** The most bytes that any window had beyond the capability. */
  readonly beyondBytes: number;
}

/**
 * Looks at every window of about a second that begins and ends with a sample. A window in which the capability changed, or
 * that began less than a second after it, is held to the higher of the two: programs have so long to follow.
 * @param steps in order of time; the first counts before that too; none: there is no limit
 */
export function slidingWindows(samples: readonly TrafficSample[], steps: readonly CapabilityStep[]): WindowFigures {
  let peakBitsPerSecond = 0;
  let beyondBytes = 0;
  let end = 0;
  for (const [start, first] of samples.entries()) {
    end = Math.max(end, start + 1);
    while (end < samples.length && lengthOf(first, samples[end]) < windowMilliseconds) end += 1;
    const last = samples[end];
    if (last === undefined) break;
    const bytes = last.bytes - first.bytes;
    const seconds = lengthOf(first, last) / 1_000;
    peakBitsPerSecond = Math.max(peakBitsPerSecond, (bytes * 8) / seconds);
    const allowed = capabilityWithin(steps, first.atMilliseconds - windowMilliseconds, last.atMilliseconds);
    beyondBytes = Math.max(beyondBytes, bytes - (allowed * seconds) / 8);
  }
  return { peakBitsPerSecond, beyondBytes: Math.round(beyondBytes) };
}

/** The samples between two times, with the last one before and the first one after. */
export function samplesWithin(
  samples: readonly TrafficSample[],
  fromMilliseconds: number,
  untilMilliseconds: number,
): TrafficSample[] {
  const first = samples.findLastIndex(({ atMilliseconds }) => atMilliseconds <= fromMilliseconds);
  const last = samples.findIndex(({ atMilliseconds }) => atMilliseconds >= untilMilliseconds);
  return samples.slice(Math.max(0, first), last < 0 ? samples.length : last + 1);
}

/** Bytes from the first sample to the last, without so many for each packet. */
export function payloadBytes(samples: readonly TrafficSample[], headerBytes: number): number {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return 0;
  return last.bytes - first.bytes - headerBytes * (last.packets - first.packets);
}

/** Average rate on the wire until so much payload had passed (or all samples, if it never did). */
export function averageUntil(
  samples: readonly TrafficSample[],
  headerBytes: number,
  payload: number,
): number | undefined {
  const first = samples[0];
  const last =
    samples.find(
      ({ bytes, packets }) =>
        first !== undefined && bytes - first.bytes - headerBytes * (packets - first.packets) >= payload,
    ) ?? samples.at(-1);
  if (first === undefined || last === undefined || last.atMilliseconds <= first.atMilliseconds) return undefined;
  return ((last.bytes - first.bytes) * 8_000) / (last.atMilliseconds - first.atMilliseconds);
}

/** The average rate in each whole second from a time on: from the first sample in it to the first one after it. */
export function ratesBySecond(samples: readonly TrafficSample[], fromMilliseconds: number): number[] {
  const rates: number[] = [];
  let before: TrafficSample | undefined;
  for (const sample of samples) {
    before ??= sample;
    if (sample.atMilliseconds < fromMilliseconds + (rates.length + 1) * 1_000) continue;
    rates.push(Math.round(((sample.bytes - before.bytes) * 8_000) / lengthOf(before, sample)));
    before = sample;
  }
  return rates;
}

function capabilityWithin(steps: readonly CapabilityStep[], fromMilliseconds: number, untilMilliseconds: number) {
  if (steps.length === 0) return Infinity;
  let highest = 0;
  for (const [index, { fromMilliseconds: stepAt, bitsPerSecond }] of steps.entries()) {
    const endsAt = steps[index + 1]?.fromMilliseconds ?? Infinity;
    const beginsAt = index === 0 ? -Infinity : stepAt;
    if (endsAt > fromMilliseconds && beginsAt < untilMilliseconds) highest = Math.max(highest, bitsPerSecond);
  }
  return highest;
}

function lengthOf(first: TrafficSample, last: TrafficSample | undefined): number {
  return last === undefined ? Infinity : last.atMilliseconds - first.atMilliseconds;
}
