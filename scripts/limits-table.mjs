/**
 * Reads every named limit, time-out and default setting out of the sources, for the tables of docs/limits.md.
 *
 * A limit is a constant at the top of a file that is a number and whose name says what it bounds or which unit it has,
 * or a number of an object of defaults. What it is for is the comment above it, so the page cannot say anything else
 * than the code. Run as a program it writes the page anew: npm run docs:limits
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { isTestFile, listFiles, repositoryRoot } from "./lib.mjs";

const page = "docs/limits.md";
const beginMark = "<!-- limits: written by npm run docs:limits -->";
const endMark = "<!-- end of limits -->";

/** Folders in the order of the page, and what each is called there. The simulator bounds nothing that runs in production. */
const sections = [
  ["src/model", "What a file set, a topology and a name may be"],
  ["src/protocol", "Messages and frames"],
  ["src/scheduler", "Scheduler"],
  ["src/control/controller", "Controller: its thinking"],
  ["src/control/agent", "Agent: its thinking"],
  ["src/control/publisher", "Publisher: its thinking"],
  ["src/platform", "Connections, channels and files"],
  ["src/services/controller", "Controller: the program"],
  ["src/services/agent", "Agent: the program"],
  ["src/services/publisher", "Publisher: the program"],
  ["src/client", "Client for programs"],
  ["src/cli", "Command line"],
  ["lab", "Lab and races"],
  ["src/dashboard", "Dashboard"],
];

const isLimitName =
  /^(?:maximum|minimum|longest|shortest|largest|smallest|least|most|default)[A-Z]|(?:Bytes|Milliseconds|Nanoseconds|BitsPerSecond|Length|PerCall|PerTurn|PerJob|Attempts|attempts|AtOnce|Share|Aim|Factor)$/;
/** Parts of formats and arithmetic, which bound nothing. */
const noLimits =
  /^(?:nanosecondsPer|storeFormat|applicationId|headerBytes|frameHeaderBytes|journalHeaderBytes|checksumLengthBytes|requestRangeBytes|pushEntryBytes|maximumUint32|wireBytesPerFullFrame|payloadBytesPerFullFrame)/;

/** Numbers that constants are written with. */
const known = { nanosecondsPerMillisecond: 1e6, nanosecondsPerSecond: 1e9, day: 86_400_000 };

/** The value of `1024 * 1024` and the like; undefined for anything that is not made of numbers. */
function valueOf(expression, others) {
  const names = { ...known, ...others };
  const text = expression
    .replaceAll(/\bas const\b/g, "")
    .replaceAll(/(?<=[0-9])_(?=[0-9])/g, "")
    .replaceAll(/\b[a-z]\w*\b/g, (name) => (name in names ? String(names[name]) : name))
    .replaceAll(/\b0o([0-7]+)\b/g, (_, digits) => String(Number.parseInt(digits, 8)));
  if (!/^[0-9.\s*/+()e-]+$/.test(text)) return undefined;
  let value = 0;
  for (const term of text.split("+")) {
    let product = 1;
    const factors = term.replaceAll(/[()\s]/g, "").split(/(?=[*/])/);
    for (const factor of factors) {
      const number = Number(factor.replace(/^[*/]/, ""));
      product = factor.startsWith("/") ? product / number : product * number;
    }
    value += product;
  }
  return Number.isFinite(value) ? value : undefined;
}

const scaled = (value, steps) => {
  const [size, unit] =
    steps.findLast(([least]) => value >= least && Number.isInteger((value / least) * 100)) ?? steps[0];
  return `${value / size} ${unit}`;
};

/** A number with the unit that its name ends with, as people write it. */
function shown(name, value) {
  const grouped = String(value).replaceAll(/\B(?=(?:[0-9]{3})+$)/g, ",");
  if (name.endsWith("Bytes") || name.endsWith("BytesPerSecond")) {
    return scaled(value, [
      [1, "B"],
      [1024, "KiB"],
      [1024 ** 2, "MiB"],
      [1024 ** 3, "GiB"],
    ]);
  }
  if (name.endsWith("Milliseconds")) return duration(value * 1e6);
  if (name.endsWith("Nanoseconds")) return duration(value);
  if (name.endsWith("BitsPerSecond")) {
    return scaled(value, [
      [1, "bit/s"],
      [1e3, "kbit/s"],
      [1e6, "Mbit/s"],
      [1e9, "Gbit/s"],
      [1e12, "Tbit/s"],
    ]);
  }
  if (name.endsWith("Mode")) return `0${value.toString(8)}`;
  return Number.isInteger(value) ? grouped : String(Math.round(value * 1e4) / 1e4);
}

