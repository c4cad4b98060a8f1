import test from "node:test";
import assert from "node:assert/strict";
import type { VersionDetail } from "../../protocol/views.ts";
import { accept } from "../../platform/accept.ts";
import { PublishError } from "./publish-error.ts";
import { waitForTargets, type WaitProgress } from "./wait-for-targets.ts";

type AgentOfVersion = VersionDetail["agents"][number];

const agent = (name: string, change: Partial<AgentOfVersion> = {}): AgentOfVersion => ({
  agent: name,
  site: "fra",
  online: true,
  status: "held",
  heldBytes: 10,
  current: true,
  target: true,
  ...change,
});

const detail = (agents: AgentOfVersion[], active = true): VersionDetail => ({
  fileSet: "index@7",
  name: "index",
  version: "7",
  state: "published",
  active,
  paused: false,
  growing: false,
  selector: "all",
  priority: 0,
  root: "",
  sequence: 1,
  files: 1,
  blocks: 1,
  totalBytes: 10,
  counts: { targets: agents.filter(({ target }) => target).length, held: 0, offline: 0, stalled: 0 },
  heldBytes: 0,
  createdAtMilliseconds: 0,
  agents,
  fileList: [],
  fileListCut: false,
});

/** Waits on a controller that gives these answers one after another, the last one for ever. */
async function wait(answers: (VersionDetail | "error" | "gone")[], timeoutMilliseconds?: number) {
  const server = await accept({
    host: "127.0.0.1",
    port: 0,
    upgrades: {},
    onRequest: (_request, response) => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === "error") response.writeHead(503).end();
      else if (answer === "gone") response.writeHead(404).end();
      else response.end(JSON.stringify(answer));
    },
  });
  const seen: WaitProgress[] = [];
  try {
    const onProgress = (progress: WaitProgress): unknown => seen.push(progress);
    const result = await waitForTargets({
      url: server.url,
      name: "index",
      version: "7",
      timeoutMilliseconds,
      onProgress,
    });
    return { result, seen };
  } finally {
    await server.close();
  }
}

test("waiting ends when every target holds the version, and uses it if it is active", async () => {
  const origin = agent("origin", { target: false, status: "fetching" });
  const { result, seen } = await wait([
    detail([agent("a", { status: "fetching", current: false }), agent("b"), origin]),
    "error",
    detail([agent("a", { current: false }), agent("b"), origin]),
    detail([agent("a"), agent("b"), origin]),
  ]);
  assert.equal(result.targets, 2);
  assert.deepEqual(
    seen.map(({ ready }) => ready),
    [1, 1, 2],
  );
  const inactive = await wait([detail([agent("a", { current: false })], false)]);
  assert.equal(inactive.result.targets, 1);
  assert.equal((await wait([detail([])])).result.targets, 0);
});

test("after the time-out the missing targets are named; a version that is gone is no longer waited for", async () => {
  const stalled = agent("b", { status: "stalled", problem: "the disk is full" });
  await assert.rejects(
    wait([detail([agent("a", { online: false, status: "fetching" }), stalled, agent("c")])], 300),
    (error) => {
      assert.ok(error instanceof PublishError && error.kind === "waitTimedOut");
      assert.match(error.message, /2 of 3 targets do not hold it .*: a \(offline\), b \(stalled: the disk is full\)$/);
      return true;
    },
  );
  await assert.rejects(wait(["error"], 300), (error) => error instanceof PublishError && error.kind === "waitTimedOut");
  await assert.rejects(wait(["gone"]), (error) => error instanceof PublishError && error.kind === "failed");
});
