/** `sluice agent` as a program: what it prints, what it refuses, how it ends. */
import assert from "node:assert/strict";
import type { ChildProcessByStdio } from "node:child_process";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const sluice = fileURLToPath(new URL("../../../bin/sluice", import.meta.url));
let directory = "";

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-agent-program-"));
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** Nobody listens on port 9 of this host: the agent keeps trying. */
const words = (data: string, listen: string) => [
  sluice,
  "agent",
  ...["--controller", "http://127.0.0.1:9", "--data", join(directory, data)],
  ...["--name", "fra-0", "--site", "fra", "--listen", listen, "--label", "tier=web", "--keep-free", "1MiB"],
];

async function start(data: string): Promise<{ child: ChildProcessByStdio<null, Readable, Readable>; url: string }> {
  const child = spawn(process.execPath, words(data, "127.0.0.1:0"), { stdio: ["ignore", "pipe", "pipe"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, url: /^listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line.toString())?.[1] ?? "" };
}

async function fails(...command: string[]): Promise<{ code: number; error: string }> {
  return new Promise((resolve) => {
    const environment = { ...process.env, SLUICE_LOG_LEVEL: "silent", SLUICE_CONTROLLER: "" };
    execFile(process.execPath, command, { env: environment }, (failure, _out, error) => {
      resolve({ code: Number(failure?.code ?? 0), error });
    });
  });
}

describe("command line: agent", () => {
  it("says where it listens, says once that no controller is there, and ends well on SIGTERM and SIGINT", async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const { child, url } = await start("ends");
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
      assert.equal((await fetch(`${url}/elsewhere`)).status, 404);
      let log = "";
      child.stderr.on("data", (data: Buffer) => (log += data.toString()));
      while (!log.includes("cannot be reached")) await once(child.stderr, "data");
      child.kill(signal);
      const [code] = (await once(child, "exit")) as [number | null];
      assert.equal(code, 0);
      assert.equal(log.split("cannot be reached").length, 2);
    }
  });

  it("refuses data and ports that are in use, and values that do not fit, in one line", async () => {
    const { child, url } = await start("used");
    const inUse = await fails(...words("used", "127.0.0.1:0"));
    assert.deepEqual(inUse.code, 1);
    assert.match(inUse.error, /^sluice: data directory .*used is in use by process \d+\n.*\n?$/);
    const taken = await fails(...words("other", url.slice("http://".length)));
    assert.match(taken.error, /^sluice: 127\.0\.0\.1:\d+ is in use by another program\n/);
    child.kill("SIGTERM");
    await once(child, "exit");
    const wrong: [string[], RegExp][] = [
      [["--name", ".."], /^sluice: .*"\.\."/],
      [["--site", "a b"], /^sluice: .*"a b"/],
      [["--label", "=x"], /^sluice: /],
      [["--keep-free", "1parsec"], /^sluice: option '--keep-free <size>'/],
      [["--controller", "nowhere"], /^sluice: "nowhere" is no URL of a controller/],
    ];
    for (const [option, message] of wrong) {
      const { code, error } = await fails(...words("wrong", "127.0.0.1:0"), ...option);
      assert.notEqual(code, 0);
      assert.match(error, message);
      assert.ok(!error.includes("    at "));
    }
    const missing = await fails(sluice, "agent", "--data", join(directory, "none"));
    assert.deepEqual(missing, {
      code: 2,
      error:
        "sluice: required option '--controller <url>' not specified\n" +
        "give it, or set SLUICE_CONTROLLER, or controller in /etc/sluice/agent.yaml\n",
    });
  });
});
