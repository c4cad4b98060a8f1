/** The controller's loop, as golden traces: rewrite them with SLUICE_REWRITE_TRACES=1 and review the diff. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { Stage, stateOf, testFileSet } from "./controller.testing.ts";

const traces = new URL("../../../src/control/controller/traces/", import.meta.url);

function checkTrace(name: string, lines: readonly string[]): void {
  const file = new URL(`${name}.txt`, traces);
  const text = `${lines.join("\n")}\n`;
  if (process.env["SLUICE_REWRITE_TRACES"] === "1") writeFileSync(file, text);
  assert.ok(existsSync(file), `${name}.txt is missing: run with SLUICE_REWRITE_TRACES=1`);
  assert.equal(text, readFileSync(file, "utf8"));
}

const twoSites = {
  sites: { fra: { uplink: "100Mbps", downlink: "100Mbps" }, iad: { uplink: "100Mbps", downlink: "100Mbps" } },
  defaults: { nic: { up: "1Gbps", down: "1Gbps" } },
};

/** Publishes through fra-0, which then holds everything; iad-0 wants it. */
function published(
  stage: Stage,
  blocks: number,
): { fra: number; iad: number; index: ReturnType<typeof testFileSet>; publisher: number; publishId: string } {
  const index = testFileSet("index", "1", blocks);
  const fra = stage.connect("fra-0", "fra");
  const iad = stage.connect("iad-0", "iad");
  const publisher = stage.publisher("publisher");
  const publishId = stage.publishFileSet(publisher, index, { agent: "fra-0" });
  stage.state(fra, { fileSets: [stateOf(index, "fetching")] });
  stage.state(fra, { fileSets: [stateOf(index, "fetching", [0, blocks])] });
  stage.state(fra, { fileSets: [stateOf(index, "held")] });
  return { fra, iad, index, publisher, publishId };
}

/** What the agent was last told to fetch comes through the lanes that it was told to open, and they end. */
function fetchAsTold(stage: Stage, connectionId: number, fileSet: ReturnType<typeof testFileSet>): boolean {
  const told = stage.sent.flatMap((command) =>
    command.type === "sendAgent" && command.connectionId === connectionId && command.message.type === "instruct"
      ? command.message.transfers
      : [],
  );
  const last = told.at(-1);
  if (last === undefined) return false;
  const content = last.portions.flatMap(({ ranges }) => ranges);
  const lanes = [{ laneId: last.laneId, receivedBytes: 262_144, ended: "closed" as const }];
  stage.state(connectionId, { fileSets: [stateOf(fileSet, "fetching", content)], lanes });
  return true;
}

test("a file set goes through one agent to another, and becomes active when the publisher commits", () => {
  const stage = new Stage(twoSites);
  const { iad, index, publisher, publishId } = published(stage, 4);
  stage.state(iad, { fileSets: [stateOf(index, "fetching")] });
  stage.publish(publisher, { type: "commit", publishId });
  for (let block = 0; block < 4; block += 1) {
    stage.advance(21);
    assert.ok(fetchAsTold(stage, iad, index));
  }
  stage.state(iad, { fileSets: [stateOf(index, "finishing")] });
  stage.state(iad, { fileSets: [stateOf(index, "held")], current: [{ name: "index", version: "1" }] });
  checkTrace("one-to-one", stage.lines);
  assert.equal(stage.core.fileSet("index", "1")?.counts.held, 2);
});

