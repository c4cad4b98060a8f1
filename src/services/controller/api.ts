/**
 * The controller's HTTP API: what there is to see, and what an operator can order.
 *
 * Promises: every answer is one of protocol/views.ts, every no has the form of `errorViewSchema` and a status code that
 * fits; names are checked and bodies bounded before anything is done; what an order answers is durable by then.
 */
import { Hono } from "hono";
import type { Context } from "hono";
import { stringify } from "yaml";
import type { OperatorReply } from "../../control/controller/controller-events.ts";
import { checkAgentName, checkFileSetName, checkVersion } from "../../model/names.ts";
import type { Topology } from "../../model/topology.ts";
import { formatTopology } from "../../model/topology-format.ts";
import type { Logger } from "../../platform/log.ts";
import { maximumTopologyBytes, parseTopologyText, TopologyTextError } from "../../platform/yaml-topology.ts";
import { operatorRequestSchema } from "../../protocol/views.ts";
import type { OperatorRequest } from "../../protocol/views.ts";
import { UserError } from "../../std/errors.ts";
import { ApiError, errorAnswer } from "./api-errors.ts";
import { maximumRequestBodyBytes } from "./limits.ts";
import type { ControllerMachine } from "./machine.ts";

export interface ControllerApiOptions {
  readonly machine: ControllerMachine;
  readonly logger: Logger;
  /** Gives an order to the state machine; resolves with its answer when that is durable. */
  readonly ask: (request: OperatorRequest) => Promise<OperatorReply>;
  /** The text of the topology in force, if there is one. */
  readonly topologyText: () => string | undefined;
  /** Puts a topology into force; resolves, with a line to tell, when it is durable. */
  readonly applyTopology: (topology: Topology, text: string) => Promise<string>;
}

/** Blocks that `agent verify` challenges when nobody says how many. */
const defaultVerifiedBlocks = 16;

const agentActions = ["drain", "undrain", "block", "unblock"] as const;
const topologyPath = "/v1/topology";

/** Makes the API as something that answers requests; nothing listens yet. */
export function createControllerApi(options: ControllerApiOptions): Hono {
  const api = new Hono();
  api.onError((error, context) => {
    if (error instanceof ApiError) return errorAnswer(context, error.code, error.message);
    if (error instanceof UserError) return errorAnswer(context, "invalid", error.message);
    options.logger.error({ err: error, path: context.req.path }, "defect in answering a request");
    return errorAnswer(context, "internal", "the controller failed to answer: its log says more");
  });
  api.notFound((context) => errorAnswer(context, "notFound", `there is no ${context.req.method} ${context.req.path}`));
  api.use((context, next) => {
    refuseForeignPage(context);
    refuseLargeBody(context);
    return next();
  });
  api.get("/healthz", (context) => context.text("ok"));
  addViews(api, options);
  addManifests(api, options);
  addFileSetOrders(api, options);
  addAgentOrders(api, options);
  addTopology(api, options);
  return api;
}

function addViews(api: Hono, { machine }: ControllerApiOptions): void {
  api.get("/v1/status", (context) => context.json(machine.status()));
  api.get("/v1/agents", (context) => context.json(machine.agents()));
  api.get("/v1/resources", (context) => context.json(machine.resources()));
  api.get("/v1/filesets", (context) => context.json(machine.fileSets()));
  api.get("/v1/filesets/:name", (context) => {
    const name = fileSetName(context);
    const versions = machine.fileSets().filter((version) => version.name === name);
    if (versions.length === 0) throw new ApiError("notFound", `there is no file set ${name}`);
    return context.json(versions);
  });
  api.get("/v1/filesets/:name/versions/:version", (context) => {
    const { name, version } = fileSetVersion(context);
    const detail = machine.fileSet(name, version, context.req.query("files") !== "false");
    if (detail === undefined) throw new ApiError("notFound", `there is no file set ${name}@${version}`);
    return context.json(detail);
  });
}

/** Manifests, for publishers: a version's own, and the one that a publisher takes file versions and block sizes from. */
function addManifests(api: Hono, { machine }: ControllerApiOptions): void {
  const answer = (context: Context, bytes: Uint8Array): Response =>
    context.body(new Uint8Array(bytes), 200, { "content-type": "application/octet-stream" });

  api.get("/v1/filesets/:name/versions/:version/manifest", (context) => {
    const { name, version } = fileSetVersion(context);
    const bytes = machine.manifestBytes(`${name}@${version}`);
    if (bytes === undefined) throw new ApiError("notFound", `there is no manifest of ${name}@${version}`);
    return answer(context, bytes);
  });

  api.get("/v1/filesets/:name/versions/:version/base-manifest", (context) => {
    const { name, version } = fileSetVersion(context);
    // A version that is still being published is no base for itself: taking it up again must scan as the first time.
    const published = machine
      .fileSets()
      .filter((candidate) => candidate.name === name && candidate.state === "published")
      .sort((left, right) => right.sequence - left.sequence);
    const same = published.find((candidate) => candidate.version === version);
    const base = same ?? published[0];
    const bytes = base === undefined ? undefined : machine.manifestBytes(base.fileSet);
    if (base === undefined || bytes === undefined) {
      throw new ApiError("notFound", `there is no published version of ${name}`);
    }
    context.header("sluice-base", same === undefined ? "predecessor" : "same");
    context.header("sluice-base-version", base.version);
    return answer(context, bytes);
  });
}

