/** Files that grow while they are published: agents far away hold and show their blocks before the end is known. */
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { appendFile, chmod, lstat, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { contentOf, kibibyte } from "./support/content.ts";
import { agentsOf, fleetTest } from "./support/fleet.ts";
import type { Fleet } from "./support/fleet.ts";
import { waitUntil, within } from "./support/waiting.ts";

const sites = {
  sites: {
    fra: { uplink: "100Mbps", downlink: "100Mbps" },
    iad: { uplink: "100Mbps", downlink: "100Mbps" },
    sin: { uplink: "100Mbps", downlink: "100Mbps" },
  },
};
const agents = agentsOf({ fra: 1, iad: 2, sin: 1 });

const content = contentOf("stream", 6_000_000);
const partBytes = 250_000;

/** Bytes of the growing file at its final path; 0 before it is there. What is there must be the content's beginning. */
async function arrivedBytes(fleet: Fleet, agent: string, fileSet: string, file: string): Promise<number> {
  const bytes = await readFile(join(fleet.tree(agent, fileSet, "1"), file)).catch(() => Buffer.alloc(0));
  assert.ok(bytes.length <= content.length, `${agent} has ${bytes.length} bytes`);
  assert.ok(bytes.equals(content.subarray(0, bytes.length)), `what ${agent} shows is not the beginning of the content`);
  return bytes.length;
}

async function isCurrent(fleet: Fleet, agent: string, fileSet: string): Promise<boolean> {
  const link = await lstat(join(fleet.dataOf(agent), "filesets", fileSet, "current")).catch(() => undefined);
  return link?.isSymbolicLink() ?? false;
}

/** Writes parts through `write` one after another, from a part of the content to another. */
async function grow(write: (part: Buffer) => Promise<unknown>, from: number, to: number): Promise<void> {
  for (let start = from; start < to; start += partBytes) {
    await write(content.subarray(start, Math.min(to, start + partBytes)));
    await pause(60);
  }
}

/** The first half is readable at every agent while the second does not exist yet. */
async function assertFollowed(fleet: Fleet, fileSet: string, file: string): Promise<void> {
  for (const agent of fleet.members.keys()) {
    await waitUntil(`${agent} shows most of the first half`, async () => {
      return (await arrivedBytes(fleet, agent, fileSet, file)) >= content.length / 4;
    });
    assert.equal(await isCurrent(fleet, agent, fileSet), false, "current moves only when all of it is held");
  }
}

async function assertWhole(fleet: Fleet, fileSet: string, file: string): Promise<void> {
  for (const agent of fleet.members.keys()) {
    assert.equal(await arrivedBytes(fleet, agent, fileSet, file), content.length, agent);
    assert.equal(await isCurrent(fleet, agent, fileSet), true, agent);
  }
}

describe("standard input", () => {
  fleetTest("is readable at agents in other sites before it ends", { topology: sites, agents }, async (fleet) => {
    const words = ["publish", "-", "--as", "log.txt", "--fileset", "log", "--version", "1", "--wait", "--site", "fra"];
    const publish = fleet.begin([...words, "--timeout", "40s"]);
    const half = content.length / 2;
    await grow(async (part) => publish.feed(part), 0, half);
    await assertFollowed(fleet, "log", "log.txt");
    const { growing, fileList } = await fleet.version("log", "1");
    assert.equal(growing, true);
    assert.equal(fileList[0]?.growing, true);
    assert.equal(publish.outcome, undefined, "it goes on");
    await grow(async (part) => publish.feed(part), half, content.length);
    publish.input.end();
    const { code, error } = await within("the publish ends", 30_000, publish.ended);
    assert.equal(code, 0, error);
    await assertWhole(fleet, "log", "log.txt");
    assert.equal((await fleet.version("log", "1")).growing, false);
  });

  fleetTest("is handed to the agent on this host, from which others follow", { agents }, async (fleet) => {
    const words = ["publish", "-", "--as", "log.txt", "--fileset", "log", "--version", "1", "--agent", "fra-0"];
    const publish = fleet.begin([...words, "--wait", "--timeout", "40s"]);
    await grow(async (part) => publish.feed(part), 0, content.length / 2);
    await assertFollowed(fleet, "log", "log.txt");
    await grow(async (part) => publish.feed(part), content.length / 2, content.length);
    publish.input.end();
    const { code, error } = await within("the publish ends", 30_000, publish.ended);
    assert.equal(code, 0, error);
    await assertWhole(fleet, "log", "log.txt");
  });

  fleetTest(
    "that is published again is compared with what is there",
    { agents: agentsOf({ one: 1 }) },
    async (fleet) => {
      const publish = async (bytes: Uint8Array): Promise<number | null> => {
        const words = ["publish", "-", "--as", "log.txt", "--fileset", "log", "--version", "1", "--wait"];
        const program = fleet.begin([...words, "--timeout", "30s"]);
        await program.feed(bytes);
        program.input.end();
        return (await within("the publish ends", 30_000, program.ended)).code;
      };
      assert.equal(await publish(content), 0);
      assert.equal(await publish(content), 0, "the same content");
      assert.equal(await publish(content.subarray(0, -1)), 5, "other content");
      await assertWhole(fleet, "log", "log.txt");
    },
  );

  fleetTest("may be empty", { agents: agentsOf({ one: 2 }) }, async (fleet) => {
    const words = ["publish", "-", "--as", "empty", "--fileset", "log", "--version", "1", "--wait", "--timeout", "30s"];
    const publish = fleet.begin(words);
    publish.input.end();
    const { code, error } = await publish.ended;
    assert.equal(code, 0, error);
    for (const agent of fleet.members.keys()) {
      assert.equal((await stat(join(fleet.tree(agent, "log", "1"), "empty"))).size, 0);
    }
  });
});

describe("a file that another process writes", () => {
  fleetTest("is followed until it has been idle", { topology: sites, agents }, async (fleet) => {
    const source = join(fleet.directory, "build.log");
    await writeFile(source, "");
    await chmod(source, 0o640);
    const words = ["publish", source, "--follow", "--final-after-idle", "2s", "--fileset", "build", "--version", "1"];
    const publish = fleet.begin([...words, "--wait", "--timeout", "40s", "--agent", "iad-0"]);
    await grow(async (part) => appendFile(source, part), 0, content.length / 2);
    await waitUntil("far agents follow", async () => {
      return (await arrivedBytes(fleet, "sin-0", "build", "build.log")) >= 500 * kibibyte;
    });
    await grow(async (part) => appendFile(source, part), content.length / 2, content.length);
    const { code, error } = await within("the publish ends", 30_000, publish.ended);
    assert.equal(code, 0, error);
    await assertWhole(fleet, "build", "build.log");
    const written = await stat(source);
    const arrived = await stat(join(fleet.tree("sin-0", "build", "1"), "build.log"));
    assert.equal(arrived.mode & 0o777, 0o640);
    assert.equal(Math.floor(arrived.mtimeMs), Math.floor(written.mtimeMs));
  });

  fleetTest("is followed until its writer has ended", { agents }, async (fleet) => {
    const source = join(fleet.directory, "dump");
    await writeFile(source, content.subarray(0, 1_000_000));
    const writer = spawn("sleep", ["60"], { stdio: "ignore" });
    try {
      const words = ["publish", source, "--follow", "--final-on-exit", String(writer.pid), "--as", "dump.sql"];
      const publish = fleet.begin([...words, "--fileset", "dump", "--version", "1", "--wait", "--timeout", "40s"]);
      await waitUntil("an agent has the beginning", async () => {
        return (await arrivedBytes(fleet, "iad-1", "dump", "dump.sql")) > 0;
      });
      await grow(async (part) => appendFile(source, part), 1_000_000, content.length);
      await pause(500);
      assert.equal(publish.outcome, undefined, "it goes on while the writer runs");
      writer.kill("SIGKILL");
      const { code, error } = await within("the publish ends", 30_000, publish.ended);
      assert.equal(code, 0, error);
      await assertWhole(fleet, "dump", "dump.sql");
    } finally {
      writer.kill("SIGKILL");
    }
  });
});
