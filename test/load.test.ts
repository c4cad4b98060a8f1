/**
 * A hundred agents on one controller, from the generator of `npm run bench:load`: nobody is lost, everything gets
 * everywhere, and all come back to a controller that was killed. How long anything takes is not looked at.
 */
import { strict as assert } from "node:assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { runLoad } from "../benchmarks/load/run-load.ts";

it("a hundred agents report, are instructed, and come back after a crash of the controller", async () => {
  const directory = mkdtempSync(join(tmpdir(), "sluice-load-test-"));
  try {
    const figures = await runLoad(directory, {
      agents: 100,
      seconds: 2,
      warmUpSeconds: 2,
      transfersPerSecond: 300,
      restart: true,
      profileDirectory: undefined,
      say: () => undefined,
    });
    assert.deepEqual(figures.violations, []);
    assert.equal(figures.missedHeartbeats, 0);
    assert.equal(figures.holdEverything, 100);
    assert.equal(figures.reconnection?.lostAgain, 0);
    assert.ok(figures.instructions.transfers > 0);
    assert.ok(figures.messagesPerSecond.toController > 0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