function addFileSetOrders(api: Hono, { ask }: ControllerApiOptions): void {
  api.delete("/v1/filesets/:name/versions/:version", async (context) => {
    const force = booleanQuery(context, "force");
    return replyAnswer(context, await ask({ type: "removeFileSet", ...fileSetVersion(context), force }));
  });
  api.post("/v1/filesets/:name/versions/:version/activate", async (context) =>
    replyAnswer(context, await ask({ type: "activate", ...fileSetVersion(context) })),
  );
  for (const type of ["pause", "resume"] as const) {
    api.post(`/v1/filesets/:name/${type}`, async (context) => {
      const version = context.req.query("version");
      if (version !== undefined) checkVersion(version);
      const name = fileSetName(context);
      return replyAnswer(context, await ask({ type, name, ...(version === undefined ? {} : { version }) }));
    });
  }
}

function addAgentOrders(api: Hono, { ask }: ControllerApiOptions): void {
  for (const type of agentActions) {
    api.post(`/v1/agents/:agent/${type}`, async (context) =>
      replyAnswer(context, await ask({ type, agent: agentName(context) })),
    );
  }
  api.post("/v1/agents/:agent/verify", async (context) => {
    const blocks = Number(context.req.query("blocks") ?? defaultVerifiedBlocks);
    const request = operatorRequestSchema.safeParse({ type: "verifyAgent", agent: agentName(context), blocks });
    if (!request.success) throw new ApiError("invalid", "blocks must be a whole number from 1 to 1000");
    return replyAnswer(context, await ask(request.data));
  });
}

function addTopology(api: Hono, { machine, topologyText, applyTopology }: ControllerApiOptions): void {
  api.get(topologyPath, (context) => {
    const topology = formatTopology(machine.topology());
    if (!(context.req.header("accept") ?? "").includes("yaml")) return context.json(topology);
    return context.body(topologyText() ?? stringify(topology), 200, { "content-type": "application/yaml" });
  });
  api.put(topologyPath, async (context) => {
    const text = await readText(context, maximumTopologyBytes);
    let topology: Topology;
    try {
      topology = parseTopologyText(text, "topology");
    } catch (error) {
      if (error instanceof TopologyTextError) throw new ApiError("invalid", error.lines.join("\n"));
      throw error;
    }
    return context.json({ done: await applyTopology(topology, text) });
  });
}

/** A web page of another origin has no business here, even where a browser would let it try. */
function refuseForeignPage(context: Context): void {
  if (isForeignOrigin(context.req.header("origin"), context.req.header("host"))) {
    throw new ApiError("forbidden", "requests from other web pages are refused");
  }
}

/** Bodies of a stated length over the bound are not even begun with. One without a stated length is bounded where it is read. */
function refuseLargeBody(context: Context): void {
  const maximumBytes = context.req.path === topologyPath ? maximumTopologyBytes : maximumRequestBodyBytes;
  if (Number(context.req.header("content-length") ?? 0) > maximumBytes) throw tooLarge(maximumBytes);
}

/** A request's body as text. @throws ApiError when it has more bytes than this, or is not UTF-8 */
async function readText(context: Context, maximumBytes: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const part of context.req.raw.body ?? []) {
    lengthBytes += part.length;
    if (lengthBytes > maximumBytes) throw tooLarge(maximumBytes);
    parts.push(part);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw new ApiError("invalid", "the text is not UTF-8");
  }
}

function tooLarge(maximumBytes: number): ApiError {
  return new ApiError("tooLarge", `the request has more than ${maximumBytes} bytes`);
}

/** Whether a request's `Origin` names another host than the one that it was sent to. */
export function isForeignOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return false;
  try {
    return new URL(origin).host !== host;
  } catch {
    return true;
  }
}

function replyAnswer(context: Context, reply: OperatorReply): Response {
  return reply.ok ? context.json(reply.result) : errorAnswer(context, reply.code, reply.message);
}

function fileSetName(context: Context): string {
  const name = context.req.param("name") ?? "";
  checkFileSetName(name);
  return name;
}

function fileSetVersion(context: Context): { name: string; version: string } {
  const version = context.req.param("version") ?? "";
  checkVersion(version);
  return { name: fileSetName(context), version };
}

function agentName(context: Context): string {
  const name = context.req.param("agent") ?? "";
  checkAgentName(name);
  return name;
}

function booleanQuery(context: Context, name: string): boolean {
  const text = context.req.query(name) ?? "false";
  if (text !== "true" && text !== "false") throw new ApiError("invalid", `${name} must be true or false`);
  return text === "true";
}
