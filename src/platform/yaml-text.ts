/**
 * Reads what people write in YAML: a topology, a scenario. Every mistake, of syntax or of sense, is reported with the place
 * where it stands: `FILE:LINE:COLUMN: path: reason`. Either the whole text is right or nothing comes of it.
 */
import { readFile, stat } from "node:fs/promises";
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document } from "yaml";
import { formatMistakePath, type TopologyMistake } from "../model/topology-parser.ts";
import { UserError } from "../std/errors.ts";
import { fileProblem } from "./file-problem.ts";
import { printable } from "./printable.ts";

/** Aliases (`*name`) are followed this often; more is a text made to blow up. */
const maximumAliases = 1_000;
/** Mistakes that are listed; what comes after those is seldom worth reading. */
const maximumListedMistakes = 50;

/** A text with mistakes: `lines` has one for each, with its place; the message is the first of them. */
export class YamlTextError extends UserError {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    const listed = lines.slice(0, maximumListedMistakes);
    if (lines.length > listed.length) listed.push(`${lines.length - listed.length} more mistakes`);
    super(listed[0] ?? "there is a mistake");
    this.lines = listed;
  }
}

/** A parser's error that lists mistakes with the keys and places that lead to them. */
interface MistakesError {
  readonly mistakes: readonly TopologyMistake[];
}

/**
 * The text of a file.
 * @param what what to call it: `the topology`
 * @throws UserError when it cannot be read, is too large or is not UTF-8
 */
export async function readTextFile(path: string, what: string, maximumBytes: number): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > maximumBytes) throw new UserError(`${what} ${path} has ${size} bytes, ${maximumBytes} at most`);
    return new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read ${what} ${path}: ${fileProblem(error)}`, { cause: error });
  }
}

/**
 * Reads this text.
 * @param name what to call the text in mistakes: its file's name
 * @param parse makes something of the values; it may throw an error that lists mistakes by path
 * @throws YamlTextError
 */
export function parseYamlText<Value>(text: string, name: string, parse: (value: unknown) => Value): Value {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${printable(name)}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new YamlTextError(
      document.errors.map((error) => `${place(error.pos[0])}: ${printable(firstLine(error.message))}`),
    );
  }
  try {
    return parse(document.toJS({ maxAliasCount: maximumAliases }));
  } catch (error) {
    if (hasMistakes(error)) {
      throw new YamlTextError(
        error.mistakes.map(({ path, message }) => {
          const where = path.length === 0 ? "" : `${printable(formatMistakePath(path))}: `;
          return `${place(findOffset(document, path))}: ${where}${printable(message)}`;
        }),
      );
    }
    // The YAML library refuses to follow too many aliases with a ReferenceError.
    if (error instanceof ReferenceError) throw new YamlTextError([`${place(0)}: ${firstLine(error.message)}`]);
    throw error;
  }
}

function hasMistakes(error: unknown): error is MistakesError {
  return error instanceof UserError && "mistakes" in error && Array.isArray(error.mistakes);
}

/** Where in the text this path stands: at its value if that is a plain one, else at its key, else at what is around it. */
function findOffset(document: Document, path: readonly (string | number)[]): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const segment of path) {
    if (isSeq(node)) {
      node = node.items[Number(segment)];
      offset = startOf(node) ?? offset;
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(segment));
      if (pair === undefined) return offset;
      node = pair.value;
      offset = (isScalar(node) && node.value !== null ? startOf(node) : undefined) ?? startOf(pair.key) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
