/** Threads that are busy when they are to end: they are waited for, since native packages do not bear to be cut off. */
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { eventually } from "./eventually.testing.ts";
import { WorkerThread } from "./worker-thread.ts";
import { slowThreadScript, type SlowJobs } from "./worker-thread.testing.ts";

let directory = "";
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-thread-"));
});
after(async () => rm(directory, { recursive: true, force: true }));

function marksIn(file: string): string[] {
  return readFileSync(file, "utf8").trimEnd().split("\n");
}

/** Runs the program that ends by process.exit while its thread is busy. */
async function endWhile(when: "loading" | "working", file: string): Promise<void> {
  const env = { ...process.env, ...(when === "loading" ? { SLUICE_TEST_LOADED_FILE: file } : {}) };
  await promisify(execFile)(process.execPath, [fileURLToPath(slowThreadScript), when, file], { env });
}

describe("a thread", () => {
  it("that is closed ends after the job that it is at, and does none of those that wait", async () => {
    const file = join(directory, "closed");
    const thread = new WorkerThread<SlowJobs>(slowThreadScript);
    await thread.run("note", { mark: "first", file });
    const jobs = ["second", "third"].map(async (mark) => thread.run("note", { mark, file }));
    const ends = Promise.allSettled(jobs);
    await eventually(() => assert.ok(marksIn(file).includes("second begins")));
    await thread.close();
    assert.deepEqual(marksIn(file), ["first begins", "first ends", "second begins", "second ends"]);
    assert.deepEqual(
      (await ends).map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    await assert.rejects(thread.run("note", { mark: "late", file }), /was stopped/);
  });

  it("that is closed while it loads loads to the end", async () => {
    const threads = Array.from({ length: 3 }, () => new WorkerThread<SlowJobs>(slowThreadScript));
    const jobs = Promise.allSettled(threads.map(async (thread) => thread.run("note", { mark: "", file: "" })));
    await Promise.all(threads.map(async (thread) => thread.close()));
    assert.ok((await jobs).every(({ status }) => status === "rejected"));
  });

  it("that loads when the program ends is waited for", async () => {
    const file = join(directory, "loading");
    await endWhile("loading", file);
    assert.deepEqual(marksIn(file), ["loaded"]);
  });

  it("that works when the program ends finishes its job, and begins no other", async () => {
    const file = join(directory, "working");
    await endWhile("working", file);
    const marks = marksIn(file);
    // On a busy machine the second may not have begun.
    const whole = ["first begins", "first ends", "second begins", "second ends"];
    assert.deepEqual(marks, marks.length > 2 ? whole : whole.slice(0, 2));
  });

  it("that is closed twice, or has ended by itself, closes", async () => {
    const thread = new WorkerThread<SlowJobs>(new URL("./no-such-module.js", import.meta.url));
    await assert.rejects(thread.run("note", { mark: "", file: "" }));
    await thread.close();
    await thread.close();
  });
});
