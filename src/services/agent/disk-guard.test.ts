import assert from "node:assert/strict";
import { it } from "node:test";
import { DiskGuard } from "./disk-guard.ts";
import { diskCheckMilliseconds } from "./limits.ts";

it("lets no more be written than leaves free what is to be kept free", async () => {
  let freeBytes = 1_500;
  let now = 0;
  let asked = 0;
  const look = async () => {
    asked += 1;
    return freeBytes;
  };
  const guard = new DiskGuard(look, 1_000, () => now);
  await guard.admit(200);
  await guard.admit(300);
  await assert.rejects(
    guard.admit(1),
    /^UserError: not enough disk space: 1 B needed, 0 B left beside the 1000 B kept/,
  );
  assert.equal(asked, 1);
  freeBytes = 3_000;
  now += diskCheckMilliseconds + 1;
  await guard.admit(2_000);
  assert.equal(await guard.usableBytes(), 2_000);
  await assert.rejects(guard.expect(2_001), /1.95 KiB needed/);
});
