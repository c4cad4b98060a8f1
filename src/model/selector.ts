/**
 * Selectors: which agents are meant.
 *
 *   selector = "all" | term { "," term }
 *   term     = key "=" value | key "!=" value | key "in" list | key "notin" list | key | "!" key
 *   list     = "(" value { "," value } ")"
 *
 * An agent is meant if every term holds. Keys are those of its labels, and `site` and `name`. Of a key that an agent
 * does not have, `!=` and `notin` hold.
 */
import { UserError } from "../std/errors.ts";
import type { Labels } from "./labels.ts";
import { isLabelKey, isLabelValue } from "./label-text.ts";
import { maximumSelectorLength } from "./limits.ts";

export type SelectorTerm =
  | { readonly kind: "in" | "notIn"; readonly key: string; readonly values: readonly string[] }
  | { readonly kind: "exists" | "absent"; readonly key: string };

/** No terms: all agents. */
export interface Selector {
  readonly terms: readonly SelectorTerm[];
}

/** What a selector looks at. */
export interface Selectable {
  readonly name: string;
  readonly site: string;
  readonly labels: Labels;
}

/** Every agent. */
export const selectAll: Selector = { terms: [] };

const forms = 'write "all", or terms such as site=fra, tier!=web, "site in (fra,iad)", gpu, !gpu, joined by commas';

/** The selector that `text` writes down. Throws UserError, with the position, where it follows no rule. */
export function parseSelector(text: string): Selector {
  if (text.length > maximumSelectorLength) {
    throw new UserError(`the selector is longer than ${String(maximumSelectorLength)} characters`);
  }
  if (text.trim() === "all") return selectAll;
  const scanner = new Scanner(text);
  const terms: SelectorTerm[] = [];
  do terms.push(parseTerm(scanner));
  while (scanner.takes(","));
  if (!scanner.atEnd) scanner.fail('"," or the end');
  return { terms };
}

/** Whether an agent is meant. */
export function matchesSelector(selector: Selector, agent: Selectable): boolean {
  return selector.terms.every((term) => termHolds(term, valueOf(agent, term.key)));
}

/** The text of a selector, in its shortest form; parsing it gives the same selector. */
export function formatSelector(selector: Selector): string {
  if (selector.terms.length === 0) return "all";
  return selector.terms.map(formatTerm).join(",");
}

function formatTerm(term: SelectorTerm): string {
  switch (term.kind) {
    case "exists":
      return term.key;
    case "absent":
      return `!${term.key}`;
    default:
      if (term.values.length === 1) return `${term.key}${term.kind === "in" ? "=" : "!="}${term.values.join("")}`;
      return `${term.key} ${term.kind === "in" ? "in" : "notin"} (${term.values.join(",")})`;
  }
}

function termHolds(term: SelectorTerm, value: string | undefined): boolean {
  switch (term.kind) {
    case "exists":
      return value !== undefined;
    case "absent":
      return value === undefined;
    case "in":
      return value !== undefined && term.values.includes(value);
    default:
      return value === undefined || !term.values.includes(value);
  }
}

function valueOf(agent: Selectable, key: string): string | undefined {
  if (key === "site") return agent.site;
  if (key === "name") return agent.name;
  return Object.hasOwn(agent.labels, key) ? agent.labels[key] : undefined;
}

function parseTerm(scanner: Scanner): SelectorTerm {
  if (scanner.takes("!")) return { kind: "absent", key: parseKey(scanner) };
  const key = parseKey(scanner);
  if (scanner.takes("!=")) return { kind: "notIn", key, values: [parseValue(scanner)] };
  if (scanner.takes("=")) return { kind: "in", key, values: [parseValue(scanner)] };
  const word = scanner.word();
  if (word === "") return { kind: "exists", key };
  if (word !== "in" && word !== "notin") {
    scanner.back(word);
    scanner.fail('"=", "!=", "in", "notin", "," or the end');
  }
  if (!scanner.takes("(")) scanner.fail('"("');
  const values: string[] = [];
  do values.push(parseValue(scanner));
  while (scanner.takes(","));
  if (!scanner.takes(")")) scanner.fail('"," or ")"');
  return { kind: word === "in" ? "in" : "notIn", key, values };
}

function parseKey(scanner: Scanner): string {
  const key = scanner.word();
  if (isLabelKey(key) && key !== "all") return key;
  scanner.back(key);
  return scanner.fail(key === "all" ? '"all" by itself, or a key' : "a key");
}

function parseValue(scanner: Scanner): string {
  const value = scanner.word();
  if (isLabelValue(value)) return value;
  scanner.back(value);
  return scanner.fail("a value");
}

class Scanner {
  readonly #text: string;
  #position = 0;
  #wordStart = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipBlanks();
  }

  get atEnd(): boolean {
    return this.#position === this.#text.length;
  }

  /** Whether `symbol` comes next; then it is taken. */
  takes(symbol: string): boolean {
    if (!this.#text.startsWith(symbol, this.#position)) return false;
    this.#position += symbol.length;
    this.#skipBlanks();
    return true;
  }

  /** Takes the letters, digits and signs of a word that come next; possibly none. */
  word(): string {
    const start = this.#position;
    while (/^[A-Za-z0-9._/-]$/.test(this.#text.charAt(this.#position))) this.#position += 1;
    const word = this.#text.slice(start, this.#position);
    this.#wordStart = start;
    this.#skipBlanks();
    return word;
  }

  /** Goes back to where the last word started. */
  back(word: string): void {
    if (word !== "") this.#position = this.#wordStart;
  }

  fail(expected: string): never {
    const place = `character ${String(this.#position + 1)}`;
    const shown = JSON.stringify(this.#text.length > 200 ? `${this.#text.slice(0, 200)}…` : this.#text);
    throw new UserError(`the selector ${shown} is not valid at ${place}: expected ${expected}`, { hint: forms });
  }

  #skipBlanks(): void {
    while (this.#text.charAt(this.#position) === " ") this.#position += 1;
  }
}
