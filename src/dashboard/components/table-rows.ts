/** The arithmetic of tables: which rows are in sight, and how values are sorted. */

/** Rows above and below those in sight that are in the page all the same, so that scrolling shows no gaps. */
const marginRows = 12;

export interface ScrolledView {
  /** Pixels. */
  readonly top: number;
  readonly height: number;
  readonly rowHeight: number;
}

/** Rows `first` to before `last` are to be in the page; `above` and `below` are the pixels that the others would take. */
export function visibleRange(
  rows: number,
  { top, height, rowHeight }: ScrolledView,
): { first: number; last: number; above: number; below: number } {
  const first = Math.max(0, Math.min(rows, Math.floor(top / rowHeight) - marginRows));
  const last = Math.min(rows, Math.ceil((top + height) / rowHeight) + marginRows);
  return { first, last, above: first * rowHeight, below: (rows - last) * rowHeight };
}

/** Rows in the order that their keys had before; new ones stand at the end. */
export function keepOrder<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  keys: readonly string[],
): readonly Row[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  const ordered: Row[] = [];
  for (const key of keys) {
    const row = byKey.get(key);
    if (row === undefined) continue;
    ordered.push(row);
    byKey.delete(key);
  }
  ordered.push(...byKey.values());
  return ordered;
}

const collator = new Intl.Collator("en", { numeric: true });

/** Numbers by size, texts as people count: fra-2 before fra-10. */
export function compareValues(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return collator.compare(String(a), String(b));
}
