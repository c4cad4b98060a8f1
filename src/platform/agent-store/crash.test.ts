import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { RangeSet } from "../../std/ranges.ts";
import { SeededRandom } from "../../std/seeded-random.ts";
import { withDirectory } from "./agent-store.testing.ts";
import { crashExample, crashStream, liveKey } from "./crash.testing.ts";
import { DiskAgentStore } from "./disk-agent-store.ts";

const rounds = 8;
const longestMilliseconds = 600;

/** What a program that was killed has said that it had done. */
interface Said {
  agentId: string;
  term: number;
  active: string | undefined;
  readonly stored: Map<string, RangeSet>;
  readonly finished: Set<string>;
}

function listen(said: Said, line: string): void {
  const [word, key = "", ...rest] = line.split(" ");
  const numbers = rest.map(Number);
  if (word === "open") {
    assert.ok(said.agentId === "" || said.agentId === key);
    said.agentId = key;
  } else if (word === "prepared") {
    const held = RangeSet.fromFlat(numbers);
    assert.deepEqual(said.stored.get(key)?.difference(held).toFlat() ?? [], [], `${key} had these blocks`);
    said.stored.set(key, held);
  } else if (word === "stored") {
    said.stored.get(key)?.add(numbers[0] ?? 0, numbers[1] ?? 0);
  } else if (word === "finished") {
    said.finished.add(key);
  } else if (word === "saved") {
    said.term = Number(key);
  } else if (word === "active") {
    said.active = key;
  } else if (word === "deleting") {
    said.stored.delete(key);
    said.finished.delete(key);
  }
}

async function runAndKill(data: string, random: SeededRandom, said: Said): Promise<void> {
  const script = fileURLToPath(new URL("./crash.testing.js", import.meta.url));
  const child = spawn(process.execPath, [script, data, String(random.nextUint32())], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (more: string) => {
    text += more;
  });
  await once(child.stdout, "data");
  await new Promise((resolve) => {
    setTimeout(resolve, random.nextBelow(longestMilliseconds));
  });
  assert.equal(child.exitCode, null, "it ended by itself");
  child.kill("SIGKILL");
  await once(child, "close");
  const lines = text.split("\n");
  // The last line may be cut off.
  for (const line of lines.slice(0, -1)) listen(said, line);
}

async function check(data: string, said: Said): Promise<void> {
  const store = new DiskAgentStore(data);
  const { document, stored, current } = await store.open();
  try {
    assert.equal(store.identity.agentId, said.agentId);
    assert.ok((document?.term ?? 0) >= said.term);
    const active = current.find(({ name }) => name === "demo")?.version;
    assert.ok(said.active === undefined || active !== undefined);
    for (const { fileSet, held, manifestBytes } of stored) {
      const from = fileSet === liveKey ? crashStream() : crashExample(Number(fileSet.slice(-1)));
      if (manifestBytes.length !== from.log.length) continue;
      const expected = said.stored.get(fileSet);
      if (said.finished.has(fileSet)) assert.equal(held.count, from.manifest.blockCount, `${fileSet} was finished`);
      const found = await store.prepare(fileSet, from.manifest);
      assert.ok(held.difference(found).isEmpty);
      const missing = expected?.difference(found).toFlat() ?? [];
      assert.deepEqual(missing, [], `${fileSet} had these blocks`);
      for (const [start, end] of found.ranges()) {
        const into = new Uint8Array(new SharedArrayBuffer(from.manifest.bytesInRange(start, end)));
        assert.equal(await store.readBlocks(fileSet, start, end, into), "read");
        assert.ok(Buffer.from(into).equals(from.bytes(start, end)), `${fileSet} ${start}..${end}`);
      }
      if (fileSet === liveKey) {
        const { size } = statSync(join(data, "filesets/live/1/log"));
        assert.equal(size, from.manifest.contiguousLengthBytes(0, found));
      }
      if (found.count === from.manifest.blockCount) await store.finish(fileSet);
    }
    const there = stored.map(({ fileSet }) => fileSet);
    assert.deepEqual(
      [...said.stored.keys()].filter((fileSet) => !there.includes(fileSet)),
      [],
    );
    for (const { damaged } of await store.verifyAll()) assert.equal(damaged.count, 0);
    if (active !== undefined) assert.equal(readlinkSync(join(data, "filesets/demo/current")), active);
  } finally {
    await store.close();
  }
}

it("killed at any instruction, the store loses nothing that was stored, and believes nothing that was not", async () => {
  await withDirectory(async (directory) => {
    const data = join(directory, "data");
    const random = new SeededRandom(20_261_101);
    const said: Said = { agentId: "", term: 0, active: undefined, stored: new Map(), finished: new Set() };
    for (let round = 0; round < rounds; round += 1) {
      await runAndKill(data, random, said);
      // Every other time the next program finds what the killed one has left, not what a check has put right.
      if (round % 2 === 1) await check(data, said);
    }
  });
});
