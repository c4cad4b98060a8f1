/** What becomes of versions: activation, going back, what agents keep, pausing, removing. */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { readdir, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { contentOf, kibibyte, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { describeTree, writeTree } from "./support/trees.ts";
import { waitUntil } from "./support/waiting.ts";

/** Publishes a small directory whose content differs from version to version. */
async function publishVersion(fleet: Fleet, version: string, ...flags: string[]): Promise<Map<string, string>> {
  const source = join(fleet.directory, `source-${version}`);
  writeTree(source, [
    { kind: "file", path: "same", bytes: contentOf("same", 400 * kibibyte) },
    { kind: "file", path: "changing", bytes: contentOf(version, 300 * kibibyte) },
    { kind: "file", path: `only in ${version}`, bytes: contentOf(version, 10) },
  ]);
  await fleet.publish(source, "index", version, ...flags);
  return describeTree(source);
}

/** Where `current` points on an agent; undefined: nowhere. */
async function current(fleet: Fleet, agent: string): Promise<string | undefined> {
  return readlink(join(fleet.dataOf(agent), "filesets", "index", "current")).catch(() => undefined);
}

async function waitCurrent(fleet: Fleet, version: string, agents = [...fleet.members.keys()]): Promise<void> {
  await waitUntil(`current is ${version} on ${agents.join(", ")}`, async () => {
    const all = await Promise.all(agents.map(async (agent) => current(fleet, agent)));
    return all.every((found) => found === version);
  });
}

const held = async (fleet: Fleet, agent: string): Promise<string[]> => {
  const names = await readdir(join(fleet.dataOf(agent), "filesets", "index")).catch(() => []);
  return names.filter((name) => name !== "current").sort();
};

async function allCarriedBytes(fleet: Fleet): Promise<number> {
  return (await fleet.resources()).reduce((sum, { carriedBytes }) => sum + carriedBytes, 0);
}

describe("activation", () => {
  fleetTest(
    "moves current, waits when told not to activate, and goes back at once without a transfer",
    { agents: agentsOf({ fra: 1, iad: 1 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      await publishVersion(fleet, "1");
      await waitCurrent(fleet, "1");
      const second = await publishVersion(fleet, "2", "--no-activate");
      fleet.assertTrees("index", "2", second);
      await waitCurrent(fleet, "1");
      assert.equal((await fleet.version("index", "2")).active, false);

      await fleet.must("fileset", "activate", "index", "2");
      await waitCurrent(fleet, "2");
      const before = await allCarriedBytes(fleet);
      await fleet.must("fileset", "activate", "index", "1");
      const startedAt = performance.now();
      await waitCurrent(fleet, "1");
      assert.ok(performance.now() - startedAt < 5_000, "going back takes no time");
      assert.equal(await allCarriedBytes(fleet), before, "and no transfer");

      const unknown = await fleet.run("fileset", "activate", "index", "7");
      assert.notEqual(unknown.code, 0);
      assert.match(unknown.error, /^sluice: index has no version 7; it has 1, 2\n$/);
    },
  );

  fleetTest(
    "never shows a version of which something is missing",
    {
      topology: { sites: { fra: {} }, defaults: { nic: { up: "20Mbps", down: "20Mbps" } } },
      agents: agentsOf({ fra: 2 }),
    },
    async (fleet) => {
      const source = join(fleet.directory, "large");
      await writeFile(source, contentOf("large", 4 * mebibyte));
      await fleet.must("publish", source, "--fileset", "index", "--version", "1", "--agent", "fra-0");
      await waitUntil("fra-1 holds a part", async () => (await fleet.heldBytes("fra-1", "index", "1")) > mebibyte);
      assert.equal(await current(fleet, "fra-1"), undefined);
      await waitCurrent(fleet, "1");
    },
  );
});

describe("what agents keep", () => {
  fleetTest(
    "is the active version and the one before it",
    { agents: agentsOf({ fra: 2 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      for (const version of ["1", "2", "3"]) await publishVersion(fleet, version);
      await waitCurrent(fleet, "3");
      for (const agent of fleet.members.keys()) {
        await waitUntil(`${agent} keeps 2 and 3`, async () => (await held(fleet, agent)).join() === "2,3");
      }
      await fleet.must("fileset", "activate", "index", "2");
      await waitCurrent(fleet, "2");
    },
  );

  fleetTest(
    "can be configured",
    { agents: agentsOf({ fra: 1 }), controllerFlags: ["--keep-versions", "1"] },
    async (fleet) => {
      for (const version of ["1", "2"]) await publishVersion(fleet, version);
      await waitUntil("only 2 is kept", async () => (await held(fleet, "fra-0")).join() === "2");
      await waitCurrent(fleet, "2");
    },
  );
});

describe("removing a version", () => {
  fleetTest(
    "makes agents delete it, says so, and removes the active one only by force",
    { agents: agentsOf({ fra: 2 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      await publishVersion(fleet, "1");
      const second = await publishVersion(fleet, "2");
      const refused = await fleet.run("fileset", "rm", "index", "2");
      assert.equal(refused.code, 5);
      assert.match(refused.error, /^sluice: index@2 is the active version: .*--force\n$/);
      fleet.assertTrees("index", "2", second);

      const said = await fleet.must("fileset", "rm", "index", "1");
      for (const agent of fleet.members.keys()) {
        assert.match(said, new RegExp(`^${agent} deletes 7\\d\\d(\\.\\d)? KiB$`, "m"));
        await waitUntil(`${agent} has deleted 1`, async () => (await held(fleet, agent)).join() === "2");
      }
      fleet.assertTrees("index", "2", second);

      await fleet.must("fileset", "rm", "index", "2", "--force");
      for (const agent of fleet.members.keys()) {
        await waitUntil(`${agent} has nothing left`, async () => {
          return (await held(fleet, agent)).length === 0 && (await current(fleet, agent)) === undefined;
        });
      }
      assert.deepEqual(await fleet.versions(), []);
      await waitUntil("the controller knows that nothing is held", async () => {
        return (await fleet.agents()).every(({ fileSets }) => fileSets.length === 0);
      });
      await publishVersion(fleet, "2");
      await waitCurrent(fleet, "2");
    },
  );

  fleetTest("reaches an agent that was away", { agents: agentsOf({ fra: 2 }) }, async (fleet) => {
    await publishVersion(fleet, "1");
    await publishVersion(fleet, "2");
    await fleet.member("fra-1").program.stop();
    await fleet.must("fileset", "rm", "index", "1");
    assert.ok(existsSync(fleet.tree("fra-1", "index", "1")));
    await fleet.restartAgent("fra-1");
    await waitUntil("fra-1 has deleted it", () => !existsSync(fleet.tree("fra-1", "index", "1")));
    assert.equal(await current(fleet, "fra-1"), "2");
  });
});

describe("pausing", () => {
  fleetTest(
    "starts no more transfers, and resuming goes on",
    {
      topology: { sites: { fra: {} }, defaults: { nic: { up: "20Mbps", down: "20Mbps" } } },
      agents: agentsOf({ fra: 2 }),
      timeoutMilliseconds: 90_000,
    },
    async (fleet) => {
      const source = join(fleet.directory, "large");
      const sizeBytes = 16 * mebibyte;
      await writeFile(source, contentOf("large", sizeBytes));
      await fleet.must("publish", source, "--fileset", "index", "--version", "1", "--agent", "fra-0");
      await waitUntil("fra-1 holds a part", async () => (await fleet.heldBytes("fra-1", "index", "1")) > mebibyte);
      await fleet.must("fileset", "pause", "index", "1");
      assert.equal((await fleet.version("index", "1")).paused, true);
      // What was queued, a few seconds' worth at most, still runs.
      let last = { bytes: -1, sinceMilliseconds: 0 };
      await waitUntil("nothing comes any more", async () => {
        const bytes = await fleet.heldBytes("fra-1", "index", "1");
        if (bytes !== last.bytes) last = { bytes, sinceMilliseconds: performance.now() };
        return performance.now() - last.sinceMilliseconds > 1_500;
      });
      assert.ok(last.bytes < sizeBytes, "it was stopped before its end");
      await fleet.must("fileset", "resume", "index");
      await waitCurrent(fleet, "1");
    },
  );
});
