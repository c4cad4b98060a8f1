/**
 * The controller's durable store: one SQLite file, no server to start.
 *
 * Promises: a batch that `write` has resolved for survives the loss of power (write-ahead log, synchronous FULL); a batch
 * happens as a whole or not at all; the file belongs to one process at a time (SQLite's exclusive lock, which the kernel
 * takes back when the process dies); a file that is damaged, foreign or of a newer format is refused and left as it is.
 */
import { storeTables } from "../../control/store-port.ts";
import type { StoreChange, StoreCondition, StoredRow, StorePort, StoreTable } from "../../control/store-port.ts";
import { equalBytes } from "../../std/bytes.ts";
import { UserError } from "../../std/errors.ts";
import { openSqliteDatabase, sqliteCodes, sqliteErrorCode } from "./sqlite-database.ts";
import type { SqliteDatabase, SqliteStatement } from "./sqlite-database.ts";
import { checkChange, checkKey, compareRows } from "./store-rows.ts";

/** The format of the tables below; another one is a program's of another time. */
const storeFormat = 1;
/** Marks the file as ours, in SQLite's header: the letters SLUC. */
const applicationId = 0x53_4c_55_43;

interface TableStatements {
  readonly read: SqliteStatement;
  readonly put: SqliteStatement;
  readonly remove: SqliteStatement;
  readonly all: SqliteStatement;
}

/**
 * Opens the store in this file, or makes it.
 * @throws UserError when the file is in use, damaged, foreign, of a newer format, or cannot be written
 */
export async function openSqliteStore(path: string): Promise<StorePort> {
  let database: SqliteDatabase | undefined;
  try {
    database = await openSqliteDatabase(path);
    prepareDatabase(database, path);
    return new SqliteStore(database, path);
  } catch (error) {
    closeQuietly(database);
    throw translateError(error, path);
  }
}

class SqliteStore implements StorePort {
  readonly #database: SqliteDatabase;
  readonly #path: string;
  readonly #tables: ReadonlyMap<StoreTable, TableStatements>;
  #closed = false;

  constructor(database: SqliteDatabase, path: string) {
    this.#database = database;
    this.#path = path;
    this.#tables = new Map(storeTables.map((table) => [table, prepareStatements(database, table)]));
  }

  async readAll(): Promise<StoredRow[]> {
    return this.#run(() =>
      storeTables
        .flatMap((table) =>
          this.#statements(table)
            .all.all()
            .map((row) => toStoredRow(table, row)),
        )
        .sort(compareRows),
    );
  }

  async read(table: StoreTable, key: string): Promise<Uint8Array | undefined> {
    return this.#run(() => this.#value(table, key));
  }

  async write(batch: {
    readonly conditions: readonly StoreCondition[];
    readonly changes: readonly StoreChange[];
  }): Promise<boolean> {
    return this.#run(() => {
      for (const condition of batch.conditions) checkKey(condition.key);
      for (const change of batch.changes) checkChange(change);
      this.#database.exec("BEGIN IMMEDIATE");
      try {
        const written = batch.conditions.every((condition) => this.#holds(condition));
        if (written) for (const change of batch.changes) this.#apply(change);
        this.#database.exec(written ? "COMMIT" : "ROLLBACK");
        return written;
      } catch (error) {
        this.#rollBack();
        throw error;
      }
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // The package's close leaves the file open until its statements are collected as garbage, with whatever lock there
    // is. So the log is folded in and the lock given back first: the next opener need not wait for that.
    this.#database.exec("PRAGMA journal_mode = DELETE");
    releaseLock(this.#database);
    this.#database.close();
  }

  #apply({ table, key, value }: StoreChange): void {
    if (value === undefined) this.#statements(table).remove.run(key);
    else this.#statements(table).put.run(key, value);
  }

  #holds({ table, key, value }: StoreCondition): boolean {
    const stored = this.#value(table, key);
    if (stored === undefined || value === undefined) return stored === value;
    return equalBytes(stored, value);
  }

  #value(table: StoreTable, key: string): Uint8Array | undefined {
    const row = this.#statements(table).read.get(key);
    return row === undefined ? undefined : toBytes(row["value"]);
  }

  #statements(table: StoreTable): TableStatements {
    const statements = this.#tables.get(table);
    if (statements === undefined) throw new RangeError(`the store has no table ${table}`);
    return statements;
  }

  /** SQLite has rolled back by itself after some errors (a full disk); then this is one too many. */
  #rollBack(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // Nothing was begun any more.
    }
  }

  #run<Result>(action: () => Result): Result {
    if (this.#closed) throw new UserError("the store is closed");
    try {
      return action();
    } catch (error) {
      throw translateError(error, this.#path);
    }
  }
}

