/** What the topology declares is not exceeded: every byte between agents is counted on its way and held against it. */
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import type { Passage } from "./support/relay.ts";
import { waitUntil } from "./support/waiting.ts";

const agents = [
  { name: "fra-0", site: "fra", relayed: true },
  { name: "fra-1", site: "fra", relayed: true },
  { name: "iad-0", site: "iad", relayed: true },
  { name: "sin-0", site: "sin", relayed: true },
];

const bitsPerByte = 8;
const megabit = 1_000_000;

function topologyWith(uplinkMbps: number): object {
  return {
    sites: { fra: { uplink: `${uplinkMbps}Mbps`, downlink: "1Gbps" }, iad: {}, sin: {} },
    defaults: { nic: { up: "200Mbps", down: "200Mbps" } },
  };
}

/** What left the site: from its agents to those elsewhere. Inside a site only NICs count. */
async function uplinkPassages(fleet: Fleet, site: string): Promise<Passage[]> {
  const known = await fleet.agents();
  const outside = new Set(known.filter((agent) => agent.site !== site).map(({ agentId }) => agentId));
  return known
    .filter((agent) => agent.site === site)
    .flatMap(({ name }) => fleet.relay(name).passages)
    .filter(({ direction, peerId }) => direction === "sent" && outside.has(peerId))
    .sort((left, right) => left.atMilliseconds - right.atMilliseconds);
}

/** The most bits that passed in any second, as bits per second. */
function busiestSecond(passages: readonly Passage[]): number {
  let most = 0;
  let sum = 0;
  let oldest = 0;
  for (const passage of passages) {
    sum += passage.bytes;
    for (let first = passages[oldest]; first !== undefined; first = passages[oldest]) {
      if (passage.atMilliseconds - first.atMilliseconds < 1_000) break;
      sum -= first.bytes;
      oldest += 1;
    }
    most = Math.max(most, sum);
  }
  return most * bitsPerByte;
}

/** Bits per second on average between two times. */
function meanRate(passages: readonly Passage[], from: number, to: number): number {
  const bytes = passages
    .filter(({ atMilliseconds }) => atMilliseconds >= from && atMilliseconds < to)
    .reduce((sum, passage) => sum + passage.bytes, 0);
  return (bytes * bitsPerByte * 1_000) / (to - from);
}

/** A second may hold a little more than the mean: bursts of up to 20 ms a lane, and what this process counted late. */
const tolerance = 1.08;

