import { strict as assert } from "node:assert";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { WebSocket } from "ws";
import type { ControllerMessage } from "../../protocol/controller-messages.ts";
import type { ControllerEvent } from "../../control/controller/controller-events.ts";
import { eventually } from "../../platform/eventually.testing.ts";
import { createLogger } from "../../platform/log.ts";
import { maximumTopologyBytes } from "../../platform/yaml-topology.ts";
import { maximumMessageBytes } from "../../protocol/limits.ts";
import { errorViewSchema } from "../../protocol/views.ts";
import type { OperatorRequest } from "../../protocol/views.ts";
import { UserError } from "../../std/errors.ts";
import { exampleAgent, exampleVersion, FakeMachine } from "./fake-machine.testing.ts";
import { maximumRequestBodyBytes } from "./limits.ts";
import { startController } from "./run-controller.ts";
import type { ControllerProgramOptions, RunningController } from "./run-controller.ts";

let directory = "";
let machine = new FakeMachine();
let logged: string[] = [];
const running: RunningController[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-controller-"));
  machine = new FakeMachine();
  logged = [];
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(async (controller) => controller.stop()));
  await rm(directory, { recursive: true, force: true });
});

async function start(options: Partial<ControllerProgramOptions> = {}): Promise<RunningController> {
  const destination = { write: (text: string) => void logged.push(text) };
  const controller = await startController({
    dataDirectory: join(directory, "data"),
    listen: { host: "127.0.0.1", port: 0 },
    createMachine: () => machine,
    logger: createLogger({ program: "controller", level: "info", human: false, destination }),
    ...options,
  });
  running.push(controller);
  return controller;
}

const logText = (): string => logged.join("");

async function failureOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  const { error } = errorViewSchema.parse(await response.json());
  return { status: response.status, ...error };
}

function startedEvent(): Extract<ControllerEvent, { type: "started" }> {
  const event = machine.events[0];
  assert.ok(event?.type === "started");
  return event;
}

