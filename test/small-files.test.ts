/** Thousands of tiny files: they travel in batches and are as quick as their bytes and their names allow. */
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { describe } from "node:test";
import { contentOf } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import { describeTree, writeTree } from "./support/trees.ts";
import type { EntrySpec } from "./support/trees.ts";

const fileCount = 5_000;

describe("thousands of tiny files", () => {
  fleetTest(
    "go from one agent to another",
    { agents: agentsOf({ fra: 1, iad: 1 }), timeoutMilliseconds: 120_000 },
    async (fleet) => {
      const source = join(fleet.directory, "source");
      const entries = Array.from({ length: fileCount }, (_, index): EntrySpec => {
        return { kind: "file", path: `${index % 50}/${index}`, bytes: contentOf(`${index}`, (index * 7) % 4_000) };
      });
      writeTree(source, entries);
      const startedAt = performance.now();
      await fleet.publish(source, "tiny", "1", "--agent", "fra-0");
      const seconds = (performance.now() - startedAt) / 1_000;
      fleet.assertTrees("tiny", "1", describeTree(source));
      assert.equal((await fleet.version("tiny", "1")).files, fileCount);
      assert.ok(seconds < 45, `${seconds.toFixed(1)} s for ${fileCount} files`);
    },
  );
});
