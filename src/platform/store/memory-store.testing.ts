/** A store that keeps its rows in memory: the same promises as the durable one (see the contract suite), for tests. */
import type { StoreChange, StoreCondition, StoredRow, StorePort, StoreTable } from "../../control/store-port.ts";
import { equalBytes } from "../../std/bytes.ts";
import { UserError } from "../../std/errors.ts";
import { checkChange, checkKey, compareRows } from "./store-rows.ts";

export class MemoryStore implements StorePort {
  readonly #rows = new Map<string, StoredRow>();
  #closed = false;
  /** Set by a test: the next write fails with it. */
  failNextWriteWith: Error | undefined;
  /** How many batches were written. */
  writes = 0;

  async readAll(): Promise<StoredRow[]> {
    this.#checkOpen();
    return [...this.#rows.values()].map((row) => ({ ...row, value: row.value.slice() })).sort(compareRows);
  }

  async read(table: StoreTable, key: string): Promise<Uint8Array | undefined> {
    this.#checkOpen();
    return this.#rows.get(rowName(table, key))?.value.slice();
  }

  async write(batch: {
    readonly conditions: readonly StoreCondition[];
    readonly changes: readonly StoreChange[];
  }): Promise<boolean> {
    this.#checkOpen();
    const failure = this.failNextWriteWith;
    if (failure !== undefined) {
      this.failNextWriteWith = undefined;
      throw failure;
    }
    for (const condition of batch.conditions) checkKey(condition.key);
    for (const change of batch.changes) checkChange(change);
    if (!batch.conditions.every((condition) => this.#holds(condition))) return false;
    for (const { table, key, value } of batch.changes) {
      if (value === undefined) this.#rows.delete(rowName(table, key));
      else this.#rows.set(rowName(table, key), { table, key, value: value.slice() });
    }
    this.writes += 1;
    return true;
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  #holds(condition: StoreCondition): boolean {
    const value = this.#rows.get(rowName(condition.table, condition.key))?.value;
    if (value === undefined || condition.value === undefined) return value === condition.value;
    return equalBytes(value, condition.value);
  }

  #checkOpen(): void {
    if (this.#closed) throw new UserError("the store is closed");
  }
}

function rowName(table: StoreTable, key: string): string {
  return `${table}\n${key}`;
}
