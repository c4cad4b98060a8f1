/** Programs killed at any moment: what was verified is kept, the rest is asked for, publishes go on. */
import { strict as assert } from "node:assert";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { describeTree, writeTree } from "./support/trees.ts";
import type { EntrySpec } from "./support/trees.ts";
import { waitUntil, within } from "./support/waiting.ts";

/** Slow enough that a transfer can be caught halfway: 12 MiB take about 3 s. */
const slow = {
  sites: { fra: {}, iad: {} },
  defaults: { nic: { up: "35Mbps", down: "35Mbps" } },
  agents: { "fra-0": { nic: { down: "1Gbps" } } },
};
const totalBytes = 12 * mebibyte;

function writeSource(fleet: Fleet, seed: string): string {
  const source = join(fleet.directory, "source");
  const small = Array.from({ length: 64 }, (_, index): EntrySpec => {
    return { kind: "file", path: `small/${index}`, bytes: contentOf(`${seed}-${index}`, 64 * 1024) };
  });
  writeTree(source, [{ kind: "file", path: "large", bytes: contentOf(seed, totalBytes - 4 * mebibyte) }, ...small]);
  return source;
}

async function waitForPart(fleet: Fleet, agent: string, fileSet: string, portion: number): Promise<number> {
  return waitUntil(`${agent} holds ${portion} of ${fileSet}`, async () => {
    const held = await fleet.heldBytes(agent, fileSet, "1");
    return held >= portion * totalBytes ? held : undefined;
  });
}

describe("an agent that is killed halfway", () => {
  fleetTest(
    "finishes when it is started again, without what it had being sent again",
    {
      topology: slow,
      agents: [{ name: "fra-0", site: "fra", relayed: true }, ...agentsOf({ iad: 1 })],
      timeoutMilliseconds: 90_000,
    },
    async (fleet) => {
      const source = writeSource(fleet, "kill");
      await fleet.must("publish", source, "--fileset", "index", "--version", "1", "--agent", "fra-0");
      const held = await waitForPart(fleet, "iad-0", "index", 0.4);
      await fleet.member("iad-0").program.kill();
      await pause(300);
      const sentBefore = fleet.relay("fra-0").bytes("sent");
      assert.ok(held < totalBytes * 0.9, "it was caught halfway");
      await fleet.restartAgent("iad-0");
      await fleet.waitHeld("index", "1");
      fleet.assertTrees("index", "1", describeTree(source));
      const sentAfter = fleet.relay("fra-0").bytes("sent") - sentBefore;
      const needed = totalBytes - held;
      assert.ok(
        sentAfter < needed + totalBytes * 0.15,
        `${sentAfter} bytes were sent after the restart, of which it needed ${needed}`,
      );
    },
  );

  fleetTest(
    "as a source: its target finishes from others or when it is back",
    { topology: slow, agents: agentsOf({ fra: 1, iad: 2 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const source = writeSource(fleet, "source");
      await fleet.must("publish", source, "--fileset", "index", "--version", "1", "--agent", "fra-0");
      await waitForPart(fleet, "iad-0", "index", 0.3);
      await fleet.member("fra-0").program.kill();
      await pause(1_000);
      await fleet.restartAgent("fra-0");
      await fleet.waitHeld("index", "1");
      fleet.assertTrees("index", "1", describeTree(source));
    },
  );
});

describe("a controller that is killed halfway", () => {
  fleetTest(
    "is followed by publish --wait over the restart, and everything ends complete",
    {
      topology: slow,
      agents: agentsOf({ fra: 1, iad: 2 }),
      timeoutMilliseconds: 90_000,
    },
    async (fleet) => {
      const source = writeSource(fleet, "controller");
      const words = ["publish", source, "--fileset", "index", "--version", "1", "--agent", "fra-0", "--wait"];
      const publish = fleet.begin([...words, "--timeout", "60s"]);
      await waitForPart(fleet, "iad-1", "index", 0.3);
      const { term } = await fleet.status();
      await fleet.controller.kill();
      await pause(500);
      await fleet.startController();
      const { code, error } = await within("the publish ends", 60_000, publish.ended);
      assert.equal(code, 0, error);
      fleet.assertTrees("index", "1", describeTree(source));
      assert.ok((await fleet.status()).term > term, "its term has risen");
    },
  );

  fleetTest(
    "while blocks are handed over: the publish goes on",
    {
      topology: { ...slow, defaults: { nic: { up: "35Mbps", down: "35Mbps" } }, agents: {} },
      agents: agentsOf({ fra: 2 }),
      timeoutMilliseconds: 90_000,
    },
    async (fleet) => {
      const source = writeSource(fleet, "handing");
      const publish = fleet.begin(["publish", source, "--fileset", "index", "--version", "1", "--wait"]);
      await waitForPart(fleet, "fra-0", "index", 0.1);
      assert.equal((await fleet.version("index", "1")).state, "publishing");
      await fleet.controller.kill();
      await pause(300);
      await fleet.startController();
      const { code, error } = await within("the publish ends", 60_000, publish.ended);
      assert.equal(code, 0, error);
      fleet.assertTrees("index", "1", describeTree(source));
    },
  );
});

describe("a publisher that is killed", () => {
  fleetTest(
    "leaves nothing half-published, and publishing again works",
    {
      topology: { ...slow, agents: {} },
      agents: agentsOf({ fra: 2 }),
      controllerFlags: ["--publisher-timeout", "1s"],
      timeoutMilliseconds: 90_000,
    },
    async (fleet) => {
      const source = writeSource(fleet, "publisher");
      const words = ["publish", source, "--fileset", "index", "--version", "1"];
      const publish = fleet.begin(words);
      await waitForPart(fleet, "fra-0", "index", 0.1);
      await publish.kill();
      await waitUntil("the publish is given up", async () => (await fleet.versions()).length === 0);
      await waitUntil("agents have deleted what they were handed", async () => {
        const left = await Promise.all(
          ["fra-0", "fra-1"].map(async (agent) =>
            readdir(join(fleet.dataOf(agent), "filesets", "index")).catch(() => []),
          ),
        );
        return left.flat().length === 0;
      });
      await fleet.must(...words, "--wait", "--timeout", "40s");
      fleet.assertTrees("index", "1", describeTree(source));
    },
  );

  fleetTest(
    "may be started again at once",
    { topology: { ...slow, agents: {} }, agents: agentsOf({ fra: 2 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const source = writeSource(fleet, "again");
      const words = ["publish", source, "--fileset", "index", "--version", "1"];
      const publish = fleet.begin(words);
      await waitForPart(fleet, "fra-0", "index", 0.1);
      await publish.kill();
      await writeFile(join(source, "small", "0"), "changed meanwhile");
      await fleet.must(...words, "--wait", "--timeout", "40s");
      fleet.assertTrees("index", "1", describeTree(source));
    },
  );
});
