/**
 * npm run check: everything that must hold, the quick things first, the tests last so that their summary ends the output.
 *
 * All checks run even when one fails, so that one run shows everything there is to put right. The tests need the build,
 * and run whenever there is one.
 */
import { run } from "./lib.mjs";

const node = process.execPath;
const checks = [
  { name: "types", command: ["npm", ["run", "--silent", "build"]] },
  { name: "format", command: ["npm", ["run", "--silent", "format:check"]], remedy: "npm run format" },
  { name: "lint", command: ["npm", ["run", "--silent", "lint"]] },
  { name: "purity", command: [node, ["scripts/check-purity.mjs"]] },
  { name: "sizes", command: [node, ["scripts/check-sizes.mjs"]] },
  { name: "dead code", command: ["npm", ["run", "--silent", "dead-code"]] },
  {
    name: "documents",
    command: [node, ["scripts/check-docs.mjs"]],
    remedy: "npm run docs:limits and docs:cli write what is written",
  },
  { name: "tests", command: [node, ["scripts/run-tests.mjs", "all", ...process.argv.slice(2)]], needs: "types" },
];

const failed = [];
for (const { name, command, remedy, needs } of checks) {
  if (needs !== undefined && failed.some((check) => check.name === needs)) {
    console.log(`\n${name}: not run, because ${needs} failed`);
    continue;
  }
  console.log(`\n${name}`);
  if (!run(...command)) failed.push({ name, remedy });
}

// Nothing is printed after the tests when all is well: their summary is the last word.
if (failed.length > 0) {
  const list = failed.map(({ name, remedy }) => (remedy === undefined ? name : `${name} (${remedy})`));
  console.error(`\nfailed: ${list.join(", ")}`);
  process.exitCode = 1;
}
