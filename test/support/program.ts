/**
 * Programs as processes: `bin/sluice ...` as a user would start it, with its output kept. No process outlives the tests:
 * each is ended by its own id, also when the tests themselves are stopped.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { waitUntil, within } from "./waiting.ts";

/** Built to dist/test/support. */
const sluice = fileURLToPath(new URL("../../../bin/sluice", import.meta.url));
const startTimeoutMilliseconds = 30_000;
const stopTimeoutMilliseconds = 15_000;

const running = new Set<ChildProcess>();

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
// The default of these signals would skip the above.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(1));

/** How a program ended. */
export interface Outcome {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly error: string;
  readonly milliseconds: number;
}

export interface ProgramOptions {
  readonly environment?: NodeJS.ProcessEnv;
  readonly directory?: string;
  /** Everything it prints is added to this file. */
  readonly logFile?: string;
  /** Started through this command, for example `["nice"]`. */
  readonly through?: readonly string[];
  /** Another `sluice` than that of this checkout. */
  readonly sluice?: string;
}

export class Program {
  readonly words: readonly string[];
  /** Resolves when it has ended and all it printed has been read. */
  readonly ended: Promise<Outcome>;
  readonly #child: ChildProcess;
  #out = "";
  #error = "";
  #outcome: Outcome | undefined;

  /** Starts `sluice` with these words. */
  constructor(words: readonly string[], options: ProgramOptions = {}) {
    this.words = words;
    const [command = "", ...rest] = [...(options.through ?? []), process.execPath, options.sluice ?? sluice, ...words];
    const child = spawn(command, rest, {
      env: { ...process.env, NO_COLOR: "1", SLUICE_DEBUG: "", ...options.environment },
      stdio: ["pipe", "pipe", "pipe"],
      ...(options.directory === undefined ? {} : { cwd: options.directory }),
    });
    this.#child = child;
    running.add(child);
    const startedAt = performance.now();
    const log = (text: string): void => {
      if (options.logFile !== undefined) appendFileSync(options.logFile, text);
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#out += text;
      log(text);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#error += text;
      log(text);
    });
    // A program that ends early does not read what it is fed.
    child.stdin.on("error", () => undefined);
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        running.delete(child);
        const milliseconds = performance.now() - startedAt;
        this.#outcome = { code, signal, out: this.#out, error: this.#error, milliseconds };
        log(`(${words[0] ?? ""} ended: ${signal ?? code})\n`);
        resolve(this.#outcome);
      });
    });
    this.ended.catch(() => undefined);
  }

  get processId(): number {
    const id = this.#child.pid;
    if (id === undefined) throw new Error(`${this.words.join(" ")} was not started`);
    return id;
  }

  /** Everything printed so far. */
  get out(): string {
    return this.#out;
  }

  get error(): string {
    return this.#error;
  }

  /** How it ended, or undefined while it runs. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  get input(): NodeJS.WritableStream {
    if (this.#child.stdin === null) throw new Error("it has no standard input");
    return this.#child.stdin;
  }

  /** Writes to its standard input; resolves when the system has taken it. */
  async feed(bytes: Uint8Array | string): Promise<void> {
    await new Promise<void>((resolve) => this.input.write(bytes, () => resolve()));
  }

  /** Waits for `listening on http://HOST:PORT`. @returns the URL */
  async listening(): Promise<string> {
    const shown = `sluice ${this.words.join(" ")}`;
    const url = await waitUntil(
      `${shown} is listening`,
      () => /^listening on (http:\/\/\S+)$/m.exec(this.#out)?.[1] ?? (this.#outcome === undefined ? undefined : ""),
      startTimeoutMilliseconds,
    );
    if (url === "") throw new Error(`${shown} ended with ${this.#outcome?.code}: ${this.#outcome?.error}`);
    return url;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** SIGKILL: it gets no chance to do anything. */
  async kill(): Promise<Outcome> {
    this.signal("SIGKILL");
    return this.ended;
  }

  /** SIGTERM, and waits for it to end by itself. */
  async stop(): Promise<Outcome> {
    if (this.#outcome !== undefined) return this.#outcome;
    this.signal("SIGTERM");
    try {
      return await within(`${this.words.join(" ")} stops on SIGTERM`, stopTimeoutMilliseconds, this.ended);
    } catch (error) {
      await this.kill();
      throw error;
    }
  }
}
