/** What a file set is held back by is named by the slowest cut, over the links as they are declared. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeldBackBy } from "../../../protocol/api/rows.ts";
import { blocks, LiveStage, published } from "./live-stage.testing.ts";

/** What it is with these links, when iad lacks all of a file set that fra-0 alone holds. */
function heldBackBy(topology: unknown, act?: (stage: LiveStage) => void): HeldBackBy | undefined {
  const stage = new LiveStage(topology);
  stage.follow("overview");
  published(stage);
  act?.(stage);
  for (let second = 0; second < 4; second += 1) stage.tick();
  return stage.topic("overview").fileSets[0]?.heldBackBy ?? undefined;
}

const bits = blocks * 262_144 * 8 * (1_514 / 1_448);

test("the downlink of the site that lacks it", () => {
  const held = heldBackBy({ sites: { fra: { uplink: "1Gbps" }, iad: { downlink: "10Mbps" } } });
  assert.deepEqual([held?.resource, held?.text], ["sites.iad.downlink", "the downlink of site iad"]);
  assert.ok(Math.abs((held?.secondsAtLeast ?? 0) - bits / 1e7) < 0.2);
});

test("a link by name that everything into the site must pass", () => {
  const held = heldBackBy({
    sites: { fra: { uplink: "1Gbps" }, iad: { downlink: "1Gbps" } },
    resources: { atlantic: { capability: "20Mbps" } },
    paths: [{ from: "fra", to: "iad", through: ["atlantic"] }],
  });
  assert.deepEqual([held?.resource, held?.text], ["resources.atlantic", "the link atlantic"]);
});

test("the interface of the one agent that has it", () => {
  const held = heldBackBy({ sites: { fra: {}, iad: {} }, defaults: { nic: { up: "5Mbps", down: "1Gbps" } } });
  assert.deepEqual([held?.resource, held?.text], ["agents.fra-0.nic.up", "what agent fra-0 may send"]);
});

test("nothing that is declared", () => {
  const held = heldBackBy({ sites: { fra: {}, iad: {} } });
  assert.deepEqual([held?.resource, held?.secondsAtLeast], [null, 0]);
  assert.match(held?.text ?? "", /no link that it needs has a limit/);
});

test("the agent that alone has it and has gone", () => {
  const held = heldBackBy({ sites: { fra: {}, iad: {} } }, (stage) => {
    // The first that connected.
    stage.close(1);
  });
  assert.match(held?.text ?? "", /only fra-0 has what is missing, and is offline/);
});