test("a lane over a link is charged on everything between, and released when its target has it all", () => {
  const stage = new Stage(twoSites);
  const { iad, index } = published(stage, 40);
  stage.state(iad, { fileSets: [stateOf(index, "fetching")] });
  const allocated = (name: string): number | undefined =>
    stage.core.resources().find((view) => view.resource === name)?.allocatedBitsPerSecond;
  for (const name of ["agents.fra-0.nic.up", "sites.fra.uplink", "sites.iad.downlink", "agents.iad-0.nic.down"]) {
    assert.equal(allocated(name), 100_000_000, name);
  }
  for (let block = 0; block < 39; block += 1) fetchAsTold(stage, iad, index);
  for (const name of ["agents.fra-0.nic.up", "sites.fra.uplink", "sites.iad.downlink", "agents.iad-0.nic.down"]) {
    assert.equal(allocated(name), 100_000_000, name);
  }
  fetchAsTold(stage, iad, index);
  // All came at once: it counts for as long as it takes at its rate, and what is told is a mean over some seconds.
  stage.advance(20_000);
  for (const name of ["agents.fra-0.nic.up", "sites.fra.uplink", "sites.iad.downlink", "agents.iad-0.nic.down"]) {
    assert.equal(allocated(name), 0, name);
  }
});

test("what a lane has brought is counted once on everything between, also after its end", () => {
  const stage = new Stage(twoSites);
  const { iad, index } = published(stage, 40);
  stage.state(iad, { fileSets: [stateOf(index, "fetching")] });
  const opening = stage.sent
    .flatMap((command) =>
      command.type === "sendAgent" && command.message.type === "instruct" ? command.message.open : [],
    )
    .at(-1);
  assert.ok(opening);
  const { laneId } = opening;
  for (const receivedBytes of [262_144, 524_288, 524_288]) stage.state(iad, { lanes: [{ laneId, receivedBytes }] });
  stage.state(iad, { lanes: [{ laneId, receivedBytes: 786_432, ended: "closed" }] });
  for (const name of ["agents.fra-0.nic.up", "sites.fra.uplink", "sites.iad.downlink", "agents.iad-0.nic.down"]) {
    assert.equal(stage.core.resources().find((view) => view.resource === name)?.carriedBytes, 786_432, name);
  }
});

test("a lowered capability takes running lanes down at once", () => {
  const stage = new Stage(twoSites);
  const { iad, index } = published(stage, 400);
  stage.state(iad, { fileSets: [stateOf(index, "fetching")] });
  const commands = stage.handle({
    type: "topology",
    topology: stage.topology.withCapability("sites.iad.downlink", 20_000_000),
  });
  const rates = commands.flatMap((command) =>
    command.type === "sendAgent" && command.message.type === "instruct" ? command.message.rates : [],
  );
  assert.deepEqual(
    rates.map((rate) => rate.rateBitsPerSecond),
    [20_000_000],
  );
});

test("after a restart nothing is scheduled before the agents that were connected are back", () => {
  const stage = new Stage(twoSites);
  const { index, publisher, publishId } = published(stage, 40);
  stage.publish(publisher, { type: "commit", publishId });
  stage.lines.length = 0;
  stage.start();
  stage.connect("iad-0", "iad", [stateOf(index, "fetching", [0, 10])]);
  stage.advance(50);
  stage.connect("fra-0", "fra", [stateOf(index, "held", [0, 40])]);
  checkTrace("restart", stage.lines);
});

test("a source that serves wrong bytes is counted, taken out of use, probed later and put back", () => {
  const stage = new Stage(twoSites, { outOfUseAfter: 2 });
  const { fra, iad, index } = published(stage, 40);
  stage.lines.length = 0;
  stage.state(iad, { fileSets: [stateOf(index, "fetching")] });
  const failure = (failureId: number) => ({
    failureId,
    component: "agents.fra-0",
    certain: true,
    alsoSuspected: [],
    kind: "badChecksum" as const,
    sourceName: "fra-0",
    detail: "block 3",
  });
  stage.state(iad, { failures: [failure(0)] });
  stage.state(iad, { failures: [failure(0), failure(1)] });
  assert.equal(stage.core.agents().find((agent) => agent.name === "fra-0")?.outOfUse, true);
  assert.equal(stage.core.resources().find((view) => view.resource === "sites.fra.uplink")?.failures, 0);
  for (let beat = 0; beat < 16; beat += 1) {
    stage.advance(2_000);
    stage.state(iad, {});
    stage.state(fra, {});
  }
  const probe = stage.sent.find((command) => command.type === "sendAgent" && command.message.type === "probe");
  assert.ok(probe?.type === "sendAgent" && probe.message.type === "probe");
  stage.agent(iad, { type: "probeResult", probeId: probe.message.probeId, outcome: "good" });
  assert.equal(stage.core.agents().find((agent) => agent.name === "fra-0")?.outOfUse, false);
});

