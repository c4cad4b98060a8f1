/** The agent's program on real disks and sockets: a publisher hands blocks to one agent, another one pulls from it. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { checksumLengthBytes } from "../../model/checksum.ts";
import { ManifestBuilder } from "../../model/manifest-builder.ts";
import type { Manifest } from "../../model/manifest.ts";
import { summarizeManifest } from "../../model/manifest-root.ts";
import { DiskAgentStore } from "../../platform/agent-store/disk-agent-store.ts";
import { hash } from "../../platform/hashing.ts";
import { silentLogger } from "../../platform/log.ts";
import { PushClient } from "../../platform/streams/push-client.ts";
import type { Assign, ControllerMessage } from "../../protocol/controller-messages.ts";
import type { Portion } from "../../protocol/parts.ts";
import { encodeTicket } from "../../protocol/ticket.ts";
import { toBase64 } from "../../std/base64.ts";
import { FakeController } from "./fake-controller.testing.ts";
import { startAgent } from "./run-agent.ts";
import type { AgentProgramOptions, RunningAgent } from "./run-agent.ts";

const publishId = "f".repeat(32);
const blockBytes = 65_536;
const fast = 4_000_000_000;

let directory = "";
let controller: FakeController;
let running: RunningAgent[] = [];
let pushers: PushClient[] = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-agent-"));
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});
afterEach(async () => {
  for (const pusher of pushers) pusher.close();
  await Promise.all(running.map((agent) => agent.stop()));
  await controller.close();
  running = [];
  pushers = [];
});

async function start(name: string, options: Partial<AgentProgramOptions> = {}): Promise<RunningAgent> {
  const agent = await startAgent({
    controllerUrl: controller.url,
    name,
    site: "fra",
    labels: { tier: "web" },
    listen: { host: "127.0.0.1", port: 0 },
    keepFreeBytes: 0,
    store: new DiskAgentStore(join(directory, name)),
    logger: silentLogger(),
    ...options,
  });
  running.push(agent);
  return agent;
}

async function stop(agent: RunningAgent): Promise<void> {
  running = running.filter((other) => other !== agent);
  await agent.stop();
}

interface Published {
  readonly assign: Assign;
  readonly manifest: Manifest;
  readonly files: ReadonlyMap<string, Buffer>;
  readonly blocks: readonly Buffer[];
}

/** A file set of these files with random bytes. */
function publish(fileSet: string, sizes: Readonly<Record<string, number>>): Published {
  const builder = new ManifestBuilder("blake3");
  const files = new Map<string, Buffer>();
  const blocks: Buffer[] = [];
  builder.addDirectory({ path: "empty", mode: 0o755, modifiedMilliseconds: 1_000 });
  for (const [path, size] of Object.entries(sizes)) {
    const bytes = randomBytes(size);
    files.set(path, bytes);
    const cut = Array.from({ length: Math.ceil(size / blockBytes) }, (_, index) =>
      bytes.subarray(index * blockBytes, (index + 1) * blockBytes),
    );
    blocks.push(...cut);
    const checksums = new Uint8Array(cut.length * checksumLengthBytes);
    cut.forEach((block, index) => checksums.set(hash("blake3", block), index * checksumLengthBytes));
    const times = { mode: 0o640, modifiedMilliseconds: 1_700_000_000_123, version: 1 };
    builder.addFile({ path, ...times, blockBytes, lengthBytes: size, checksums });
  }
  builder.end();
  const bytes = builder.toBytes();
  const summary = summarizeManifest(hash, "blake3", bytes, blockBytes);
  const assign: Assign = {
    type: "assign",
    term: controller.term,
    fileSet,
    sequence: 1,
    priority: 0,
    algorithm: "blake3",
    root: summary.root,
    manifestBytes: bytes.length,
    pieceBytes: blockBytes,
    firstPiece: 0,
    pieceChecksums: toBase64(summary.pieceChecksums),
    tail: { offset: 0, bytes: toBase64(bytes) },
  };
  return { assign, manifest: builder.manifest, files, blocks };
}

let laneId = 0;

function ticketFor(
  use: "fetch" | "handOver",
  holder: string,
  peerId: string,
  lane: number,
  portions: Portion[],
): string {
  return encodeTicket({
    term: controller.term,
    laneId: lane,
    revision: 1,
    use,
    holderId: controller.agent(holder).hello.agentId,
    peerId,
    peerName: "peer",
    portions,
    rateBitsPerSecond: fast,
    durationMilliseconds: 60_000,
    signature: "",
  });
}

async function assigned(name: string, published: Published): Promise<void> {
  const { fileSet } = published.assign;
  controller.say(name, { ...published.assign, term: controller.term });
  await controller.until(() => controller.agent(name).status.get(fileSet) !== undefined, `${fileSet} at ${name}`);
  await controller.until(
    () => !["manifest", "preparing"].includes(controller.agent(name).status.get(fileSet) ?? ""),
    `${fileSet} prepared at ${name}`,
  );
}

