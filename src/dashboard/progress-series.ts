/** What the charts of a file set show, worked out from the samples of its progress. */
import type { AtBest, FileSetRow, ProgressSample } from "../protocol/api/rows.ts";

/** The rate at a sample is that since the sample at least this long before it: single samples waver. */
const rateWindowMilliseconds = 2_000;
/** Points of a projection: a straight line needs two, and the pointer something to stand on. */
const projectionPoints = 12;

/** A chart takes one value at a time: a line that stands upright leans by this. */
const uprightSeconds = 0.001;

type Values = (number | null)[];

/** What a chart of completion is made from, beside the samples. */
export interface Completion {
  readonly summary: Pick<FileSetRow, "heldBytes" | "wantedBytes" | "secondsLeft" | "heldBackBy">;
  readonly atBest: AtBest | null;
  readonly nowMilliseconds: number;
}

/**
 * Percent that targets hold by seconds since 1970: as it was, as it goes on at this rate, and a line upright where all of
 * it could have been there at the earliest, since transfers began.
 */
export function completionSeries(
  history: readonly ProgressSample[],
  { summary, atBest, nowMilliseconds }: Completion,
): [times: number[], was: Values, goesOn: Values, best: Values] {
  const was = new Map<number, number | null>();
  for (const { atMilliseconds, heldBytes, wantedBytes } of history) {
    was.set(atMilliseconds / 1000, percent(heldBytes, wantedBytes));
  }
  const now = nowMilliseconds / 1000;
  const done = percent(summary.heldBytes, summary.wantedBytes);
  const last = Math.max(0, ...was.keys());
  const goesOn = new Map<number, number | null>();
  // Samples are seconds apart: the line goes on to what is so now.
  if (done !== null && now > last && (was.get(last) ?? 0) < 100) was.set(now, done);
  if (done !== null && done < 100 && was.size > 0) {
    const from = Math.max(last, now);
    goesOn.set(from, done);
    addLine(goesOn, { from, value: done, seconds: summary.secondsLeft ?? 0 });
  }
  const best = new Map<number, number | null>();
  if (atBest !== null && atBest.secondsAtLeast > 0 && was.size > 0) {
    const end = atBest.fromMilliseconds / 1000 + atBest.secondsAtLeast;
    best.set(end, 0).set(end + uprightSeconds, 100);
  }
  const lines = [was, goesOn, best];
  const times = [...new Set(lines.flatMap((line) => [...line.keys()]))].sort((a, b) => a - b);
  const valuesOf = (line: ReadonlyMap<number, number | null>): Values => times.map((time) => line.get(time) ?? null);
  return [times, valuesOf(was), valuesOf(goesOn), valuesOf(best)];
}

/** A straight line up to all of it; a point is where the pointer finds something to stand on. */
function addLine(
  line: Map<number, number | null>,
  { from, value, seconds }: Record<"from" | "value" | "seconds", number>,
): void {
  if (seconds <= 0) return;
  for (let point = 0; point <= projectionPoints; point += 1) {
    const share = point / projectionPoints;
    line.set(from + seconds * share, value + (100 - value) * share);
  }
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
