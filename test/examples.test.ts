/** The examples, as they stand, against a fleet: each does what its head says. */
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import { agentsOf, fleetTest } from "./support/fleet.ts";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));

/** Runs an example to its end. @returns what it printed to standard output */
async function runExample(name: string, ...words: string[]): Promise<string> {
  const child = spawn(process.execPath, [join(examples, name), ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let error = "";
  child.stdout.on("data", (text: Buffer) => (out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (error += text.toString()));
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(code, 0, `${name}: ${error}${out}`);
  return out;
}

describe("the examples", () => {
  fleetTest("publish a folder, follow it and wait for it", { agents: agentsOf({ fra: 2 }) }, async (fleet) => {
    const folder = join(fleet.directory, "folder");
    await mkdir(folder);
    await writeFile(join(folder, "a.txt"), "hello\n");
    const followed = runExample("follow-events.mjs", fleet.url, "index", "7");
    const published = await runExample("publish-folder.mjs", fleet.url, folder, "index", "7");
    assert.equal(published, "index@7 is published: 1 files, 6 bytes\n2 targets hold it\n");
    assert.match(await runExample("wait-for-version.mjs", fleet.url, "index", "7"), /^2 targets hold index@7$/m);
    assert.match(await followed, /12 of 12 bytes, 2 of 2 targets hold it, 0 s left\n$/);
    assert.equal(await readFile(join(fleet.tree("fra-1", "index", "7"), "a.txt"), "utf8"), "hello\n");
  });

  fleetTest("write a file that grows", { agents: agentsOf({ fra: 2 }) }, async (fleet) => {
    const out = await runExample("write-growing-file.mjs", fleet.url, "journal", "1");
    assert.match(out, /^journal@1 is published: 151 bytes$/m);
    await fleet.waitHeld("journal", "1");
    const text = await readFile(join(fleet.tree("fra-1", "journal", "1"), "journal.log"), "utf8");
    assert.equal(text.split("\n")[19], "line 20");
  });
});
