/** Data that goes bad on an agent's disk: found by the agent, by `sluice verify` and by the controller, and fetched again. */
import { strict as assert } from "node:assert";
import { open, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { describeTree, treeDifferences, writeTree } from "./support/trees.ts";
import { waitUntil } from "./support/waiting.ts";

async function publishSource(fleet: Fleet): Promise<Map<string, string>> {
  const source = join(fleet.directory, "source");
  writeTree(source, [
    { kind: "file", path: "large", bytes: contentOf("large", 2 * mebibyte) },
    { kind: "file", path: "sub/small", bytes: contentOf("small", 5_000) },
  ]);
  await fleet.publish(source, "index", "1");
  return describeTree(source);
}

/** Writes over a byte; as a disk does that goes bad, without a trace in size and time unless `visibly`. */
async function damage(path: string, offset: number, visibly = false): Promise<void> {
  const { atime, mtime } = await stat(path);
  const file = await open(path, "r+");
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, offset);
  buffer[0] = (buffer[0] ?? 0) ^ 0xff;
  await file.write(buffer, 0, 1, offset);
  await file.close();
  if (!visibly) await utimes(path, atime, mtime);
}

describe("damage", () => {
  fleetTest(
    "is found by sluice verify beside the running agent, and told with file and block",
    { agents: agentsOf({ fra: 1 }) },
    async (fleet) => {
      await publishSource(fleet);
      const good = await fleet.run("verify", "--data", fleet.dataOf("fra-0"));
      assert.equal(good.code, 0, good.error);
      await damage(join(fleet.tree("fra-0", "index", "1"), "large"), 700_000);
      const { code, out } = await fleet.run("verify", "--data", fleet.dataOf("fra-0"));
      assert.equal(code, 1);
      assert.match(out, /damaged: index@1 "large", block \d+ /);
      const { out: json } = await fleet.run("verify", "--data", fleet.dataOf("fra-0"), "--json");
      const { damage: found } = JSON.parse(json) as { damage: { path: string; offsetBytes: number }[] };
      assert.deepEqual(
        found.map(({ path, offsetBytes }) => [path, offsetBytes]),
        [["large", 2 * 262_144]],
      );
    },
  );

  fleetTest(
    "is found by the controller's challenge, counted, and fetched again",
    { agents: agentsOf({ fra: 2 }) },
    async (fleet) => {
      const expected = await publishSource(fleet);
      const good = await fleet.run("agent", "verify", "fra-1", "--blocks", "10");
      assert.equal(good.code, 0, good.error);
      await damage(join(fleet.tree("fra-1", "index", "1"), "sub/small"), 100);
      const { code, out } = await fleet.run("agent", "verify", "fra-1", "--blocks", "80");
      assert.equal(code, 1, out);
      assert.match(out, /sub\/small/);
      await waitUntil("fra-1 has fetched it again", () => {
        return treeDifferences(describeTree(fleet.tree("fra-1", "index", "1")), expected).length === 0;
      });
      const { code: codeAfter } = await fleet.run("agent", "verify", "fra-1", "--blocks", "10");
      assert.equal(codeAfter, 0);
    },
  );

  fleetTest(
    "by the hand of somebody is noticed when the block is asked for: it is not served, and fetched again",
    { agents: agentsOf({ fra: 2 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const expected = await publishSource(fleet);
      await damage(join(fleet.tree("fra-0", "index", "1"), "large"), 10, true);
      // Drained, the other one serves only what nobody else holds: so fra-0 is asked.
      await fleet.must("agent", "drain", "fra-1");
      await fleet.startAgent({ name: "iad-0", site: "iad" });
      await fleet.waitHeld("index", "1", ["iad-0"]);
      fleet.assertTrees("index", "1", expected, ["iad-0", "fra-1"]);
      await waitUntil("fra-0 has fetched it again", () => {
        return treeDifferences(describeTree(fleet.tree("fra-0", "index", "1")), expected).length === 0;
      });
    },
  );

  fleetTest(
    "that happened while the agent was stopped is found at its start, and fetched again",
    { agents: agentsOf({ fra: 2 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const expected = await publishSource(fleet);
      await fleet.member("fra-1").program.stop();
      await damage(join(fleet.tree("fra-1", "index", "1"), "large"), 10, true);
      await fleet.restartAgent("fra-1");
      await waitUntil("fra-1 has fetched it again", () => {
        return treeDifferences(describeTree(fleet.tree("fra-1", "index", "1")), expected).length === 0;
      });
    },
  );
});
