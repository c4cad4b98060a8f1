/** The topology file that the controller of a race is started with. */
import { stringify } from "yaml";
import type { Topology } from "#src/model/topology.ts";
import type { ScenarioAgent } from "#src/simulator/scenario.ts";

/** In the grammar of docs/topology.md; undefined: nothing is limited, and the controller gets no file. */
export function declaredText(topology: Topology, agents: readonly ScenarioAgent[]): string | undefined {
  if (topology.isUnlimited) return undefined;
  const sites = [...topology.sites].map(([name, { uplinkBitsPerSecond: uplink, downlinkBitsPerSecond: downlink }]) => [
    name,
    defined({ uplink, downlink }),
  ]);
  // Every agent's interface is said by itself: a group of a race is not known to the controller.
  const nics = agents.map((agent) => {
    const { upBitsPerSecond: up, downBitsPerSecond: down } = topology.nicOf(agent);
    return [agent.name, { nic: defined({ up, down }) }];
  });
  return stringify({
    resources: Object.fromEntries([...topology.resources].map(([name, capability]) => [name, { capability }])),
    sites: Object.fromEntries(sites),
    agents: Object.fromEntries(nics),
    paths: topology.paths,
  });
}

function defined(fields: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}
