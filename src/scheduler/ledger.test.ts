import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Ledger } from "./ledger.ts";

test("a charge that does not fit is refused as a whole", () => {
  const ledger = new Ledger();
  const path = ["a", "b"].map((name) => ledger.resource(name));
  ledger.setCapability(path[0] ?? 0, 100);
  ledger.setCapability(path[1] ?? 0, 50);
  assert.throws(() => ledger.allocate(path, 51), RangeError);
  assert.equal(ledger.entry(0).allocated, 0);
  ledger.allocate(path, 50);
  assert.equal(ledger.free(path), 0);
  assert.equal(ledger.free([0]), 50);
});

test("what is not limited is free without end, and still counted", () => {
  const ledger = new Ledger();
  const path = [ledger.resource("open")];
  ledger.allocate(path, 7);
  assert.equal(ledger.free(path), Infinity);
  assert.equal(ledger.entry(0).allocated, 7);
});

test("more than was allocated cannot be released", () => {
  const ledger = new Ledger();
  const path = [ledger.resource("a")];
  ledger.allocate(path, 5);
  assert.throws(() => ledger.release(path, 6), RangeError);
});

test("what a path has carried is counted on every resource of it, whatever is charged", () => {
  const ledger = new Ledger();
  const path = [ledger.resource("a"), ledger.resource("b")];
  ledger.carry(path, 1_000);
  ledger.allocate(path, 8);
  ledger.carry(path.slice(1), 500);
  ledger.release(path, 8);
  assert.deepEqual(
    ledger.entries().map(({ carriedBytes }) => carriedBytes),
    [1_000, 1_500],
  );
});

test("whatever is charged and released, allocations are the sum of the charges and never over a capability", () => {
  const step = fc.record({
    path: fc.uniqueArray(fc.nat(4), { minLength: 1 }),
    rate: fc.integer({ min: 1, max: 60 }),
    release: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const ledger = new Ledger();
      for (let index = 0; index < 5; index += 1) ledger.setCapability(ledger.resource(`r${index}`), 100);
      const charges: { path: number[]; rate: number }[] = [];
      for (const { path, rate, release } of steps) {
        const last = release ? charges.pop() : undefined;
        if (last !== undefined) ledger.release(last.path, last.rate);
        else if (ledger.free(path) >= rate) {
          ledger.allocate(path, rate);
          charges.push({ path, rate });
        }
        for (let index = 0; index < 5; index += 1) {
          const sum = charges.reduce((total, charge) => total + (charge.path.includes(index) ? charge.rate : 0), 0);
          assert.equal(ledger.entry(index).allocated, sum);
          assert.ok(sum <= 100);
        }
      }
    }),
  );
});