describe("controller program", () => {
  it("starts with a term that rises each time and the rows that are stored", async () => {
    machine.react = (event) =>
      event.type === "started" ? { changes: [{ table: "agents", key: "x", value: Uint8Array.of(1) }] } : {};
    await (await start()).stop();
    const first = startedEvent().term;
    assert.ok(first > 1_700_000_000, "the first term of a store is later than any that agents may know of a lost one");
    machine = new FakeMachine();
    const controller = await start();
    assert.equal(startedEvent().term, first + 1);
    assert.deepEqual(
      startedEvent().rows.filter(({ table }) => table === "agents"),
      [{ table: "agents", key: "x", value: Uint8Array.of(1) }],
    );
    assert.equal(await (await fetch(`${controller.url}/healthz`)).text(), "ok");
  });

  it("refuses a data directory in use, a port in use, and a directory that cannot be made", async () => {
    const controller = await start();
    await assert.rejects(start(), (error) => error instanceof UserError && /in use/.test(error.message));
    const port = Number(new URL(controller.url).port);
    const listen = { host: "127.0.0.1", port };
    await assert.rejects(start({ dataDirectory: join(directory, "other"), listen }), /in use by another program/);
    await writeFile(join(directory, "file"), "");
    await assert.rejects(start({ dataDirectory: join(directory, "file", "below") }), /cannot use the data directory/);
    // What could not start has let go of everything.
    await start({ dataDirectory: join(directory, "other") });
  });

  it("shows file sets, agents, resources and manifests", async () => {
    machine.versions.push(exampleVersion(), exampleVersion({ version: "2", active: false, sequence: 2 }));
    machine.agentViews.push(exampleAgent());
    machine.manifests.set("index@1", Uint8Array.of(1, 2, 3));
    machine.manifests.set("index@2", Uint8Array.of(4));
    const { url } = await start();
    const json = async (path: string): Promise<unknown> => (await fetch(url + path)).json();
    assert.equal(((await json("/v1/filesets")) as unknown[]).length, 2);
    assert.equal(((await json("/v1/filesets/index")) as unknown[]).length, 2);
    assert.deepEqual(await json("/v1/filesets/index/versions/2"), machine.versions[1]);
    assert.deepEqual(await json("/v1/agents"), machine.agentViews);
    assert.deepEqual(await json("/v1/resources"), []);
    assert.deepEqual(await json("/v1/status"), machine.status());

    const manifest = await fetch(`${url}/v1/filesets/index/versions/1/manifest`);
    assert.deepEqual(new Uint8Array(await manifest.arrayBuffer()), Uint8Array.of(1, 2, 3));
    const base = async (version: string): Promise<[string | null, number[]]> => {
      const response = await fetch(`${url}/v1/filesets/index/versions/${version}/base-manifest`);
      return [response.headers.get("sluice-base"), [...new Uint8Array(await response.arrayBuffer())]];
    };
    assert.deepEqual(await base("1"), ["same", [1, 2, 3]]);
    assert.deepEqual(await base("3"), ["predecessor", [4]]);
    machine.versions[1] = exampleVersion({ version: "2", state: "publishing", sequence: 2 });
    assert.deepEqual(await base("2"), ["predecessor", [1, 2, 3]]);
    assert.equal((await failureOf(await fetch(`${url}/v1/filesets/none/versions/1/base-manifest`))).status, 404);
  });

  it("hands operators' orders to the machine and its answers back", async () => {
    const asked: OperatorRequest[] = [];
    machine.answer = (request) => {
      asked.push(request);
      if (request.type === "drain") return { ok: false, code: "notFound", message: "there is no agent fra-9" };
      if (request.type === "removeFileSet") return { ok: false, code: "conflict", message: "it is active" };
      if (request.type === "verifyAgent") {
        return { ok: true, result: { agent: request.agent, checkedBlocks: 3, checkedBytes: 9, damaged: [] } };
      }
      return { ok: true, result: { done: request.type } };
    };
    const { url } = await start();
    const order = async (method: string, path: string): Promise<Response> => fetch(url + path, { method });
    assert.deepEqual(await (await order("POST", "/v1/filesets/a/versions/1/activate")).json(), { done: "activate" });
    assert.equal((await order("POST", "/v1/filesets/a/pause?version=2")).status, 200);
    assert.equal((await order("POST", "/v1/filesets/a/resume")).status, 200);
    assert.equal((await order("POST", "/v1/agents/fra-0/verify?blocks=3")).status, 200);
    assert.equal((await order("POST", "/v1/agents/fra-0/unblock")).status, 200);
    assert.deepEqual(await failureOf(await order("POST", "/v1/agents/fra-9/drain")), {
      status: 404,
      code: "notFound",
      message: "there is no agent fra-9",
    });
    assert.equal((await failureOf(await order("DELETE", "/v1/filesets/a/versions/1?force=true"))).status, 409);
    assert.deepEqual(asked, [
      { type: "activate", name: "a", version: "1" },
      { type: "pause", name: "a", version: "2" },
      { type: "resume", name: "a" },
      { type: "verifyAgent", agent: "fra-0", blocks: 3 },
      { type: "unblock", agent: "fra-0" },
      { type: "drain", agent: "fra-9" },
      { type: "removeFileSet", name: "a", version: "1", force: true },
    ]);
  });

  it("refuses what does not fit before the machine hears of it", async () => {
    const { url } = await start();
    const refused = async (method: string, path: string, init: RequestInit = {}): Promise<number> => {
      const failure = await failureOf(await fetch(url + path, { method, ...init }));
      assert.ok(failure.message.length > 0 && !failure.message.includes("    at "));
      return failure.status;
    };
    assert.equal(await refused("POST", "/v1/filesets/-a/versions/1/activate"), 400);
    assert.equal(await refused("POST", "/v1/filesets/a/versions/current/activate"), 400);
    assert.equal(await refused("GET", "/v1/filesets/a/versions/%2e%2e%2fx"), 400);
    assert.equal(await refused("GET", "/v1/filesets/none"), 404);
    assert.equal(await refused("DELETE", "/v1/filesets/a/versions/1?force=perhaps"), 400);
    assert.equal(await refused("POST", "/v1/agents/a/verify?blocks=0"), 400);
    assert.equal(await refused("POST", "/v1/agents/a/explode"), 404);
    assert.equal(await refused("GET", "/nothing"), 404);
    const large = { body: "x".repeat(maximumRequestBodyBytes + 1) };
    assert.equal(await refused("POST", "/v1/agents/a/drain", large), 413);
    assert.equal(await refused("PUT", "/v1/topology", { body: "#".repeat(maximumTopologyBytes + 1) }), 413);
    assert.equal(await refused("GET", "/v1/status", { headers: { origin: "http://evil.example" } }), 403);
    assert.equal(machine.events.length, 1);
  });

  it("says no more than that it failed when there is a defect, and tells its log", async () => {
    machine.agents = () => {
      throw new TypeError("a secret of the inside");
    };
    const { url } = await start();
    const failure = await failureOf(await fetch(`${url}/v1/agents`));
    assert.equal(failure.status, 500);
    assert.ok(!failure.message.includes("secret"));
    assert.match(logText(), /a secret of the inside/);
  });

  it("takes a topology, keeps it over a restart, and refuses one with mistakes with all their lines", async () => {
    const first = await start();
    const text = "# ours\nsites:\n  fra: { uplink: 1Gbps }\n";
    const put = async (url: string, body: string): Promise<Response> =>
      fetch(`${url}/v1/topology`, { method: "PUT", body });
    assert.equal((await put(first.url, text)).status, 200);
    const failure = await failureOf(await put(first.url, "sites:\n  fra: { uplink: fast }\n  iad: { uplnk: 1Gbps }\n"));
    assert.equal(failure.status, 400);
    assert.match(failure.message, /^topology:2:18: sites\.fra\.uplink: .*\ntopology:3:\d+: sites\.iad/);
    assert.deepEqual(await (await fetch(`${first.url}/v1/topology`)).json(), { sites: { fra: { uplink: "1Gbps" } } });
    await first.stop();
    machine = new FakeMachine();
    const second = await start();
    assert.equal(startedEvent().topology.sites.get("fra")?.uplinkBitsPerSecond, 1_000_000_000);
    const yaml = await fetch(`${second.url}/v1/topology`, { headers: { accept: "application/yaml" } });
    assert.equal(await yaml.text(), text);
  });

  it("reads its topology's file at the start and when told to, and keeps the old one when that has a mistake", async () => {
    const topologyFile = join(directory, "links.yaml");
    await writeFile(topologyFile, "sites: { fra: }\n  x");
    await assert.rejects(start({ topologyFile }), /links\.yaml:\d+:\d+: /);
    await writeFile(topologyFile, "sites: { fra: { uplink: 1Gbps } }\n");
    const controller = await start({ topologyFile });
    assert.equal(startedEvent().topology.sites.size, 1);

    await writeFile(topologyFile, "sites: { fra: { uplink: 1Gbps }, iad: {} }\n");
    await controller.reloadTopology();
    const { url } = controller;
    const sites = async (): Promise<string[]> => {
      const topology = (await (await fetch(`${url}/v1/topology`)).json()) as { sites: object };
      return Object.keys(topology.sites);
    };
    assert.deepEqual(await sites(), ["fra", "iad"]);
    await writeFile(topologyFile, "sites: { fra: { uplink: 1Gbqs } }\n");
    await controller.reloadTopology();
    assert.deepEqual(await sites(), ["fra", "iad"]);
    assert.match(logText(), /refused, the old one stays: .*links\.yaml:1:25: sites\.fra\.uplink/);
    assert.ok((await readFile(topologyFile, "utf8")).includes("Gbqs"));
  });
});