test("an aborted publish leaves nothing behind", () => {
  const stage = new Stage(twoSites);
  const { iad, index, publisher, publishId } = published(stage, 4);
  stage.state(iad, { fileSets: [stateOf(index, "fetching", [0, 1])] });
  const commands = stage.publish(publisher, { type: "abort", publishId, reason: "a file changed" });
  const deleted = commands.filter(
    (command) => command.type === "sendAgent" && command.message.type === "unassign" && command.message.delete,
  );
  assert.equal(deleted.length, 2);
  assert.deepEqual(stage.core.fileSets(), []);
  assert.deepEqual(
    [...stage.store.keys()].filter((key) => key.startsWith("fileSets") || key.startsWith("manifests")),
    [],
  );
});

test("the same content under the same version is known again; other content is refused", () => {
  const stage = new Stage();
  const { publisher, publishId, index } = published(stage, 4);
  stage.publish(publisher, { type: "commit", publishId });
  const begin = (fileSet: typeof index, id: string) =>
    stage.publish(stage.publisher("another"), {
      type: "begin",
      protocol: { major: 1, minor: 0 },
      publishId: id,
      name: "index",
      version: "1",
      selector: "all",
      priority: 0,
      activate: true,
      growing: false,
      algorithm: "blake3",
      pieceBytes: 65_536,
      root: fileSet.root,
      manifestBytes: fileSet.bytes.length,
    });
  const answer = (commands: ReturnType<typeof begin>) =>
    commands.flatMap((command) => (command.type === "sendPublisher" ? [command.message] : []))[0];
  assert.equal(answer(begin(index, "a".repeat(32)))?.type, "already");
  const refused = answer(begin(testFileSet("index", "1", 4, "other"), "b".repeat(32)));
  assert.equal(refused?.type === "rejected" && refused.code, "exists");
});

test("two agents of one name: refused while the first is there, taken over when it is gone", () => {
  const stage = new Stage();
  const first = stage.connect("fra-0", "fra");
  stage.connect("fra-0", "fra", [], "f".repeat(32));
  const refusals = () =>
    stage.sent.flatMap((command) =>
      command.type === "sendAgent" && command.message.type === "refused" ? [command.message] : [],
    );
  assert.deepEqual(
    refusals().map((refusal) => [refusal.code, refusal.retry]),
    [["nameInUse", false]],
  );
  stage.close(first);
  stage.connect("fra-0", "fra", [], "f".repeat(32));
  assert.equal(refusals()[1]?.retry, true);
  stage.advance(20_000);
  stage.connect("fra-0", "fra", [], "f".repeat(32));
  assert.equal(refusals().length, 2);
  assert.equal(stage.core.agents()[0]?.agentId, "f".repeat(32));
});

test("a challenged block that does not match is discarded and counted", () => {
  const stage = new Stage(twoSites);
  const { fra, index } = published(stage, 2);
  assert.equal(stage.request({ type: "verifyAgent", agent: "fra-0", blocks: 1 }), undefined);
  const challenge = stage.sent.find((command) => command.type === "sendAgent" && command.message.type === "challenge");
  assert.ok(challenge?.type === "sendAgent" && challenge.message.type === "challenge");
  stage.agent(fra, { type: "challengeData", challengeId: challenge.message.challengeId, bytes: "AAAA", end: "whole" });
  const reply = stage.replies.get(1);
  assert.ok(reply?.ok === true && "damaged" in reply.result);
  assert.deepEqual(
    reply.result.damaged.map((damage) => damage.fileSet),
    [index.key],
  );
  assert.equal(
    stage.core.resources().find((view) => view.resource === "agents.fra-0.nic.up")?.allocatedBitsPerSecond,
    0,
  );
});

