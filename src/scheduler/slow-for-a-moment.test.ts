/** An agent that was slow for a moment, as programs are that have just started, is not left alone where nobody near could stand in for it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTopology } from "../model/topology.ts";
import { addAgent, addContent, copiesIntoSite, LaneRunner, makeOrigin } from "./scheduler.testing.ts";
import { Scheduler } from "./scheduler.ts";

const mebibyte = 1_048_576;

for (const agentsInSite of [2, 3]) {
  test(`one of ${agentsInSite} agents of a site is slow for a moment: the others go on with it`, () => {
    const uplink = "50Mbps";
    const scheduler = new Scheduler({
      topology: parseTopology({
        sites: { a: { uplink, downlink: uplink }, b: { uplink, downlink: uplink }, c: { uplink, downlink: uplink } },
        defaults: { nic: { up: "200Mbps", down: "200Mbps" } },
      }),
      seed: 1,
      firstLaneId: 1,
    });
    const order = addContent(scheduler, "payload@1", 64, mebibyte / 4);
    const origin = addAgent(scheduler, "a-0", "a");
    makeOrigin(scheduler, order, origin);
    const targets = ["b", "c"].flatMap((site) =>
      Array.from({ length: agentsInSite }, (_, index) => addAgent(scheduler, `${site}-${index}`, site)),
    );
    for (const target of targets) scheduler.setWants(target, order, true);
    const runner = new LaneRunner(scheduler);
    for (const target of targets) runner.reallyDoes.set(target, 3_000_000);
    runner.run([order], () => undefined, 0.5);
    runner.reallyDoes.clear();
    const seconds = runner.run([order], () => undefined, 60);
    assert.ok(seconds < 4, `the rest took ${seconds} s: all of it takes 2.7 s over the uplinks`);
    for (const site of ["b", "c"]) {
      const most = Math.max(...copiesIntoSite(runner.deliveries, site).values());
      assert.equal(most, 1, `a block came into ${site} ${most} times`);
    }
  });
}
