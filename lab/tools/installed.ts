/** Whether a program is installed. */
import { spawnSync } from "node:child_process";

/** Telling a version takes no longer. */
const timeoutMilliseconds = 10_000;

/** Runs it with words that end at once. @returns what is missing, and the Debian package; undefined: it is there */
export function missingProgram(command: string, words: readonly string[], debianPackage: string): string | undefined {
  const { error, status } = spawnSync(command, words, { timeout: timeoutMilliseconds, stdio: "ignore" });
  if (error === undefined && status === 0) return undefined;
  return `it is not installed (Debian: apt-get install ${debianPackage})`;
}
