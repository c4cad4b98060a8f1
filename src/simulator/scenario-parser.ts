/**
 * Reading a scenario: from the values of a parsed YAML file to a Scenario. All mistakes are collected, each with its place.
 */
import { checkWeights } from "../scheduler/cost-weights.ts";
import { nearestSpelling } from "../std/nearest.ts";
import { maximumBlockBytes, maximumBlocks, maximumEntries } from "../model/limits.ts";
import { labelsSchema } from "../model/labels.ts";
import { checkFileSetName, checkVersion } from "../model/names.ts";
import { parseResourceName } from "../model/resources.ts";
import { matchesSelector, parseSelector } from "../model/selector.ts";
import { parseNic, parseTopology } from "../model/topology-parser.ts";
import { emptyTopology, type Topology } from "../model/topology.ts";
import { ScenarioReader, type MistakePath } from "./scenario-reader.ts";
import {
  controllerName,
  type Scenario,
  type ScenarioAgent,
  type ScenarioEvent,
  type ScenarioFileSet,
  type ScenarioHolders,
} from "./scenario.ts";

/** Agents of one scenario. */
const maximumAgents = 100_000;
const maximumSeed = Number.MAX_SAFE_INTEGER;
const maximumPriority = 1_000_000;
const defaultBlockBytes = 1_048_576;

type Fields = ReadonlyMap<string, unknown>;

/** The scenario that a parsed file holds. Throws ScenarioError (a UserError) with all mistakes, by their paths. */
export function parseScenario(value: unknown): Scenario {
  const reader = new ScenarioReader();
  const fields = reader.object(
    value,
    [],
    [
      "topology",
      "agents",
      "fileSets",
      "control",
      "data",
      "verification",
      "relays",
      "events",
      "jitter",
      "seed",
      "weights",
    ],
  );
  const topology = reader.attempt(["topology"], () =>
    fields.has("topology") ? parseTopology(fields.get("topology")) : emptyTopology(),
  );
  const agents = parseAgents(reader, fields.get("agents"), topology);
  const fileSets = parseFileSets(reader, fields.get("fileSets"), agents);
  const events = reader
    .list(fields.get("events"), ["events"])
    .flatMap((event, index) => parseEvent(reader, event, ["events", index], agents, topology) ?? []);
  const delayOf = (key: string): number => {
    const part = reader.object(fields.get(key), [key], ["delay"]);
    return reader.duration(part.get("delay"), [key, "delay"]) ?? 0;
  };
  const scenario: Scenario = {
    topology: topology ?? emptyTopology(),
    agents: [...agents.values()],
    fileSets,
    controlDelayNanoseconds: delayOf("control"),
    dataDelayNanoseconds: delayOf("data"),
    verificationBitsPerSecond: reader.rate(
      reader.object(fields.get("verification"), ["verification"], ["rate"]).get("rate"),
      ["verification", "rate"],
    ),
    relays: parseRelays(reader, fields.get("relays")),
    events: events.toSorted((one, other) => one.atNanoseconds - other.atNanoseconds),
    jitter: reader.part(fields.get("jitter"), ["jitter"]) ?? 0,
    ...(fields.has("weights")
      ? { weights: reader.attempt(["weights"], () => checkWeights(fields.get("weights"))) }
      : {}),
    seed: reader.wholeNumber(fields.get("seed"), ["seed"], 0, maximumSeed) ?? 1,
  };
  if (agents.size === 0) reader.add(["agents"], "there are no agents");
  if (fileSets.length === 0 && !fields.has("fileSets")) reader.add(["fileSets"], "nothing is published");
  reader.throwIfAny();
  return scenario;
}

function parseRelays(reader: ScenarioReader, value: unknown): "targets" | "all" {
  if (value === undefined || value === "targets") return "targets";
  if (value !== "all") reader.add(["relays"], "expected targets or all");
  return "all";
}

