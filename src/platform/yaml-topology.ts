/**
 * Reads a topology as people write it, in YAML. Every mistake, of syntax or of sense, is reported with the place where it
 * stands: `FILE:LINE:COLUMN: path: reason`. Either the whole text is right or nothing comes of it.
 */
import { readFile, stat } from "node:fs/promises";
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Document } from "yaml";
import { formatMistakePath, parseTopology, TopologyError } from "../model/topology-parser.ts";
import type { Topology } from "../model/topology.ts";
import { UserError } from "../std/errors.ts";
import { printable } from "./printable.ts";

/** The largest topology that is read: some ten thousand agents with a line each fit many times over. */
export const maximumTopologyBytes = 8 * 1024 * 1024;
/** Aliases (`*name`) are followed this often; more is a text made to blow up. */
const maximumAliases = 1_000;
/** Mistakes that are listed; what comes after those is seldom worth reading. */
const maximumListedMistakes = 50;

/** A topology text with mistakes: `lines` has one for each, with its place; the message is the first of them. */
export class TopologyTextError extends UserError {
  readonly lines: readonly string[];

  constructor(lines: readonly string[]) {
    const listed = lines.slice(0, maximumListedMistakes);
    if (lines.length > listed.length) listed.push(`${lines.length - listed.length} more mistakes`);
    super(listed[0] ?? "the topology has a mistake");
    this.lines = listed;
  }
}

export interface TopologyText {
  readonly topology: Topology;
  /** The text that was read. */
  readonly text: string;
}

/**
 * Reads this file.
 * @throws TopologyTextError for mistakes in it, UserError when it cannot be read or is too large
 */
export async function readTopologyFile(path: string): Promise<TopologyText> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > maximumTopologyBytes) {
      throw new UserError(`the topology ${path} has ${size} bytes, ${maximumTopologyBytes} at most`);
    }
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read the topology ${path} (${readProblem(error)})`, { cause: error });
  }
  return { topology: parseTopologyText(text, path), text };
}

/**
 * Reads this text.
 * @param name what to call the text in mistakes: its file's name
 * @throws TopologyTextError
 */
export function parseTopologyText(text: string, name: string): Topology {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${printable(name)}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new TopologyTextError(
      document.errors.map((error) => `${place(error.pos[0])}: ${printable(firstLine(error.message))}`),
    );
  }
  try {
    return parseTopology(document.toJS({ maxAliasCount: maximumAliases }));
  } catch (error) {
    if (error instanceof TopologyError) {
      throw new TopologyTextError(
        error.mistakes.map(({ path, message }) => {
          const where = path.length === 0 ? "" : `${printable(formatMistakePath(path))}: `;
          return `${place(findOffset(document, path))}: ${where}${printable(message)}`;
        }),
      );
    }
    // The YAML library refuses to follow too many aliases with a ReferenceError.
    if (error instanceof ReferenceError) throw new TopologyTextError([`${place(0)}: ${firstLine(error.message)}`]);
    throw error;
  }
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

function readProblem(error: unknown): string {
  if (error instanceof TypeError) return "it is not UTF-8 text";
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