/** Takes the lock, refuses what is not ours, makes the tables. */
function prepareDatabase(database: SqliteDatabase, path: string): void {
  // The lock comes first: with it SQLite keeps the log's index in its own memory, and nobody else gets in.
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec("PRAGMA busy_timeout = 0");
  const format = pragmaNumber(database, "user_version");
  const owner = pragmaNumber(database, "application_id");
  const isEmpty = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (!(isEmpty && format === 0 && owner === 0) && owner !== applicationId) {
    throw new UserError(`${path} is a database of another program`, {
      hint: "name another data directory with --data",
    });
  }
  if (format > storeFormat) {
    throw new UserError(`${path} has store format ${format}, this program reads ${storeFormat}: upgrade sluice`);
  }
  const check = database.prepare("PRAGMA quick_check(1)").get();
  if (check !== undefined && Object.values(check)[0] !== "ok") throw damaged(path, String(Object.values(check)[0]));
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = FULL");
  database.exec("BEGIN IMMEDIATE");
  for (const table of storeTables) {
    database.exec(`CREATE TABLE IF NOT EXISTS ${sqlName(table)} (key TEXT PRIMARY KEY, value BLOB NOT NULL)`);
  }
  database.exec(`PRAGMA application_id = ${applicationId}`);
  database.exec(`PRAGMA user_version = ${storeFormat}`);
  database.exec("COMMIT");
}

function prepareStatements(database: SqliteDatabase, table: StoreTable): TableStatements {
  const name = sqlName(table);
  return {
    read: database.prepare(`SELECT value FROM ${name} WHERE key = ?`),
    put: database.prepare(
      `INSERT INTO ${name} (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    ),
    remove: database.prepare(`DELETE FROM ${name} WHERE key = ?`),
    all: database.prepare(`SELECT key, value FROM ${name}`),
  };
}

/** `fileSets` is a table of the port; quoted, since SQL folds case and has words of its own. */
function sqlName(table: StoreTable): string {
  return `"${table}"`;
}

function pragmaNumber(database: SqliteDatabase, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0] ?? 0);
}

function toStoredRow(table: StoreTable, row: Record<string, unknown>): StoredRow {
  return { table, key: String(row["key"]), value: toBytes(row["value"]) };
}

function toBytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new RangeError("a value in the store is not bytes");
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

/** Leaves exclusive mode; the lock goes with the next read. */
function releaseLock(database: SqliteDatabase): void {
  database.exec("PRAGMA locking_mode = NORMAL");
  database.exec("SELECT 1 FROM sqlite_schema LIMIT 1");
}

function closeQuietly(database: SqliteDatabase | undefined): void {
  if (database === undefined) return;
  try {
    releaseLock(database);
  } catch {
    // It was not ours.
  }
  try {
    database.close();
  } catch {
    // The first error is the one to tell.
  }
}

function damaged(path: string, detail: string): UserError {
  return new UserError(`the store ${path} is damaged (${detail})`, {
    hint: "put a copy of it back, or move it away to start with an empty one: agents keep their data and report it anew, file sets must be published again",
  });
}

/** SQLite's errors in words that say what to do; others as they are. */
function translateError(error: unknown, path: string): unknown {
  const code = sqliteErrorCode(error);
  if (code === undefined) return error;
  const detail = error instanceof Error ? error.message : String(error);
  switch (code) {
    case sqliteCodes.busy:
      return new UserError(`the store ${path} is in use by another controller`, {
        hint: "stop that one first, or name another data directory with --data",
        cause: error,
      });
    case sqliteCodes.corrupt:
    case sqliteCodes.notADatabase:
      return damaged(path, detail);
    case sqliteCodes.full:
      return new UserError(`the disk is full: cannot write the store ${path}`, {
        hint: "free some space and start the controller again: nothing that was confirmed is lost",
        cause: error,
      });
    case sqliteCodes.readOnly:
      return new UserError(`the store ${path} cannot be written: it is read-only`, { cause: error });
    case sqliteCodes.cannotOpen:
      return new UserError(`cannot open the store ${path} (${detail})`, {
        hint: "check that the directory exists and that this user may write in it",
        cause: error,
      });
    case sqliteCodes.ioError:
      return new UserError(`the disk failed under the store ${path} (${detail})`, { cause: error });
    default:
      return new UserError(`the store ${path} failed (${detail})`, { cause: error });
  }
}
