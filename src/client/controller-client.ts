/**
 * Asks a controller over its HTTP API. Answers are bounded and checked; a controller that cannot be reached is tried again
 * for a short while, and then that is said in one line. What goes wrong becomes a ClientError of the kind that fits.
 */
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import {
  agentViewSchema,
  challengeViewSchema,
  doneViewSchema,
  errorViewSchema,
  fileListSchema,
  removedViewSchema,
  resourceViewSchema,
  statusViewSchema,
  versionDetailSchema,
  versionSummarySchema,
} from "../protocol/views.ts";
import { planViewSchema } from "../protocol/plan-views.ts";
import { ClientError, refusedError } from "./client-error.ts";

export interface ControllerClientOptions {
  readonly url: string;
  /** How long a controller that does not answer is tried again. */
  readonly connectTimeoutMilliseconds: number;
}

/** A request that was answered; the body is the caller's to read. */
export interface OpenAnswer {
  readonly body: ReadableStream<Uint8Array>;
}

/** The pause between two tries. */
const retryPauseMilliseconds = 200;
/** One request, from its sending to the end of its answer. */
const requestTimeoutMilliseconds = 60_000;
/** `agent verify` waits for an agent to read and send what it is challenged with. */
const verifyTimeoutMilliseconds = 15 * 60_000;
/** A plan of a million transfers takes a while. */
const planTimeoutMilliseconds = 15 * 60_000;
/** The largest answer that is read. */
const maximumAnswerBytes = 512 * 1024 * 1024;

/** The connection did not come about: the request was not seen by anyone, so that it may be made again. */
const unconnectedCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
]);

interface RequestOptions {
  readonly body?: string;
  readonly accept?: string;
  readonly timeoutMilliseconds?: number;
}

export class ControllerClient {
  readonly #options: ControllerClientOptions;
  readonly #base: string;

  /** @throws UserError when the URL is none */
  constructor(options: ControllerClientOptions) {
    this.#options = options;
    this.#base = checkUrl(options.url);
  }

  status = async () => this.#json("GET", "/v1/status", statusViewSchema);
  fileSets = async () => this.#json("GET", "/v1/filesets", z.array(versionSummarySchema));
  versionsOf = async (name: string) => this.#json("GET", `/v1/filesets/${part(name)}`, z.array(versionSummarySchema));
  fileSet = async (name: string, version: string) => this.#json("GET", versionPath(name, version), versionDetailSchema);
  files = async (name: string, version: string, offset: number, limit: number) =>
    this.#json("GET", `${versionPath(name, version)}/files?offset=${offset}&limit=${limit}`, fileListSchema);
  agents = async (selector = "all") =>
    this.#json("GET", `/v1/agents?selector=${encodeURIComponent(selector)}`, z.array(agentViewSchema));
  resources = async () => this.#json("GET", "/v1/resources", z.array(resourceViewSchema));
  topology = async () => this.#json("GET", "/v1/topology", z.record(z.string(), z.unknown()));

