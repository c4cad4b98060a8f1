/**
 * Runs the built tests with Node's own runner: node scripts/run-tests.mjs [unit|integration|all] [part of a file name...]
 *
 * It lists the files itself, from the sources: `node --test <folder>` and quoted globs mean different things to
 * different versions of Node, and the output of a test that was deleted must not go on running. Unit tests stand beside
 * the code (src/**\/*.test.ts, lab/**\/*.test.ts), integration tests start real programs (test/*.test.ts).
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, sep } from "node:path";
import { listFiles, repositoryRoot } from "./lib.mjs";

/** At most this many test files at once: the integration tests share the machine's cores with the programs they start. */
const TEST_FILES_AT_ONCE = 2;

const SUITES = {
  unit: [
    { sources: "src", built: "dist" },
    { sources: "lab", built: join("dist", "lab") },
  ],
  integration: [{ sources: "test", built: join("dist", "test") }],
};
SUITES.all = [...SUITES.unit, ...SUITES.integration];

const [first, ...rest] = process.argv.slice(2);
const isSuite = first !== undefined && Object.hasOwn(SUITES, first);
const suite = isSuite ? SUITES[first] : SUITES.all;
const argumentsLeft = isSuite || first === undefined ? rest : [first, ...rest];
const filters = argumentsLeft.filter((argument) => !argument.startsWith("-"));
const options = argumentsLeft.filter((argument) => argument.startsWith("-"));

const sources = suite
  .flatMap(({ sources, built }) =>
    listFiles(sources, (name) => name.endsWith(".test.ts")).map((source) => ({
      source,
      built: join(built, source.slice(sources.length + 1).replace(/\.ts$/, ".js")),
    })),
  )
  .filter(
    ({ source }) => filters.length === 0 || filters.some((filter) => source.split(sep).join("/").includes(filter)),
  );

if (sources.length === 0) {
  console.error(filters.length === 0 ? "there are no tests" : `no test file has ${filters.join(" or ")} in its path`);
  process.exit(filters.length === 0 ? 0 : 1);
}
const missing = sources.find(({ built }) => !existsSync(join(repositoryRoot, built)));
if (missing !== undefined) {
  console.error(`${missing.source} is not built: run npm run build`);
  process.exit(1);
}

const { status } = spawnSync(
  process.execPath,
  [
    "--enable-source-maps",
    "--test",
    `--test-concurrency=${TEST_FILES_AT_ONCE}`,
    "--test-reporter=spec",
    ...options,
    ...sources.map(({ built }) => built),
  ],
  { cwd: repositoryRoot, stdio: "inherit" },
);
process.exit(status ?? 1);
