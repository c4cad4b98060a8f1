/**
 * Reading a topology: from the values of a parsed YAML file to a Topology.
 *
 *   resources: { NAME: { capability: RATE } }
 *   sites:     { SITE: { uplink: RATE, downlink: RATE } }        # left out = no limit
 *   defaults:  { nic: { up: RATE, down: RATE } }
 *   agents:    { NAME: { nic: { up: RATE, down: RATE } } }
 *   paths:     [ { from: SITE, to: SITE, through: [NAME] } ]     # one direction an entry
 *
 * All mistakes are collected, each with its place, so that whoever reads the file can show the lines.
 */
import { UserError } from "../std/errors.ts";
import { nearestSpelling } from "../std/nearest.ts";
import { parseBitsPerSecond } from "../std/units.ts";
import { maximumTopologyMistakes } from "./limits.ts";
import { isName, nameRule } from "./names.ts";
import type { NicCapability, SiteCapability, TopologyPath } from "./topology-network.ts";
import { Topology } from "./topology-network.ts";

/** `path`: the keys and places in lists that lead to the mistake. */
export interface TopologyMistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** A topology with mistakes; the message shows the first. */
export class TopologyError extends UserError {
  readonly mistakes: readonly TopologyMistake[];

  constructor(mistakes: readonly TopologyMistake[]) {
    const first = mistakes[0];
    const place = first === undefined || first.path.length === 0 ? "" : ` at ${formatMistakePath(first.path)}`;
    const others = mistakes.length > 1 ? ` (and ${String(mistakes.length - 1)} more)` : "";
    super(`the topology has a mistake${place}: ${first?.message ?? "unknown"}${others}`);
    this.mistakes = mistakes;
  }
}

/** "sites.fra.uplink", "paths[0].through[1]". */
export function formatMistakePath(path: readonly (string | number)[]): string {
  return path
    .map((part, index) => (typeof part === "number" ? `[${String(part)}]` : index === 0 ? part : `.${part}`))
    .join("");
}

/** The topology that a parsed file holds. Throws TopologyError with all mistakes. */
export function parseTopology(value: unknown): Topology {
  const mistakes = new Mistakes();
  if (value === undefined || value === null) mistakes.add([], "it is empty: list the sites at least");
  const sections = mistakes.object(value, [], ["resources", "sites", "defaults", "agents", "paths"]);
  const resources = parseNamed(mistakes, sections.get("resources"), ["resources"], parseCapability);
  const sites = parseNamed(mistakes, sections.get("sites"), ["sites"], parseSite);
  const defaults = parseNicHolder(mistakes, sections.get("defaults"), ["defaults"]);
  const agents = parseNamed(mistakes, sections.get("agents"), ["agents"], parseNicHolder);
  const paths = parsePaths(mistakes, sections.get("paths"), sites, resources);
  mistakes.throwIfAny();
  return new Topology({ sites, resources, agents, defaults, paths });
}

type Path = readonly (string | number)[];

/** What an interface may do, from { up, down }; for groups of agents elsewhere too. Throws TopologyError. */
export function parseNic(value: unknown, path: Path = []): NicCapability {
  const mistakes = new Mistakes();
  const nic = readNic(mistakes, value, path);
  mistakes.throwIfAny();
  return nic;
}

class Mistakes {
  readonly #list: TopologyMistake[] = [];

  add(path: Path, message: string): void {
    this.#list.push({ path, message });
    if (this.#list.length >= maximumTopologyMistakes) this.throwIfAny();
  }

  throwIfAny(): void {
    if (this.#list.length > 0) throw new TopologyError(this.#list);
  }

  /** The entries of an object; nothing where it is left out or empty, and after a mistake. */
  entries(value: unknown, path: Path): [string, unknown][] {
    if (value === undefined || value === null) return [];
    if (typeof value !== "object" || Array.isArray(value)) {
      this.add(path, `expected keys and values, found ${describe(value)}`);
      return [];
    }
    return Object.entries(value);
  }

  /** The same for an object whose keys are fixed; another key is a mistake. */
  object(value: unknown, path: Path, keys: readonly string[]): Map<string, unknown> {
    const fields = new Map<string, unknown>();
    for (const [key, field] of this.entries(value, path)) {
      if (keys.includes(key)) fields.set(key, field);
      else this.add([...path, key], `unknown key${suggestion(key, keys)}; known are ${keys.join(", ")}`);
    }
    return fields;
  }

  /** A rate of at least 1 bit per second; undefined where it is left out, and after a mistake. */
  rate(value: unknown, path: Path): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "string" && typeof value !== "number") {
      this.add(path, `expected a rate such as 10Gbps, found ${describe(value)}`);
      return undefined;
    }
    try {
      const bitsPerSecond = parseBitsPerSecond(value);
      if (bitsPerSecond >= 1) return bitsPerSecond;
      this.add(path, "a capability is at least 1 bit per second; leave it out for no limit");
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.add(path, error.hint === undefined ? error.message : `${error.message}: ${error.hint}`);
    }
    return undefined;
  }
}