describe("a declared capability", () => {
  fleetTest(
    "of a site's uplink is used and not exceeded, in any second, by all its agents together",
    { topology: topologyWith(40), agents, timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const source = join(fleet.directory, "large.bin");
      await writeFile(source, contentOf("large", 12 * mebibyte));
      await fleet.publish(source, "index", "1", "--agent", "fra-0");
      const passages = await uplinkPassages(fleet, "fra");
      const most = busiestSecond(passages);
      assert.ok(most <= 40 * megabit * tolerance, `${(most / megabit).toFixed(1)} Mbit in a second, of 40`);
      assert.ok(most >= 40 * megabit * 0.7, `${(most / megabit).toFixed(1)} Mbit in a second, of 40: it is used`);
    },
  );

  fleetTest(
    "of an agent's NIC is not exceeded either",
    {
      topology: {
        sites: { fra: {}, iad: {}, sin: {} },
        defaults: { nic: { up: "1Gbps", down: "1Gbps" } },
        agents: { "fra-0": { nic: { up: "30Mbps" } } },
      },
      agents: agents.filter(({ name }) => name !== "fra-1"),
      timeoutMilliseconds: 90_000,
    },
    async (fleet) => {
      const source = join(fleet.directory, "large.bin");
      await writeFile(source, contentOf("large", 8 * mebibyte));
      await fleet.publish(source, "index", "1", "--agent", "fra-0");
      const passages = fleet.relay("fra-0").passages.filter(({ direction }) => direction === "sent");
      const most = busiestSecond(passages);
      assert.ok(most <= 30 * megabit * tolerance, `${(most / megabit).toFixed(1)} Mbit in a second, of 30`);
      assert.ok(most >= 30 * megabit * 0.7, `${(most / megabit).toFixed(1)} Mbit in a second, of 30: it is used`);
    },
  );

  fleetTest(
    "of the way out of the publisher's site, and of what receivers take, holds for a publish too",
    {
      topology: {
        sites: { lab: { uplink: "24Mbps" }, iad: {} },
        defaults: { nic: { up: "1Gbps", down: "1Gbps" } },
        agents: { "iad-0": { nic: { down: "8Mbps" } } },
      },
      agents: agentsOf({ iad: 2 }, { relayed: true }),
      timeoutMilliseconds: 90_000,
    },
    async (fleet) => {
      const source = join(fleet.directory, "large.bin");
      await writeFile(source, contentOf("large", 8 * mebibyte));
      await fleet.must("publish", source, "--fileset", "index", "--version", "1", "--site", "lab");
      const agentIds = new Set((await fleet.agents()).map(({ agentId }) => agentId));
      const pushed = ["iad-0", "iad-1"].map((name) =>
        fleet.relay(name).passages.filter(({ direction, peerId }) => direction === "received" && !agentIds.has(peerId)),
      );
      const all = pushed.flat().sort((left, right) => left.atMilliseconds - right.atMilliseconds);
      const most = busiestSecond(all);
      assert.ok(most <= 24 * megabit * tolerance, `${(most / megabit).toFixed(1)} Mbit in a second, of 24`);
      assert.ok(most >= 24 * megabit * 0.7, `${(most / megabit).toFixed(1)} Mbit in a second, of 24: it is used`);
      const slower = busiestSecond(pushed[0] ?? []);
      assert.ok(slower <= 8 * megabit * tolerance, `${(slower / megabit).toFixed(1)} Mbit in a second to iad-0, of 8`);
    },
  );

  fleetTest(
    "that is changed is kept to within a second, on lanes that are running",
    { topology: topologyWith(60), agents, timeoutMilliseconds: 90_000 },
    async (fleet) => {
      const source = join(fleet.directory, "large.bin");
      await writeFile(source, contentOf("large", 40 * mebibyte));
      await fleet.must("publish", source, "--fileset", "index", "--version", "1", "--agent", "fra-0");
      await waitUntil("the uplink is in use", async () => {
        const now = performance.now();
        return meanRate(await uplinkPassages(fleet, "fra"), now - 1_000, now) > 40 * megabit;
      });
      const changed = join(fleet.directory, "slower.yaml");
      await writeFile(changed, stringify(topologyWith(12)));
      await fleet.must("topology", "apply", changed);
      const appliedAt = performance.now();
      await pause(4_000);
      const slow = meanRate(await uplinkPassages(fleet, "fra"), appliedAt + 1_000, appliedAt + 4_000);
      assert.ok(slow <= 12 * megabit * 1.1, `${(slow / megabit).toFixed(1)} Mbit/s after 1 s, of 12`);
      assert.ok(slow >= 12 * megabit * 0.6, `${(slow / megabit).toFixed(1)} Mbit/s after 1 s, of 12: it goes on`);

      // The same by the file and SIGHUP, upwards.
      await writeFile(fleet.topologyFile, stringify(topologyWith(80)));
      fleet.controller.signal("SIGHUP");
      const raisedAt = performance.now();
      await pause(2_500);
      const fast = meanRate(await uplinkPassages(fleet, "fra"), raisedAt + 1_000, raisedAt + 2_500);
      assert.ok(fast >= 40 * megabit, `${(fast / megabit).toFixed(1)} Mbit/s 1 s after it was raised to 80`);
      assert.ok(fast <= 80 * megabit * tolerance, `${(fast / megabit).toFixed(1)} Mbit/s, of 80`);
      await fleet.waitHeld("index", "1");
    },
  );
});
