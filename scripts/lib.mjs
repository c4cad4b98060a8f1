/** What the scripts share. Nothing here, or in any script that `npm test` starts with, may need an installed package. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const repositoryRoot = fileURLToPath(new URL("..", import.meta.url));

/** Folders of code that knows neither a clock nor a machine. The compiler, the linter and check-purity.mjs hold them to it. */
export const pureFolders = ["std", "model", "scheduler", "bound", "protocol", "control", "simulator"];

/** Files below a folder of the repository, as sorted paths from its root, whose names the predicate takes. */
export function listFiles(folder, accepts) {
  const absolute = join(repositoryRoot, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && accepts(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(repositoryRoot.length))
    .sort();
}

/** Is this the source of a test, or of a helper that only tests use? */
export function isTestFile(path) {
  return /\.(test|testing)\.[cm]?[jt]s$/.test(path);
}

/** Runs a command in the repository's root with our output, and says whether it ended well. */
export function run(command, commandArguments, options = {}) {
  const result = spawnSync(command, commandArguments, {
    cwd: repositoryRoot,
    stdio: "inherit",
    // npm is a batch file on Windows, which only a shell can start. No argument here comes from outside.
    shell: process.platform === "win32",
    ...options,
  });
  if (result.error !== undefined) console.error(`cannot run ${command}: ${result.error.message}`);
  return result.status === 0;
}

/** Installs the packages when there are none or when the lock file is newer than they are. Ends the process when it cannot. */
export function installWhenNeeded() {
  const lockFile = join(repositoryRoot, "package-lock.json");
  const installed = join(repositoryRoot, "node_modules", ".package-lock.json");
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lockFile).mtimeMs) return;
  console.log("installing packages (npm ci)");
  if (!run("npm", ["ci", "--no-audit", "--no-fund"])) process.exit(1);
}

/** Compiles everything that changed. Ends the process when it does not compile. */
export function build() {
  if (!run("npm", ["run", "--silent", "build"])) process.exit(1);
}
