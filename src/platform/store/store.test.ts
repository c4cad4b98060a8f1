import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { UserError } from "../../std/errors.ts";
import { MemoryStore } from "./memory-store.testing.ts";
import { openSqliteDatabase } from "./sqlite-database.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { storeContract } from "./store-contract.testing.ts";

let directory = "";
let files = 0;
const paths = new WeakMap<object, string>();

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-store-"));
});
after(async () => rm(directory, { recursive: true, force: true }));

const newPath = (): string => join(directory, `store-${(files += 1)}.db`);

storeContract("memory", { openEmpty: async () => new MemoryStore() });

storeContract("SQLite", {
  async openEmpty() {
    const path = newPath();
    const store = await openSqliteStore(path);
    paths.set(store, path);
    return store;
  },
  async reopen(store) {
    const path = paths.get(store) ?? "";
    await store.close();
    return openSqliteStore(path);
  },
});

const refusal = (pattern: RegExp) => (error: unknown) => error instanceof UserError && pattern.test(error.message);

describe("SQLite store", () => {
  it("is refused while another controller has it, and free when that one is killed", async () => {
    const path = newPath();
    const module = new URL("./sqlite-store.js", import.meta.url).href;
    const script = `const { openSqliteStore } = await import(${JSON.stringify(module)});
      const store = await openSqliteStore(${JSON.stringify(path)});
      await store.write({ conditions: [], changes: [{ table: "meta", key: "k", value: new Uint8Array([7]) }] });
      console.log("open"); setInterval(() => {}, 1000);`;
    const other = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(other.stdout, "data");
    await assert.rejects(openSqliteStore(path), refusal(/in use by another controller/));
    other.kill("SIGKILL");
    await once(other, "exit");
    const store = await openSqliteStore(path);
    assert.deepEqual(await store.read("meta", "k"), Uint8Array.of(7));
    await store.close();
  });

  it("is refused to a second opener of the same program", async () => {
    const path = newPath();
    const store = await openSqliteStore(path);
    await assert.rejects(openSqliteStore(path), refusal(/in use/));
    await store.close();
  });

  it("refuses a file that is not a database, and leaves it as it is", async () => {
    const path = newPath();
    const text = "not a database at all\n".repeat(500);
    await writeFile(path, text);
    await assert.rejects(openSqliteStore(path), refusal(/is damaged/));
    assert.equal(await readFile(path, "utf8"), text);
  });

  it("refuses a database whose pages are damaged", async () => {
    const path = newPath();
    const store = await openSqliteStore(path);
    const value = new Uint8Array(3_000).fill(1);
    const changes = Array.from({ length: 200 }, (_, index) => ({ table: "agents", key: `a${index}`, value }) as const);
    await store.write({ conditions: [], changes });
    await store.close();
    const file = await open(path, "r+");
    const { size } = await file.stat();
    for (let offset = 4096; offset < size; offset += 4096) {
      await file.write(Buffer.alloc(64, 0xee), 0, 64, offset);
    }
    await file.close();
    await assert.rejects(openSqliteStore(path), refusal(/is damaged/));
  });

  it("refuses a newer format and another program's database", async () => {
    const newer = newPath();
    await (await openSqliteStore(newer)).close();
    const database = await openSqliteDatabase(newer);
    database.exec("PRAGMA user_version = 2");
    database.close();
    await assert.rejects(openSqliteStore(newer), refusal(/store format 2, this program reads 1: upgrade sluice/));

    const foreign = newPath();
    const theirs = await openSqliteDatabase(foreign);
    theirs.exec("CREATE TABLE songs (title TEXT)");
    theirs.close();
    await assert.rejects(openSqliteStore(foreign), refusal(/database of another program/));
  });

  it("says so when the directory is not there", async () => {
    await assert.rejects(openSqliteStore(join(directory, "none", "store.db")), refusal(/cannot open the store/));
  });
});
