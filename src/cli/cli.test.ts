import { strict as assert } from "node:assert";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { OperatorRequest } from "../protocol/views.ts";
import { silentLogger } from "../platform/log.ts";
import { exampleAgent, exampleVersion, FakeMachine } from "../services/controller/fake-machine.testing.ts";
import { startController } from "../services/controller/run-controller.ts";
import type { RunningController } from "../services/controller/run-controller.ts";

const sluice = fileURLToPath(new URL("../../bin/sluice", import.meta.url));
let directory = "";
let controller: RunningController;
const machine = new FakeMachine();
let asked: OperatorRequest[] = [];

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs the built command line to its end. */
async function run(...words: string[]): Promise<Outcome> {
  return runWith({}, ...words);
}

async function runWith(options: { env?: NodeJS.ProcessEnv; input?: string }, ...words: string[]): Promise<Outcome> {
  const environment = { ...process.env, SLUICE_CONTROLLER: controller.url, NO_COLOR: "1", ...options.env };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [sluice, ...words], { env: environment }, (failure, out, error) => {
      resolve({ code: failure === null ? 0 : Number(failure.code), out, error });
    });
    child.stdin?.end(options.input ?? "");
  });
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-cli-"));
  controller = await startController({
    dataDirectory: join(directory, "data"),
    listen: { host: "127.0.0.1", port: 0 },
    createMachine: () => machine,
    logger: silentLogger(),
  });
});
after(async () => {
  await controller.stop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  asked = [];
  machine.versions.splice(0, Infinity, exampleVersion(), exampleVersion({ version: "2", active: false, paused: true }));
  machine.agentViews.splice(0, Infinity, exampleAgent(), exampleAgent({ name: "iad-0", online: false, drained: true }));
  machine.resourceViews.splice(0, Infinity, {
    resource: "sites.fra.uplink",
    capabilityBitsPerSecond: 1_000_000_000,
    allocatedBitsPerSecond: 452_000_000,
    measuredBitsPerSecond: 440_000_000,
    carriedBytes: 3 * 1_048_576,
    failures: 3,
    outOfUse: true,
    reason: "stalls from every source",
  });
  machine.answer = (request) => {
    asked.push(request);
    return { ok: true, result: { done: `done: ${request.type}` } };
  };
});

