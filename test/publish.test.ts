/** Publishing a real directory to agents of three sites, and what of it goes over the network. */
import { strict as assert } from "node:assert";
import { chmod, copyFile, mkdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { contentOf, kibibyte, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { describeTree, hardEntries, setModified, writeTree } from "./support/trees.ts";
import { waitUntil } from "./support/waiting.ts";

const threeSites = {
  sites: {
    fra: { uplink: "160Mbps", downlink: "160Mbps" },
    iad: { uplink: "160Mbps", downlink: "160Mbps" },
    sin: { uplink: "80Mbps", downlink: "80Mbps" },
  },
  defaults: { nic: { up: "400Mbps", down: "400Mbps" } },
  resources: { pacific: { capability: "60Mbps" } },
  paths: [{ from: "fra", to: "sin", through: ["pacific"] }],
};

/** Bytes of payload that came over a resource so far. */
async function carriedBytes(fleet: Fleet, resource: string): Promise<number> {
  return (await fleet.resource(resource))?.carriedBytes ?? 0;
}

/** Bytes of payload that all agents together received from others so far. */
async function receivedBytes(fleet: Fleet): Promise<number> {
  let sum = 0;
  for (const { resource, carriedBytes } of await fleet.resources()) {
    if (/^agents\..*\.nic\.down$/.test(resource)) sum += carriedBytes;
  }
  return sum;
}

/** Lets counts that are still on their way arrive. */
async function settledReceivedBytes(fleet: Fleet): Promise<number> {
  let last = -1;
  return waitUntil("no more bytes are counted", async () => {
    const now = await receivedBytes(fleet);
    const settled = now === last;
    last = now;
    return settled ? { now } : undefined;
  }).then(({ now }) => now);
}

describe("publishing a directory", () => {
  fleetTest("brings a single file from one agent to another", { agents: agentsOf({ one: 2 }) }, async (fleet) => {
    const source = join(fleet.directory, "model.bin");
    await writeFile(source, contentOf("model", 3 * mebibyte + 5));
    await chmod(source, 0o640);
    await fleet.publish(source, "model", "1", "--agent", "one-0");
    for (const agent of ["one-0", "one-1"]) {
      const arrived = join(fleet.tree(agent, "model", "1"), "model.bin");
      assert.deepEqual(await readFile(arrived), await readFile(source));
      assert.equal((await stat(arrived)).mode & 0o777, 0o640);
      assert.equal(await readlink(join(fleet.dataOf(agent), "filesets", "model", "current")), "1");
    }
  });

  fleetTest(
    "brings hard names, modes, times, links and empty directories to every agent of three sites",
    { topology: threeSites, agents: agentsOf({ fra: 3, iad: 3, sin: 2 }), timeoutMilliseconds: 120_000 },
    async (fleet) => {
      const source = join(fleet.directory, "source");
      writeTree(source, hardEntries("hard"));
      const expected = describeTree(source);
      await fleet.publish(source, "hard", "1", "--to", "all", "--site", "fra");
      fleet.assertTrees("hard", "1", expected);
      for (const agent of fleet.members.keys()) {
        assert.equal(await readlink(join(fleet.dataOf(agent), "filesets", "hard", "current")), "1");
      }
      assert.deepEqual(describeTree(source), expected, "publishing leaves the source as it was");

      const { totalBytes, counts, active, fileList } = await fleet.version("hard", "1");
      assert.deepEqual([counts.targets, counts.held, active], [8, 8, true]);
      assert.ok(fileList.every(({ version }) => version === 1));
      await settledReceivedBytes(fleet);
      for (const site of ["fra", "iad", "sin"]) {
        const copies = (await carriedBytes(fleet, `sites.${site}.downlink`)) / totalBytes;
        assert.ok(copies <= 1.25, `${copies.toFixed(2)} copies went into ${site}: each block is to go there once`);
      }
    },
  );

  fleetTest(
    "sends into each other site once what one agent was handed",
    { topology: threeSites, agents: agentsOf({ fra: 2, iad: 2, sin: 2 }) },
    async (fleet) => {
      const source = join(fleet.directory, "index.bin");
      await writeFile(source, contentOf("index", 12 * mebibyte));
      await fleet.publish(source, "index", "1", "--agent", "fra-0");
      fleet.assertTrees("index", "1", describeTree(fleet.tree("fra-0", "index", "1")));
      await settledReceivedBytes(fleet);
      const copies = new Map<string, number>();
      for (const name of ["fra.uplink", "fra.downlink", "iad.downlink", "sin.downlink"]) {
        copies.set(name, (await carriedBytes(fleet, `sites.${name}`)) / (12 * mebibyte));
      }
      const shown = JSON.stringify([...copies]);
      assert.ok((copies.get("fra.downlink") ?? 0) < 0.05, `nothing has to come back: ${shown}`);
      for (const name of ["iad.downlink", "sin.downlink"]) {
        const count = copies.get(name) ?? 0;
        assert.ok(count > 0.95 && count < 1.25, `one copy has to go over ${name}: ${shown}`);
      }
    },
  );
});

describe("publishing again", () => {
  fleetTest(
    "takes the same content for done, refuses other content, and sends of a new version what changed",
    { agents: agentsOf({ fra: 2, iad: 1 }), timeoutMilliseconds: 120_000 },
    async (fleet) => {
      const source = join(fleet.directory, "source");
      writeTree(source, hardEntries("again"));
      const first = describeTree(source);
      await fleet.publish(source, "tree", "1");
      const before = await settledReceivedBytes(fleet);
      await fleet.publish(source, "tree", "1");
      assert.equal((await fleet.versions()).length, 1);

      // Changed: one block within a file, one small file; new: one; gone: one; of two only the mode or the time changed.
      const large = await readFile(join(source, "large.bin"));
      contentOf("other", 1000).copy(large, mebibyte + 300_000);
      await writeFile(join(source, "large.bin"), large);
      await writeFile(join(source, "plain.txt"), "other");
      await writeFile(join(source, "new"), contentOf("new", 10_000));
      await rm(join(source, "one byte"));
      await chmod(join(source, "a block"), 0o711);
      setModified(join(source, "several blocks"), Date.UTC(2020, 1, 2, 3, 4, 5, 6));
      await mkdir(join(source, "moved"));
      await copyFile(join(source, "just above a block"), join(source, "moved", "copy"));
      const second = describeTree(source);

      const refused = await fleet.run("publish", source, "--fileset", "tree", "--version", "1", "--wait");
      assert.equal(refused.code, 5, refused.error);
      assert.match(refused.error, /^sluice: .*tree@1/);
      fleet.assertTrees("tree", "1", first);

      await fleet.publish(source, "tree", "2");
      fleet.assertTrees("tree", "2", second);
      fleet.assertTrees("tree", "1", first);
      const sent = (await settledReceivedBytes(fleet)) - before;
      const changedBytes = 256 * kibibyte + 5 + 10_000;
      assert.ok(sent <= 3 * changedBytes * 1.1, `${sent} bytes were sent to three agents for ${changedBytes} new ones`);

      const { fileList } = await fleet.version("tree", "2");
      const versions = new Map(fileList.map(({ path, version }) => [path, version]));
      const raised = [...versions].filter(([, version]) => version !== 1).map(([path]) => path);
      assert.deepEqual(raised.sort(), ["large.bin", "plain.txt"]);
      assert.equal(versions.get("new"), 1);
    },
  );
});
