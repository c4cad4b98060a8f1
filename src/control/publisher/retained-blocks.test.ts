import test from "node:test";
import assert from "node:assert/strict";
import { RangeSet } from "../../std/ranges.ts";
import { heldIsDurableAfterNanoseconds } from "./limits.ts";
import { RetainedBlocks } from "./retained-blocks.ts";

test("blocks are kept until they are durable, or have been held for long", () => {
  const retained = new RetainedBlocks();
  for (let block = 0; block < 10; block += 1) retained.add(block, new Uint8Array(5));
  assert.equal(retained.bytes, 50);
  retained.durable(RangeSet.of(2, 4));
  assert.equal(retained.bytes, 40);
  assert.equal(retained.get(2), undefined);
  assert.equal(retained.get(4)?.length, 5);
  // A range that is much longer than what is kept, and one that was let go already.
  retained.durable(RangeSet.of(8, 1_000_000_000));
  retained.durable(RangeSet.of(2, 4));
  assert.equal(retained.bytes, 30);
  retained.held(RangeSet.of(0, 1), 100);
  retained.held(RangeSet.of(0, 5), 200);
  retained.expire(heldIsDurableAfterNanoseconds + 99);
  assert.equal(retained.bytes, 30);
  retained.expire(heldIsDurableAfterNanoseconds + 100);
  assert.equal(retained.bytes, 25);
  retained.expire(heldIsDurableAfterNanoseconds + 200);
  assert.equal(retained.bytes, 15);
});
