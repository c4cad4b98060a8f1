/**
 * The controller's durable store, as the controller sees it: rows of bytes in named tables, written by one conditional
 * batch that happens as a whole or not at all. It is asynchronous, so that a store shared by several controllers can
 * stand behind it; conditions are what keeps two of them from writing over each other.
 */

/** The tables. A key is a text of at most 512 characters; a value is bytes (up to 64 MiB). */
export const storeTables = [
  "meta",
  "agents",
  "fileSets",
  "manifests",
  "publishes",
  "components",
  "failures",
  "topology",
  "plans",
] as const;
export type StoreTable = (typeof storeTables)[number];

export interface StoredRow {
  readonly table: StoreTable;
  readonly key: string;
  readonly value: Uint8Array;
}

/** Put (value given) or delete (undefined) one row. */
export interface StoreChange {
  readonly table: StoreTable;
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

/** The row must hold exactly these bytes (undefined: must not exist) for the batch to be written. */
export interface StoreCondition {
  readonly table: StoreTable;
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export interface StorePort {
  /** All rows, ordered by table then key (as UTF-16 code units compare). */
  readAll(): Promise<StoredRow[]>;
  /** One row's value, or undefined. */
  read(table: StoreTable, key: string): Promise<Uint8Array | undefined>;
  /**
   * Writes all changes, durably, or none.
   * @returns false when a condition did not hold (nothing was written)
   * @throws UserError when the store itself fails (a full disk, say)
   */
  write(batch: {
    readonly conditions: readonly StoreCondition[];
    readonly changes: readonly StoreChange[];
  }): Promise<boolean>;
  close(): Promise<void>;
}