test("going back to an earlier version needs no transfer where it is still held", () => {
  const stage = new Stage();
  const { fra, publisher, publishId } = published(stage, 2);
  stage.publish(publisher, { type: "commit", publishId });
  const second = testFileSet("index", "2", 3);
  const secondPublisher = stage.publisher("second");
  const secondId = stage.publishFileSet(secondPublisher, second, { agent: "fra-0" });
  stage.state(fra, { fileSets: [stateOf(second, "held", [0, 3])] });
  stage.publish(secondPublisher, { type: "commit", publishId: secondId });
  assert.equal(stage.core.fileSets().find((version) => version.active)?.version, "2");
  const commands = (stage.request({ type: "activate", name: "index", version: "1" }), stage.sent.slice(-4));
  const activated = commands.flatMap((command) =>
    command.type === "sendAgent" && command.message.type === "activate" ? [command.message.version] : [],
  );
  assert.deepEqual([...new Set(activated)], ["1"]);
});

test("a suspicion is settled by probes that part the suspects, and counts nobody while they cannot", () => {
  const threeSites = { ...twoSites, sites: { ...twoSites.sites, nrt: { uplink: "100Mbps", downlink: "100Mbps" } } };
  const suspicion = {
    failureId: 0,
    component: "agents.fra-0.nic.up",
    certain: false,
    alsoSuspected: ["sites.fra.uplink", "sites.iad.downlink"],
    kind: "stalled" as const,
    sourceName: "fra-0",
    detail: "no byte came",
  };
  for (const broken of ["agents.fra-0.nic.up", "sites.fra.uplink", "sites.iad.downlink"]) {
    const stage = new Stage(threeSites);
    const { iad, index } = published(stage, 4);
    for (const [name, site] of [
      ["fra-1", "fra"],
      ["iad-1", "iad"],
      ["nrt-0", "nrt"],
    ] as const) {
      stage.connect(name, site, [stateOf(index, "held", [0, 4])]);
    }
    stage.state(iad, { failures: [suspicion] });
    let answered = 0;
    for (let step = 0; step < 8; step += 1) {
      const probes = stage.sent.flatMap((command) =>
        command.type === "sendAgent" && command.message.type === "probe"
          ? [{ connectionId: command.connectionId, probe: command.message }]
          : [],
      );
      const next = probes[answered];
      if (next === undefined) break;
      answered += 1;
      const fails =
        next.probe.lane.path.includes(broken) ||
        (broken.startsWith("agents.fra-0") && next.probe.lane.holderName === "fra-0");
      stage.agent(next.connectionId, {
        type: "probeResult",
        probeId: next.probe.probeId,
        outcome: fails ? "failed" : "good",
      });
    }
    const counted = stage.core
      .resources()
      .filter((view) => view.failures > 0)
      .map((view) => view.resource);
    assert.deepEqual(counted, [broken]);
  }
});

test("a publish is not committed on the word of an agent that cannot have the blocks", () => {
  const stage = new Stage(twoSites);
  const index = testFileSet("index", "1", 8);
  const [fra, liar] = [stage.connect("fra-0", "fra"), stage.connect("iad-0", "iad")];
  const publisher = stage.publisher("publisher");
  const publishId = stage.publishFileSet(publisher, index);
  const flushes = () =>
    stage.sent.filter((command) => command.type === "sendPublisher" && command.message.type === "allHandedOver").length;
  // Before anything was handed over: it is asked for a block, and cannot show it.
  stage.state(liar, { fileSets: [stateOf(index, "held", [0, 8])] });
  assert.equal(flushes(), 0);
  const challenge = stage.sent.find((command) => command.type === "sendAgent" && command.message.type === "challenge");
  assert.ok(challenge?.type === "sendAgent" && challenge.message.type === "challenge");
  stage.agent(liar, { type: "challengeData", challengeId: challenge.message.challengeId, bytes: "", end: "absent" });
  assert.equal(stage.core.agents().find((agent) => agent.name === "iad-0")?.failures, 1);
  assert.equal(flushes(), 0);
  stage.state(fra, { fileSets: [stateOf(index, "fetching")] });
  stage.state(fra, { fileSets: [stateOf(index, "finishing", [0, 8])] });
  assert.equal(flushes(), 1);
  stage.publish(publisher, { type: "commit", publishId });
  assert.equal(stage.core.fileSet("index", "1")?.state, "published");
});

