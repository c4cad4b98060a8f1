/** Following a distribution by the event stream: it starts with what is there, tells what changes, and survives restarts. */
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { connect } from "#src/client/index.ts";
import type { Sluice } from "#src/client/index.ts";
import { applyEvent } from "#src/protocol/api/apply-event.ts";
import { deltaEventSchema, snapshotEventSchema, topicSchemas } from "#src/protocol/api/events.ts";
import type { AnyTopicData, TopicData } from "#src/protocol/api/events.ts";
import { parseTopic } from "#src/protocol/api/topics.ts";
import { contentOf, mebibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { waitUntil } from "./support/waiting.ts";

const topology = {
  sites: { fra: { uplink: "40Mbps", downlink: "400Mbps" }, iad: { uplink: "40Mbps", downlink: "40Mbps" } },
  resources: { atlantic: { capability: "32Mbps" } },
  paths: [{ from: "fra", to: "iad", through: ["atlantic"] }],
};
const sizeBytes = 6 * mebibyte;

/** Follows topics until it is stopped, and keeps what they hold and the largest figures that were seen. */
class Follower {
  readonly data = new Map<string, AnyTopicData>();
  readonly snapshots: string[] = [];
  mostMeasuredBitsPerSecond = 0;
  heldBackBy = new Set<string>();
  deltas = 0;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(sluice: Sluice, topics: readonly string[]) {
    this.#done = this.#follow(sluice, topics);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  topic<Kind extends "overview" | "agents" | "resources" | "transfers" | "fileSet" | "agent" | "resource">(
    kind: Kind,
    name: string = kind,
  ): TopicData<Kind> | undefined {
    return this.data.get(name) as TopicData<Kind> | undefined;
  }

  async #follow(sluice: Sluice, topics: readonly string[]): Promise<void> {
    for await (const event of sluice.events(topics, { signal: this.#stop.signal })) {
      if (event.type === "snapshot") {
        snapshotEventSchema.parse(event);
        this.snapshots.push(event.topic);
      } else {
        deltaEventSchema.parse(event);
        this.deltas += 1;
      }
      const data = applyEvent(this.data.get(event.topic), event);
      assert.ok(data, "a delta came before any snapshot");
      const kind = parseTopic(event.topic)?.kind ?? "overview";
      this.data.set(event.topic, topicSchemas[kind].parse(data));
      const overview = this.topic("overview");
      for (const { measuredBitsPerSecond, from, to } of overview?.links ?? []) {
        if (from !== "fra" || to !== "iad") continue;
        this.mostMeasuredBitsPerSecond = Math.max(this.mostMeasuredBitsPerSecond, measuredBitsPerSecond);
      }
      for (const { heldBackBy } of overview?.fileSets ?? []) {
        if (heldBackBy !== null) this.heldBackBy.add(heldBackBy.resource ?? heldBackBy.text);
      }
    }
  }
}

async function publish(fleet: Fleet, version: string): Promise<void> {
  const source = join(fleet.directory, `model-${version}.bin`);
  await writeFile(source, contentOf(`model ${version}`, sizeBytes));
  await fleet.publish(source, "model", version, "--agent", "fra-0");
}

async function waitComplete(follower: Follower, fileSet: string, targets: number): Promise<void> {
  await waitUntil(`the stream shows ${fileSet} with all targets`, () => {
    const row = follower.topic("overview")?.fileSets.find((candidate) => candidate.fileSet === fileSet);
    if (row?.state === "published" && row.held === targets && row.targets === targets) return true;
    throw new Error(
      `after ${follower.snapshots.length} snapshots and ${follower.deltas} deltas: ${JSON.stringify(row)}`,
    );
  });
}

describe("the event stream", () => {
  fleetTest(
    "shows a distribution from its start to its end",
    { topology, agents: agentsOf({ fra: 1, iad: 3 }) },
    async (fleet) => {
      const topics = [
        "overview",
        "agents",
        "resources",
        "transfers",
        "fileSet:model@1",
        "agent:iad-0",
        "resource:resources.atlantic",
      ];
      const follower = new Follower(connect(fleet.url), topics);
      await waitUntil("every topic has had its snapshot", () => follower.snapshots.length === topics.length);
      assert.equal(follower.topic("fileSet", "fileSet:model@1")?.summary, null);
      await publish(fleet, "1");
      await waitComplete(follower, "model@1", 4);
      assert.deepEqual(follower.snapshots, topics, "nobody fell behind");
      assert.ok(
        follower.mostMeasuredBitsPerSecond > 5_000_000,
        `${follower.mostMeasuredBitsPerSecond} bit/s on the link`,
      );
      assert.ok(
        follower.mostMeasuredBitsPerSecond < 60_000_000,
        `${follower.mostMeasuredBitsPerSecond} bit/s on the link`,
      );

      const summary = (await fleet.versions())[0];
      await waitUntil("the rates have come down", () => {
        const [row] = follower.topic("overview")?.fileSets ?? [];
        return row?.rateBitsPerSecond === 0 && row.heldBackBy === null;
      });
      const [row] = follower.topic("overview")?.fileSets ?? [];
      assert.equal(row?.heldBytes, summary?.heldBytes);
      assert.equal(row?.heldBytes, 4 * sizeBytes);
      assert.equal(row?.secondsLeft, 0);
      const detail = follower.topic("fileSet", "fileSet:model@1");
      assert.deepEqual(detail?.sites.map(({ site, held }) => `${site} ${held}`).sort(), ["fra 1", "iad 3"]);
      assert.ok(detail?.agents.every(({ status, current }) => status === "held" && current));
      assert.ok((detail?.history.length ?? 0) > 0);
      const holders = detail?.rarity.map((rarity) => rarity.holders) ?? [];
      assert.deepEqual(holders, [4], "every agent has a copy, the one that it entered through too");
      const agents = follower.topic("agents")?.agents ?? [];
      assert.deepEqual(agents.map(({ agent, state, heldBytes }) => `${agent} ${state} ${heldBytes}`).sort(), [
        `fra-0 idle ${sizeBytes}`,
        ...["iad-0", "iad-1", "iad-2"].map((name) => `${name} idle ${sizeBytes}`),
      ]);
      await waitUntil("the stream shows the resources that there are", async () => {
        const shown = (follower.topic("resources")?.resources ?? []).map(({ resource }) => resource).sort();
        return isDeepStrictEqual(
          shown,
          (await fleet.resources()).map(({ resource }) => resource),
        );
      });
      const atlantic = follower.topic("resource", "resource:resources.atlantic")?.summary;
      assert.ok((atlantic?.carriedBytes ?? 0) >= sizeBytes);
      assert.equal(follower.topic("agent", "agent:iad-0")?.fileSets[0]?.heldBytes, sizeBytes);
      assert.equal(follower.topic("transfers")?.totals.lanes, 0);
      await follower.stop();
    },
  );

  fleetTest("goes on after the controller was restarted", { agents: agentsOf({ fra: 2 }) }, async (fleet) => {
    const follower = new Follower(connect(fleet.url), ["overview"]);
    await publish(fleet, "1");
    await waitComplete(follower, "model@1", 2);
    const before = follower.snapshots.length;
    await fleet.controller.kill();
    await fleet.startController();
    await fleet.waitOnline(["fra-0", "fra-1"]);
    await publish(fleet, "2");
    await waitComplete(follower, "model@2", 2);
    assert.ok(follower.snapshots.length > before, "another controller's events begin with a snapshot");
    await follower.stop();
  });
});
