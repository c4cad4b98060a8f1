/** What the user that runs the tests may do: some failures need rights to be made, or to be lacked. */
import { execFileSync } from "node:child_process";

/** Runs a command as nobody; none is needed where the tests are not run by root. */
export const withoutPermissions = isRoot() ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];

/** Whether a program can be run that may not read everything. */
export function canLackPermissions(): boolean {
  return succeeds([...withoutPermissions, process.execPath, "--version"]);
}

/** Whether a file system can be mounted. */
export function canMount(): boolean {
  return (
    process.platform === "linux" && isRoot() && succeeds(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"])
  );
}

/** Runs a tool of the system, such as `mount`. @throws when it fails */
export function runTool(name: string, ...words: string[]): void {
  execFileSync(name, words, { stdio: "ignore" });
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function succeeds(command: readonly string[]): boolean {
  try {
    const [name = "", ...words] = command;
    runTool(name, ...words);
    return true;
  } catch {
    return false;
  }
}
