/**
 * Holds the documents to the code: every path and link in them exists, every claim stands in docs/coverage.md, the tables
 * of docs/limits.md are what the sources say, and the references of API, metrics, commands and config what the built code
 * says of itself.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { apiPageProblems } from "./api-page.mjs";
import { commandPages } from "./cli-pages.mjs";
import { limitsPageIsCurrent } from "./limits-table.mjs";
import { listFiles, repositoryRoot } from "./lib.mjs";

const claimNumbers = Array.from({ length: 38 }, (_, index) => index + 1);
const folders = "src|test|scripts|demo|benchmarks|lab|races|examples|deploy|docs|bin|\\.ci";

const documents = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].filter((path) =>
    existsSync(join(repositoryRoot, path)),
  ),
  ...listFiles("docs", (name) => name.endsWith(".md")),
];

const problems = [];

/** Whether a path, or at least one that a pattern with stars or braces means, is there. */
function exists(path) {
  const plain = path.replace(/\/$/, "");
  const alternatives = /^(.*)\{([^{}]*)\}(.*)$/.exec(plain);
  if (alternatives !== null) {
    const [, before, list, after] = alternatives;
    return list.split(",").every((part) => exists(`${before}${part.trim()}${after}`));
  }
  if (!plain.includes("*")) return existsSync(join(repositoryRoot, plain));
  const pattern = new RegExp(`^${plain.replaceAll(/[.+^$()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*")}$`);
  return listFiles(dirname(plain.slice(0, plain.indexOf("*") + 1)), () => true).some((file) => pattern.test(file));
}

for (const path of documents) {
  readFileSync(join(repositoryRoot, path), "utf8")
    .split("\n")
    .forEach((line, index) => {
      const place = `${path}:${index + 1}`;
      for (const [, target] of line.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        if (!existsSync(join(repositoryRoot, normalize(join(dirname(path), target))))) {
          problems.push(`${place}: the link leads to nothing: ${target}`);
        }
      }
      for (const [, named] of line.matchAll(new RegExp(`\`((?:${folders})/[^\`\\s]*)\``, "g"))) {
        if (!exists(named)) problems.push(`${place}: there is no ${named}`);
      }
    });
}

const coverage = readFileSync(join(repositoryRoot, "docs/coverage.md"), "utf8");
const covered = new Set(
  [...coverage.matchAll(/^\| ([0-9, ]+) \|/gm)].flatMap(([, numbers]) => numbers.split(",").map(Number)),
);
for (const claim of claimNumbers) {
  if (!covered.has(claim)) problems.push(`docs/coverage.md: claim ${claim} is not there`);
}
if (!limitsPageIsCurrent()) problems.push("docs/limits.md does not say what the sources say: run npm run docs:limits");
problems.push(...(await apiPageProblems()));
for (const { path, text, wanted } of await commandPages()) {
  if (text !== wanted) problems.push(`${path} does not say what the command line says: run npm run docs:cli`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`${documents.length} documents, ${covered.size} claims`);
