/**
 * Reads a race: a scenario, and beside it `declared` (the topology that the controller is given), `shaped` (false: the
 * kernel limits nothing) and `competing` (TCP flows of others). What a scenario can say and real programs cannot do is a
 * mistake with its place, not something that is left out silently.
 */
import { parseTopology } from "#src/model/topology-parser.ts";
import type { Topology } from "#src/model/topology.ts";
import { matchesSelector, parseSelector } from "#src/model/selector.ts";
import { ScenarioReader } from "#src/simulator/scenario-reader.ts";
import { parseScenario } from "#src/simulator/scenario-parser.ts";
import type { Scenario } from "#src/simulator/scenario.ts";
import type { CompetingFlow, Race } from "./race.ts";

const ownKeys: readonly string[] = ["declared", "shaped", "competing"];

/** @param value what a YAML file holds @throws ScenarioError (a UserError) with all mistakes, by their paths */
export function parseRace(value: unknown, name: string): Race {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const entries = isObject ? Object.entries(value) : [];
  const scenario = parseScenario(
    isObject ? Object.fromEntries(entries.filter(([key]) => !ownKeys.includes(key))) : value,
  );
  const reader = new ScenarioReader();
  const own = new Map(entries.filter(([key]) => ownKeys.includes(key)));
  const declared = own.has("declared")
    ? reader.attempt(["declared"], () => parseTopology(own.get("declared")))
    : undefined;
  if (declared !== undefined) checkDeclared(reader, scenario, declared);
  const shaped = own.get("shaped") ?? true;
  if (typeof shaped !== "boolean") reader.add(["shaped"], "expected true or false");
  const competing = parseCompeting(reader, own.get("competing"), scenario);
  checkRunsInLab(reader, scenario);
  reader.throwIfAny();
  return {
    name,
    scenario,
    declared: declared ?? scenario.topology,
    declaresOther: declared !== undefined,
    shaped: shaped !== false,
    competing,
  };
}

/** An agent of an unknown site would be refused by the controller, and wait for ever. */
function checkDeclared(reader: ScenarioReader, scenario: Scenario, declared: Topology): void {
  for (const site of new Set(scenario.agents.map((agent) => agent.site))) {
    if (!declared.acceptsSite(site)) reader.add(["declared", "sites"], `the site ${site} is missing`);
  }
}

function parseCompeting(reader: ScenarioReader, value: unknown, scenario: Scenario): CompetingFlow[] {
  const names = new Set(scenario.agents.map((agent) => agent.name));
  return reader.list(value, ["competing"]).flatMap((entry, index) => {
    const fields = reader.object(entry, ["competing", index], ["from", "to"]);
    const from = reader.text(fields.get("from"), ["competing", index, "from"]);
    const to = reader.text(fields.get("to"), ["competing", index, "to"]);
    for (const [key, host] of [
      ["from", from],
      ["to", to],
    ] as const) {
      if (host === undefined) reader.add(["competing", index], `a competing flow needs ${key}`);
      else if (!names.has(host)) reader.add(["competing", index, key], `there is no agent ${JSON.stringify(host)}`);
    }
    return from === undefined || to === undefined ? [] : [{ from, to }];
  });
}

/** Everything that only a simulator can do. */
function checkRunsInLab(reader: ScenarioReader, scenario: Scenario): void {
  if (scenario.jitter > 0) reader.add(["jitter"], "a race has no jitter: leave it out");
  if (scenario.verificationBitsPerSecond !== undefined) {
    reader.add(["verification"], "in a race, verifying takes the time that it takes: leave it out");
  }
  if (scenario.agents.some(({ trueRate }) => trueRate < 1)) {
    reader.add(["agents"], "a race has no true rates: say what the controller is told under declared");
  }
  for (const [index, { type }] of scenario.events.entries()) {
    if (type === "lose" || type === "corrupt") {
      reader.add(["events", index], `a race cannot ${type}: it takes stop, start and set`);
    }
  }
  for (const [index, fileSet] of scenario.fileSets.entries()) {
    const add = (key: string, message: string): void => reader.add(["fileSets", index, key], message);
    if (fileSet.holders.length > 0) add("holders", "in a race, nobody but the origin holds anything at the start");
    if (fileSet.origins.length !== 1) add("origins", "a race takes one origin for each file set");
    if (fileSet.growthBitsPerSecond !== undefined && fileSet.fileCount > 1) add("files", "what grows is one file");
    if (fileSet.totalBytes === 0) add("bytes", "a race needs something to carry");
    if (scenario.relays === "all" && targetsOf(scenario, index).length + 1 < scenario.agents.length) {
      reader.add(["relays"], "agents that are no targets carry nothing in a race: leave it out");
    }
  }
  if (scenario.fileSets.length === 0) reader.add(["fileSets"], "a race needs something to carry");
}

/** The hosts that are to get a file set, without its origin. */
export function targetsOf(scenario: Scenario, fileSet: number): string[] {
  const spec = scenario.fileSets[fileSet];
  if (spec === undefined) return [];
  const selector = parseSelector(spec.targets);
  return scenario.agents
    .filter((agent) => matchesSelector(selector, agent) && !spec.origins.includes(agent.name))
    .map(({ name }) => name);
}
