import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { UserError } from "../std/errors.ts";
import { lockDirectory } from "./directory-lock.ts";

let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-lock-"));
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});

const program = `
  const { lockDirectory } = await import(${JSON.stringify(new URL("./directory-lock.js", import.meta.url).href)});
  try {
    await lockDirectory(process.argv[1]);
    console.log("locked");
    setInterval(() => {}, 1000);
  } catch (error) {
    console.log(error.message);
  }
`;

/** Starts a process that locks `place`, and waits for what it says. */
async function startLocker(place: string): Promise<{ said: string; pid: number; kill: () => Promise<void> }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program, place], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { said: said.toString().trim(), pid: child.pid ?? 0, kill };
}

describe("the lock of a directory", () => {
  it("is had by one at a time, in one process too, and names the holder", async () => {
    const place = join(directory, "one");
    const lock = await lockDirectory(place);
    await assert.rejects(lockDirectory(place, "DATA"), (error) => {
      return error instanceof UserError && error.message === `data directory DATA is in use by process ${process.pid}`;
    });
    assert.equal((await startLocker(place)).said, `data directory ${place} is in use by process ${process.pid}`);
    await lock.release();
    assert.deepEqual(await readdir(place), []);
    await (await lockDirectory(place)).release();
  });

  it("ends with its process, however that ends, and something else in its place does not hold", async () => {
    const place = join(directory, "x".repeat(120));
    const holder = await startLocker(place);
    assert.equal(holder.said, "locked");
    await assert.rejects(lockDirectory(place), {
      message: `data directory ${place} is in use by process ${holder.pid}`,
    });
    await holder.kill();
    assert.ok(existsSync(join(place, "lock")));
    await (await lockDirectory(place)).release();
    await writeFile(join(place, "lock"), "12345");
    await (await lockDirectory(place)).release();
    assert.deepEqual(await readdir(place), []);
  });

  it("of a process that died goes to exactly one of several that want it", async () => {
    const place = join(directory, "many");
    await (await startLocker(place)).kill();
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, async () => lockDirectory(place)));
    const locks = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    assert.equal(locks.length, 1);
    const others = await Promise.all([startLocker(place), startLocker(place)]);
    assert.ok(others.every(({ said }) => said.includes("in use")));
    assert.deepEqual(await readdir(place), ["lock"]);
    for (const lock of locks) await lock.release();
  });
});
