/** What the charts of a file set show, worked out from the samples of its progress. */
import type { FileSetRow, ProgressSample } from "../protocol/api/rows.ts";

/** The rate at a sample is that since the sample at least this long before it: single samples waver. */
const rateWindowMilliseconds = 2_000;
/** Points of a projection: a straight line needs two, and the pointer something to stand on. */
const projectionPoints = 12;

type Values = (number | null)[];

/** Percent that targets hold by seconds since 1970: as it was, as it goes on at this rate, and as no schedule can beat. */
export function completionSeries(
  history: readonly ProgressSample[],
  summary: Pick<FileSetRow, "heldBytes" | "wantedBytes" | "secondsLeft" | "heldBackBy">,
  nowMilliseconds: number,
): [times: number[], was: Values, goesOn: Values, atBest: Values] {
  const times = history.map(({ atMilliseconds }) => atMilliseconds / 1000);
  const was: Values = history.map(({ heldBytes, wantedBytes }) => percent(heldBytes, wantedBytes));
  const now = nowMilliseconds / 1000;
  const done = percent(summary.heldBytes, summary.wantedBytes);
  // Samples are seconds apart: the line goes on to what is so now.
  if (done !== null && now > (times.at(-1) ?? 0) && (was.at(-1) ?? 0) < 100) {
    times.push(now);
    was.push(done);
  }
  const goesOn: Values = was.map(() => null);
  const atBest: Values = was.map(() => null);
  if (times.length === 0 || done === null || done >= 100) return [times, was, goesOn, atBest];
  goesOn[goesOn.length - 1] = done;
  atBest[atBest.length - 1] = done;
  const ends = [summary.secondsLeft, summary.heldBackBy?.secondsAtLeast ?? null];
  for (const second of projectedSeconds(ends)) {
    times.push(now + second);
    was.push(null);
    goesOn.push(projected(done, ends[0], second));
    atBest.push(projected(done, ends[1], second));
  }
  return [times, was, goesOn, atBest];
}

/** Seconds from now at which the projections are drawn, rising: evenly up to the later end, and the ends themselves. */
function projectedSeconds(ends: readonly (number | null | undefined)[]): number[] {
  const known = ends.filter((end) => end !== null && end !== undefined && end > 0) as number[];
  const last = Math.max(0, ...known);
  const even = Array.from({ length: projectionPoints }, (_, index) => (last * (index + 1)) / projectionPoints);
  return last === 0 ? [] : [...new Set([...even, ...known])].sort((a, b) => a - b);
}

function projected(done: number, end: number | null | undefined, second: number): number | null {
  if (end === null || end === undefined || end <= 0 || second > end) return null;
  return done + ((100 - done) * second) / end;
}

function percent(part: number, whole: number): number | null {
  return whole <= 0 ? null : (100 * part) / whole;
}

/** Bits per second at which held bytes rose, by seconds since 1970. Never below nothing: what is deleted is no transfer. */
export function rateSeries(
  history: readonly ProgressSample[],
  summary: Pick<FileSetRow, "rateBitsPerSecond">,
  nowMilliseconds: number,
): [times: number[], rates: Values] {
  const times: number[] = [];
  const rates: Values = [];
  let start = 0;
  history.forEach((sample, index) => {
    while (
      start + 1 < index &&
      sample.atMilliseconds - (history[start + 1]?.atMilliseconds ?? 0) >= rateWindowMilliseconds
    ) {
      start += 1;
    }
    const before = history[start];
    times.push(sample.atMilliseconds / 1000);
    const milliseconds = sample.atMilliseconds - (before?.atMilliseconds ?? 0);
    rates.push(
      before === undefined || milliseconds <= 0
        ? null
        : Math.max(0, ((sample.heldBytes - before.heldBytes) * 8 * 1000) / milliseconds),
    );
  });
  if (summary.rateBitsPerSecond > 0 && nowMilliseconds / 1000 > (times.at(-1) ?? 0)) {
    times.push(nowMilliseconds / 1000);
    rates.push(summary.rateBitsPerSecond);
  }
  return [times, rates];
}
