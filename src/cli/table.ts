/** Tables for people: aligned columns, nothing drawn, so that `awk` and `column` can read them too. */
import pc from "picocolors";
import { printable } from "../platform/printable.ts";

export interface Column<Row> {
  readonly title: string;
  readonly align?: "left" | "right";
  readonly cell: (row: Row) => string;
}

/** The rows under their titles, each line ended; `whenEmpty` if there are none. */
export function formatTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], whenEmpty: string): string {
  if (rows.length === 0) return `${whenEmpty}\n`;
  const cells = rows.map((row) => columns.map(({ cell }) => printable(cell(row)) || "-"));
  const widths = columns.map(({ title }, index) =>
    cells.reduce((widest, row) => Math.max(widest, row[index]?.length ?? 0), title.length),
  );
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) =>
        columns[index]?.align === "right" ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return `${[pc.dim(line(columns.map(({ title }) => title))), ...cells.map(line)].join("\n")}\n`;
}

/** Lines of a name and what it says, the names aligned. */
export function formatFields(fields: readonly (readonly [string, string])[]): string {
  const width = fields.reduce((widest, [name]) => Math.max(widest, name.length), 0);
  return fields.map(([name, text]) => `${pc.dim(name.padEnd(width))}  ${printable(text)}\n`).join("");
}
