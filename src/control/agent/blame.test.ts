/** Who answers for what (rule 10): by elimination, never for lying on the path. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { blameForKind, judgeStalls } from "./blame.ts";
import type { LanePath } from "./blame.ts";
import { fetchingAgent, instruct, openLane, ticket } from "./agent-core.testing.ts";

/** A lane into ams-1 from a source in another site, over both sites' links; within ams there is no link. */
function lane(sourceName: string, ...through: string[]): LanePath {
  const site = sourceName.slice(0, 3);
  const links = site === "ams" ? [] : [`sites.${site}.uplink`, ...through, "sites.ams.downlink"];
  return { sourceName, path: [`agents.${sourceName}.nic.up`, ...links, "agents.ams-1.nic.down"] };
}

const judge = (stalled: LanePath[], delivering: LanePath[]) =>
  judgeStalls("ams-1", stalled, delivering).map(({ component, certain, alsoSuspected }) =>
    [certain ? component : `${component}?`, ...alsoSuspected].join(" or "),
  );

describe("a stall", () => {
  it("is the source's NIC while another lane over the same links delivers", () => {
    assert.deepEqual(judge([lane("fra-1")], [lane("fra-2")]), ["agents.fra-1.nic.up"]);
    assert.deepEqual(judge([lane("ams-2")], [lane("iad-2")]), ["agents.ams-2.nic.up"]);
  });

  it("is the link's when all sources beyond it stall and all others deliver", () => {
    const stalled = [lane("fra-1", "resources.cable"), lane("fra-2", "resources.cable")];
    assert.deepEqual(judge(stalled, [lane("iad-1", "resources.cable")]), ["sites.fra.uplink"]);
    const both = [lane("fra-1", "resources.cable"), lane("iad-1", "resources.cable")];
    assert.deepEqual(judge(both, [lane("fra-2"), lane("iad-2")]), ["resources.cable"]);
  });

  it("is this agent's own NIC when nothing delivers and nothing else is common", () => {
    assert.deepEqual(judge([lane("fra-1"), lane("ams-2")], []), ["agents.ams-1.nic.down"]);
    assert.deepEqual(judge([lane("ams-2"), lane("ams-3")], []), ["agents.ams-1.nic.down"]);
  });

  it("is only a suspicion where one observation cannot tell", () => {
    assert.deepEqual(judge([lane("fra-1")], [lane("iad-1")]), ["agents.fra-1.nic.up? or sites.fra.uplink"]);
    assert.deepEqual(judge([lane("fra-1")], []), [
      "agents.fra-1.nic.up? or sites.fra.uplink or sites.ams.downlink or agents.ams-1.nic.down",
    ]);
    assert.deepEqual(judge([lane("fra-1"), lane("fra-2")], [lane("ams-2")]), [
      "sites.fra.uplink? or sites.ams.downlink",
    ]);
  });

  it("is the program's when the very same way delivers", () => {
    assert.deepEqual(judge([lane("fra-1")], [lane("fra-1")]), ["agents.fra-1?"]);
  });

  it("is judged apart from another that has nothing to do with it", () => {
    const stalled = [lane("fra-1"), lane("fra-2"), lane("iad-1")];
    assert.deepEqual(judge(stalled, [lane("iad-2")]), ["sites.fra.uplink", "agents.iad-1.nic.up"]);
  });
});

describe("other failures", () => {
  it("are the source agent's, or this agent's own disk's", () => {
    for (const kind of ["badChecksum", "refused", "protocol", "reset"] as const) {
      assert.equal(blameForKind(kind, "fra-1", "ams-1").component, "agents.fra-1");
      assert.equal(blameForKind(kind, "fra-1", "ams-1").certain, true);
    }
    assert.equal(blameForKind("notHeld", "fra-1", "ams-1").certain, false);
    assert.equal(blameForKind("disk", "fra-1", "ams-1").component, "agents.ams-1.disk");
  });
});

describe("the watch for stalls", () => {
  const pathFrom = (site: string) => [`sites.${site}.uplink`, "sites.fra.downlink"];
  const twoLanes = (secondSource: string, secondPath: string[]) => {
    const agent = fetchingAgent("index@1", [1, 2, 3, 4]);
    const portions = (flat: number[]) => [{ fileSet: "index@1", order: "content" as const, ranges: flat }];
    agent.hear(
      instruct({
        open: [openLane(1, "iad-1", pathFrom("iad")), openLane(2, secondSource, secondPath)],
        transfers: [
          { laneId: 1, portions: portions([0, 2]), ticket },
          { laneId: 2, portions: portions([2, 4]), ticket },
        ],
      }),
    );
    agent.trace();
    return agent;
  };
  const received = (laneId: number, receivedBytes: number, waiting = false) =>
    ({ type: "received", lanes: [{ laneId, receivedBytes, waiting }] }) as const;

  it("ends a lane at once, and names the NIC while the other lane delivers", () => {
    const agent = twoLanes("iad-2", pathFrom("iad"));
    for (let seconds = 1; seconds <= 4; seconds += 1) {
      agent.passUntil(seconds);
      agent.event(received(2, seconds * 100));
    }
    assert.match(
      agent.trace(),
      /closeLane 1\nsend state\n.*lane 1 0 bytes failed\n.*failure 1 stalled agents.iad-1.nic.up$/,
    );
  });

  it("waits for lanes that may be stalling too, and then blames the link", () => {
    const agent = twoLanes("iad-2", pathFrom("iad"));
    agent.at(1);
    agent.event(received(2, 100));
    agent.passUntil(4.5);
    const early = agent.trace();
    assert.match(early, /lane 1 0 bytes failed/);
    assert.doesNotMatch(early, /failure/);
    agent.passUntil(5);
    assert.match(
      agent.trace(),
      /lane 2 100 bytes failed\n.*failure 1 stalled sites.iad.uplink\? or sites.fra.downlink/,
    );
  });

  it("holds nobody to account while the source itself waits for the block", () => {
    const agent = twoLanes("iad-2", pathFrom("iad"));
    for (let seconds = 1; seconds <= 20; seconds += 1) {
      agent.at(seconds);
      agent.event(received(1, 0, true));
      agent.event(received(2, 0, true));
    }
    assert.doesNotMatch(agent.trace(), /failed|failure/);
  });
});
