/**
 * npm run test:node24: runs the tests that are already built with Node 24, the second version that we support.
 *
 * On Linux that Node comes from npm, at the version and checksum of scripts/node24/package-lock.json. Elsewhere run it
 * with a Node 24 or newer of your own.
 */
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { repositoryRoot, run } from "./lib.mjs";

const NODE_MAJOR = 24;

/** The Node to use, or undefined when there is none for this machine. */
function findNode() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR) return process.execPath;
  if (process.platform !== "linux") return undefined;
  const folder = join(repositoryRoot, "scripts", "node24");
  const binary = join(folder, "node_modules", `node-linux-${process.arch}`, "bin", "node");
  if (!existsSync(binary)) {
    console.log(`installing Node ${NODE_MAJOR} (npm ci in scripts/node24)`);
    if (!run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder })) process.exit(1);
  }
  return existsSync(binary) ? binary : undefined;
}

const node = findNode();
if (node === undefined) {
  console.error(
    `there is no Node ${NODE_MAJOR} for ${process.platform} ${process.arch} on npm: install one and run this with it`,
  );
  process.exit(1);
}
// First on the path too, so that programs which the tests start by name run with the same Node.
const environment = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ""}` };
console.log("tests on Node");
if (!run(node, ["--version"])) process.exit(1);
if (!run(node, ["scripts/run-tests.mjs", ...process.argv.slice(2)], { env: environment })) process.exitCode = 1;
