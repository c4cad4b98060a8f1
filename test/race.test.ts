/**
 * A small race on a real network of namespaces: two sites of two hosts, nothing but the programs themselves keeping to what
 * is declared. Digests, copies over the uplinks and rates are looked at, times are not. And what a crash leaves is cleared.
 */
import { strict as assert } from "node:assert";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { siteUplink } from "#src/model/resources.ts";
import { labProblem, namespacesWith } from "../lab/network/commands.ts";
import { Lab, removeLab } from "../lab/network/lab.ts";
import { parseRace } from "../lab/race/parse-race.ts";
import { runRace } from "../lab/race/run-race.ts";
import { hasFailed } from "../lab/report/race-report.ts";
import { toolsNamed } from "../lab/tools/all-tools.ts";

const timeoutMilliseconds = 120_000;
const uplinkBitsPerSecond = 30_000_000;
/** Of what a link may carry in a second: what the sockets of two hosts let through at once. */
const tolerance = 0.02;

const topology = {
  sites: { a: { uplink: "30Mbps" }, b: { uplink: "30Mbps" } },
  defaults: { nic: { up: "100Mbps", down: "100Mbps" } },
};
const agents = [
  { site: "a", count: 2 },
  { site: "b", count: 2 },
];
const race = parseRace(
  { shaped: false, topology, agents, fileSets: [{ name: "payload", files: 3, bytes: "6MiB", origins: ["a-0"] }] },
  "test",
);
const labName = `test-${process.pid}`;

describe("a race in the lab", { skip: labProblem() ?? false }, () => {
  it("gets everything everywhere, once over the uplink and no faster than declared", async () => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-race-test-"));
    try {
      const report = await runRace({
        ...{ race, tools: toolsNamed("sluice"), runs: 2, directory, labName, timeoutMilliseconds },
        signal: AbortSignal.timeout(timeoutMilliseconds),
        say: () => undefined,
      });
      // Digests differ, a program ended, a host never got there, or the second read the logs of the first: a failed run.
      const failed = report.tools[0]?.runs.filter(hasFailed).map(({ error }) => error);
      assert.deepEqual(failed, []);
      assert.equal(report.tools[0]?.runs.length, 2);
      const run = report.tools[0].runs[0];
      assert.ok(run !== undefined && !hasFailed(run));
      assert.equal(run.completions.length, 3);
      const copies = run.uplinkCopiesBySite;
      assert.ok((copies["a"] ?? 0) >= 1 && (copies["a"] ?? 0) < 1.05, `${copies["a"]} copies left a`);
      assert.ok((copies["b"] ?? 1) < 0.05, `${copies["b"]} copies left b`);
      const uplink = run.links.find(({ resource }) => resource === siteUplink("a"));
      assert.equal(uplink?.declaredBitsPerSecond, uplinkBitsPerSecond);
      const peak = uplink?.peakSecondBitsPerSecond ?? Infinity;
      assert.ok(peak <= uplinkBitsPerSecond * (1 + tolerance), `the uplink carried ${peak} bits in a second`);
      assert.deepEqual(namespacesWith(`sluice-lab.${labName}.`), []);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it("is cleared with everything in it, also when its maker has crashed", async () => {
    const name = `${labName}-crash`;
    const program = new URL("../lab/network/lab.js", import.meta.url).href;
    const script = `
      const { Lab } = await import(${JSON.stringify(program)});
      const { parseRace } = await import(${JSON.stringify(new URL("../lab/race/parse-race.js", import.meta.url).href)});
      const race = parseRace(${JSON.stringify({ topology, agents, fileSets: [{ name: "p", bytes: 1, origins: ["a-0"] }] })}, "x");
      const lab = await Lab.up(${JSON.stringify(name)}, "x", race, false);
      const { spawn } = await import("node:child_process");
      spawn("ip", ["netns", "exec", lab.host("a-0").namespace, "sleep", "600"], { detached: true, stdio: "ignore" }).unref();
      setTimeout(() => process.kill(process.pid, "SIGKILL"), 200);`;
    spawnSync(process.execPath, ["--input-type=module", "-e", script], { timeout: timeoutMilliseconds });
    try {
      assert.ok(namespacesWith(`sluice-lab.${name}.`).length > 0, "the lab was up when its maker was killed");
      const lab = await Lab.up(`${labName}-next`, "x", race, false);
      assert.deepEqual(namespacesWith(`sluice-lab.${name}.`), [], "another lab clears it first");
      await lab.down();
      assert.deepEqual(namespacesWith(`sluice-lab.${labName}`), []);
    } finally {
      await removeLab(name);
      await removeLab(`${labName}-next`);
    }
  });
});
