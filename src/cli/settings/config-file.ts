/**
 * Reads a config file, which is YAML, keeping the place of every value for messages. It promises that a key that means
 * nothing is never passed over: it is told with its place and the nearest key that does.
 */
import { readFileSync, statSync } from "node:fs";
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import type { Node } from "yaml";
import { printable } from "../../platform/printable.ts";
import { fileProblem } from "../../platform/file-problem.ts";
import { UserError } from "../../std/errors.ts";
import { nearestSpelling } from "../../std/nearest.ts";
import { exitCodes } from "../exit-codes.ts";

/** The largest config file that is read. */
const maximumConfigBytes = 1024 * 1024;

/** What stands behind a key: a text, a list of texts (a map as `key=value`), or keys again. */
export interface ConfigValue {
  /** `FILE:LINE:COLUMN`. */
  readonly place: string;
  /** The same of its key; of what has none, where it begins. */
  readonly keyPlace: string;
  readonly text: string | undefined;
  readonly list: readonly string[] | undefined;
  readonly keys: ReadonlyMap<string, ConfigValue> | undefined;
}

/** The keys that a file may have: `true` for an option, a tree of its own for a command. */
export interface KeyTree {
  readonly [key: string]: true | KeyTree;
}

/**
 * Reads this file.
 * @param isOptional whether it may be missing
 * @returns undefined when it is missing or empty
 * @throws UserError with the exit code of wrong use
 */
export function readConfigFile(path: string, isOptional: boolean): ConfigValue | undefined {
  const text = readText(path, isOptional);
  if (text === undefined) return undefined;
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${printable(path)}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error !== undefined) throw mistake(place(error.pos[0]), error.message.split("\n", 1)[0] ?? "");
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) return undefined;
  const value = valueOf(document.contents, place);
  if (value.keys === undefined) throw mistake(value.place, "a config file is a map of options to their values");
  return value;
}

/** @throws UserError for the first key that is not in the tree */
export function checkKeys(value: ConfigValue, tree: KeyTree, path: readonly string[] = []): void {
  for (const [key, inner] of value.keys ?? []) {
    const known = Object.hasOwn(tree, key) ? tree[key] : undefined;
    const shown = [...path, key].join(".");
    if (known === undefined) {
      const nearest = nearestSpelling(key, Object.keys(tree));
      const hint = nearest === undefined ? `it may be ${Object.keys(tree).join(", ")}` : `did you mean ${nearest}?`;
      throw mistake(inner.keyPlace, `there is no option ${shown}`, hint);
    }
    if (known === true) continue;
    if (inner.keys === undefined) throw mistake(inner.place, `${shown} must be a map of the command's options`);
    checkKeys(inner, known, [...path, key]);
  }
}

/** A mistake in a file, told with its place. */
export function mistake(place: string, message: string, hint?: string): UserError {
  return new UserError(`${place}: ${message}`, { ...(hint === undefined ? {} : { hint }), exitCode: exitCodes.usage });
}

function readText(path: string, isOptional: boolean): string | undefined {
  try {
    if (statSync(path).size > maximumConfigBytes) {
      throw new UserError(`the config file ${path} has more than ${maximumConfigBytes} bytes`);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof UserError) throw error;
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (isOptional && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
    const problem = fileProblem(error);
    throw new UserError(`cannot read the config file ${path}: ${problem}`, { exitCode: exitCodes.usage, cause: error });
  }
}

function valueOf(node: Node, place: (offset: number) => string): ConfigValue {
  const here = place(node.range?.[0] ?? 0);
  const nothing = { place: here, keyPlace: here, text: undefined, list: undefined, keys: undefined };
  if (isScalar(node)) {
    if (node.value === null) throw mistake(here, "a value is missing");
    return { ...nothing, text: typeof node.value === "string" ? node.value : (node.source ?? "") };
  }
  if (isSeq<Node>(node)) {
    return { ...nothing, list: node.items.map((item) => textOf(valueOf(item, place))) };
  }
  if (!isMap<Node, Node | null>(node)) throw mistake(here, "aliases cannot be used here");
  const keys = new Map<string, ConfigValue>();
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : "";
    const keyPlace = place(key.range?.[0] ?? 0);
    if (value === null || (isScalar(value) && value.value === null)) {
      throw mistake(keyPlace, `the value of ${name} is missing`);
    }
    keys.set(name, { ...valueOf(value, place), keyPlace });
  }
  return { ...nothing, keys };
}

function textOf({ text, place }: ConfigValue): string {
  if (text === undefined) throw mistake(place, "a list has plain values");
  return text;
}
