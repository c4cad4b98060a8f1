/** The live views against a look at everything, over random histories; and what they tell, and do not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { FlowRow } from "../../../protocol/api/rows.ts";
import { stateOf } from "../controller.testing.ts";
import { blocks, fileSets, laneFrom, LiveStage, published } from "./live-stage.testing.ts";

const names = ["fra-0", "fra-1", "iad-0"];
const sites = { sites: { fra: { uplink: "100Mbps" }, iad: { uplink: "100Mbps" } } };

const range = fc
  .tuple(fc.nat(blocks - 1), fc.integer({ min: 1, max: 8 }))
  .map(([start, length]) => [start, Math.min(blocks, start + length)]);
const agent = fc.constantFrom(...names);
const fileSet = fc.constantFrom(...fileSets);
const actions = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.record({ do: fc.constant("connect" as const), agent }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("disconnect" as const), agent }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("publish" as const), fileSet }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant("hold" as const), agent, fileSet, range }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("lose" as const), agent, fileSet, range }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("held" as const), agent, fileSet }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), fileSet }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("pause" as const), fileSet }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("drain" as const), agent }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("undrain" as const), agent }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("tick" as const) }) },
  ),
  { maxLength: 60, size: "max" },
);

const followed = ["overview", "agents", "fileSet:a@1", "agent:fra-0", "resources", "transfers"];

class History {
  readonly stage = new LiveStage(sites);
  readonly #connections = new Map<string, number>();
  readonly #held = new Map<string, Set<number>>();

  take(action: (typeof actions extends fc.Arbitrary<infer All> ? All : never)[number]): void {
    const { stage } = this;
    switch (action.do) {
      case "connect":
        if (this.#connections.has(action.agent)) return;
        this.#connections.set(action.agent, stage.connect(action.agent, action.agent.slice(0, 3)));
        for (const key of this.#held.keys()) if (key.startsWith(`${action.agent} `)) this.#held.delete(key);
        return;
      case "disconnect":
        stage.close(this.#connections.get(action.agent) ?? -1);
        this.#connections.delete(action.agent);
        return;
      case "publish":
        if (stage.core.fileSet(action.fileSet.name, action.fileSet.version) !== undefined) return;
        stage.publishFileSet(stage.publisher("publisher"), action.fileSet);
        return;
      case "remove":
        stage.request({
          type: "removeFileSet",
          name: action.fileSet.name,
          version: action.fileSet.version,
          force: true,
        });
        return;
      case "pause":
        stage.request({ type: "pause", name: action.fileSet.name });
        return;
      case "drain":
      case "undrain":
        stage.request({ type: action.do, agent: action.agent });
        return;
      case "tick":
        stage.tick();
        return;
      default:
        this.#report(action);
    }
  }

  #report(action: { do: string; agent: string; fileSet: (typeof fileSets)[number]; range?: number[] }): void {
    const connection = this.#connections.get(action.agent);
    if (connection === undefined) return;
    const key = `${action.agent} ${action.fileSet.key}`;
    const held = this.#held.get(key) ?? new Set<number>();
    this.#held.set(key, held);
    const [start = 0, end = 0] = action.do === "held" ? [0, blocks] : (action.range ?? []);
    const status = action.do === "held" ? "held" : "fetching";
    const state = stateOf(action.fileSet, status);
    // Also what it held before: an agent may repeat itself.
    if (action.do !== "lose") state.content.push(start, end);
    else state.lost.push(start, end);
    const { name, version } = action.fileSet;
    this.stage.state(connection, { fileSets: [state] });
    // Said by itself, as agents do: the link moves after the last block.
    if (action.do === "held") this.stage.state(connection, { current: [{ name, version }] });
  }
}

test("what the stream tells is what a look at everything gives, whatever happens", () => {
  fc.assert(
    fc.property(actions, (list) => {
      const history = new History();
      const { stage } = history;
      for (const topic of followed) stage.follow(topic);
      for (const action of list) history.take(action);
      stage.tick();
      const shown = stage.topic("overview").fileSets;
      const looked = stage.core.fileSets();
      assert.equal(shown.length, looked.length);
      for (const row of looked) {
        const { targets, held, offline, stalled } = shown.find(({ fileSet: key }) => key === row.fileSet) ?? {};
        assert.deepEqual({ targets, held, offline, stalled }, row.counts, row.fileSet);
        const { heldBytes, active, paused, totalBytes } = shown.find(({ fileSet: key }) => key === row.fileSet) ?? {};
        assert.deepEqual(
          { heldBytes, active, paused, totalBytes },
          {
            heldBytes: row.heldBytes,
            active: row.active,
            paused: row.paused,
            totalBytes: row.totalBytes,
          },
        );
      }
      const agents = stage.core.agents();
      const rows = stage.topic("agents").agents;
      assert.deepEqual(
        rows.map(({ agent: name, online, drained }) => ({ name, online, drained })).sort(byName),
        agents.map(({ name, online, drained }) => ({ name, online, drained })).sort(byName),
      );
      const detail = stage.core.fileSet("a", "1");
      const topic = stage.topic("fileSet", "fileSet:a@1");
      assert.equal(topic.summary === null, detail === undefined);
      assert.deepEqual(
        topic.agents.map(shownTarget).sort(byName),
        (detail?.agents ?? []).map(shownTarget).sort(byName),
      );
    }),
    { numRuns: 300 },
  );
});

interface ShownTarget {
  readonly agent: string;
  readonly status: string;
  readonly heldBytes: number;
  readonly online: boolean;
  readonly target: boolean;
  readonly current: boolean;
}

function shownTarget({ agent: name, status, heldBytes, online, target, current }: ShownTarget) {
  return { name, status, heldBytes, online, target, current };
}

function byName(one: { name: string }, other: { name: string }): number {
  return one.name < other.name ? -1 : 1;
}

test("nothing is told when nothing is different", () => {
  const stage = new LiveStage(sites);
  for (const topic of ["overview", "agents", "resources", "transfers", "fileSet:a@1"]) stage.follow(topic);
  stage.connect("fra-0", "fra");
  stage.tick();
  assert.ok(stage.deltas.length > 0);
  for (let second = 0; second < 10; second += 1) stage.tick();
  assert.deepEqual(stage.deltas, []);
  stage.core.live().close("overview");
  stage.connect("fra-1", "fra");
  stage.tick();
  assert.ok(!stage.deltas.some(({ topic }) => topic === "overview"), "a topic that was closed tells nothing");
});

test("a lane's bytes are counted for its flow, its sites and its resources, and what holds a file set back is named", () => {
  const stage = new LiveStage(sites);
  stage.follow("overview");
  stage.follow("transfers");
  stage.follow("resource:sites.fra.uplink");
  const { iad } = published(stage);
  stage.tick();
  const flowOf = (): FlowRow | undefined => stage.topic("transfers").flows.find((row) => row.flow === "fra-0>iad-0");
  const flow = flowOf();
  assert.ok(flow !== undefined);
  assert.equal(flow.lanes, 1);
  assert.ok(flow.allocatedBitsPerSecond > 0 && flow.allocatedBitsPerSecond <= 100_000_000);
  assert.deepEqual(flow.fileSets, ["a@1"]);
  const laneId = laneFrom(stage, "fra-0");
  stage.state(iad, { lanes: [{ laneId, receivedBytes: 1_000_000 }] });
  stage.tick();
  const measured = flowOf()?.measuredBitsPerSecond ?? 0;
  assert.ok(measured > 2_000_000 && measured < 9_000_000, String(measured));
  const link = stage.topic("overview").links.find((row) => row.link === "fra>iad");
  assert.equal(link?.measuredBitsPerSecond, measured);
  assert.equal(link.capabilityBitsPerSecond, 100_000_000);
  assert.deepEqual(
    stage.topic("resource", "resource:sites.fra.uplink").flows.map((row) => row.flow),
    ["fra-0>iad-0"],
  );
  const heldBackBy = stage.topic("overview").fileSets[0]?.heldBackBy;
  assert.equal(heldBackBy?.resource, "sites.fra.uplink");
  // Nothing of the file set is in iad: all of it has to come through, headers included.
  const seconds = (blocks * 262_144 * 8 * (1_514 / 1_448)) / 100_000_000;
  assert.ok(Math.abs(heldBackBy.secondsAtLeast - seconds) <= 0.1 || heldBackBy.secondsAtLeast < seconds);
});

test("what came while nobody looked is not taken for what came just now", () => {
  const stage = new LiveStage(sites);
  const { iad } = published(stage);
  stage.tick();
  const laneId = laneFrom(stage, "fra-0");
  stage.state(iad, { lanes: [{ laneId, receivedBytes: 5_000_000 }] });
  for (let second = 0; second < 5; second += 1) stage.tick();
  stage.follow("overview");
  stage.tick();
  // Five megabytes in six seconds are 7 Mbit/s; in the last one alone they would be 42.
  const link = stage.topic("overview").links.find((row) => row.link === "fra>iad");
  const measured = link?.measuredBitsPerSecond ?? 0;
  assert.ok(measured > 0 && measured < 8_000_000, String(measured));
});

test("a failure is shown once, with what it was put down to", () => {
  const stage = new LiveStage(sites);
  stage.follow("transfers");
  const { iad } = published(stage);
  const failure = {
    failureId: 1,
    component: "agents.fra-0",
    certain: true,
    alsoSuspected: [],
    kind: "badChecksum" as const,
    sourceName: "fra-0",
    fileSet: "a@1",
    detail: "block 3",
  };
  stage.state(iad, { failures: [failure] });
  stage.state(iad, { failures: [failure] });
  stage.tick();
  const { failures } = stage.topic("transfers");
  assert.deepEqual(
    failures.map(({ component, reporter, kind }) => `${component} ${reporter} ${kind}`),
    ["agents.fra-0 iad-0 badChecksum"],
  );
  assert.equal(stage.core.live().figures().failuresByKind.get("badChecksum"), 1);
});

test("an operator puts a component back that is out of use", () => {
  const stage = new LiveStage(sites);
  stage.follow("resources");
  const { iad } = published(stage);
  for (let failureId = 1; failureId <= 3; failureId += 1) {
    const kind = "badChecksum" as const;
    const failure = {
      failureId,
      component: "agents.fra-0",
      certain: true,
      alsoSuspected: [],
      kind,
      detail: "",
      sourceName: "fra-0",
    };
    stage.state(iad, { failures: [failure] });
  }
  stage.tick();
  const row = (): unknown => stage.topic("resources").resources.find(({ resource }) => resource === "agents.fra-0");
  assert.equal((row() as { outOfUse?: boolean } | undefined)?.outOfUse, true);
  assert.deepEqual(stage.request({ type: "putBack", component: "agents.fra-1" })?.ok, false);
  assert.deepEqual(stage.request({ type: "putBack", component: "agents.fra-0" })?.ok, true);
  stage.tick();
  assert.equal(row(), undefined);
});
