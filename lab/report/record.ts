/**
 * Writes what a race gave into the project's documents: the table between the marks of that race, wherever they stand, and
 * the drawing beside them.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot } from "../../demo/programs.ts";
import { raceMarkdown } from "./markdown.ts";
import type { RaceReport } from "./race-report.ts";
import { raceSvg } from "./svg.ts";

const documents: readonly string[] = ["README.md", "docs/performance.md"];
const drawings = "docs/races";

/** @returns the files that were written, from the project's root */
export function recordRace(report: RaceReport): string[] {
  const drawing = `${drawings}/${report.race}.svg`;
  mkdirSync(join(repositoryRoot, drawings), { recursive: true });
  writeFileSync(join(repositoryRoot, drawing), raceSvg(report));
  const written = documents.filter((document) => {
    const path = join(repositoryRoot, document);
    const before = readFileSync(path, "utf8");
    const after = replaceBetweenMarks(before, report.race, raceMarkdown(report));
    if (after !== before) writeFileSync(path, after);
    return after !== before;
  });
  return [drawing, ...written];
}

/** The text with something else between `<!-- race: NAME -->` and `<!-- end of race -->`; unchanged without such marks. */
export function replaceBetweenMarks(text: string, race: string, content: string): string {
  const begin = `<!-- race: ${race} -->`;
  const end = "<!-- end of race -->";
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) return text;
  return `${text.slice(0, from)}${begin}\n\n${content}\n${text.slice(to)}`;
}
