/** What lanes that last less than the time between two looks were allocated and brought is not lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger } from "../../../scheduler/ledger.ts";
import { wireShare } from "./limits.ts";
import { ResourceUsage } from "./resource-usage.ts";

test("measured and allocated are means over the last seconds, of lanes that never run when somebody looks", () => {
  const ledger = new Ledger();
  const uplink = ledger.resource("sites.fra.uplink");
  ledger.setCapability(uplink, 100e6);
  const usage = new ResourceUsage(ledger);
  usage.tick(1);
  for (let second = 0; second < 20; second += 1) {
    // Ten lanes of 40 ms at all that the uplink may carry; each brings nine tenths of what it could have.
    for (let lane = 0; lane < 10; lane += 1) {
      ledger.allocate([uplink], 100e6);
      ledger.carry([uplink], Math.round((0.9 * 100e6 * 0.04) / 8 / wireShare));
      usage.noteAllocated([uplink], 100e6 * 0.04);
      ledger.release([uplink], 100e6);
    }
    usage.tick(1);
  }
  const { capabilityBitsPerSecond, allocatedBitsPerSecond, measuredBitsPerSecond } = usage.of(uplink);
  assert.equal(capabilityBitsPerSecond, 100e6);
  assert.ok(Math.abs(allocatedBitsPerSecond - 40e6) < 0.5e6, String(allocatedBitsPerSecond));
  assert.ok(Math.abs(measuredBitsPerSecond - 36e6) < 0.5e6, String(measuredBitsPerSecond));
  usage.sample(1_000, 0);
  usage.noteAllocated([uplink], 50e6);
  usage.sample(6_000, 5);
  assert.equal(usage.samples("sites.fra.uplink").at(-1)?.allocatedBitsPerSecond, 10e6);
});

test("a resource that nobody has entered is not entered by looking at it", () => {
  const ledger = new Ledger();
  const usage = new ResourceUsage(ledger);
  assert.equal(usage.of(ledger.find("sites.fra.uplink")).measuredBitsPerSecond, 0);
  assert.deepEqual(ledger.entries(), []);
});
