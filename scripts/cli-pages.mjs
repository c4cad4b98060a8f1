/**
 * npm run docs:cli: writes the parts of docs/cli.md and docs/config.md that say what the built command line says of
 * itself. `npm run check` (check-docs.mjs) fails when a page says something else.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "./lib.mjs";

const reference = join(repositoryRoot, "dist", "cli", "reference.js");
const beginMark = "<!-- commands: written by npm run docs:cli -->";
const endMark = "<!-- end of what is written -->";

/** The pages as they should be, and as they are: { path, text, wanted }. None while nothing is built. */
export async function commandPages() {
  if (!existsSync(reference)) return [];
  const { commandReference, configReference } = await import(pathToFileURL(reference).href);
  return [
    { path: "docs/cli.md", written: commandReference() },
    { path: "docs/config.md", written: configReference() },
  ].map(({ path, written }) => {
    const text = readFileSync(join(repositoryRoot, path), "utf8");
    const begin = text.indexOf(beginMark);
    const end = text.indexOf(endMark);
    if (begin < 0 || end < begin) throw new Error(`${path} has lost the marks between which its tables stand`);
    return { path, text, wanted: `${text.slice(0, begin)}${beginMark}\n\n${written}\n${text.slice(end)}` };
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  for (const { path, wanted } of await commandPages()) writeFileSync(join(repositoryRoot, path), wanted);
}
