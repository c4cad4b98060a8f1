/** The arithmetic of a heat map: where each square is, and which one the arrow keys lead to. Lengths are pixels. */

export interface Grid {
  readonly columns: number;
  /** From one square to the next. */
  readonly step: number;
  readonly gap: number;
  readonly height: number;
}

/** A grid of `cells` squares in a given width. Before the width is known it has one row. */
export function gridOf(cells: number, width: number, cellPixels: number): Grid {
  const gap = cellPixels >= 14 ? 3 : 2;
  const step = cellPixels + gap;
  const columns = width <= 0 ? Math.max(1, cells) : Math.max(1, Math.floor((width + gap) / step));
  return { columns, step, gap, height: Math.max(1, Math.ceil(cells / columns)) * step };
}

/** The square at a point; undefined between squares and behind the last. */
export function cellAt({ columns, step, gap }: Grid, cells: number, x: number, y: number): number | undefined {
  const column = Math.floor(x / step);
  const row = Math.floor(y / step);
  if (x < 0 || y < 0 || column >= columns || x % step > step - gap || y % step > step - gap) return undefined;
  const index = row * columns + column;
  return index < cells ? index : undefined;
}

/** Where a key leads from a square; undefined when the key means nothing here. */
export function moveInGrid(
  { columns }: Grid,
  cells: number,
  from: number | undefined,
  key: string,
): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: columns,
    ArrowUp: -columns,
    Home: -cells,
    End: cells,
  };
  const step = Object.hasOwn(steps, key) ? steps[key] : undefined;
  if (step === undefined || cells === 0) return undefined;
  if (from === undefined) return 0;
  return Math.min(cells - 1, Math.max(0, from + step));
}

/** A size of squares at which the largest group stays readable and on one screen. */
export function cellPixelsFor(largestGroup: number): number {
  if (largestGroup <= 24) return 22;
  if (largestGroup <= 120) return 16;
  return largestGroup <= 400 ? 12 : 9;
}
