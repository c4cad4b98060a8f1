/** Which resource a distribution waits for, in words: what the bound that binds is made of. */
import type { Bound } from "../bound/cut-bound.ts";
import { agentNicDown, agentNicUp, namedResource, siteDownlink, siteUplink } from "../model/resources.ts";
import type { Link } from "./flow.ts";
import type { Scenario } from "./scenario.ts";

/** Resources that are named; where more share the blame, they are summed up in words. */
const maximumNamed = 8;

export interface HeldBack {
  /** The resources of the cut that binds, the most used one first; empty where it is no resource that binds. */
  readonly resources: readonly string[];
  readonly explanation: string;
}

/** @param links by name of the resource */
export function heldBackBy(
  bound: Pick<Bound, "kind" | "where">,
  links: ReadonlyMap<string, Link>,
  scenario: Scenario,
): HeldBack {
  const { kind, where } = bound;
  const names = where === "" ? [] : where.split(", ");
  const known = (resources: readonly string[]): string[] =>
    resources
      .flatMap((resource) => links.get(resource) ?? [])
      .sort((one, other) => useOf(other) - useOf(one))
      .slice(0, maximumNamed)
      .map(({ name }) => name);
  const sites = [...new Set(scenario.agents.map(({ site }) => site))];
  switch (kind) {
    case "into an agent":
      return { resources: known(names.map(agentNicDown)), explanation: `what ${where} can take in` };
    case "out of origins":
      return { resources: known(names.map(agentNicUp)), explanation: "what the origins can send" };
    case "all uploads":
      return {
        resources: known(scenario.agents.map(({ name }) => agentNicUp(name))),
        explanation: "what all agents together can send",
      };
    case "into sites":
      return { resources: known(waysInto(names, sites, scenario)), explanation: `what can come into ${listed(names)}` };
    case "out of sites":
      return { resources: known(names.map(siteUplink)), explanation: `what can leave ${listed(names)}` };
    case "between sites":
      return { resources: known(sites.map(siteUplink)), explanation: "what all sites together can send to each other" };
    case "uploads into a site":
      return {
        resources: known(waysInto(names, sites, scenario)),
        explanation: `what can come into ${listed(names)}, with what its agents can send`,
      };
    case "passing on the last block":
      return {
        resources: [],
        explanation: "that a block must be whole before it is passed on: smaller blocks would help",
      };
    case "production and the last block":
      return { resources: [], explanation: "the rate at which the file set is produced" };
    default:
      return { resources: [], explanation: kind };
  }
}

/** The downlinks of these sites, and the links by name that lead there; with neither, the uplinks of the others. */
function waysInto(inside: readonly string[], sites: readonly string[], scenario: Scenario): string[] {
  const ways = new Set(inside.map(siteDownlink));
  for (const { from, to, through } of scenario.topology.paths) {
    if (inside.includes(to) && !inside.includes(from)) for (const name of through) ways.add(namedResource(name));
  }
  for (const site of sites) if (!inside.includes(site)) ways.add(siteUplink(site));
  return [...ways];
}

/** How much of what it can carry a link has carried: only to compare. */
function useOf(link: Link): number {
  return link.carriedBits / link.trueBitsPerSecond;
}

function listed(sites: readonly string[]): string {
  return sites.length === 1 ? `site ${sites[0] ?? ""}` : `sites ${sites.join(", ")}`;
}