describe("command line: looking", () => {
  it("lists file sets for people and for programs", async () => {
    const { code, out } = await run("fileset", "ls");
    assert.equal(code, 0);
    const lines = out.trimEnd().split("\n");
    assert.match(lines[0] ?? "", /^FILE SET +VERSION +STATE +FILES +SIZE +HELD BY +DONE/);
    assert.match(lines[1] ?? "", /^index +1 +active +2 +3 MiB +1\/2 +66\.6 % +0 +all +2026-11-22 12:00:00$/);
    assert.match(lines[2] ?? "", /^index +2 +published, paused /);
    const { out: json } = await run("fileset", "ls", "index", "--json");
    assert.deepEqual(
      (JSON.parse(json) as { version: string }[]).map(({ version }) => version),
      ["1", "2"],
    );
  });

  it("shows a version, the active one when none is named, with names that cannot harm the terminal", async () => {
    const { out } = await run("fileset", "show", "index", "--files");
    assert.match(out, /file set +index@1/);
    assert.match(out, /fra-1 +fra +fetching, offline +33\.3 %/);
    assert.match(out, /note\\u001b\[2J\.txt/);
    assert.ok(!out.includes("\u001b"));
  });

  it("lists agents and resources", async () => {
    const agents = await run("agent", "ls");
    assert.match(agents.out, /fra-0 +fra +online +1\/1 +1\/2 +5 GiB +0 +10\.0\.0\.1:7500 +tier=web/);
    assert.match(agents.out, /iad-0 +fra +offline, drained/);
    const resources = await run("resource", "ls");
    assert.match(
      resources.out,
      /sites\.fra\.uplink +1 Gbps +452 Mbps +45\.2 % +440 Mbps +3 MiB +3 +out of use: stalls from every source/,
    );
  });

  it("shows the status once, and watches it in plain lines where there is no terminal", async () => {
    const { out } = await run("status");
    assert.match(out, /agents +1 of 2 online/);
    assert.match(out, /out of use:/);
    const child = spawn(process.execPath, [sluice, "status", "--watch", "--interval", "100ms"], {
      env: { ...process.env, SLUICE_CONTROLLER: controller.url },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    child.stdout.on("data", (data: Buffer) => (text += data.toString()));
    while (!text.includes("index@2")) await once(child.stdout, "data");
    machine.versions.splice(1, 1, exampleVersion({ version: "2", heldBytes: 0 }));
    while (!text.includes("index@2 active: 0.0 %")) await once(child.stdout, "data");
    child.kill("SIGINT");
    await once(child, "exit");
    assert.equal(text.split("index@1").length, 2, "a line is printed only when it changes");
  });
});

describe("command line: waiting", () => {
  it("waits for agents, and names those that are missing when the time is over", async () => {
    const there = await run("agent", "wait", "fra-0");
    assert.deepEqual(there, { code: 0, out: "fra-0 is online\n", error: "" });
    const missing = await run("agent", "wait", "fra-0", "iad-0", "--timeout", "300ms");
    assert.deepEqual([missing.code, missing.out], [4, ""]);
    assert.match(missing.error, /^sluice: not online when the time was over: iad-0\n/);
    setTimeout(() => machine.agentViews.splice(1, 1, exampleAgent({ name: "iad-0" })), 500);
    assert.equal((await run("agent", "wait", "iad-0", "--json")).code, 0);
  });

  it("waits for the targets of a version that is activated, if it is told to", async () => {
    assert.equal((await run("fileset", "activate", "index", "1", "--timeout", "1s")).code, 2);
    const late = await run("fileset", "activate", "index", "1", "--wait", "--timeout", "300ms");
    assert.equal(late.code, 4);
    assert.match(late.error, /^sluice: index@1: 1 of 2 targets do not hold it .*: fra-1 /);
  });
});

describe("command line: orders", () => {
  it("hands orders over and prints what was done", async () => {
    const orders = [
      ["fileset", "activate", "index", "1"],
      ["fileset", "pause", "index"],
      ["fileset", "resume", "index", "2"],
      ["agent", "drain", "fra-0"],
      ["agent", "unblock", "fra-0", "--controller", controller.url],
      ["resource", "put-back", "agents.fra-0"],
    ];
    for (const order of orders) {
      const { code, out, error } = await run(...order);
      assert.deepEqual([code, error], [0, ""]);
      assert.match(out, /^done: /);
    }
    assert.deepEqual(asked, [
      { type: "activate", name: "index", version: "1" },
      { type: "pause", name: "index" },
      { type: "resume", name: "index", version: "2" },
      { type: "drain", agent: "fra-0" },
      { type: "unblock", agent: "fra-0" },
      { type: "putBack", component: "agents.fra-0" },
    ]);
  });

  it("says what agents delete, removes the active version only by force, and removes nothing on a dry run", async () => {
    machine.answer = (request) => {
      asked.push(request);
      if (request.type !== "removeFileSet" || request.force) {
        const agents = [{ agent: "fra-0", online: false, heldBytes: 1024 }];
        return { ok: true, result: { fileSet: "index@1", agents } };
      }
      return { ok: false, code: "conflict", message: "index@1 is active: activate another version or use --force" };
    };
    const dry = await run("fileset", "rm", "index", "1", "--dry-run");
    assert.match(dry.out, /index@1 would be removed\nfra-0 would delete 3 MiB\nfra-1 would delete 1 MiB \(offline/);
    assert.deepEqual(asked, []);
    const refused = await run("fileset", "rm", "index", "1");
    assert.deepEqual([refused.code, refused.out], [5, ""]);
    assert.equal(refused.error, "sluice: index@1 is active: activate another version or use --force\n");
    const forced = await run("fileset", "rm", "index", "1", "--force");
    assert.equal(forced.out, "index@1 is removed\nfra-0 deletes 1 KiB (offline: when it is back)\n");
  });

  it("fails when verifying finds damage", async () => {
    const damaged = [{ fileSet: "index@1", block: 7, path: "a/b.bin", problem: "bad checksum" }];
    machine.answer = () => ({
      ok: true,
      result: { agent: "fra-0", checkedBlocks: 16, checkedBytes: 4096, damaged },
    });
    const { code, out } = await run("agent", "verify", "fra-0");
    assert.equal(code, 1);
    assert.match(out, /16 blocks \(4 KiB\) checked, 1 damaged/);
    assert.match(out, /index@1 +7 +bad checksum +a\/b\.bin/);
  });

  it("applies a topology, and tells every mistake in one with its place", async () => {
    const file = join(directory, "links.yaml");
    await writeFile(file, "# links\nsites:\n  fra: { uplink: 1Gbps }\n");
    assert.deepEqual(await run("topology", "apply", file), { code: 0, out: "the topology is in force\n", error: "" });
    assert.match((await run("topology", "show")).out, /^# links\nsites:/);
    assert.deepEqual(JSON.parse((await run("topology", "show", "--json")).out), {
      sites: { fra: { uplink: "1Gbps" } },
    });
    await writeFile(file, "sites:\n  fra: { uplink: 1Gbqs }\n  iad: { uplnk: 1 }\n");
    const refused = await run("topology", "apply", file);
    assert.equal(refused.code, 1);
    const lines = refused.error.trimEnd().split("\n");
    assert.equal(lines.length, 2);
    assert.ok(lines[0]?.startsWith(`sluice: ${file}:2:18: sites.fra.uplink: `));
    assert.ok(lines[1]?.startsWith(`sluice: ${file}:3:`));
    assert.equal((await run("topology", "apply", join(directory, "none.yaml"))).code, 1);
    const input = await runWith({ input: "sites: [" }, "topology", "apply", "-");
    assert.match(input.error, /^sluice: standard input:1:\d+: /);
    assert.equal(machine.topology().sites.size, 1);
  });
});

describe("command line: what goes wrong", () => {
  it("is one line on standard error, with an exit code of its own", async () => {
    machine.answer = () => ({ ok: false, code: "notFound", message: "there is no agent fra-9" });
    const missing = await run("agent", "drain", "fra-9");
    assert.deepEqual(missing, { code: 1, out: "", error: "sluice: there is no agent fra-9\n" });
    const hostile = await run("agent", "drain", "..");
    assert.deepEqual(hostile, { code: 2, out: "", error: 'sluice: ".." is not a name\n' });
  });

  it("is JSON for programs, beside the line for people", async () => {
    machine.answer = () => ({ ok: false, code: "conflict", message: "index@1 is the active version" });
    const refused = await run("fileset", "rm", "index", "1", "--json");
    assert.deepEqual([refused.code, refused.error], [5, "sluice: index@1 is the active version\n"]);
    const error = { message: "index@1 is the active version", exitCode: 5 };
    assert.deepEqual(JSON.parse(refused.out), { error });
    const wrong = await run("fileset", "rmm", "--json");
    const hint = "Did you mean rm?";
    assert.deepEqual(JSON.parse(wrong.out), { error: { message: "unknown command 'rmm'", hint, exitCode: 2 } });
  });

  it("is said within the stated time when no controller is there", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const env = { SLUICE_CONTROLLER: `http://127.0.0.1:${port}` };
    const { code, out, error } = await runWith({ env }, "status", "--connect-timeout", "300ms");
    assert.deepEqual([code, out], [3, ""]);
    assert.match(
      error,
      /^sluice: cannot reach the controller at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\): is it running\?\n.*\n$/,
    );
  });

  it("waits a little for a controller that is just starting", async () => {
    const listen = { host: "127.0.0.1", port: 0 };
    const options = { listen, createMachine: () => new FakeMachine(), logger: silentLogger() };
    const first = await startController({ ...options, dataDirectory: join(directory, "late") });
    await first.stop();
    const waiting = runWith({ env: { SLUICE_CONTROLLER: first.url } }, "status", "--connect-timeout", "10s");
    const port = Number(new URL(first.url).port);
    const second = await startController({
      ...options,
      listen: { host: "127.0.0.1", port },
      dataDirectory: join(directory, "late"),
    });
    assert.equal((await waiting).code, 0);
    await second.stop();
  });

  it("is a wrong use: a mistyped word, an option or value that does not fit", async () => {
    const wrong: [string[], RegExp][] = [
      [["filset", "ls"], /^sluice: unknown command 'filset'\nDid you mean fileset\?\n$/],
      [["agent", "dain"], /^sluice: unknown command 'dain'\nDid you mean drain\?\n$/],
      [["fileset", "ls", "--jsn"], /^sluice: unknown option '--jsn'\nDid you mean --json\?\n$/],
      [["fileset", "activate", "index"], /^sluice: missing required argument 'version'\n$/],
      [["agent", "verify", "a", "--blocks", "0"], /^sluice: option '--blocks <count>' .* from 1 to 1000\.\n$/],
      [["status", "--connect-timeout", "5"], /^sluice: .*unit is missing.*\n$/],
      [["status", "--controller", "nowhere"], /^sluice: "nowhere" is not the URL of a controller\n.*\n$/],
      [
        ["controller", "--data", "x"],
        /^sluice: required option '--listen <host:port>' not specified\ngive it, or set .*\n$/,
      ],
      [["controller", "--data", "x", "--listen", "7400"], /^sluice: .*must be HOST:PORT.*\n$/],
    ];
    const outcomes = await Promise.all(wrong.map(async ([words]) => run(...words)));
    for (const [index, { code, error, out }] of outcomes.entries()) {
      assert.match(error, wrong[index]?.[1] ?? /never/);
      assert.deepEqual([code, out], [2, ""]);
    }
  });

  it("is not a stack trace, unless one is asked for", async () => {
    const words = ["topology", "apply", join(directory, "none.yaml")];
    assert.ok(!(await run(...words)).error.includes("    at "));
    assert.ok((await runWith({ env: { SLUICE_DEBUG: "1" } }, ...words)).error.includes("    at "));
  });

  it("helps with examples, and knows its version", async () => {
    const help = await run("--help");
    assert.equal(help.code, 0);
    assert.match(help.out, /EXAMPLES\n {2}sluice controller --data/);
    assert.match((await run("--version")).out, /^\d+\.\d+\.\d+\n$/);
    assert.equal((await run()).code, 2);
  });
});

describe("command line: controller", () => {
  it("says where it listens, starts only with what is right, and ends well on SIGTERM", async () => {
    const data = join(directory, "program");
    const child = spawn(process.execPath, [sluice, "controller", "--data", data, "--listen", "127.0.0.1:0"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const url = /^listening on (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(line.toString())?.[1] ?? "";
    assert.equal(await (await fetch(`${url}/healthz`)).text(), "ok");
    const second = await run("controller", "--data", data, "--listen", "127.0.0.1:0");
    assert.equal(second.code, 1);
    assert.match(second.error, /^sluice: data directory .* is in use by process \d+\n.*\n$/);
    const taken = await run("controller", "--data", `${data}2`, "--listen", url.slice("http://".length));
    assert.match(taken.error, /^sluice: 127\.0\.0\.1:\d+ is in use by another program\n/);
    child.kill("SIGTERM");
    const [code] = (await once(child, "exit")) as [number | null];
    assert.equal(code, 0);
  });
});