test("a publish through one agent is committed when that agent holds everything", () => {
  const stage = new Stage(twoSites);
  const index = testFileSet("index", "1", 8);
  const [fra, iad] = [stage.connect("fra-0", "fra"), stage.connect("iad-0", "iad")];
  stage.publishFileSet(stage.publisher("publisher"), index, { agent: "fra-0" });
  const flushes = () =>
    stage.sent.filter((command) => command.type === "sendPublisher" && command.message.type === "allHandedOver").length;
  stage.state(iad, { fileSets: [stateOf(index, "held", [0, 8])] });
  assert.equal(flushes(), 0);
  stage.state(fra, { fileSets: [stateOf(index, "fetching")] });
  stage.state(fra, { fileSets: [stateOf(index, "held", [0, 8])] });
  assert.equal(flushes(), 1);
});

test("a controller whose store was lost deletes nothing that agents hold, and takes the same content up again", () => {
  const stage = new Stage();
  const { index, publisher, publishId } = published(stage, 4);
  stage.publish(publisher, { type: "commit", publishId });
  stage.store.clear();
  stage.start();
  const fra = stage.connect("fra-0", "fra", [{ ...stateOf(index, "held", [0, 4]), sequence: 1 }]);
  const deletes = () =>
    stage.sent.filter(
      (command) => command.type === "sendAgent" && command.message.type === "unassign" && command.message.delete,
    );
  assert.deepEqual(deletes(), []);
  const again = stage.publisher("again");
  stage.publishFileSet(again, index, { agent: "fra-0" });
  stage.state(fra, { fileSets: [stateOf(index, "held", [0, 4])] });
  assert.deepEqual(deletes(), []);
  assert.ok(stage.sent.some((command) => command.type === "sendPublisher" && command.message.type === "allHandedOver"));
});

test("an agent that was away when a file set was removed deletes it when it comes back, also after a restart", () => {
  const stage = new Stage();
  const { fra, index, publisher, publishId } = published(stage, 4);
  stage.publish(publisher, { type: "commit", publishId });
  stage.close(fra);
  stage.request({ type: "removeFileSet", name: "index", version: "1", force: true });
  stage.start();
  const before = stage.sent.length;
  stage.connect("fra-0", "fra", [stateOf(index, "held", [0, 4])]);
  const unassigned = stage.sent
    .slice(before)
    .flatMap((command) =>
      command.type === "sendAgent" && command.message.type === "unassign" ? [command.message.delete] : [],
    );
  assert.ok(unassigned.includes(true));
});

test("going back to an earlier version makes nobody fetch the later ones that are no longer active", () => {
  const stage = new Stage();
  const { fra, publisher, publishId } = published(stage, 2);
  stage.publish(publisher, { type: "commit", publishId });
  const second = testFileSet("index", "2", 3);
  const secondPublisher = stage.publisher("second");
  const secondId = stage.publishFileSet(secondPublisher, second, { agent: "fra-0" });
  stage.state(fra, { fileSets: [stateOf(second, "held", [0, 3])] });
  stage.publish(secondPublisher, { type: "commit", publishId: secondId });
  stage.request({ type: "activate", name: "index", version: "1" });
  const before = stage.sent.length;
  stage.connect("nrt-0", "nrt");
  const assigned = stage.sent
    .slice(before)
    .flatMap((command) =>
      command.type === "sendAgent" && command.message.type === "assign" ? [command.message.fileSet] : [],
    );
  assert.deepEqual(assigned, ["index@1"]);
});
