/**
 * A topology as the plain object that is written to a file: parsing it gives the same topology.
 */
import type { NicCapability, Topology, TopologyPath } from "./topology-network.ts";

interface NicObject {
  up?: string;
  down?: string;
}

/** The keys are those of the file; capabilities are texts such as "10Gbps". */
export interface TopologyObject {
  resources?: Record<string, { capability: string }>;
  sites?: Record<string, { uplink?: string; downlink?: string }>;
  defaults?: { nic: NicObject };
  agents?: Record<string, { nic: NicObject }>;
  paths?: TopologyPath[];
}

const units = ["bps", "Kbps", "Mbps", "Gbps", "Tbps"] as const;

/** What is empty is left out; without a file, that is everything. */
export function formatTopology(topology: Topology): TopologyObject {
  const object: TopologyObject = {};
  if (topology.resources.size > 0) {
    object.resources = mapToObject(topology.resources, (bitsPerSecond) => ({ capability: exactRate(bitsPerSecond) }));
  }
  if (topology.sites.size > 0) {
    object.sites = mapToObject(topology.sites, ({ uplinkBitsPerSecond, downlinkBitsPerSecond }) => ({
      ...(uplinkBitsPerSecond === undefined ? {} : { uplink: exactRate(uplinkBitsPerSecond) }),
      ...(downlinkBitsPerSecond === undefined ? {} : { downlink: exactRate(downlinkBitsPerSecond) }),
    }));
  }
  const nic = formatNic(topology.defaults.nic);
  if (Object.keys(nic).length > 0) object.defaults = { nic };
  if (topology.agents.size > 0) {
    object.agents = mapToObject(topology.agents, (agent) => ({ nic: formatNic(agent.nic) }));
  }
  if (topology.paths.length > 0) {
    object.paths = topology.paths.map(({ from, to, through }) => ({ from, to, through: [...through] }));
  }
  return object;
}

function formatNic({ upBitsPerSecond, downBitsPerSecond }: NicCapability): NicObject {
  return {
    ...(upBitsPerSecond === undefined ? {} : { up: exactRate(upBitsPerSecond) }),
    ...(downBitsPerSecond === undefined ? {} : { down: exactRate(downBitsPerSecond) }),
  };
}

/** The rate in the largest unit that needs no fraction. */
function exactRate(bitsPerSecond: number): string {
  let rest = bitsPerSecond;
  let index = 0;
  while (rest > 0 && rest % 1000 === 0 && index < units.length - 1) {
    rest /= 1000;
    index += 1;
  }
  return `${String(rest)}${units[index] ?? ""}`;
}

function mapToObject<Value, Result>(
  map: ReadonlyMap<string, Value>,
  convert: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries([...map].map(([key, value]) => [key, convert(value)]));
}