function parseAgents(
  reader: ScenarioReader,
  value: unknown,
  topology: Topology | undefined,
): Map<string, ScenarioAgent> {
  const agents = new Map<string, ScenarioAgent>();
  const membersOfSite = new Map<string, number>();
  for (const [index, group] of reader.list(value, ["agents"]).entries()) {
    const path: MistakePath = ["agents", index];
    const fields = reader.object(group, path, ["site", "count", "nic", "labels", "trueRate"]);
    const site = reader.text(fields.get("site"), [...path, "site"]);
    const count = reader.wholeNumber(fields.get("count") ?? 1, [...path, "count"], 0, maximumAgents) ?? 0;
    const nic = reader.attempt([...path, "nic"], () => parseNic(fields.get("nic"))) ?? {};
    const trueRate = reader.part(fields.get("trueRate"), [...path, "trueRate"]) ?? 1;
    if (trueRate === 0) reader.add([...path, "trueRate"], "expected a number above 0");
    const labels = parseLabels(reader, fields.get("labels"), [...path, "labels"]);
    if (site === undefined) {
      if (!fields.has("site")) reader.add(path, "a group of agents needs a site");
      continue;
    }
    if (topology !== undefined && !topology.acceptsSite(site)) {
      reader.add(
        [...path, "site"],
        `there is no site ${JSON.stringify(site)}${suggestion(site, topology.sites.keys())}`,
      );
    }
    const first = membersOfSite.get(site) ?? 0;
    membersOfSite.set(site, first + count);
    if (agents.size + count > maximumAgents) {
      reader.add([...path, "count"], `more than ${String(maximumAgents)} agents`);
      return agents;
    }
    for (let member = first; member < first + count; member += 1) {
      const name = `${site}-${String(member)}`;
      agents.set(name, { name, site, labels, nic, trueRate });
    }
  }
  return agents;
}

function parseLabels(reader: ScenarioReader, value: unknown, path: MistakePath): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  const parsed = labelsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) reader.add([...path, ...issue.path.map(String)], issue.message);
  return {};
}

function parseFileSets(
  reader: ScenarioReader,
  value: unknown,
  agents: ReadonlyMap<string, ScenarioAgent>,
): ScenarioFileSet[] {
  const fileSets: ScenarioFileSet[] = [];
  const keys = new Set<string>();
  for (const [index, entry] of reader.list(value, ["fileSets"]).entries()) {
    const path: MistakePath = ["fileSets", index];
    const fileSet = parseFileSet(reader, entry, path, agents);
    if (fileSet === undefined) continue;
    const key = `${fileSet.name}@${fileSet.version}`;
    if (keys.has(key)) reader.add(path, `${key} is there twice: give it another version`);
    keys.add(key);
    fileSets.push(fileSet);
  }
  return fileSets;
}

const fileSetKeys = [
  "name",
  "version",
  "files",
  "bytes",
  "blockBytes",
  "origins",
  "targets",
  "at",
  "priority",
  "holders",
  "growth",
];

function parseFileSet(
  reader: ScenarioReader,
  value: unknown,
  path: MistakePath,
  agents: ReadonlyMap<string, ScenarioAgent>,
): ScenarioFileSet | undefined {
  const fields = reader.object(value, path, fileSetKeys);
  const name = reader.text(fields.get("name"), [...path, "name"]);
  if (name !== undefined) reader.attempt([...path, "name"], () => checkFileSetName(name));
  const version = reader.text(fields.get("version") ?? "1", [...path, "version"]);
  if (version !== undefined) reader.attempt([...path, "version"], () => checkVersion(version));
  const totalBytes = reader.bytes(fields.get("bytes"), [...path, "bytes"]);
  for (const key of ["name", "bytes", "origins"]) {
    if (!fields.has(key)) reader.add(path, `a file set needs ${key}`);
  }
  const targets = reader.text(fields.get("targets") ?? "all", [...path, "targets"]) ?? "all";
  reader.attempt([...path, "targets"], () => parseSelector(targets));
  const growth = reader.object(fields.get("growth"), [...path, "growth"], ["rate"]);
  if (fields.has("growth") && !growth.has("rate")) reader.add([...path, "growth"], "growth needs a rate");
  const result: ScenarioFileSet = {
    name: name ?? "",
    version: version ?? "",
    fileCount: reader.wholeNumber(fields.get("files") ?? 1, [...path, "files"], 1, maximumEntries) ?? 1,
    totalBytes: totalBytes ?? 0,
    blockBytes: parseBlockBytes(reader, fields, path, totalBytes ?? 0),
    origins: parseOrigins(reader, fields.get("origins"), [...path, "origins"], agents),
    targets,
    atNanoseconds: reader.duration(fields.get("at"), [...path, "at"]) ?? 0,
    priority: reader.wholeNumber(fields.get("priority"), [...path, "priority"], -maximumPriority, maximumPriority) ?? 0,
    holders: parseHolders(reader, fields.get("holders"), [...path, "holders"], agents),
    growthBitsPerSecond: reader.rate(growth.get("rate"), [...path, "growth", "rate"]),
  };
  return name === undefined || version === undefined ? undefined : result;
}

