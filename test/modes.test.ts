/** Every mode and policy through real processes, and plans: stored, shown, followed, still there after a kill. */
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { planViewSchema } from "#src/protocol/plan-views.ts";
import type { PlanView } from "#src/protocol/plan-views.ts";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { waitUntil } from "./support/waiting.ts";

const twoSites = {
  sites: { fra: { uplink: "160Mbps", downlink: "160Mbps" }, iad: { uplink: "160Mbps", downlink: "160Mbps" } },
  defaults: { nic: { up: "400Mbps", down: "400Mbps" } },
};
const fleet = { topology: twoSites, agents: agentsOf({ fra: 3, iad: 3 }) };
/** A tenth of that: what a busy machine adds to a transfer is little beside what it takes. */
const slowSites = {
  sites: { fra: { uplink: "16Mbps", downlink: "16Mbps" }, iad: { uplink: "16Mbps", downlink: "16Mbps" } },
  defaults: { nic: { up: "40Mbps", down: "40Mbps" } },
};
const size = 6 * mebibyte + 17;

/** Publishes a file through an agent, and waits until everyone holds the same bytes. */
async function distribute(running: Fleet, version: string): Promise<void> {
  const source = await running.makeDirectory(`source-${version}`);
  await writeFile(join(source, "payload.bin"), contentOf(version, size));
  await running.publish(source, "payload", version, "--agent", "fra-0");
}

async function planOf(running: Fleet, version: string, ...more: string[]): Promise<PlanView> {
  const words = ["plan", "show", "--fileset", "payload", "--version", version, "--json", ...more];
  return planViewSchema.parse(JSON.parse(await running.must(...words)));
}

describe("modes of scheduling", () => {
  const choices: readonly (readonly string[])[] = [
    ["--mode", "incremental"],
    ["--mode", "overall", "--replan-interval", "50ms"],
    ["--mode", "partition"],
    ["--mode", "partition", "--partition", "west=fra+iad"],
    ["--mode", "precomputed"],
    ["--policy", "direct"],
    ["--policy", "random", "--weight", "rarity=30"],
  ];
  for (const flags of choices) {
    fleetTest(`distributes with ${flags.join(" ")}`, { ...fleet, controllerFlags: flags }, async (running) => {
      await distribute(running, "1");
      await distribute(running, "2");
      for (const resource of await running.resources()) assert.equal(resource.failures, 0, resource.resource);
    });
  }

  fleetTest(
    "works a plan out by itself, follows it, and has it after it was killed",
    { ...fleet, topology: slowSites, controllerFlags: ["--mode", "precomputed"] },
    async (running) => {
      await distribute(running, "1");
      await waitUntil("nobody follows it any more", async () => (await planOf(running, "1")).counts.following === 0);
      const before = await planOf(running, "1", "--agent", "iad-0");
      // A busy machine may make some leave it, not all from the beginning.
      assert.ok(before.begun > 0 && before.counts.left + before.counts.done === 5, JSON.stringify(before.counts));
      assert.ok(before.isWhole && before.transfers >= 5, JSON.stringify(before));
      // What has come before all was handed over, when the plan is made, is no part of it.
      assert.ok(before.predictedSeconds > (0.9 * size * 8) / 16e6, `${before.predictedSeconds} s are predicted`);
      const planned = before.steps?.reduce((count, { start, end }) => count + end - start, 0) ?? 0;
      const { blocks } = await running.version("payload", "1");
      assert.ok(planned > 0.8 * blocks && planned <= blocks, `${planned} of ${blocks} blocks are planned`);
      await running.controller.kill();
      await running.startController();
      const after = await planOf(running, "1", "--agent", "iad-0");
      assert.deepEqual([after.madeAtMilliseconds, after.steps], [before.madeAtMilliseconds, before.steps]);
      await running.must("fileset", "rm", "payload", "1", "--force");
      const { code, error } = await running.run("plan", "show", "--fileset", "payload", "--version", "1");
      assert.equal(code, 1);
      assert.match(error, /there is no plan for payload@1/);
    },
  );

  fleetTest(
    "stores a plan that is asked for, and a killed controller goes on with it",
    { ...fleet, controllerFlags: ["--recovery", "3s"] },
    async (running) => {
      const source = await running.makeDirectory("source");
      await writeFile(join(source, "payload.bin"), contentOf("large", 40 * mebibyte));
      const publish = running.begin(["publish", source, "--fileset", "payload", "--version", "1", "--agent", "fra-0"]);
      await waitUntil("it has begun", async () => (await running.versions()).length > 0);
      const made = planViewSchema.parse(
        JSON.parse(await running.must("plan", "--fileset", "payload", "--version", "1", "--json")),
      );
      assert.ok(made.agents.length > 0 && made.storedBytes > 0);
      await running.controller.kill();
      await running.startController();
      assert.equal((await planOf(running, "1")).madeAtMilliseconds, made.madeAtMilliseconds);
      assert.equal((await publish.ended).code, 0);
      await running.waitHeld("payload", "1");
    },
  );

  fleetTest("says in one line what cannot be", { agents: agentsOf({ one: 1 }) }, async (running) => {
    const mistakes: readonly (readonly [string, RegExp])[] = [
      ["plan --fileset payload --version 7", /there is no file set payload/],
      ["plan --fileset payload", /a plan is for one version/],
    ];
    for (const [words, expected] of mistakes) {
      const { code, error } = await running.run(...words.split(" "));
      assert.notEqual(code, 0);
      assert.match(error, expected);
    }
    const listen = ["controller", "--data", join(running.directory, "other"), "--listen", "127.0.0.1:0"];
    const wrong: readonly (readonly [string, RegExp])[] = [
      ["--weight raritie=3", /there is no weight "raritie" \(did you mean rarity\?\)/],
      ["--mode partition --policy random", /the policy random knows nothing of sites/],
      ["--partition west=fra", /parts are named, and the mode incremental has none/],
    ];
    for (const [flags, expected] of wrong) {
      const { code, error } = await running.run(...listen, ...flags.split(" "));
      assert.notEqual(code, 0);
      assert.match(error.split("\n")[0] ?? "", expected);
    }
  });
});
