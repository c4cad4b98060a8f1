/** What the live views say of a thing that is under way. */
import { formatDuration, nanosecondsPerSecond } from "../../std/units.ts";

/** Whole seconds, since tenths would only flicker: `12 s`, `3 h 20 m`. */
export function timeOf(seconds: number): string {
  return formatDuration(Math.max(1, Math.ceil(seconds)) * nanosecondsPerSecond);
}

/** `12 s left`; nothing where it is not known. */
export function timeLeft(seconds: number | null | undefined): string {
  return seconds === null || seconds === undefined ? "" : `${timeOf(seconds)} left`;
}

/** Cells beside one another, each as wide as the widest of its column. */
export function aligned(rows: readonly (readonly string[])[], rightColumns: ReadonlySet<number>): string[][] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return rightColumns.has(column) ? cell.padStart(width) : cell.padEnd(width);
    }),
  );
}
