/** Programs on hosts of a lab: started in their namespaces, their output in log files, all of them ended at the end. */
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { UserError } from "#src/std/errors.ts";
import { lastLineOf, Programs, type Program } from "../../demo/programs.ts";
import { insideNamespace } from "../network/commands.ts";
import type { LabHost } from "../network/lab-plan.ts";

export interface StartOptions {
  /** It belongs to the lab and not to the tool: its processor time is not counted. */
  readonly uncounted?: boolean;
}

export class LabPrograms {
  readonly programs: Programs;
  readonly #counted: number[] = [];
  readonly #started: Program[] = [];

  constructor(logDirectory: string) {
    this.programs = new Programs(logDirectory);
  }

  /** Starts a command on a host. @param name of its log file */
  start(host: LabHost, name: string, words: readonly string[], options: StartOptions = {}): Program {
    const [command = "", ...rest] = insideNamespace(host.namespace, words);
    const program = this.programs.start(name, command, rest);
    this.#started.push(program);
    if (options.uncounted !== true) this.#counted.push(program.processId);
    return program;
  }

  /** The processes that count for the tool. */
  counted(): readonly number[] {
    return this.#counted;
  }

  /** Ends a program at once, as a crash would. */
  async kill(program: Program): Promise<void> {
    if (program.end === undefined) process.kill(program.processId, "SIGKILL");
    await program.ended;
    appendFileSync(program.logFile, "(killed by the race)\n");
  }

  /** Runs a command on a host to its end. @returns its exit code */
  async run(host: LabHost, name: string, words: readonly string[], options: StartOptions = {}): Promise<number> {
    return this.start(host, name, words, options).ended;
  }

  /**
   * Looks again and again until something is so.
   * @param mustRun programs that must not end meanwhile
   * @throws UserError when it does not come about in time, or one of these programs ends
   */
  async until(
    what: string,
    isSo: () => boolean,
    wait: {
      readonly milliseconds: number;
      readonly everyMilliseconds: number;
      readonly signal: AbortSignal;
      readonly mustRun?: () => readonly Program[];
    },
  ): Promise<void> {
    for (const giveUpAt = performance.now() + wait.milliseconds; !isSo();) {
      wait.signal.throwIfAborted();
      const ended = wait.mustRun?.().find(({ end }) => end !== undefined);
      if (ended !== undefined) throw new UserError(`${ended.name} has ended (${ended.end}): ${lastLineOf(ended)}`);
      if (performance.now() > giveUpAt) {
        throw new UserError(`given up after ${Math.round(wait.milliseconds / 1_000)} s: ${what} did not come about`);
      }
      await pause(wait.everyMilliseconds);
    }
  }

  async stopAll(): Promise<void> {
    await this.programs.stopAll();
  }
}