  remove = async (name: string, version: string, force: boolean) =>
    this.#json("DELETE", `${versionPath(name, version)}?force=${force}`, removedViewSchema);
  plan = async (name: string, version: string) =>
    this.#json("POST", `${versionPath(name, version)}/plan`, planViewSchema, {
      timeoutMilliseconds: planTimeoutMilliseconds,
    });
  planOf = async (name: string, version: string, agent?: string) => {
    const query = agent === undefined ? "" : `?agent=${part(agent)}`;
    return this.#json("GET", `${versionPath(name, version)}/plan${query}`, planViewSchema);
  };
  activate = async (name: string, version: string) =>
    this.#json("POST", `${versionPath(name, version)}/activate`, doneViewSchema);

  async setPaused(name: string, version: string | undefined, paused: boolean) {
    const query = version === undefined ? "" : `?version=${part(version)}`;
    return this.#json("POST", `/v1/filesets/${part(name)}/${paused ? "pause" : "resume"}${query}`, doneViewSchema);
  }

  async orderAgent(name: string, order: "drain" | "undrain" | "block" | "unblock") {
    return this.#json("POST", `/v1/agents/${part(name)}/${order}`, doneViewSchema);
  }

  async verifyAgent(name: string, blocks: number) {
    const path = `/v1/agents/${part(name)}/verify?blocks=${blocks}`;
    return this.#json("POST", path, challengeViewSchema, { timeoutMilliseconds: verifyTimeoutMilliseconds });
  }

  async putBack(component: string) {
    return this.#json("POST", `/v1/resources/${part(component)}/put-back`, doneViewSchema);
  }

  /** The topology as it was written, comments and all. */
  async topologyText(): Promise<string> {
    return Buffer.from(await this.#request("GET", "/v1/topology", { accept: "application/yaml" })).toString();
  }

  async applyTopology(text: string) {
    return this.#json("PUT", "/v1/topology", doneViewSchema, { body: text });
  }

  /** Opens the event stream, once. @throws ClientError when it cannot be had; any other error when the network failed */
  async openEvents(topics: string, lastEventId: string | undefined, signal: AbortSignal): Promise<OpenAnswer> {
    const response = await fetch(`${this.#base}/v1/events?topics=${encodeURIComponent(topics)}`, {
      redirect: "error",
      signal,
      headers: { accept: "text/event-stream", ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) },
    });
    if (response.ok && response.body !== null) return { body: response.body };
    const refusal = errorViewSchema.safeParse(jsonOf(await readAnswer(response)));
    if (refusal.success) throw refusedError(refusal.data.error);
    throw new ClientError(
      "failed",
      `what answers at ${this.#options.url} is no controller (status ${response.status})`,
    );
  }

  async #json<View>(
    method: string,
    path: string,
    schema: z.ZodType<View>,
    options: RequestOptions = {},
  ): Promise<View> {
    const result = schema.safeParse(jsonOf(await this.#request(method, path, options)));
    if (result.success) return result.data;
    throw new ClientError("failed", `what answers at ${this.#options.url} is no controller of this version`, {
      hint: "check the URL, and that controller and command line have the same version (sluice --version)",
      cause: result.error,
    });
  }

  async #request(method: string, path: string, options: RequestOptions): Promise<Uint8Array> {
    const giveUpAt = performance.now() + this.#options.connectTimeoutMilliseconds;
    for (;;) {
      try {
        return await this.#requestOnce(method, path, options);
      } catch (error) {
        if (error instanceof ClientError) throw error;
        const code = networkCode(error);
        const mayRetry = unconnectedCodes.has(code) || (method === "GET" && code !== "timeout");
        if (!mayRetry || performance.now() + retryPauseMilliseconds > giveUpAt) throw this.#unreachable(code, error);
        await pause(retryPauseMilliseconds);
      }
    }
  }

  async #requestOnce(method: string, path: string, options: RequestOptions): Promise<Uint8Array> {
    const response = await fetch(this.#base + path, {
      method,
      redirect: "error",
      signal: AbortSignal.timeout(options.timeoutMilliseconds ?? requestTimeoutMilliseconds),
      ...(options.body === undefined ? {} : { body: options.body }),
      ...(options.accept === undefined ? {} : { headers: { accept: options.accept } }),
    });
    const bytes = await readAnswer(response);
    if (response.ok) return bytes;
    const refusal = errorViewSchema.safeParse(jsonOf(bytes));
    if (refusal.success) throw refusedError(refusal.data.error);
    throw new ClientError(
      "failed",
      `what answers at ${this.#options.url} is no controller (status ${response.status})`,
    );
  }

  #unreachable(code: string, cause: unknown): ClientError {
    if (code === "timeout") {
      return new ClientError("unreachable", `the controller at ${this.#options.url} does not answer`, { cause });
    }
    return new ClientError(
      "unreachable",
      `cannot reach the controller at ${this.#options.url} (${code}): is it running?`,
      { hint: "name another with --controller URL or SLUICE_CONTROLLER", cause },
    );
  }
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:") || url.search || url.hash) {
    throw new ClientError("usage", `${JSON.stringify(text)} is not the URL of a controller`, {
      hint: "write it as http://HOST:PORT",
    });
  }
  return url.href.replace(/\/+$/, "");
}

function versionPath(name: string, version: string): string {
  return `/v1/filesets/${part(name)}/versions/${part(version)}`;
}

/** A name as part of a path. One that no path can carry is refused here: URLs would resolve it. */
function part(name: string): string {
  if (name === "." || name === ".." || name === "") {
    throw new ClientError("usage", `${JSON.stringify(name)} is not a name`);
  }
  return encodeURIComponent(name);
}

async function readAnswer(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const bytes of response.body ?? []) {
    lengthBytes += bytes.length;
    if (lengthBytes > maximumAnswerBytes) throw new ClientError("failed", "the controller's answer is too large");
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

/** `fetch` hides what happened in the cause of its error. */
function networkCode(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "timeout";
  const cause = error instanceof Error ? error.cause : undefined;
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  if (first instanceof Error && "code" in first) return String(first.code);
  return first instanceof Error ? first.message : String(error);
}
