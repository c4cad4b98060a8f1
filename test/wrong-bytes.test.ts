/** A source that serves wrong bytes, or none: found, counted, taken out of use, and nobody blamed who is not at fault. */
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { describeTree, writeTree } from "./support/trees.ts";
import { waitUntil } from "./support/waiting.ts";

const topology = {
  sites: { fra: { uplink: "200Mbps", downlink: "200Mbps" }, iad: { uplink: "200Mbps", downlink: "200Mbps" } },
  defaults: { nic: { up: "60Mbps", down: "200Mbps" } },
};
/** Two holders in one site: the first behind a relay that can do harm, the second honest. */
const holders = [{ name: "fra-0", site: "fra", relayed: true }, ...agentsOf({ fra: 2 }).slice(1)];
const flags = ["--out-of-use-after", "2", "--stall", "1s"];

async function publishToHolders(fleet: Fleet, largeMebibytes = 10): Promise<string> {
  const source = join(fleet.directory, "source");
  writeTree(source, [
    { kind: "file", path: "large", bytes: contentOf("large", largeMebibytes * mebibyte) },
    ...Array.from({ length: 50 }, (_, index) => {
      return { kind: "file" as const, path: `small/${index}`, bytes: contentOf(`${index}`, 20_000) };
    }),
  ]);
  await fleet.publish(source, "index", "1", "--agent", "fra-0");
  return source;
}

async function startTargets(fleet: Fleet): Promise<void> {
  for (const spec of agentsOf({ iad: 2 })) await fleet.startAgent(spec);
}

describe("a source that serves wrong bytes", () => {
  fleetTest(
    "is found, counted and taken out of use; the file is completed from others; its site's uplink is not blamed",
    { topology, agents: holders, controllerFlags: [...flags, "--retry", "1h"], timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const source = await publishToHolders(fleet);
      fleet.relay("fra-0").isCorrupting = true;
      await startTargets(fleet);
      await fleet.waitHeld("index", "1", ["iad-0", "iad-1"]);
      fleet.assertTrees("index", "1", describeTree(source));

      // Whoever has what it wants asks for nothing more: more versions show whether it is taken out.
      for (const version of ["2", "3"]) {
        if ((await fleet.agent("fra-0")).outOfUse) break;
        await writeFile(join(source, `more ${version}`), contentOf(version, 4 * mebibyte));
        await fleet.publish(source, "index", version, "--agent", "fra-0");
      }
      const listed = JSON.parse(await fleet.must("agent", "ls", "--json")) as { name: string; outOfUse: boolean }[];
      const outOfUse = listed.filter((agent) => agent.outOfUse).map(({ name }) => name);
      assert.deepEqual(outOfUse, ["fra-0"]);
      const resources = JSON.parse(await fleet.must("resource", "ls", "--json")) as {
        resource: string;
        failures: number;
        outOfUse: boolean;
        reason?: string;
      }[];
      const blamed = resources.filter(({ failures }) => failures > 0);
      assert.deepEqual(
        blamed.map(({ resource }) => resource),
        ["agents.fra-0"],
        JSON.stringify(blamed),
      );
      assert.ok((blamed[0]?.failures ?? 0) >= 2);
      assert.equal(blamed[0]?.outOfUse, true);
      assert.match(blamed[0]?.reason ?? "", /badChecksum/);
      assert.match(await fleet.must("status"), /out of use:[^]*agents\.fra-0/);
      assert.match(fleet.controller.error, /agents\.fra-0 is out of use after 2 failures/);
    },
  );

  fleetTest(
    "is tried again later and put back when it serves right bytes",
    { topology, agents: holders, controllerFlags: [...flags, "--retry", "1s"], timeoutMilliseconds: 90_000 },
    async (fleet) => {
      await publishToHolders(fleet);
      fleet.relay("fra-0").isCorrupting = true;
      await startTargets(fleet);
      await waitUntil("fra-0 is out of use", async () => (await fleet.agent("fra-0")).outOfUse);
      fleet.relay("fra-0").isCorrupting = false;
      await waitUntil("fra-0 is back in use", async () => !(await fleet.agent("fra-0")).outOfUse);
      assert.match(fleet.controller.error, /agents\.fra-0 works again and is back in use/);
      await fleet.waitHeld("index", "1");
    },
  );
});

describe("a source that is out of reach", () => {
  fleetTest(
    "is not waited for: connections to it are refused, and targets complete from others",
    { topology, agents: holders, controllerFlags: [...flags, "--retry", "1h"], timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const source = await publishToHolders(fleet);
      fleet.relay("fra-0").setRefusing(true);
      await startTargets(fleet);
      await fleet.waitHeld("index", "1", ["iad-0", "iad-1"]);
      fleet.assertTrees("index", "1", describeTree(source));
      const blamed = (await fleet.resources()).filter(({ failures }) => failures > 0);
      assert.deepEqual([...new Set(blamed.map(({ resource }) => resource))], ["agents.fra-0"]);
    },
  );

  fleetTest(
    "is found when it stalls while another source of its site delivers: that is its NIC, not the site's uplink",
    { topology, agents: holders, controllerFlags: [...flags, "--retry", "1h"], timeoutMilliseconds: 90_000 },
    async (fleet) => {
      // Others bring what it does not, at once: it must still be waited for when the time to call it stalled is over.
      const source = await publishToHolders(fleet, 40);
      fleet.relay("fra-0").setHolding(true);
      await startTargets(fleet);
      await fleet.waitHeld("index", "1", ["iad-0", "iad-1"]);
      fleet.assertTrees("index", "1", describeTree(source));
      const blamed = (await fleet.resources()).filter(({ failures }) => failures > 0).map(({ resource }) => resource);
      assert.ok(blamed.length > 0, "the stall is counted");
      for (const name of blamed) assert.match(name, /^agents\.fra-0(\.nic\.up)?$/);
    },
  );
});
