/**
 * The programs that are started here: `bin/sluice ...` as anybody would start it, as processes of their own, what they
 * print in a log file each. It promises that every one of them is ended by `stopAll`, in the reverse order of its start,
 * unless it was let go.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { UserError } from "#src/std/errors.ts";

/** Built to dist/demo. */
export const repositoryRoot = fileURLToPath(new URL("../../", import.meta.url));
const sluice = join(repositoryRoot, "bin", "sluice");

const startTimeoutMilliseconds = 30_000;
const stopTimeoutMilliseconds = 10_000;
const lookMilliseconds = 20;

export interface Program {
  readonly name: string;
  readonly processId: number;
  readonly logFile: string;
  /** Its exit code; 1 when a signal ended it. Never rejects. */
  readonly ended: Promise<number>;
  /** How it ended, for people; undefined while it runs. */
  end: string | undefined;
}

export class Programs {
  readonly logDirectory: string;
  readonly #running = new Map<Program, ChildProcess>();
  #stopping = false;

  constructor(logDirectory: string) {
    this.logDirectory = logDirectory;
    mkdirSync(logDirectory, { recursive: true });
  }

  /** Starts `sluice` with these words. It has no terminal, so that Ctrl-C reaches only us, who end it in good order. */
  sluice(name: string, words: readonly string[]): Program {
    return this.start(name, process.execPath, [sluice, ...words]);
  }

  /** Starts any command. @throws UserError when there is no such command, or everything is being stopped */
  start(name: string, command: string, words: readonly string[]): Program {
    if (this.#stopping) throw new UserError("interrupted");
    const logFile = join(this.logDirectory, `${name}.log`);
    const log = openSync(logFile, "a");
    const environment = { ...process.env, NO_COLOR: "1" };
    const child = spawn(command, words, { stdio: ["ignore", log, log], detached: true, env: environment });
    closeSync(log);
    const ending = new Promise<{ code: number; how: string }>((resolve) => {
      child.once("error", (error) => resolve({ code: 1, how: error.message }));
      child.once("exit", (code, signal) => resolve({ code: code ?? 1, how: signal ?? `exit code ${code}` }));
    });
    if (child.pid === undefined) throw new UserError(`cannot start ${command}: is it there and may it be run?`);
    const ended = ending.then(({ code, how }) => {
      program.end = how;
      this.#running.delete(program);
      return code;
    });
    const program: Program = { name, processId: child.pid, logFile, ended, end: undefined };
    this.#running.set(program, child);
    return program;
  }

  /** Waits for `listening on http://HOST:PORT`. @returns the URL. @throws UserError when it ends or does not come */
  async listening(program: Program): Promise<string> {
    for (const giveUpAt = performance.now() + startTimeoutMilliseconds; performance.now() < giveUpAt;) {
      const url = /^listening on (http:\/\/\S+)$/m.exec(printedBy(program))?.[1];
      if (url !== undefined) return url;
      if (program.end !== undefined) throw new UserError(`${program.name} did not start: ${lastLineOf(program)}`);
      await pause(lookMilliseconds);
    }
    throw new UserError(`${program.name} does not listen ${startTimeoutMilliseconds / 1000} s after its start`);
  }

  /** @throws UserError when one of these has ended, though nobody told it to */
  check(programs: readonly Program[]): void {
    const ended = programs.find(({ end }) => end !== undefined);
    if (ended !== undefined) throw new UserError(`${ended.name} has ended (${ended.end}): ${lastLineOf(ended)}`);
  }

  /** SIGTERM, a while to end in good order, then SIGKILL. */
  async stop(program: Program): Promise<void> {
    const child = this.#running.get(program);
    if (child === undefined) return;
    child.kill("SIGTERM");
    const ended = await Promise.race([program.ended, pause(stopTimeoutMilliseconds, "late", { ref: false })]);
    if (ended === "late") child.kill("SIGKILL");
    await program.ended;
  }

  /** Ends all: what was started last first, the first by itself at last (the others report to it). */
  async stopAll(): Promise<void> {
    this.#stopping = true;
    const [first, ...others] = this.#running.keys();
    await Promise.all(others.reverse().map(async (program) => this.stop(program)));
    if (first !== undefined) await this.stop(first);
  }

  /** SIGKILL to all that is left: for the very end of this process. */
  killAll(): void {
    for (const child of this.#running.values()) child.kill("SIGKILL");
  }

  /** Lets all go: they run on when this process has ended. */
  letGo(): void {
    for (const child of this.#running.values()) child.unref();
    this.#running.clear();
  }
}

export function printedBy(program: Program): string {
  return existsSync(program.logFile) ? readFileSync(program.logFile, "utf8") : "";
}

/** What a program last said of what went wrong, for people; what it logs for programs is not shown. */
export function lastLineOf(program: Program): string {
  const lines = printedBy(program)
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("{"));
  return lines.findLast((line) => line.startsWith("sluice: ")) ?? lines.at(-1) ?? "it said nothing of it";
}