function parseNamed<Value>(
  mistakes: Mistakes,
  value: unknown,
  path: Path,
  parse: (mistakes: Mistakes, value: unknown, path: Path) => Value,
): Map<string, Value> {
  const named = new Map<string, Value>();
  for (const [name, entry] of mistakes.entries(value, path)) {
    const entryPath = [...path, name];
    if (!isName(name)) mistakes.add(entryPath, `not a name: use ${nameRule}`);
    named.set(name, parse(mistakes, entry, entryPath));
  }
  return named;
}

function parseCapability(mistakes: Mistakes, value: unknown, path: Path): number {
  const fields = mistakes.object(value, path, ["capability"]);
  if (!fields.has("capability")) {
    mistakes.add(path, "a resource needs a capability, such as { capability: 2Gbps }");
  }
  // After a mistake the name stays known, so that paths through it are not mistakes as well.
  return mistakes.rate(fields.get("capability"), [...path, "capability"]) ?? 1;
}

function parseSite(mistakes: Mistakes, value: unknown, path: Path): SiteCapability {
  const fields = mistakes.object(value, path, ["uplink", "downlink"]);
  return {
    uplinkBitsPerSecond: mistakes.rate(fields.get("uplink"), [...path, "uplink"]),
    downlinkBitsPerSecond: mistakes.rate(fields.get("downlink"), [...path, "downlink"]),
  };
}

function parseNicHolder(mistakes: Mistakes, value: unknown, path: Path): { nic: NicCapability } {
  const fields = mistakes.object(value, path, ["nic"]);
  return { nic: readNic(mistakes, fields.get("nic"), [...path, "nic"]) };
}

function readNic(mistakes: Mistakes, value: unknown, path: Path): NicCapability {
  const fields = mistakes.object(value, path, ["up", "down"]);
  return {
    upBitsPerSecond: mistakes.rate(fields.get("up"), [...path, "up"]),
    downBitsPerSecond: mistakes.rate(fields.get("down"), [...path, "down"]),
  };
}

function parsePaths(
  mistakes: Mistakes,
  value: unknown,
  sites: ReadonlyMap<string, SiteCapability>,
  resources: ReadonlyMap<string, number>,
): TopologyPath[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    mistakes.add(["paths"], `expected a list of paths, found ${describe(value)}`);
    return [];
  }
  const paths: TopologyPath[] = [];
  const pairs = new Set<string>();
  value.forEach((entry: unknown, index) => {
    const path = ["paths", index];
    const fields = mistakes.object(entry, path, ["from", "to", "through"]);
    const from = parseReference(mistakes, fields.get("from"), [...path, "from"], "site", sites);
    const to = parseReference(mistakes, fields.get("to"), [...path, "to"], "site", sites);
    const through = parseThrough(mistakes, fields.get("through"), [...path, "through"], resources);
    if (from === undefined || to === undefined) return;
    if (from === to) mistakes.add(path, "a path leads to another site: within a site only NICs count");
    const pair = JSON.stringify([from, to]);
    if (pairs.has(pair)) mistakes.add(path, `there are two paths from ${from} to ${to}: put all resources into one`);
    pairs.add(pair);
    paths.push({ from, to, through });
  });
  return paths;
}

function parseThrough(
  mistakes: Mistakes,
  value: unknown,
  path: Path,
  resources: ReadonlyMap<string, number>,
): string[] {
  if (!Array.isArray(value)) {
    mistakes.add(path, `expected a list of resources, found ${describe(value)}`);
    return [];
  }
  const through = new Set<string>();
  value.forEach((entry: unknown, index) => {
    const name = parseReference(mistakes, entry, [...path, index], "resource", resources);
    if (name === undefined) return;
    if (through.has(name)) mistakes.add([...path, index], `${name} is there twice`);
    through.add(name);
  });
  return [...through];
}

/** The name of something that must be known; undefined after a mistake. */
function parseReference(
  mistakes: Mistakes,
  value: unknown,
  path: Path,
  what: "site" | "resource",
  known: ReadonlyMap<string, unknown>,
): string | undefined {
  // YAML reads a name of digits alone as a number.
  const name = typeof value === "number" ? String(value) : value;
  if (typeof name !== "string") {
    mistakes.add(path, `expected the name of a ${what}, found ${describe(value)}`);
    return undefined;
  }
  if (known.has(name)) return name;
  mistakes.add(path, `unknown ${what} ${JSON.stringify(name.slice(0, 200))}${suggestion(name, known.keys())}`);
  return undefined;
}

function suggestion(text: string, candidates: Iterable<string>): string {
  const nearest = nearestSpelling(text, candidates);
  return nearest === undefined ? "" : `, did you mean ${JSON.stringify(nearest)}?`;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "keys and values";
  return JSON.stringify(typeof value === "bigint" ? String(value) : value) ?? typeof value;
}
