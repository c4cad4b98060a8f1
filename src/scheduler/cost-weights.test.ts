import assert from "node:assert/strict";
import { test } from "node:test";
import { checkWeights, parseWeight } from "./cost-weights.ts";

test("weights are taken by name, from a word or from a file", () => {
  assert.deepEqual(parseWeight("rarity=30"), { rarity: 30 });
  assert.deepEqual(checkWeights({ rarity: 30, fresh: 0 }), { rarity: 30, fresh: 0 });
  assert.deepEqual(checkWeights({}), {});
});

test("a mistake is told with what is meant", () => {
  assert.throws(() => parseWeight("rarity"), /"rarity" is no weight/);
  assert.throws(() => parseWeight("rarity=1=2"), /is no weight/);
  assert.throws(() => parseWeight("rareness=1"), /there is no weight "rareness"/);
  assert.throws(() => checkWeights({ raritie: 1 }), /did you mean rarity\?/);
  for (const value of [-1, 0.5, "a lot", 1e9, null]) {
    assert.throws(() => checkWeights({ rarity: value }), /the weight rarity must be a whole number from 0 to 1000000/);
  }
  for (const value of [null, 3, "rarity", [1]]) {
    assert.throws(() => checkWeights(value), /weights are names with a number/);
  }
  assert.throws(() => parseWeight("toString=1"), /there is no weight/);
});