/** Hands all blocks over as a publisher does, one by one. */
async function handOver(name: string, published: Published, corrupt = -1): Promise<boolean[]> {
  const { fileSet } = published.assign;
  laneId += 1;
  const pusher = new PushClient({ peerId: publishId, laneFailed: () => undefined });
  pushers.push(pusher);
  pusher.openLane({ laneId, address: controller.agent(name).hello.address, rateBitsPerSecond: fast });
  const portion: Portion = { fileSet, order: "content", ranges: [0, published.blocks.length] };
  pusher.addTicket(laneId, ticketFor("handOver", name, publishId, laneId, [portion]));
  const results: boolean[] = [];
  for (const [block, bytes] of published.blocks.entries()) {
    const wrong = Buffer.from(bytes);
    if (block === corrupt) wrong[0] = (wrong[0] ?? 0) ^ 1;
    const final = published.manifest.isFinalBlock(block);
    const entry = { block, lengthBytes: bytes.length, final, checksum: published.manifest.blockChecksum(block) };
    const result = await pusher.push(laneId, { fileSet, order: "content", entries: [entry], bytes: wrong });
    results.push(result.accepted);
  }
  await pusher.flush(laneId, fileSet);
  return results;
}

/** Tells one agent to pull everything from another one. */
function pull(target: string, source: string, published: Published, flat = [0, published.blocks.length]): void {
  laneId += 1;
  const holder = controller.agent(source).hello;
  const portions: Portion[] = [{ fileSet: published.assign.fileSet, order: "content", ranges: flat }];
  const ticket = ticketFor("fetch", source, controller.agent(target).hello.agentId, laneId, portions);
  const lane = {
    laneId,
    holderName: source,
    holderId: holder.agentId,
    address: holder.address,
    rateBitsPerSecond: fast,
    path: [],
  };
  const transfers = [{ laneId, portions, ticket }];
  controller.say(target, { type: "instruct", term: controller.term, close: [], open: [lane], transfers, rates: [] });
}

const activate = (version: string): ControllerMessage => ({
  type: "activate",
  term: controller.term,
  name: "index",
  version,
});

