/**
 * The term: a number that rises with every start of a controller, durably, before anything is said in its name. Agents
 * refuse an older one, and every write asks for it, so that of two controllers on one store only the newest acts.
 */
import type { StoreChange, StorePort } from "../../control/store-port.ts";
import { UserError } from "../../std/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../std/utf8.ts";

/** Where the term stands; no other row of `meta` has this key. */
const termRow = { table: "meta", key: "term" } as const;

/** Times that another starting controller may get in between. */
const raiseAttempts = 5;

/**
 * Raises the term by one. The first of an empty store is the date in seconds: where a store was lost, agents have obeyed
 * terms of the old one, and must not take the new one's for older.
 * @param dateMilliseconds today, since 1970
 * @returns the term, and the row that shows that it is still ours
 * @throws UserError when the stored one cannot be read, or others keep raising it
 */
export async function raiseTerm(
  store: StorePort,
  dateMilliseconds: number,
): Promise<{ term: number; row: StoreChange }> {
  for (let attempt = 0; attempt < raiseAttempts; attempt += 1) {
    const stored = await store.read(termRow.table, termRow.key);
    const term = stored === undefined ? Math.floor(dateMilliseconds / 1_000) : parseTerm(stored) + 1;
    const row = { ...termRow, value: encodeUtf8(String(term)) };
    if (await store.write({ conditions: [{ ...termRow, value: stored }], changes: [row] })) return { term, row };
  }
  throw new UserError("other controllers are starting on the same store");
}

function parseTerm(bytes: Uint8Array): number {
  const text = decodeUtf8(bytes);
  const term = Number(text);
  if (!/^[0-9]{1,15}$/.test(text) || !Number.isSafeInteger(term)) {
    throw new UserError("the term in the store cannot be read: the store is damaged");
  }
  return term;
}
