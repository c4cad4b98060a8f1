import assert from "node:assert/strict";
import { test } from "node:test";
import { checkMode, parsePartitions } from "./modes.ts";

test("parts are named sites", () => {
  assert.deepEqual(
    [...parsePartitions(["west=iad+sfo", "east=fra"])],
    [
      ["iad", "west"],
      ["sfo", "west"],
      ["fra", "east"],
    ],
  );
  assert.equal(parsePartitions([]).size, 0);
});

test("a part that cannot be is refused", () => {
  for (const text of ["west", "west=", "=iad", "west=iad+", "a b=c"]) {
    assert.throws(() => parsePartitions([text]), /names no part/);
  }
  assert.throws(() => parsePartitions(["west=iad", "west=sfo"]), /the part west is there twice/);
  assert.throws(() => parsePartitions(["west=iad", "east=iad"]), /site iad is in the parts west and east/);
});

test("mode and policy that cannot go together are refused", () => {
  const parts = parsePartitions(["west=iad"]);
  assert.throws(() => checkMode("partition", "random", new Map()), /knows nothing of sites/);
  assert.throws(() => checkMode("incremental", "cost", parts), /the mode incremental has none/);
  checkMode("partition", "cost", parts);
  checkMode("overall", "direct", new Map());
});
