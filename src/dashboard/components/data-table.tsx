/**
 * A table of any number of rows, sorted by any column: only the rows in sight (and some around them) are in the page.
 * Columns keep their widths, rows their height, whatever they show. Rows keep their order for a while although what they
 * are sorted by goes on changing, and for as long as the pointer is on them.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { compareValues, keepOrder, visibleRange } from "./table-rows.ts";

export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  readonly render: (row: Row) => ComponentChildren;
  /** What it is sorted by; without it, it is not. */
  readonly sortBy?: (row: Row) => string | number;
  readonly number?: boolean;
  /** Has a bar in it, and gets more of a narrow window. */
  readonly meter?: boolean;
  /** A CSS width; columns without one share what is left. */
  readonly width?: string;
  /** Higher ranks go first where there is no room: 2 below 900 pixels, 3 below 1,240. */
  readonly rank?: 1 | 2 | 3;
}

export interface Sorting {
  readonly key: string;
  readonly descending: boolean;
}

/** Rows are put in order anew this often at most. */
const orderMilliseconds = 4_000;

interface DataTableProps<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly sorting?: Sorting;
  /** Of the scrolled part: a CSS length. */
  readonly height?: string;
  readonly empty?: ComponentChildren;
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, rows, keyOf, height = "max(320px, calc(100vh - 152px))", empty } = props;
  const [sorting, setSorting] = useState<Sorting | undefined>(props.sorting);
  const [scroller, setScroller] = useState<HTMLDivElement | null>(null);
  const view = useScrolledView(scroller);
  const [held, setHeld] = useState(false);
  const sorted = useSettledRows(props, sorting, held);
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>;
  const { first, last, above, below } = visibleRange(sorted.length, view);
  return (
    <div
      class="table-scroll"
      style={{ maxHeight: height }}
      ref={setScroller}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table class="table" aria-rowcount={sorted.length + 1}>
        <thead>
          <tr>
            {columns.map((column) => (
              <HeadCell key={column.key} column={column} sorting={sorting} onSort={setSorting} />
            ))}
          </tr>
        </thead>
        <tbody>
          {above > 0 && <Spacer height={above} />}
          {sorted.slice(first, last).map((row, index) => (
            <tr key={keyOf(row)} class="row" aria-rowindex={first + index + 2}>
              {columns.map(({ key, number, rank, render }) => (
                <td key={key} class={`${number === true ? "number" : ""} ${rankClass(rank)}`}>
                  {render(row)}
                </td>
              ))}
            </tr>
          ))}
          {below > 0 && <Spacer height={below} />}
        </tbody>
      </table>
    </div>
  );
}

const rankClass = (rank: number | undefined): string => (rank === undefined || rank === 1 ? "" : `rank-${rank}`);

function HeadCell<Row>(props: {
  readonly column: Column<Row>;
  readonly sorting: Sorting | undefined;
  readonly onSort: (sorting: Sorting) => void;
}) {
  const { column, sorting, onSort } = props;
  const { key, title, number, rank, meter, width, sortBy } = column;
  const isSorted = sorting?.key === key;
  const arrow = isSorted && (
    <span class="arrow" aria-hidden="true">
      {sorting.descending ? "▼" : "▲"}
    </span>
  );
  const toggle = (): void => onSort({ key, descending: isSorted ? !sorting.descending : number === true });
  return (
    <th
      scope="col"
      style={width === undefined ? {} : { width }}
      class={`${number === true ? "number" : ""} ${meter === true ? "meter-column" : ""} ${rankClass(rank)}`}
      {...(isSorted ? { "aria-sort": sorting.descending ? "descending" : "ascending" } : {})}
    >
      {sortBy === undefined ? (
        title
      ) : (
        <button type="button" onClick={toggle}>
          {number === true && arrow}
          {title}
          {number !== true && arrow}
        </button>
      )}
    </th>
  );
}

/** One cell: a span over all columns would bring back those that are not shown. */
function Spacer({ height }: { readonly height: number }) {
  return (
    <tr class="spacer" aria-hidden="true">
      <td style={{ height: `${height}px` }} />
    </tr>
  );
}

/** The rows in their order, which is worked out anew when the reader asks for another, or after a while. */
function useSettledRows<Row>(props: DataTableProps<Row>, sorting: Sorting | undefined, held: boolean): readonly Row[] {
  const { rows, columns, keyOf } = props;
  const settled = useRef<{ sorting: Sorting | undefined; at: number; keys: readonly string[] } | undefined>(undefined);
  return useMemo(() => {
    const before = settled.current;
    const now = performance.now();
    const isFresh = before !== undefined && (held || now - before.at < orderMilliseconds);
    if (before !== undefined && isFresh && before.sorting === sorting && before.keys.length > 0) {
      return keepOrder(rows, keyOf, before.keys);
    }
    const sorted = sortRows(rows, columns, sorting);
    settled.current = { sorting, at: now, keys: sorted.map(keyOf) };
    return sorted;
  }, [rows, columns, sorting, held]);
}

function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sorting: Sorting | undefined,
): readonly Row[] {
  const sortBy = columns.find(({ key }) => key === sorting?.key)?.sortBy;
  if (sorting === undefined || sortBy === undefined) return rows;
  const sign = sorting.descending ? -1 : 1;
  return rows.toSorted((a, b) => sign * compareValues(sortBy(a), sortBy(b)));
}

/** What is scrolled to, and the height of rows: they change with the window. */
function useScrolledView(element: HTMLDivElement | null) {
  const [view, setView] = useState({ top: 0, height: 900, rowHeight: 38 });
  useEffect(() => {
    if (element === null) return undefined;
    const update = (): void => {
      const rowHeight = Number.parseFloat(getComputedStyle(element).getPropertyValue("--row-height")) || 38;
      const next = { top: element.scrollTop, height: element.clientHeight, rowHeight };
      setView((now) =>
        now.top === next.top && now.height === next.height && now.rowHeight === next.rowHeight ? now : next,
      );
    };
    const observer = new ResizeObserver(update);
    observer.observe(element);
    element.addEventListener("scroll", update, { passive: true });
    update();
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", update);
    };
  }, [element]);
  return view;
}
