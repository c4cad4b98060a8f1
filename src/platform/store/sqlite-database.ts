/**
 * The one place that knows which SQLite there is: Node's own where it has one (22.5 and newer), else the package of the
 * same interface. Promises a database whose errors, whichever of the two it is, can be asked for SQLite's result code.
 */
import { createRequire } from "node:module";

export type SqliteValue = string | number | Uint8Array | null;

/** As much of a prepared statement as the store uses. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): unknown;
  get(...values: SqliteValue[]): Record<string, unknown> | undefined;
  all(...values: SqliteValue[]): Record<string, unknown>[];
}

/** As much of a database as the store uses: `DatabaseSync` of node:sqlite. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string) => SqliteDatabase;
}

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) that the store tells apart. */
export const sqliteCodes = {
  busy: 5,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;

/**
 * Opens (or creates) the database in this file.
 * @throws SQLite's error: see `sqliteErrorCode`
 */
export async function openSqliteDatabase(path: string): Promise<SqliteDatabase> {
  const { DatabaseSync } = await loadSqlite();
  return new DatabaseSync(path);
}

/** The primary result code of an error that SQLite threw; undefined for any other error. */
export function sqliteErrorCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  // The low byte is the primary code, what stands above it narrows it down.
  return error.errcode & 0xff;
}

async function loadSqlite(): Promise<SqliteModule> {
  const nodesOwn = loadNodesOwn();
  if (nodesOwn !== undefined) return nodesOwn;
  return import("@photostructure/sqlite");
}

/** node:sqlite, or undefined where this Node has none (or has it only behind a flag). */
function loadNodesOwn(): SqliteModule | undefined {
  const shown = Object.getOwnPropertyDescriptor(process, "emitWarning");
  // Node 22 warns that its SQLite is experimental; users of this program can do nothing with that.
  process.emitWarning = () => undefined;
  try {
    return createRequire(import.meta.url)("node:sqlite") as SqliteModule;
  } catch {
    return undefined;
  } finally {
    if (shown !== undefined) Object.defineProperty(process, "emitWarning", shown);
  }
}