describe("the agent's program", () => {
  it("takes blocks from a publisher, serves them, activates, restarts with what it holds, and deletes", async () => {
    controller = await FakeController.start();
    const first = await start("fra-1");
    await start("fra-2");
    assert.equal((await fetch(`${first.url}/healthz`)).status, 200);
    await controller.until(() => controller.agents.size === 2, "both agents");
    const published = publish("index@1", { "a/one.bin": 300_000, "a/ü two": 5, zero: 0, "three.bin": 1_000_000 });
    await assigned("fra-1", published);
    await assigned("fra-2", published);
    controller.say("fra-2", activate("1"));
    // The target may be told to pull before its source has anything.
    pull("fra-2", "fra-1", published);
    assert.deepEqual(new Set(await handOver("fra-1", published)), new Set([true]));
    await controller.until(() => controller.agent("fra-1").status.get("index@1") === "held", "held at the first");
    await controller.until(() => controller.agent("fra-2").current.get("index") === "1", "active at the second");
    const tree = join(directory, "fra-2", "filesets", "index");
    assert.equal(await readlink(join(tree, "current")), "1");
    for (const [path, bytes] of published.files) {
      assert.deepEqual(await readFile(join(tree, "current", path)), bytes);
      const stats = await stat(join(tree, "1", path));
      assert.equal(stats.mode & 0o777, 0o640);
      assert.equal(Math.round(stats.mtimeMs), 1_700_000_000_123);
    }
    assert.ok((await stat(join(tree, "1", "empty"))).isDirectory());

    const second = running[1];
    assert.ok(second !== undefined);
    await stop(second);
    controller.agents.delete("fra-2");
    await start("fra-2");
    await controller.until(() => controller.agents.get("fra-2")?.status.get("index@1") === "held", "held again");
    assert.equal(controller.agent("fra-2").current.get("index"), "1");
    controller.say("fra-2", { type: "unassign", term: 1, fileSet: "index@1", delete: true });
    await controller.until(() => controller.agent("fra-2").status.get("index@1") === undefined, "deleted");
    assert.deepEqual(await readdir(join(directory, "fra-2", "filesets")), []);
  });

  it("refuses what is not what it says it is, from a publisher and on its own disk", async () => {
    controller = await FakeController.start();
    await start("iad-1");
    await start("iad-2");
    await controller.until(() => controller.agents.size === 2, "both agents");
    const published = publish("index@2", { "one.bin": 400_000 });
    await assigned("iad-1", published);
    const results = await handOver("iad-1", published, 3);
    assert.equal(results[3], false);
    assert.ok(controller.agent("iad-1").held.get("index@2")?.has(3) !== true);
    await handOver("iad-1", published);
    await controller.until(() => controller.agent("iad-1").status.get("index@2") === "held", "held");

    // Somebody writes over a block on the disk: it is neither served nor answered to a challenge, but fetched again.
    const file = join(directory, "iad-1", "filesets", "index", "2", "one.bin");
    const bytes = await readFile(file);
    bytes[70_000] = (bytes[70_000] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await assigned("iad-2", published);
    pull("iad-2", "iad-1", published);
    await controller.until(() => controller.agent("iad-1").held.get("index@2")?.has(1) === false, "the damage found");
    await controller.until(
      () =>
        controller.agent("iad-2").messages.some((message) => message.type === "state" && message.failures.length > 0),
      "the failure told",
    );
    assert.ok(controller.agent("iad-2").held.get("index@2")?.has(1) !== true);
  });

  it("answers probes and challenges", async () => {
    controller = await FakeController.start();
    await start("ams-1");
    await start("ams-2");
    await controller.until(() => controller.agents.size === 2, "both agents");
    const published = publish("index@3", { "one.bin": 1_000_000 });
    await assigned("ams-1", published);
    await handOver("ams-1", published);
    await controller.until(() => controller.agent("ams-1").status.get("index@3") === "held", "held");
    const source = controller.agent("ams-1").hello;
    const portions: Portion[] = [{ fileSet: "index@3", order: "content", ranges: [2, 3] }];
    for (const [probeId, block] of [
      [1, 2],
      [2, 3],
    ] as const) {
      laneId += 1;
      const ticket = ticketFor("fetch", "ams-1", controller.agent("ams-2").hello.agentId, laneId, portions);
      controller.say("ams-2", {
        type: "probe",
        term: 1,
        probeId,
        lane: {
          laneId,
          holderName: "ams-1",
          holderId: source.agentId,
          address: source.address,
          rateBitsPerSecond: fast,
          path: [],
        },
        ticket,
        fileSet: "index@3",
        block,
        lengthBytes: blockBytes,
        checksum: `blake3:${Buffer.from(published.manifest.blockChecksum(2)).toString("hex")}`,
      });
    }
    const results = () => controller.agent("ams-2").messages.filter((message) => message.type === "probeResult");
    await controller.until(() => results().length === 2, "both results");
    assert.deepEqual(
      results()
        .sort((one, other) => one.probeId - other.probeId)
        .map(({ outcome }) => outcome),
      ["good", "failed"],
    );
    const challenge = { type: "challenge", term: 1, fileSet: "index@3", rateBitsPerSecond: fast } as const;
    controller.say("ams-1", { ...challenge, challengeId: 7, block: 15 });
    const answer = () => controller.agent("ams-1").messages.find((message) => message.type === "challengeData");
    await controller.until(() => answer() !== undefined, "the answer");
    assert.equal(answer()?.end, "whole");
    assert.equal(answer()?.bytes, published.blocks[15]?.toString("base64"));
  });

  it("waits for a controller that is not there, and stops for good when it is not wanted", async () => {
    controller = await FakeController.start();
    const { port, url } = controller;
    await controller.close();
    const agent = await start("lon-1", { controllerUrl: url });
    await new Promise((resolve) => setTimeout(resolve, 300));
    controller = await FakeController.start(port);
    await controller.until(() => controller.agents.has("lon-1"), "the agent");
    const refusal = { type: "refused", code: "nameInUse", reason: "another agent has this name" } as const;
    controller.refusal = { ...refusal, retry: true };
    controller.agent("lon-1").socket.terminate();
    await controller.until(() => controller.hellos >= 3, "trying again");
    controller.refusal = { ...refusal, retry: false };
    await assert.rejects(agent.stopped, /^UserError: the controller refuses this agent: another agent has this name$/);
  });

  it("keeps disk space free", async () => {
    controller = await FakeController.start();
    await start("osl-1", { keepFreeBytes: 2 ** 50 });
    await controller.until(() => controller.agents.size === 1, "the agent");
    controller.say("osl-1", publish("index@4", { "one.bin": 1_000 }).assign);
    await controller.until(() => controller.agent("osl-1").status.get("index@4") === "stalled", "stalling");
    const told = JSON.stringify(controller.agent("osl-1").messages);
    assert.match(told, /not enough disk space: 1000 B needed, 0 B left beside the 1024 TiB kept free/);
  });

  it("says what is in the way", async () => {
    controller = await FakeController.start();
    const agent = await start("rom-1");
    await assert.rejects(start("rom-1"), /^UserError: data directory .*rom-1 is in use by process \d+$/);
    const port = Number(new URL(agent.url).port);
    await assert.rejects(start("rom-2", { listen: { host: "127.0.0.1", port } }), /is in use by another program$/);
    await assert.rejects(start("..", {}), /^UserError: /);
  });
});
