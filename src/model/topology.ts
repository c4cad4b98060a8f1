/**
 * The topology, all of it: what it is, how it is read and how it is written.
 */
export { Topology, emptyTopology } from "./topology-network.ts";
export type { AgentPlace, NicCapability, SiteCapability, TopologyData, TopologyPath } from "./topology-network.ts";
export { TopologyError, formatMistakePath, parseNic, parseTopology } from "./topology-parser.ts";
export type { TopologyMistake } from "./topology-parser.ts";
export { formatTopology } from "./topology-format.ts";
export type { TopologyObject } from "./topology-format.ts";
