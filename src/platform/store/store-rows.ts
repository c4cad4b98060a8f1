/** What every store has to do alike: which keys and values it takes, and the order in which it gives rows back. */
import type { StoreChange, StoredRow } from "../../control/store-port.ts";
import { encodeUtf8 } from "../../std/utf8.ts";

/** The longest key, in characters. */
export const maximumKeyLength = 512;
/** The largest value of a row. */
export const maximumValueBytes = 64 * 1024 * 1024;

/** @throws RangeError when a change is one that no store takes: callers keep to the bounds of the port */
export function checkChange(change: StoreChange): void {
  checkKey(change.key);
  if (change.value !== undefined && change.value.length > maximumValueBytes) {
    throw new RangeError(`the row ${change.table} ${change.key} has more than ${maximumValueBytes} bytes`);
  }
}

/** @throws RangeError for a key that is too long or cannot be written as UTF-8 */
export function checkKey(key: string): void {
  if (key.length > maximumKeyLength) throw new RangeError(`a key has at most ${maximumKeyLength} characters`);
  encodeUtf8(key);
}

/** Orders rows by table, then key, both as UTF-16 code units compare. */
export function compareRows(left: StoredRow, right: StoredRow): number {
  return compareText(left.table, right.table) || compareText(left.key, right.key);
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
