import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SeededRandom } from "./seeded-random.ts";

function firstNumbers(seed: number): number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: 5 }, () => random.nextUint32());
}

/** The generator again, from its definition, in arbitrary precision. */
function* definition(seed: bigint): Generator<number> {
  const mask = 0xffff_ffffn;
  function* splitmix(start: bigint): Generator<bigint, never> {
    for (let state = start; ;) {
      state = (state + 0x9e37_79b9n) & mask;
      let mixed = ((state ^ (state >> 16n)) * 0x21f0_aaadn) & mask;
      mixed = ((mixed ^ (mixed >> 15n)) * 0x735a_2d97n) & mask;
      yield mixed ^ (mixed >> 15n);
    }
  }
  const rotate = (value: bigint, count: bigint): bigint => ((value << count) | (value >> (32n - count))) & mask;
  const low = splitmix(seed & mask);
  const high = splitmix((seed >> 32n) ^ 0x5bf0_3635n);
  let [a, b, c, d] = [low.next().value, low.next().value, high.next().value, high.next().value | 1n];
  for (;;) {
    yield Number((rotate((b * 5n) & mask, 7n) * 9n) & mask);
    const shifted = (b << 9n) & mask;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11n);
  }
}

test("the numbers of a seed never change", () => {
  assert.deepEqual(firstNumbers(0), [1789933344, 4240972689, 3872327642, 2137024563, 1056292913]);
  assert.deepEqual(firstNumbers(1), [393288148, 3167613329, 365832820, 2081061106, 3549268471]);
  assert.deepEqual(firstNumbers(2 ** 53 - 1), [4104197751, 3389673160, 4042981522, 2483114825, 2006852676]);
});

test("the numbers are those of xoshiro128**", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (seed) => {
      const expected = definition(BigInt(seed));
      assert.deepEqual(
        firstNumbers(seed),
        Array.from({ length: 5 }, () => expected.next().value),
      );
    }),
  );
});

test("numbers stay within their limits and are spread evenly", () => {
  const random = new SeededRandom(7);
  const counts = new Array<number>(6).fill(0);
  for (let draw = 0; draw < 60_000; draw += 1) {
    const value = random.nextBelow(6);
    counts[value] = (counts[value] ?? 0) + 1;
    const unit = random.nextUnit();
    assert.ok(unit >= 0 && unit < 1);
  }
  assert.equal(counts.length, 6);
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, counts.join(" "));
  assert.equal(random.nextBelow(1), 0);
  assert.ok(random.nextBelow(2 ** 32) < 2 ** 32);
});

test("shuffling keeps the items, picking takes one of them", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.array(fc.integer(), { minLength: 1 }), (seed, items) => {
      const random = new SeededRandom(seed);
      const shuffled = [...items];
      random.shuffle(shuffled);
      const rising = (left: number, right: number): number => left - right;
      assert.deepEqual(shuffled.sort(rising), items.toSorted(rising));
      assert.ok(items.includes(random.pick(items)));
    }),
  );
});

test("what is no seed or limit is refused", () => {
  for (const seed of [-1, 0.5, 2 ** 53]) assert.throws(() => new SeededRandom(seed), RangeError);
  const random = new SeededRandom(1);
  for (const limit of [0, -1, 1.5, 2 ** 32 + 1]) {
    assert.throws(() => random.nextBelow(limit), RangeError);
  }
  assert.throws(() => random.pick([]), RangeError);
});
