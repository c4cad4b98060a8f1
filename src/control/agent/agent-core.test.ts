/** The agent's life as traces: what it hears, and under it what it orders and says. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Ticket } from "../../protocol/ticket.ts";
import { encodeTicket } from "../../protocol/ticket.ts";
import { concatenateBytes } from "../../std/bytes.ts";
import { RangeSet } from "../../std/ranges.ts";
import {
  agentId,
  assign,
  fetchingAgent,
  giveFileSet,
  instruct,
  manifestOf,
  openLane,
  summaryOf,
  testAgent,
  ticket,
  welcome,
  welcomedAgent,
} from "./agent-core.testing.ts";

const index1 = "index@1";
const portion = (flat: number[], fileSet = index1, order: "content" | "manifest" = "content") => ({
  fileSet,
  order,
  ranges: flat,
});

/** Compares with a text whose lines are indented as they please. */
function same(actual: string, expected: string): void {
  const plain = (text: string) =>
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .join("\n");
  assert.equal(plain(actual), plain(expected));
}

describe("an agent and its controller", () => {
  it("says hello, and its whole state once it is welcome", () => {
    const agent = testAgent();
    agent.event({ type: "connected" });
    agent.hear(welcome(7));
    same(agent.trace(), "send hello fra-1 term 0\n remember\n send whole state");
    assert.equal(agent.document()?.term, 7);
  });

  it("obeys no controller of an earlier term", () => {
    const agent = testAgent();
    agent.event({ type: "connected" });
    agent.hear(welcome(7));
    agent.event({ type: "disconnected" });
    agent.event({ type: "connected" });
    agent.trace();
    agent.hear(welcome(6));
    same(agent.trace(), "disconnect and retry: the controller is of term 6, and this agent obeys 7 already");
  });

  it("stops for good only when the controller says that trying again is of no use", () => {
    for (const retry of [true, false]) {
      const agent = testAgent();
      agent.event({ type: "connected" });
      agent.trace();
      agent.hear({ type: "refused", term: 1, code: "nameInUse", reason: "the name is taken", retry } as never);
      const how = retry ? "and retry" : "for good";
      same(agent.trace(), `disconnect ${how}: the controller refuses this agent: the name is taken`);
    }
  });

  it("does not work with another major version", () => {
    const agent = testAgent();
    agent.event({ type: "connected" });
    agent.trace();
    agent.hear({ ...welcome(), protocol: { major: 2, minor: 0 } } as never);
    assert.match(agent.trace(), /disconnect for good: the controller speaks protocol 2/);
  });

  it("sends a heartbeat when there is nothing to say", () => {
    const agent = welcomedAgent();
    agent.passUntil(130);
    same(agent.trace(), "send state\n send state");
  });

  it("tells how far away the source of a lane is, once it was dialled", () => {
    const agent = welcomedAgent();
    agent.hear(instruct({ open: [openLane(5, "fra-2")] }));
    agent.event({ type: "reached", laneId: 5, roundTripNanoseconds: 80_000_000 });
    agent.event({ type: "reached", laneId: 6, roundTripNanoseconds: 1 });
    agent.passUntil(130);
    const { holderId } = openLane(5, "fra-2");
    assert.equal(
      agent
        .trace()
        .match(/reached .*/g)
        ?.join(),
      `reached ${holderId} in 80 ms`,
    );
  });

  it("answers an echo at once, once it is welcome", () => {
    const agent = welcomedAgent();
    agent.hear({ type: "echo", term: 1, echoId: 7 });
    same(agent.trace(), 'send echoed {"echoId":7}');
  });
});