function parseBlockBytes(reader: ScenarioReader, fields: Fields, path: MistakePath, totalBytes: number): number {
  const place = [...path, "blockBytes"];
  const given = reader.bytes(fields.get("blockBytes"), place) ?? defaultBlockBytes;
  // Agents take no larger blocks: a larger one stands for as many equal ones as it needs.
  const blockBytes = Math.ceil(given / Math.max(1, Math.ceil(given / maximumBlockBytes)));
  if (given < 1) {
    reader.add(place, "a block has at least 1 byte");
  } else if (totalBytes / blockBytes > maximumBlocks) {
    reader.add(place, `more than ${String(maximumBlocks)} blocks: make them larger`);
  }
  return blockBytes;
}

function parseOrigins(
  reader: ScenarioReader,
  value: unknown,
  path: MistakePath,
  agents: ReadonlyMap<string, ScenarioAgent>,
): string[] {
  const origins: string[] = [];
  for (const [index, entry] of reader.list(value, path).entries()) {
    const name = parseAgentName(reader, entry, [...path, index], agents);
    if (name === undefined) continue;
    if (origins.includes(name)) reader.add([...path, index], `${name} is there twice`);
    origins.push(name);
  }
  if (Array.isArray(value) && value.length === 0) reader.add(path, "a file set needs an origin");
  return origins;
}

function parseHolders(
  reader: ScenarioReader,
  value: unknown,
  path: MistakePath,
  agents: ReadonlyMap<string, ScenarioAgent>,
): ScenarioHolders[] {
  return reader.list(value, path).flatMap((entry, index) => {
    const place = [...path, index];
    const fields = reader.object(entry, place, ["agents", "portion"]);
    for (const key of ["agents", "portion"]) {
      if (!fields.has(key)) reader.add(place, `holders need ${key}`);
    }
    const text = reader.text(fields.get("agents"), [...place, "agents"]) ?? "all";
    const selector = reader.attempt([...place, "agents"], () => parseSelector(text));
    const portion = reader.part(fields.get("portion"), [...place, "portion"]);
    if (selector === undefined || portion === undefined) return [];
    if (![...agents.values()].some((agent) => matchesSelector(selector, agent))) {
      reader.add([...place, "agents"], `no agent is meant by ${JSON.stringify(text)}`);
    }
    return [{ selector, portion }];
  });
}

const actions = ["stop", "start", "lose", "set", "corrupt"] as const;

function parseEvent(
  reader: ScenarioReader,
  value: unknown,
  path: MistakePath,
  agents: ReadonlyMap<string, ScenarioAgent>,
  topology: Topology | undefined,
): ScenarioEvent | undefined {
  const fields = reader.object(value, path, ["at", ...actions, "to"]);
  const given = actions.filter((action) => fields.has(action));
  const [type] = given;
  if (type === undefined || given.length > 1) {
    reader.add(path, `an event needs one of ${actions.join(", ")}`);
    return undefined;
  }
  if (!fields.has("at")) reader.add(path, "an event needs at");
  const atNanoseconds = reader.duration(fields.get("at"), [...path, "at"]) ?? 0;
  if (type !== "set") {
    if (fields.has("to")) reader.add([...path, "to"], "only set takes to");
    const isController = fields.get(type) === controllerName && (type === "stop" || type === "start");
    const name = isController ? controllerName : parseAgentName(reader, fields.get(type), [...path, type], agents);
    return name === undefined ? undefined : { type, atNanoseconds, name };
  }
  if (!fields.has("to")) reader.add(path, "set needs to");
  const bitsPerSecond = reader.rate(fields.get("to"), [...path, "to"]);
  const resource = reader.text(fields.get("set"), [...path, "set"]);
  if (resource === undefined || topology === undefined) return undefined;
  const isKnown = reader.attempt([...path, "set"], () => {
    const reference = parseResourceName(resource);
    if (reference.kind === "agentNicUp" || reference.kind === "agentNicDown") {
      return parseAgentName(reader, reference.agent, [...path, "set"], agents) !== undefined;
    }
    return topology.withCapability(resource, bitsPerSecond ?? 1) !== undefined;
  });
  return isKnown !== true || bitsPerSecond === undefined ? undefined : { type, atNanoseconds, resource, bitsPerSecond };
}

function parseAgentName(
  reader: ScenarioReader,
  value: unknown,
  path: MistakePath,
  agents: ReadonlyMap<string, ScenarioAgent>,
): string | undefined {
  const name = reader.text(value, path);
  if (name === undefined || agents.has(name)) return name;
  reader.add(path, `there is no agent ${JSON.stringify(name)}${suggestion(name, agents.keys())}`);
  return undefined;
}

function suggestion(name: string, known: Iterable<string>): string {
  const nearest = nearestSpelling(name, known);
  return nearest === undefined ? "" : `: did you mean ${nearest}?`;
}
