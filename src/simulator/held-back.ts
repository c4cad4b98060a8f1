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
      return {
        resources: known(waysInto(names, sites, links, scenario)),
        explanation: `what can come into ${listed(names)}`,
      };
    case "out of sites":
      return { resources: known(names.map(siteUplink)), explanation: `what can leave ${listed(names)}` };
    case "between sites":
      return { resources: known(sites.map(siteUplink)), explanation: "what all sites together can send to each other" };
    case "uploads into a site":
      return {
        resources: known(waysInto(names, sites, links, scenario)),
        explanation: `what can come into ${listed(names)}, with what its agents can send`,
      };
    case "passing on the last block":
      return {
        resources: known([...new Set(scenario.fileSets.flatMap(({ origins }) => origins))].map(agentNicUp)),
        explanation: "what an origin can send, and that a block must be whole before it is passed on",
      };
    case "production and the last block":
      return { resources: [], explanation: "the rate at which the file set is produced" };
    default:
      return { resources: [], explanation: kind };
  }
}

/** What lets the least into these sites: their downlinks, the uplinks of the others, or the links by name between. */
function waysInto(
  inside: readonly string[],
  sites: readonly string[],
  links: ReadonlyMap<string, Link>,
  scenario: Scenario,
): string[] {
  const between = new Set<string>();
  for (const { from, to, through } of scenario.topology.paths) {
    if (inside.includes(to) && !inside.includes(from)) for (const name of through) between.add(namedResource(name));
  }
  const outside = sites.filter((site) => !inside.includes(site));
  const capacityOf = (resources: readonly string[]): number =>
    resources.length === 0
      ? Infinity
      : resources.reduce((sum, name) => sum + (links.get(name)?.capabilityBitsPerSecond ?? Infinity), 0);
  const choices = [inside.map(siteDownlink), outside.map(siteUplink), [...between]];
  return choices.reduce((least, choice) => (capacityOf(choice) < capacityOf(least) ? choice : least));
}

/** How much of what it can carry a link has carried: only to compare. */
function useOf(link: Link): number {
  return link.carriedBits / link.trueBitsPerSecond;
}

function listed(sites: readonly string[]): string {
  return sites.length === 1 ? `site ${sites[0] ?? ""}` : `sites ${sites.join(", ")}`;
}
