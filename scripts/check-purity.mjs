/**
 * Holds the pure folders to what the language's own library would still allow: no clock, no randomness, no promises, no
 * arithmetic or ordering that differs between machines, no package but zod. What only Node or a browser has (timers,
 * console, Buffer) is already a compile error there, since those projects know no such types.
 *
 * A scan of the text with comments, strings and regular expressions blanked out, not a parser: it errs towards asking.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isTestFile, listFiles, pureFolders, repositoryRoot } from "./lib.mjs";

const ALLOWED_PACKAGES = new Set(["zod"]);

/** A port says what the machines need of the world, as types alone; what stands behind it may take its time. */
const PORT_FILE = /-port\.ts$/;

const FORBIDDEN = [
  { pattern: /(?<![.\w$])Date\b/g, reason: "time is passed in as nowNanoseconds" },
  { pattern: /\bMath\.random\b/g, reason: "randomness comes from a seeded generator that is passed in" },
  {
    pattern: /\bMath\.(?:a?(?:sin|cos|tan)h?|atan2|exp|expm1|log|log2|log10|log1p|pow|cbrt|hypot)\b/g,
    reason: "its last digits differ between machines: use integer arithmetic",
  },
  {
    pattern: /(?<![.\w$])(?:Promise|PromiseLike|AsyncIterable|AsyncGenerator)\b/g,
    reason: "pure code returns its output, it never waits",
    exceptIn: PORT_FILE,
  },
  {
    pattern: /(?<![.\w$])(?:async|await)(?=\s+[\w$(*[]|\s*\()/g,
    reason: "pure code returns its output, it never waits",
  },
  {
    pattern:
      /(?<![.\w$])(?:Intl|WeakRef|FinalizationRegistry|Atomics|SharedArrayBuffer|globalThis|eval)(?=\s*[.(<[;,)]|\s+in\b)/g,
    reason: "what it does depends on the machine",
  },
  {
    pattern: /\.(?:localeCompare|toLocale\w+)\b/g,
    reason: "it depends on the machine's language: compare with < and >",
  },
  { pattern: /(?<![.\w$])import\s*\(/g, reason: "pure code loads nothing while it runs" },
];

/** Blanks comments, strings and regular expressions, keeping every offset and line where it was. */
export function blankTextAndComments(source) {
  // In a template only the text between its substitutions goes; one level of nesting is enough for the code we write.
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\}|[^`\\])*`|(?<=(?:^|[=(,:;!&|?{}[\n]|return)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
  const blank = (text) => text.replace(/[^\n]/g, " ");
  return source.replace(token, (text) => {
    if (!text.startsWith("`")) return blank(text);
    return text
      .split(/(\$\{(?:[^{}`]|`[^`]*`|\{[^{}]*\})*\})/)
      .map((part) => (part.startsWith("${") ? part : blank(part)))
      .join("");
  });
}

/** Every breach in the text of the file at a path, as { line, text, reason }. */
export function findBreaches(source, path) {
  const code = blankTextAndComments(source);
  const lineAt = (offset) => source.slice(0, offset).split("\n").length;
  const breaches = FORBIDDEN.filter(({ exceptIn }) => exceptIn?.test(path) !== true).flatMap(({ pattern, reason }) =>
    [...code.matchAll(pattern)].map((match) => ({ line: lineAt(match.index), text: match[0], reason })),
  );
  for (const match of code.matchAll(/(?<![.\w$])(?:from|import)\s+(?=\s)/g)) {
    // The name itself is blanked in `code`; it stands at the same place in the source.
    const name = /^\s*["']([^"']+)["']/.exec(source.slice(match.index + match[0].trimEnd().length))?.[1];
    if (name === undefined || name.startsWith(".") || ALLOWED_PACKAGES.has(name)) continue;
    breaches.push({
      line: lineAt(match.index),
      text: name,
      reason: `a pure folder may use no package but ${[...ALLOWED_PACKAGES].join(", ")}`,
    });
  }
  return breaches.sort((left, right) => left.line - right.line);
}

function checkPureFolders() {
  const files = pureFolders
    .flatMap((folder) => listFiles(join("src", folder), (name) => name.endsWith(".ts")))
    .filter((path) => !isTestFile(path));
  let count = 0;
  for (const path of files) {
    for (const { line, text, reason } of findBreaches(readFileSync(join(repositoryRoot, path), "utf8"), path)) {
      count += 1;
      console.error(`${path}:${line}: ${text} in a pure folder: ${reason}`);
    }
  }
  if (count > 0) process.exitCode = 1;
  else console.log(`${files.length} pure files`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) checkPureFolders();
