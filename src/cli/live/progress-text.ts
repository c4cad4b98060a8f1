/** What the live views say of a thing that is under way. */
import { formatDuration, nanosecondsPerSecond } from "../../std/units.ts";

/** `12 s left`, `about 3 h 20 m left`; whole seconds, since tenths would only flicker. */
export function timeLeft(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "";
  return `${formatDuration(Math.max(1, Math.ceil(seconds)) * nanosecondsPerSecond)} left`;
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