const hello = {
  type: "hello",
  protocol: { major: 1, minor: 0 },
  agentId: "0".repeat(32),
  name: "fra-0",
  site: "fra",
  labels: {},
  address: "127.0.0.1:7500",
  term: 0,
  programVersion: "test",
};

async function openChannel(controller: RunningController, path = "/v1/agent-channel"): Promise<WebSocket> {
  const socket = new WebSocket(controller.url.replace("http", "ws") + path);
  await once(socket, "open");
  return socket;
}

async function closeCodeOf(socket: WebSocket): Promise<number> {
  const [code] = (await once(socket, "close")) as [number];
  return code;
}

describe("controller channels", () => {
  it("announce a connection, hand up its messages in order, send answers, and take leave", async () => {
    const acknowledge = { type: "acknowledge" as const, term: 1, failureIds: [3] } satisfies ControllerMessage;
    machine.react = (event) =>
      event.type === "agentMessage"
        ? { commands: [{ type: "sendAgent", connectionId: event.connectionId, message: acknowledge }] }
        : {};
    const socket = await openChannel(await start());
    socket.send(JSON.stringify({ ...hello, field: "of a later minor" }));
    const [data] = (await once(socket, "message")) as [Buffer];
    assert.deepEqual(JSON.parse(data.toString()), acknowledge);
    socket.close();
    await closeCodeOf(socket);
    await eventually(() => assert.equal(machine.events.length, 4));
    const seen = machine.events.slice(1);
    assert.deepEqual(seen, [
      { type: "opened", connectionId: 1, role: "agent" },
      { type: "agentMessage", connectionId: 1, message: hello },
      { type: "closed", connectionId: 1 },
    ]);
  });

  it("close when the machine says so, after what was sent", async () => {
    const message = { type: "refused", code: "unknownSite", reason: "no such site", retry: false } as const;
    machine.react = (event) =>
      event.type === "agentMessage"
        ? {
            commands: [
              { type: "sendAgent", connectionId: 1, message },
              { type: "close", connectionId: 1 },
            ],
          }
        : {};
    const socket = await openChannel(await start());
    const received: string[] = [];
    socket.on("message", (data: Buffer) => void received.push(data.toString()));
    socket.send(JSON.stringify(hello));
    assert.equal(await closeCodeOf(socket), 1000);
    assert.deepEqual(
      received.map((text) => JSON.parse(text) as unknown),
      [message],
    );
  });

  it("are closed, with one line in the log, for what is not JSON, does not fit, is not text or is too large", async () => {
    const controller = await start();
    const hostile: (string | Buffer)[] = [
      "{",
      JSON.stringify({ ...hello, name: "../etc" }),
      JSON.stringify({ type: "begin" }),
      Buffer.from([1, 2, 3]),
      "x".repeat(maximumMessageBytes + 1),
    ];
    const codes: number[] = [];
    for (const data of hostile) {
      const socket = await openChannel(controller);
      socket.on("error", () => undefined);
      const before = logged.length;
      socket.send(data);
      codes.push(await closeCodeOf(socket));
      await pause(10);
      assert.equal(logged.length, before + 1, logged.slice(before).join(""));
    }
    assert.deepEqual(codes, [1008, 1008, 1008, 1003, 1009]);
    assert.ok(machine.events.every((event) => event.type !== "agentMessage"));
    assert.match(logText(), /does not fit: name: /);
  });

  it("are refused at other paths and to other web pages", async () => {
    const controller = await start();
    const address = controller.url.replace("http", "ws");
    for (const [path, options] of [
      ["/v1/nothing", {}],
      ["/v1/agent-channel", { origin: "http://evil.example" }],
    ] as const) {
      const socket = new WebSocket(address + path, options);
      const [error] = (await once(socket, "error")) as [Error];
      assert.match(error.message, /40[34]/);
    }
  });

  it("are all closed when the controller stops", async () => {
    const controller = await start();
    const socket = await openChannel(controller, "/v1/publisher-channel");
    const code = closeCodeOf(socket);
    await controller.stop();
    assert.equal(await code, 1001);
    await controller.stopped;
  });
});
