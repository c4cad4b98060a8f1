/** The controller's durable store in the virtual world: a batch is written at once and as a whole, and survives everything. */
import type { StoreChange, StoredRow } from "../control/store-port.ts";
import { decodeUtf8, encodeUtf8 } from "../std/utf8.ts";

const termRow = { table: "meta", key: "term" } as const;

export class VirtualStore {
  readonly #rows = new Map<string, StoredRow>();

  /** All rows, ordered by table then key. */
  rows(): StoredRow[] {
    return [...this.#rows.values()].toSorted((one, other) =>
      one.table === other.table ? compare(one.key, other.key) : compare(one.table, other.table),
    );
  }

  write(changes: readonly StoreChange[]): void {
    for (const { table, key, value } of changes) {
      const place = `${table}\n${key}`;
      if (value === undefined) this.#rows.delete(place);
      else this.#rows.set(place, { table, key, value });
    }
  }

  /** Raises the term by one, as a starting controller does. */
  raiseTerm(): number {
    const stored = this.#rows.get(`${termRow.table}\n${termRow.key}`);
    const term = stored === undefined ? 1 : Number(decodeUtf8(stored.value)) + 1;
    this.write([{ ...termRow, value: encodeUtf8(String(term)) }]);
    return term;
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
