/** Agents that come, go, and are told to: late joiners, selectors, drained and blocked agents, names taken over. */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { readlink, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { contentOf, kibibyte, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { describeTree, writeTree } from "./support/trees.ts";
import { waitUntil, within } from "./support/waiting.ts";

function writeSource(fleet: Fleet, name: string, sizeBytes: number): string {
  const source = join(fleet.directory, name);
  writeTree(source, [
    { kind: "file", path: "large", bytes: contentOf(name, sizeBytes) },
    { kind: "file", path: "small", bytes: contentOf(name, 10) },
  ]);
  return source;
}

async function current(fleet: Fleet, agent: string): Promise<string | undefined> {
  return readlink(join(fleet.dataOf(agent), "filesets", "index", "current")).catch(() => undefined);
}

describe("a late joiner", () => {
  fleetTest(
    "that matches the selector is given the active version, one that does not is given nothing",
    { agents: [{ name: "fra-0", site: "fra", labels: { tier: "web" } }] },
    async (fleet) => {
      const first = writeSource(fleet, "first", mebibyte);
      const second = writeSource(fleet, "second", mebibyte);
      await fleet.publish(first, "index", "1", "--to", "tier=web");
      await fleet.publish(second, "index", "2", "--to", "tier=web");
      await fleet.startAgent({ name: "iad-0", site: "iad", labels: { tier: "web" } });
      await fleet.startAgent({ name: "iad-1", site: "iad", labels: { tier: "database" } });
      await waitUntil("the late joiner uses it", async () => (await current(fleet, "iad-0")) === "2");
      fleet.assertTrees("index", "2", describeTree(second), ["iad-0"]);
      await pause(500);
      assert.equal(existsSync(fleet.tree("iad-1", "index", "2")), false);
      assert.equal((await fleet.version("index", "2")).counts.targets, 2);
    },
  );
});

describe("publish --wait", () => {
  fleetTest(
    "waits for targets that are away, gives up with an exit code of its own, and the version stays",
    { agents: agentsOf({ fra: 2 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const source = writeSource(fleet, "source", mebibyte);
      await fleet.member("fra-1").program.stop();
      const words = ["publish", source, "--fileset", "index", "--version", "1", "--wait"];
      const { code, error } = await fleet.run(...words, "--timeout", "3s");
      assert.equal(code, 4, error);
      assert.match(error, /index@1: 1 of 2 targets do not hold it after 3 s: fra-1 \(offline\)/);
      const waiting = fleet.begin(words);
      await pause(1_000);
      assert.equal(waiting.outcome, undefined, "without a time it waits on");
      await fleet.restartAgent("fra-1");
      const { code: lateCode, error: lateError } = await within("the wait ends", 30_000, waiting.ended);
      assert.equal(lateCode, 0, lateError);
      fleet.assertTrees("index", "1", describeTree(source));
    },
  );
});

describe("a drained agent", () => {
  fleetTest(
    "is given nothing and serves only what nobody else holds; undrained it catches up",
    { agents: [{ name: "fra-0", site: "fra", relayed: true }, ...agentsOf({ fra: 2 }).slice(1)] },
    async (fleet) => {
      const first = writeSource(fleet, "first", mebibyte);
      await fleet.publish(first, "index", "1");
      await fleet.must("agent", "drain", "fra-0");
      const before = fleet.relay("fra-0").bytes("sent");
      await fleet.startAgent({ name: "iad-0", site: "iad" });
      await fleet.waitHeld("index", "1", ["iad-0"]);
      assert.ok(fleet.relay("fra-0").bytes("sent") - before < 100 * kibibyte, "others were there to serve");

      const second = writeSource(fleet, "second", mebibyte);
      await fleet.must("publish", second, "--fileset", "index", "--version", "2");
      await fleet.waitHeld("index", "2", ["fra-1", "iad-0"]);
      await pause(500);
      assert.notEqual(await current(fleet, "fra-0"), "2", "a drained agent is given nothing");
      await fleet.must("agent", "undrain", "fra-0");
      await fleet.waitHeld("index", "2", ["fra-0"]);
      fleet.assertTrees("index", "2", describeTree(second));
    },
  );
});

describe("a blocked agent", () => {
  fleetTest(
    "is shut out until it is unblocked, then catches up",
    { agents: agentsOf({ fra: 2 }), timeoutMilliseconds: 90_000 },
    async (fleet) => {
      await fleet.must("agent", "block", "fra-1");
      await waitUntil("fra-1 is offline", async () => !(await fleet.agent("fra-1")).online);
      const source = writeSource(fleet, "source", mebibyte);
      await fleet.must("publish", source, "--fileset", "index", "--version", "1");
      await fleet.waitHeld("index", "1", ["fra-0"]);
      await pause(1_500);
      assert.equal((await fleet.agent("fra-1")).online, false);
      assert.equal(existsSync(fleet.tree("fra-1", "index", "1")), false);
      await fleet.must("agent", "unblock", "fra-1");
      await fleet.waitHeld("index", "1", ["fra-1"]);
      fleet.assertTrees("index", "1", describeTree(source));
    },
  );
});

describe("the name of an agent", () => {
  fleetTest(
    "is refused to a second one while the first is there, and may be taken over when it is gone, holding nothing",
    { agents: agentsOf({ fra: 2 }), controllerFlags: ["--heartbeat", "500ms"], timeoutMilliseconds: 120_000 },
    async (fleet) => {
      const source = writeSource(fleet, "source", mebibyte);
      await fleet.publish(source, "index", "1");
      const words = fleet.agentWords({ name: "fra-1", site: "fra" });
      words[words.indexOf("--data") + 1] = join(fleet.directory, "other data");
      const second = fleet.begin(words);
      const { code, error } = await within("the second fra-1 ends", 20_000, second.ended);
      assert.notEqual(code, 0);
      assert.match(error, /another agent is connected as fra-1: choose another --name, or stop that one/);
      assert.equal((await fleet.agent("fra-1")).online, true);

      const { agentId } = await fleet.agent("fra-1");
      await fleet.member("fra-1").program.kill();
      await rm(fleet.dataOf("fra-1"), { recursive: true });
      await fleet.restartAgent("fra-1");
      await waitUntil("the name has another holder", async () => (await fleet.agent("fra-1")).agentId !== agentId);
      await fleet.waitHeld("index", "1");
      fleet.assertTrees("index", "1", describeTree(source));
    },
  );
});

describe("an agent that keeps its disk free", () => {
  fleetTest(
    "says that it is stalled when a file set does not fit, and the others go on",
    {
      agents: [...agentsOf({ fra: 1 }), { name: "fra-1", site: "fra", flags: ["--keep-free", "1000TiB"] }],
    },
    async (fleet) => {
      const source = join(fleet.directory, "large.bin");
      await writeFile(source, contentOf("large", mebibyte));
      await fleet.must("publish", source, "--fileset", "index", "--version", "1", "--agent", "fra-0");
      await fleet.waitHeld("index", "1", ["fra-0"]);
      const problem = await waitUntil("fra-1 says why it is stalled", async () => {
        const { agents } = await fleet.version("index", "1");
        return agents.find(({ agent, status }) => agent === "fra-1" && status === "stalled")?.problem;
      });
      assert.match(problem, /free|space|disk/i);
    },
  );
});
