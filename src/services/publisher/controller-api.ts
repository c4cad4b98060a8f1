/**
 * What a publisher asks of the controller's HTTP API: the manifest to go by, and how far the targets are.
 *
 * A controller that does not answer is asked again with growing pauses; answers are bounded and checked.
 */
import { setTimeout as pause } from "node:timers/promises";
import { maximumManifestBytes } from "../../model/limits.ts";
import { Manifest } from "../../model/manifest.ts";
import { parseControllerUrl } from "../../platform/channel.ts";
import { retryPauseMilliseconds } from "../../platform/retry-pause.ts";
import { errorViewSchema, versionDetailSchema, type VersionDetail } from "../../protocol/views.ts";
import { requestTimeoutMilliseconds } from "./limits.ts";
import { PublishError } from "./publish-error.ts";

/** The manifest of a version that has been published. */
export interface BaseManifest {
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  /** It is the very version that is to be published; otherwise the one published last before it. */
  readonly isSame: boolean;
}

/** The most that the description of a version may take: it lists agents and files up to the controller's limits. */
const maximumDetailBytes = 256 * 1024 * 1024;

export interface ControllerApiOptions {
  /** The controller's URL as the user gave it. */
  readonly url: string;
  /** How long a controller that does not answer is asked again. */
  readonly patienceMilliseconds: number;
  /** Ends every request, with the signal's reason. */
  readonly signal?: AbortSignal;
}

export class ControllerApi {
  readonly #options: ControllerApiOptions;
  readonly #base: string;

  /** @throws UserError when the URL cannot be one of a controller */
  constructor(options: ControllerApiOptions) {
    this.#options = options;
    this.#base = parseControllerUrl(options.url).href.replace(/\/+$/, "");
  }

  /** The manifest that a new version takes file versions and block sizes from; undefined: it is the first. */
  async baseManifest(name: string, version: string): Promise<BaseManifest | undefined> {
    const answer = await this.#get(`/v1/filesets/${name}/versions/${version}/base-manifest`, maximumManifestBytes);
    if (answer === undefined) return undefined;
    const { bytes } = answer;
    const manifest = Manifest.decode(bytes);
    return { bytes, manifest, isSame: answer.headers.get("sluice-base") === "same" };
  }

  /** How far a version is; undefined: there is no such version. */
  async versionDetail(name: string, version: string): Promise<VersionDetail | undefined> {
    const answer = await this.#get(`/v1/filesets/${name}/versions/${version}?files=false`, maximumDetailBytes);
    if (answer === undefined) return undefined;
    const detail = versionDetailSchema.safeParse(jsonOf(answer.bytes));
    if (!detail.success) throw this.#strange("its answer does not fit the protocol");
    return detail.data;
  }

  /** The body of what is there; undefined: there is nothing (404). */
  async #get(path: string, maximumBytes: number): Promise<{ bytes: Uint8Array; headers: Headers } | undefined> {
    const { signal, patienceMilliseconds } = this.#options;
    const giveUpAt = performance.now() + patienceMilliseconds;
    for (let attempt = 0; ; attempt += 1) {
      let problem: string;
      try {
        const timeout = AbortSignal.timeout(requestTimeoutMilliseconds);
        const response = await fetch(this.#base + path, {
          signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
          redirect: "error",
        });
        const bytes = await boundedBody(response, maximumBytes);
        if (bytes === undefined) throw this.#strange(`its answer has more than ${maximumBytes} bytes`);
        if (response.ok) return { bytes, headers: response.headers };
        if (response.status === 404) return undefined;
        const refusal = errorViewSchema.safeParse(jsonOf(bytes));
        problem = refusal.success ? refusal.data.error.message : `it answers with status ${response.status}`;
        if (response.status < 500) throw this.#strange(problem);
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof PublishError) throw error;
        problem = networkProblem(error);
      }
      const retryInMilliseconds = retryPauseMilliseconds(attempt, Math.random);
      if (performance.now() + retryInMilliseconds > giveUpAt) throw unreachableError(this.#options.url, problem);
      await pause(retryInMilliseconds, undefined, signal === undefined ? {} : { signal });
    }
  }

  #strange(problem: string): PublishError {
    return new PublishError("failed", `the controller at ${this.#options.url} refuses the request: ${problem}`);
  }
}

/** The controller did not answer for as long as it was waited for. */
export function unreachableError(url: string, problem: string): PublishError {
  return new PublishError("unreachable", `the controller at ${url} cannot be reached: ${problem}`, {
    hint: "start it, or give its URL with --controller",
  });
}

async function boundedBody(response: Response, maximumBytes: number): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let lengthBytes = 0;
  if (response.body === null) return new Uint8Array(0);
  for await (const part of response.body) {
    parts.push(part);
    lengthBytes += part.length;
    if (lengthBytes > maximumBytes) return undefined;
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
function networkProblem(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ECONNREFUSED") return "nothing answers there (connection refused)";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its host name is not known";
  if (cause instanceof Error && cause.name === "TimeoutError") return "it does not answer in time";
  return cause instanceof Error && cause.message !== "" ? cause.message : "the connection broke";
}
