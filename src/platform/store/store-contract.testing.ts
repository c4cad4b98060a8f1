/**
 * What every store behind the port must do. Run it against each one: `storeContract("name", { open, ... })`.
 */
import { strict as assert } from "node:assert";
import { describe, it } from "node:test";
import fc from "fast-check";
import { storeTables } from "../../control/store-port.ts";
import type { StoreChange, StorePort } from "../../control/store-port.ts";

export interface StoreContractOptions {
  /** A store without any row, by itself in the world. */
  openEmpty(): Promise<StorePort>;
  /** Closes it if need be, and opens what it left behind. Left out: the store does not outlive its closing. */
  reopen?(store: StorePort): Promise<StorePort>;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

export function storeContract(name: string, options: StoreContractOptions): void {
  describe(`store contract: ${name}`, () => {
    const inStore = (title: string, action: (store: StorePort) => Promise<StorePort | void>): void => {
      it(title, async () => {
        const store = await options.openEmpty();
        const last = await action(store);
        await (last ?? store).close();
      });
    };

    inStore("starts empty", async (store) => {
      assert.deepEqual(await store.readAll(), []);
      assert.equal(await store.read("meta", "term"), undefined);
    });

    inStore("puts, replaces and deletes rows, each table by itself", async (store) => {
      await store.write({
        conditions: [],
        changes: [
          { table: "meta", key: "a", value: bytes(1) },
          { table: "agents", key: "a", value: bytes(2) },
          { table: "agents", key: "b", value: bytes() },
        ],
      });
      await store.write({
        conditions: [],
        changes: [
          { table: "meta", key: "a", value: bytes(3, 0, 255) },
          { table: "agents", key: "a", value: undefined },
          { table: "agents", key: "never", value: undefined },
        ],
      });
      assert.deepEqual(await store.readAll(), [
        { table: "agents", key: "b", value: bytes() },
        { table: "meta", key: "a", value: bytes(3, 0, 255) },
      ]);
      assert.deepEqual(await store.read("agents", "b"), bytes());
      assert.equal(await store.read("agents", "a"), undefined);
    });

    inStore("applies the changes of a batch in their order", async (store) => {
      const row = { table: "meta", key: "a" } as const;
      const changes = [
        { ...row, value: bytes(1) },
        { ...row, value: undefined },
        { ...row, value: bytes(2) },
      ];
      await store.write({ conditions: [], changes });
      assert.deepEqual(await store.read("meta", "a"), bytes(2));
    });

    inStore("writes nothing when a condition does not hold", async (store) => {
      const row = { table: "meta", key: "term" } as const;
      const put = (value: number): StoreChange => ({ table: "agents", key: "x", value: bytes(value) });
      assert.equal(
        await store.write({ conditions: [{ ...row, value: undefined }], changes: [{ ...row, value: bytes(1) }] }),
        true,
      );
      assert.equal(await store.write({ conditions: [{ ...row, value: undefined }], changes: [put(1)] }), false);
      assert.equal(await store.write({ conditions: [{ ...row, value: bytes(2) }], changes: [put(2)] }), false);
      assert.equal(await store.write({ conditions: [{ ...row, value: bytes(1, 0) }], changes: [put(3)] }), false);
      assert.equal(
        await store.write({
          conditions: [
            { ...row, value: bytes(1) },
            { table: "agents", key: "x", value: bytes(9) },
          ],
          changes: [put(4)],
        }),
        false,
      );
      assert.equal(await store.read("agents", "x"), undefined);
      assert.equal(await store.write({ conditions: [{ ...row, value: bytes(1) }], changes: [put(5)] }), true);
      assert.deepEqual(await store.read("agents", "x"), bytes(5));
    });

    inStore("refuses a key that is too long or not text, writing nothing of the batch", async (store) => {
      for (const key of ["k".repeat(513), "\ud800"]) {
        const changes = [
          { table: "meta", key: "good", value: bytes(1) },
          { table: "meta", key, value: bytes(1) },
        ] as const;
        await assert.rejects(async () => store.write({ conditions: [], changes }), RangeError);
      }
      assert.deepEqual(await store.readAll(), []);
      assert.equal(
        await store.write({ conditions: [], changes: [{ table: "meta", key: "k".repeat(512), value: bytes(1) }] }),
        true,
      );
    });

    inStore("keeps what it was given, whatever the caller does with the bytes afterwards", async (store) => {
      const value = bytes(1, 2, 3);
      await store.write({ conditions: [], changes: [{ table: "meta", key: "a", value }] });
      value.fill(9);
      const read = await store.read("meta", "a");
      assert.deepEqual(read, bytes(1, 2, 3));
      read?.fill(8);
      assert.deepEqual(await store.read("meta", "a"), bytes(1, 2, 3));
    });

    inStore("holds a large value", async (store) => {
      const value = new Uint8Array(5 * 1024 * 1024).fill(7);
      await store.write({ conditions: [], changes: [{ table: "manifests", key: "big", value }] });
      assert.ok(Buffer.compare((await store.read("manifests", "big")) ?? bytes(), value) === 0);
    });

    inStore("orders rows by table and key as UTF-16 code units compare", async (store) => {
      // U+1F600 comes before U+FF5E in UTF-16 and after it in UTF-8.
      const keys = ["B", "a", "é", "\u{1f600}", "\uff5e", "a\u0001", ""];
      const changes = keys.flatMap((key) => storeTables.map((table): StoreChange => ({ table, key, value: bytes(1) })));
      await store.write({ conditions: [], changes });
      const rows = (await store.readAll()).map((row): [string, string] => [row.table, row.key]);
      const expected = [...storeTables].sort().flatMap((table) => [...keys].sort().map((key) => [table, key]));
      assert.deepEqual(rows, expected);
    });

    it("agrees with a plain map, whatever is written", async () => {
      const table = fc.constantFrom(...storeTables);
      const key = fc.constantFrom("a", "b", "c@1");
      const change = fc.record({ table, key, value: fc.option(fc.uint8Array({ maxLength: 4 }), { nil: undefined }) });
      const batches = fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(batches, async (written) => {
          let store = await options.openEmpty();
          const model = new Map<string, Uint8Array>();
          for (const changes of written) {
            await store.write({ conditions: [], changes });
            for (const { table, key, value } of changes) {
              if (value === undefined) model.delete(`${table} ${key}`);
              else model.set(`${table} ${key}`, value);
            }
          }
          if (options.reopen !== undefined) store = await options.reopen(store);
          const rows = new Map((await store.readAll()).map((row) => [`${row.table} ${row.key}`, row.value]));
          await store.close();
          assert.deepEqual(rows, new Map([...model].sort(([left], [right]) => (left < right ? -1 : 1))));
        }),
        { numRuns: 15 },
      );
    });

    inStore("fails clearly once it is closed", async (store) => {
      await store.close();
      await assert.rejects(async () => store.readAll(), /closed/);
      await assert.rejects(async () => store.write({ conditions: [], changes: [] }), /closed/);
    });

    if (options.reopen === undefined) return;
    inStore("has everything again after it was closed and opened", async (store) => {
      await store.write({ conditions: [], changes: [{ table: "publishes", key: "p", value: bytes(1, 2) }] });
      const again = (await options.reopen?.(store)) ?? store;
      assert.deepEqual(await again.readAll(), [{ table: "publishes", key: "p", value: bytes(1, 2) }]);
      return again;
    });
  });
}