function duration(nanoseconds) {
  if (nanoseconds === 0) return "0 (never)";
  if (nanoseconds > 20 * 86_400e9) return scaled(nanoseconds, [[86_400e9, "days"]]).replace(/\.\d+/, "");
  return scaled(nanoseconds, [
    [1, "ns"],
    [1e3, "us"],
    [1e6, "ms"],
    [1e9, "s"],
    [60e9, "min"],
  ]);
}

/** The text of a comment block or line, in one line. */
function plain(comment) {
  return comment
    .replaceAll(/^\s*(?:\/\*\*?|\*\/|\*(?!\/)|\/\/)|\*\/\s*$/gm, "")
    .replaceAll(/\s+/g, " ")
    .trim();
}

/** The comment that ends right before `offset`. */
function commentBefore(source, offset) {
  const match = /(?:\/\*\*(?:(?!\*\/)[\s\S])*\*\/|(?:\/\/[^\n]*\n)+)\s*$/.exec(source.slice(0, offset));
  return match === null ? "" : plain(match[0]);
}

/** What an interface of the file says of its fields. */
function fieldComments(source) {
  const comments = new Map();
  for (const match of source.matchAll(/^ {2}readonly (\w+)[?]?: number;/gm)) {
    comments.set(match[1], commentBefore(source, match.index));
  }
  return comments;
}

/** Constants of one file, as { name, value, text, path }. */
function limitsOfFile(path) {
  const source = readFileSync(join(repositoryRoot, path), "utf8");
  const found = [];
  const values = {};
  for (const match of source.matchAll(/^(?:export )?const (\w+)(?:: number)? = ([^;{[]+);/gm)) {
    const [, name, expression] = match;
    const value = valueOf(expression, values);
    if (value === undefined) continue;
    values[name] = value;
    if (!isLimitName.test(name) || noLimits.test(name)) {
      if (!path.endsWith("limits.ts") || noLimits.test(name)) continue;
    }
    found.push({ name, value, text: commentBefore(source, match.index), path });
  }
  const comments = fieldComments(source);
  for (const match of source.matchAll(/^export const (default\w+)(?:: \w+)? = \{\n([\s\S]*?)\n\}/gm)) {
    for (const entry of (match[2] ?? "").matchAll(/^ {2}(\w+): ([^,]+),(?: \/\/ (.*))?$/gm)) {
      const [, name, expression, remark] = entry;
      const value = valueOf(expression, values);
      if (value === undefined) continue;
      const text = remark ?? (comments.get(name) || "");
      found.push({ name: `${match[1]}.${name}`, value, text, path });
    }
  }
  return found;
}

/** The tables of the page, as Markdown. */
export function limitsTables() {
  return sections
    .map(([folder, title]) => {
      const files = listFiles(folder, (name) => name.endsWith(".ts")).filter((path) => !isTestFile(path));
      const limits = files.flatMap((path) => limitsOfFile(path));
      if (limits.length === 0) return "";
      const rows = limits.map(({ name, value, text, path }, index) => {
        const shortName = name.split(".").at(-1);
        const file = path.slice(folder.length + 1);
        const what = text !== "" || limits[index - 1]?.path !== path ? text : "(with the line above)";
        return `| \`${name}\` | ${shown(shortName, value)} | ${what.replaceAll("|", "\\|")} | [${file}](../${path}) |`;
      });
      return [
        `### ${title}`,
        "",
        `\`${folder}\``,
        "",
        "| name | default | what it is | file |",
        "|---|---|---|---|",
        ...rows,
        "",
      ].join("\n");
    })
    .filter((text) => text !== "")
    .join("\n");
}

/** The page with its tables as the sources have them now. */
export function pageWithTables(text) {
  const begin = text.indexOf(beginMark);
  const end = text.indexOf(endMark);
  if (begin < 0 || end < begin) throw new Error(`${page} has lost the marks between which its tables stand`);
  return `${text.slice(0, begin)}${beginMark}\n\n${limitsTables()}\n${text.slice(end)}`;
}

/** Whether the page says what the sources say. */
export function limitsPageIsCurrent() {
  const text = readFileSync(join(repositoryRoot, page), "utf8");
  return pageWithTables(text) === text;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const path = join(repositoryRoot, page);
  writeFileSync(path, pageWithTables(readFileSync(path, "utf8")));
}
