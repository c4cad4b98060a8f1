import assert from "node:assert/strict";
import { test } from "node:test";
import { Stage } from "./controller.testing.ts";

const topology = {
  resources: { cable: { capability: "1Gbps" }, other: { capability: "1Gbps" } },
  sites: { fra: {}, iad: {} },
  paths: [
    { from: "fra", to: "iad", through: ["cable"] },
    { from: "iad", to: "fra", through: ["other"] },
  ],
};
const sees = ["agents.fra-0", "agents.fra-0.nic.up", "resources.cable", "sites.fra.uplink", "sites.iad.downlink"];
const cannotSee = [
  "anything",
  "agents.nobody",
  "agents.nobody.nic.up",
  "agents.fra-0.disk",
  "agents.fra-0.nic.down",
  "sites.fra.downlink",
  "sites.nowhere.uplink",
  "resources.other",
  "resources.none",
];

test("what an agent cannot have seen fail is not counted on its word, and leaves nothing in the store", () => {
  for (const certain of [true, false]) {
    const stage = new Stage(topology, { outOfUseAfter: 1 });
    stage.connect("fra-0", "fra", []);
    const iad = stage.connect("iad-0", "iad", []);
    const failures = [...cannotSee, ...sees].map((component, failureId) => ({
      failureId,
      component,
      certain,
      alsoSuspected: certain ? [] : cannotSee,
      kind: "badChecksum" as const,
      detail: "a lie, perhaps",
    }));
    stage.state(iad, { failures });
    const stored = [...stage.store.values()].filter((row) => row.table === "components").map((row) => row.key);
    assert.deepEqual(stored.sort(), sees);
    const acknowledged = stage.sent.flatMap((command) =>
      command.type === "sendAgent" && command.message.type === "acknowledge" ? command.message.failureIds : [],
    );
    assert.equal(acknowledged.length, failures.length);
  }
});
