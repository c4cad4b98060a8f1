/** Runs ip and tc. What they refuse becomes one clear line. */
import { spawnSync } from "node:child_process";
import { UserError } from "#src/std/errors.ts";
import { commandTimeoutMilliseconds } from "./limits.ts";

/** Whether there is what a lab needs; if not, why not, in words that end a sentence. */
export function labProblem(): string | undefined {
  if (process.platform !== "linux") return "the lab needs Linux: it is made of network namespaces";
  if (process.getuid?.() !== 0) return "the lab needs root: it makes network namespaces and shapes links";
  for (const command of ["ip", "tc"]) {
    const { error } = spawnSync(command, ["-V"], { timeout: commandTimeoutMilliseconds });
    if (error !== undefined) return `the lab needs ${command} (Debian: apt-get install iproute2)`;
  }
  return undefined;
}

/** @throws UserError, see labProblem */
export function checkLabIsPossible(): void {
  const problem = labProblem();
  if (problem !== undefined) throw new UserError(problem);
}

/** Runs a command with this input to its end. @returns what it printed @throws UserError when it fails */
export function runCommand(command: string, words: readonly string[], input: string = ""): string {
  const { status, stdout, stderr, error } = spawnSync(command, words, {
    input,
    encoding: "utf8",
    timeout: commandTimeoutMilliseconds,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw new UserError(`cannot run ${command}: ${error.message}`, { cause: error });
  if (status === 0) return stdout;
  const said = stderr.trim().split("\n").slice(-3).join("; ");
  throw new UserError(`${command} ${words.join(" ")} failed: ${said === "" ? `exit code ${status}` : said}`);
}

/** Lines for `ip -batch` or `tc -batch`, in a namespace or outside of all. */
export function runBatch(command: "ip" | "tc", namespace: string | undefined, lines: readonly string[]): void {
  if (lines.length === 0) return;
  runCommand(command, [...(namespace === undefined ? [] : ["-n", namespace]), "-batch", "-"], `${lines.join("\n")}\n`);
}

/** The words that run a command in a namespace: it becomes the process itself, not a child of it. */
export function insideNamespace(namespace: string, words: readonly string[]): string[] {
  return ["ip", "netns", "exec", namespace, ...words];
}

/** The names of all network namespaces that begin so. */
export function namespacesWith(prefix: string): string[] {
  return runCommand("ip", ["netns", "list"])
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "")
    .filter((name) => name.startsWith(prefix) && name.length > prefix.length);
}

/** The ids of the processes in a namespace; none, where it is gone. */
export function processesIn(namespace: string): number[] {
  const { stdout } = spawnSync("ip", ["netns", "pids", namespace], {
    encoding: "utf8",
    timeout: commandTimeoutMilliseconds,
  });
  return (stdout ?? "")
    .split("\n")
    .filter((line) => line !== "")
    .map(Number);
}