describe("a file set", () => {
  it("comes with its manifest inside, is fetched through a lane, made durable and activated", () => {
    const agent = welcomedAgent();
    agent.hear({ type: "activate", term: 1, name: "index", version: "1" });
    agent.hear(assign(index1, manifestOf([1, 2, 3, 4]), { tail: 0 }));
    agent.event({ type: "prepared", fileSet: index1, held: RangeSet.of(1, 2) });
    agent.hear(
      instruct({
        open: [openLane(5, "fra-2")],
        transfers: [{ laneId: 5, portions: [portion([0, 4])], ticket }],
      }),
    );
    agent.event({ type: "stored", fileSet: index1, order: "content", start: 0, end: 1, laneId: 5 });
    agent.event({ type: "received", lanes: [{ laneId: 5, receivedBytes: 3_000 }] });
    agent.event({ type: "stored", fileSet: index1, order: "content", start: 2, end: 4, laneId: 5 });
    agent.event({ type: "finished", fileSet: index1 });
    agent.event({ type: "activated", name: "index", version: "1" });
    same(
      agent.trace(),
      `remember
       remember
       storeManifest index@1 from 0
       prepare index@1
       send state
         index@1 preparing pieces 0-1
       send state
         index@1 fetching blocks 1-2
       openLane 5 from fra-2
       pull 5 index@1 content 0-1 2-4
       send state
         index@1 fetching blocks 0-1
         lane 5 1000 bytes
       finish index@1
       send state
         index@1 finishing blocks 2-4
         lane 5 3000 bytes
       remember
       activate index -> 1
       send state
         index@1 held
       remember
       send state
         current index -> 1`,
    );
    assert.equal(agent.document()?.fileSets[0]?.complete, true);
    assert.equal(agent.core.holding(index1, "content", 3), "held");
    assert.equal(agent.core.holding(index1, "content", 4), "absent");
    assert.equal(agent.core.holding("other@1", "content", 0), "absent");
  });

  it("asks for the pieces of a long manifest", () => {
    const agent = welcomedAgent();
    const bytes = manifestOf(Array.from({ length: 3_000 }, (_, index) => index));
    agent.hear(assign(index1, bytes));
    agent.hear(
      instruct({
        open: [openLane(5, "fra-2")],
        transfers: [{ laneId: 5, portions: [portion([0, 2], index1, "manifest")], ticket }],
      }),
    );
    const piece = (start: number, bytesOf: Uint8Array) =>
      agent.event({
        type: "stored",
        fileSet: index1,
        order: "manifest",
        start,
        end: start + 1,
        laneId: 5,
        bytes: bytesOf,
      });
    piece(1, bytes.subarray(65_536));
    // Others need not wait for what is missing before it.
    assert.equal(agent.core.holding(index1, "manifest", 1), "held");
    assert.deepEqual(agent.core.loosePiece(index1, 1), bytes.subarray(65_536));
    assert.equal(agent.core.holding(index1, "manifest", 0), "coming");
    piece(0, bytes.subarray(0, 65_536));
    same(
      agent.trace(),
      `remember
       send state
         index@1 manifest
       openLane 5 from fra-2
       pull 5 index@1 manifest 0-2
       send state
         index@1 manifest pieces 1-2
         lane 5 30519 bytes
       storeManifest index@1 from 0
       prepare index@1
       send state
         index@1 preparing pieces 0-1
         lane 5 96055 bytes`,
    );
    assert.equal(agent.core.manifest(index1)?.blockCount, 3_000);
  });

  it("counts duplicates of a stored block as stored", () => {
    const agent = fetchingAgent(index1, [1, 2, 1, 1]);
    agent.event({ type: "stored", fileSet: index1, order: "content", start: 0, end: 1, laneId: undefined });
    agent.passUntil(1);
    same(agent.trace(), "send state\n index@1 fetching blocks 0-1 2-4");
  });

  it("is held at once when it has no blocks, and when all is there already", () => {
    for (const contents of [[], [1, 2]]) {
      const agent = welcomedAgent();
      giveFileSet(agent, index1, contents, RangeSet.of(0, contents.length));
      agent.event({ type: "finished", fileSet: index1 });
      assert.match(agent.trace(), /finish index@1[\s\S]*index@1 held/);
    }
  });

  it("is told again, all of it, when a controller that lost its store gives it anew", () => {
    const agent = welcomedAgent();
    giveFileSet(agent, index1, [1, 2], RangeSet.of(0, 2));
    agent.event({ type: "finished", fileSet: index1 });
    agent.trace();
    agent.hear(assign(index1, manifestOf([1, 2]), { sequence: 1_800_000_000, tail: 0 }));
    assert.match(agent.trace(), /index@1 held.*0.*2/);
  });

  it("stalls with a problem when its manifest is not valid or does not fit its root", () => {
    const garbage = new TextEncoder().encode("SLUM this is not a manifest at all");
    const agent = welcomedAgent();
    agent.hear(assign(index1, garbage, { tail: 0 }));
    assert.match(agent.trace(), /index@1 stalled .*\(manifest format/);
    agent.hear({ ...assign("other@1", manifestOf([1])), root: summaryOf(manifestOf([2])).root });
    assert.match(agent.trace(), /other@1 stalled \(the manifest's piece checksums do not fit its root\)/);
    // A publication that is right, under the same name, is taken.
    agent.hear(assign(index1, manifestOf([1]), { tail: 0, sequence: 2 }));
    agent.event({ type: "deleted", fileSet: index1 });
    assert.match(agent.trace(), /delete index@1[\s\S]*prepare index@1/);
  });

  it("is tried again after a growing pause when storing fails, and the disk is blamed once", () => {
    const agent = fetchingAgent(index1, [1, 2]);
    agent.hear(
      instruct({
        open: [openLane(5, "fra-2")],
        transfers: [{ laneId: 5, portions: [portion([0, 2])], ticket }],
      }),
    );
    agent.trace();
    agent.event({ type: "storeFailed", fileSet: index1, problem: "no space left" });
    agent.passUntil(1);
    agent.event({ type: "storeFailed", fileSet: index1, problem: "no space left" });
    agent.passUntil(2.9);
    same(
      agent.trace(),
      `remember
       closeLane 5
       error: index@1 stalls: no space left
       send state
         index@1 stalled (no space left)
         lane 5 0 bytes closed
         failure 1 disk agents.fra-1.disk
       prepare index@1
       send state
         index@1 preparing
       error: index@1 stalls: no space left
       send state
         index@1 stalled (no space left)`,
    );
    agent.passUntil(3);
    assert.match(agent.trace(), /prepare index@1/);
    assert.equal(agent.document()?.failures.length, 1);
    agent.hear({ type: "acknowledge", term: 1, failureIds: [1] });
    assert.deepEqual(agent.document()?.failures, []);
  });

  it("needs again what is damaged or discarded, and looks for it on its own disk first", () => {
    const agent = fetchingAgent(index1, [1, 2, 3], RangeSet.of(0, 3));
    agent.event({ type: "finished", fileSet: index1 });
    agent.trace();
    agent.event({ type: "damaged", fileSet: index1, ranges: RangeSet.of(2, 9) });
    agent.event({ type: "prepared", fileSet: index1, held: RangeSet.of(0, 2) });
    agent.hear({ type: "discard", term: 1, fileSet: index1, block: 0 });
    same(
      agent.trace(),
      `remember
       warn: index@1: 7 blocks are damaged
       prepare index@1
       send state
         index@1 preparing lost 2-3
       send state
         index@1 fetching
       warn: index@1: the controller found block 0 damaged
       discard index@1 0
       prepare index@1
       send state
         index@1 fetching lost 0-1`,
    );
    assert.equal(agent.document()?.fileSets[0]?.complete, false);
  });

  it("goes on after a restart with what is stored, and finds out what is not any more", () => {
    const before = fetchingAgent(index1, [1, 2, 3], RangeSet.of(0, 3));
    before.event({ type: "finished", fileSet: index1 });
    const stored = { fileSet: index1, manifestBytes: manifestOf([1, 2, 3]), held: RangeSet.of(0, 3) };
    for (const left of [3, 1]) {
      const agent = testAgent({ document: before.document(), stored: [stored] });
      agent.event({ type: "connected" });
      agent.hear(welcome());
      agent.event({ type: "prepared", fileSet: index1, held: RangeSet.of(0, left) });
      same(
        agent.trace(),
        `prepare index@1
         send hello fra-1 term 1
         send whole state
           index@1 preparing pieces 0-1 blocks 0-3
         ${left === 3 ? "send state\n index@1 held" : "remember\n send state\n index@1 fetching lost 1-3"}`,
      );
    }
  });

  it("asks for its manifest again when less of it is stored than was known", () => {
    const bytes = manifestOf([1, 2, 3]);
    const before = welcomedAgent();
    before.hear(assign(index1, bytes));
    const damaged = bytes.slice();
    damaged[0] = 0;
    for (const [manifestBytes, from] of [
      [bytes.subarray(0, 50), 50],
      [damaged, 0],
      [concatenateBytes([bytes, bytes]), 0],
    ] as const) {
      const stored = { fileSet: index1, manifestBytes, held: RangeSet.of(0, 3) };
      const agent = testAgent({ document: before.document(), stored: [stored] });
      agent.event({ type: "connected" });
      agent.hear(welcome());
      agent.hear(assign(index1, bytes, { tail: 0 }));
      assert.match(agent.trace(), new RegExp(`storeManifest index@1 from ${from}\\nprepare index@1`));
    }
  });

  it("deletes what it was deleting when it was stopped, but not what it merely forgot", () => {
    const stored = { fileSet: index1, manifestBytes: manifestOf([1]), held: RangeSet.of(0, 1) };
    const emptyDocument = welcomedAgent().document();
    assert.match(testAgent({ document: emptyDocument, stored: [stored] }).trace(), /delete index@1/);
    const forgetful = testAgent({ stored: [stored] });
    forgetful.event({ type: "connected" });
    forgetful.hear(welcome());
    assert.doesNotMatch(forgetful.trace(), /delete/);
    forgetful.hear(assign(index1, manifestOf([1])));
    assert.match(forgetful.trace(), /prepare index@1/);
  });
});

describe("lanes", () => {
  it("leave out what is held or due, and end when they are asked for what is not known", () => {
    const agent = fetchingAgent(index1, [1, 2, 3, 4], RangeSet.of(0, 1));
    agent.hear(
      instruct({
        open: [openLane(5, "fra-2"), openLane(6, "fra-3")],
        transfers: [
          { laneId: 5, portions: [portion([0, 3])], ticket },
          { laneId: 5, portions: [portion([1, 4])], ticket },
          { laneId: 6, portions: [portion([3, 5])], ticket },
          { laneId: 7, portions: [portion([3, 4])], ticket },
        ],
        rates: [{ laneId: 5, rateBitsPerSecond: 99, ticket }],
      }),
    );
    same(
      agent.trace(),
      `openLane 5 from fra-2
       openLane 6 from fra-3
       pull 5 index@1 content 1-3
       pull 5 index@1 content 3-4
       closeLane 6
       setRate 5 99
       send state
         lane 6 0 bytes closed
         lane 7 0 bytes closed`,
    );
    agent.hear(instruct({ close: [5] }));
    same(agent.trace(), "closeLane 5\n send state\n lane 5 0 bytes closed");
  });

  it("gather reports, but say at once that they run dry", () => {
    const agent = fetchingAgent(
      index1,
      Array.from({ length: 2_000 }, (_, index) => index),
    );
    agent.hear(
      instruct({ open: [openLane(5, "fra-2")], transfers: [{ laneId: 5, portions: [portion([0, 2_000])], ticket }] }),
    );
    agent.trace();
    const store = (start: number, end: number) =>
      agent.event({ type: "stored", fileSet: index1, order: "content", start, end, laneId: 5 });
    store(0, 100);
    store(100, 200);
    assert.equal(agent.trace(), "");
    agent.passUntil(0.1);
    same(agent.trace(), "send state\n index@1 fetching blocks 0-200\n lane 5 200000 bytes");
    // 500,000 bytes are half a second at 8 Mbit/s.
    store(200, 1_499);
    assert.equal(agent.trace(), "");
    store(1_499, 1_500);
    same(agent.trace(), "send state\n index@1 fetching blocks 200-1500\n lane 5 1500000 bytes");
    store(1_500, 1_600);
    assert.equal(agent.trace(), "");
  });

  it("run on without a controller, and are told to the next one until they are dry", () => {
    const agent = fetchingAgent(index1, [1, 2, 3, 4]);
    agent.hear(
      instruct({ open: [openLane(5, "fra-2")], transfers: [{ laneId: 5, portions: [portion([0, 2])], ticket }] }),
    );
    agent.event({ type: "disconnected" });
    agent.event({ type: "stored", fileSet: index1, order: "content", start: 0, end: 1, laneId: 5 });
    agent.event({ type: "connected" });
    agent.trace();
    agent.hear(welcome(2));
    agent.event({ type: "stored", fileSet: index1, order: "content", start: 1, end: 2, laneId: 5 });
    same(
      agent.trace(),
      `remember
       send whole state
         index@1 fetching pieces 0-1 blocks 0-1
         lane 5 1000 bytes
       closeLane 5
       send state
         index@1 fetching blocks 1-2
         lane 5 2000 bytes closed`,
    );
  });

  it("wait for those whose place they take, and end with one that never began", () => {
    const agent = fetchingAgent(index1, [1, 2, 3, 4]);
    const short = (laneId: number, ...after: number[]) => ({
      ...openLane(laneId, "fra-2"),
      endsWhenEmpty: true,
      after,
    });
    agent.hear(
      instruct({
        open: [short(5), short(6, 5, 99), short(7, 6)],
        transfers: [
          { laneId: 5, portions: [portion([0, 1])], ticket },
          { laneId: 6, portions: [portion([1, 2])], ticket },
          { laneId: 7, portions: [portion([2, 3])], ticket },
        ],
      }),
    );
    same(
      agent.trace(),
      `openLane 5 from fra-2
       openLane 6 from fra-2
       openLane 7 from fra-2
       pull 5 index@1 content 0-1`,
    );
    agent.event({ type: "stored", fileSet: index1, order: "content", start: 0, end: 1, laneId: 5 });
    assert.match(agent.trace(), /closeLane 5\npull 6 index@1 content 1-2/);
    // Nothing has come through lane 6.
    agent.event({ type: "laneFailed", laneId: 6, kind: "notHeld", detail: "block 1" });
    const trace = agent.trace();
    assert.match(trace, /closeLane 7/);
    assert.doesNotMatch(trace, /pull 7/);
    assert.match(trace, /lane 7 0 bytes closed/);
  });

  it("end when they fail, and their source answers for wrong bytes", () => {
    const agent = fetchingAgent(index1, [1, 2]);
    agent.hear(
      instruct({ open: [openLane(5, "fra-2")], transfers: [{ laneId: 5, portions: [portion([0, 2])], ticket }] }),
    );
    agent.trace();
    agent.event({ type: "laneFailed", laneId: 5, kind: "badChecksum", detail: "block 0" });
    same(agent.trace(), "remember\n send state\n lane 5 0 bytes failed\n failure 1 badChecksum agents.fra-2");
    assert.equal(agent.document()?.failures[0]?.fileSet, index1);
  });
});

describe("versions", () => {
  const versions = (agent: ReturnType<typeof testAgent>) => agent.core.view().fileSets.map((entry) => entry.fileSet);
  const hold = (agent: ReturnType<typeof testAgent>, version: string, sequence: number) => {
    giveFileSet(agent, `index@${version}`, [sequence], RangeSet.of(0, 1), sequence);
    agent.event({ type: "finished", fileSet: `index@${version}` });
  };
  const activate = (agent: ReturnType<typeof testAgent>, version: string) => {
    const commands = agent.hear({ type: "activate", term: 1, name: "index", version });
    assert.ok(commands.some((command) => command.type === "activate" && command.version === version));
    const after = agent.event({ type: "activated", name: "index", version });
    for (const command of after) {
      if (command.type === "delete") agent.event({ type: "deleted", fileSet: command.fileSet });
    }
  };

  it("keep the active one and the one before", () => {
    const agent = welcomedAgent();
    hold(agent, "1", 1);
    hold(agent, "2", 2);
    hold(agent, "3", 3);
    activate(agent, "1");
    assert.deepEqual(versions(agent), ["index@1", "index@2", "index@3"]);
    activate(agent, "3");
    // Version 1 was active before, version 2 never was.
    assert.deepEqual(versions(agent), ["index@1", "index@3"]);
    activate(agent, "1");
    assert.deepEqual(versions(agent), ["index@1", "index@3"]);
  });

  it("drop what was kept only because it was to become current", () => {
    const agent = welcomedAgent();
    hold(agent, "1", 1);
    activate(agent, "1");
    giveFileSet(agent, "index@2", [7], new RangeSet(), 2);
    agent.hear({ type: "activate", term: 1, name: "index", version: "2" });
    agent.hear({ type: "unassign", term: 1, fileSet: "index@2", delete: false });
    assert.doesNotMatch(agent.trace(), /delete index@2/);
    agent.hear({ type: "activate", term: 1, name: "index", version: "1" });
    assert.match(agent.trace(), /delete index@2/);
  });

  it("drop what is not whole when it is no longer wanted, and point nowhere before the current one goes", () => {
    const agent = welcomedAgent();
    hold(agent, "1", 1);
    activate(agent, "1");
    giveFileSet(agent, "index@2", [7], new RangeSet(), 2);
    agent.trace();
    agent.hear({ type: "unassign", term: 1, fileSet: "index@2", delete: false });
    agent.event({ type: "deleted", fileSet: "index@2" });
    agent.hear({ type: "unassign", term: 1, fileSet: "index@1", delete: false });
    agent.hear({ type: "unassign", term: 1, fileSet: "index@1", delete: true });
    same(
      agent.trace(),
      `remember
       info: index@2 is not kept any longer
       delete index@2
       send state
         deleted index@2
       remember
       remember
       activate index -> nothing
       delete index@1`,
    );
  });
});

describe("a growing file set", () => {
  it("is followed: served and reported while it grows, held after its end", async () => {
    const { ManifestBuilder } = await import("../../model/manifest-builder.ts");
    const { checksumOf } = await import("./agent-core.testing.ts");
    const builder = new ManifestBuilder("sha256");
    const grow = (content: number, final = false) =>
      builder.addGrownBlock({ lengthBytes: 1_000, checksum: checksumOf(content), final });
    builder.beginGrowingFile({ path: "log", mode: 0o644, modifiedMilliseconds: 0, version: 1, blockBytes: 1_000 });
    grow(1);
    const first = builder.toBytes();
    grow(2);
    const second = builder.toBytes();
    grow(3, true);
    builder.endGrowingFile({ modifiedMilliseconds: 5 });
    builder.end();
    const third = builder.toBytes();

    const agent = welcomedAgent();
    agent.hear(assign("log@1", first, { tail: 0 }));
    agent.event({ type: "prepared", fileSet: "log@1", held: new RangeSet() });
    agent.event({ type: "stored", fileSet: "log@1", order: "content", start: 0, end: 1, laneId: undefined });
    agent.hear(assign("log@1", second, { tail: first.length }));
    assert.equal(agent.core.holding("log@1", "content", 0), "held");
    assert.equal(agent.core.holding("log@1", "content", 1), "coming");
    assert.equal(agent.core.holding("log@1", "content", 5), "coming");
    agent.event({ type: "prepared", fileSet: "log@1", held: RangeSet.of(0, 1) });
    agent.event({ type: "stored", fileSet: "log@1", order: "content", start: 1, end: 2, laneId: undefined });
    agent.passUntil(1);
    agent.hear(assign("log@1", third, { tail: second.length }));
    agent.event({ type: "stored", fileSet: "log@1", order: "content", start: 2, end: 3, laneId: undefined });
    agent.event({ type: "prepared", fileSet: "log@1", held: RangeSet.of(0, 2) });
    same(
      agent.trace().replaceAll(/from \d+/g, "from n"),
      `remember
       storeManifest log@1 from n
       prepare log@1
       send state
         log@1 preparing pieces 0-1
       send state
         log@1 fetching
       remember
       storeManifest log@1 from n
       prepare log@1
       send state
         log@1 fetching pieces 0-1 blocks 0-2
       remember
       storeManifest log@1 from n
       prepare log@1
       finish log@1
       send state
         log@1 finishing pieces 0-1 blocks 2-3`,
    );
    assert.equal(agent.core.holding("log@1", "content", 5), "absent");
  });

  it("is not mixed up with another publication of the same name and version", () => {
    const agent = fetchingAgent(index1, [1, 2], RangeSet.of(0, 2));
    agent.hear(assign(index1, manifestOf([3]), { tail: 0, sequence: 1 }));
    assert.match(agent.trace(), /warn: index@1: a manifest that is not what/);
    agent.hear(assign(index1, manifestOf([3]), { tail: 0, sequence: 2 }));
    agent.event({ type: "deleted", fileSet: index1 });
    same(
      agent.trace(),
      `remember
       delete index@1
       remember
       storeManifest index@1 from 0
       prepare index@1
       send state
         deleted index@1
       send state
         index@1 preparing pieces 0-1`,
    );
  });
});

describe("checks", () => {
  it("probe and answer challenges", () => {
    const agent = fetchingAgent(index1, [1, 2], RangeSet.of(0, 1));
    const probe = {
      type: "probe",
      term: 1,
      probeId: 3,
      lane: openLane(9, "fra-4"),
      ticket,
      fileSet: index1,
      block: 0,
      lengthBytes: 1_000,
      checksum: "",
    } as const;
    agent.hear(probe);
    agent.hear(probe);
    agent.event({ type: "probed", probeId: 3, failure: "refused" });
    const challenge = { type: "challenge", term: 1, fileSet: index1, rateBitsPerSecond: 1 } as const;
    agent.hear({ ...challenge, challengeId: 1, block: 1 });
    agent.hear({ ...challenge, challengeId: 2, block: 0 });
    agent.event({ type: "challengeRead", challengeId: 2, bytes: Uint8Array.of(1, 2), end: undefined });
    agent.event({ type: "challengeRead", challengeId: 2, bytes: new Uint8Array(0), end: "whole" });
    same(
      agent.trace(),
      `probe 3 index@1 0
       send probeResult {"probeId":3,"outcome":"failed","kind":"refused"}
       send challengeData {"challengeId":1,"bytes":"","end":"absent"}
       readChallenge 2 index@1 0
       send challengeData {"challengeId":2,"bytes":"AQI="}
       send challengeData {"challengeId":2,"bytes":"","end":"whole"}`,
    );
  });

  it("let nobody in without a ticket that is for this agent, this peer, this use and this term", () => {
    const agent = testAgent();
    agent.event({ type: "connected" });
    agent.hear(welcome(2));
    const good: Ticket = {
      term: 2,
      laneId: 1,
      revision: 1,
      use: "fetch",
      holderId: agentId,
      peerId: "b".repeat(32),
      peerName: "fra-2",
      portions: [],
      rateBitsPerSecond: 1,
      durationMilliseconds: 1,
      signature: "",
    };
    const judge = (ticketText: string, peerId = good.peerId) => agent.core.authorize(ticketText, peerId, ["fetch"]).ok;
    assert.equal(judge(encodeTicket(good)), true);
    assert.equal(judge(encodeTicket({ ...good, term: 3 })), true);
    assert.equal(judge(encodeTicket({ ...good, term: 1 })), false);
    assert.equal(judge(encodeTicket({ ...good, holderId: "c".repeat(32) })), false);
    assert.equal(judge(encodeTicket({ ...good, use: "handOver" })), false);
    assert.equal(judge(encodeTicket(good), "c".repeat(32)), false);
    assert.equal(judge("AAAA"), false);
    assert.equal(judge("not base64"), false);
  });
});
