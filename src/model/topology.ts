/**
 * The topology, all of it: what it is, how it is read and how it is written.
 */
export { Topology, emptyTopology } from "./topology-network.ts";
export type { NicCapability } from "./topology-network.ts";
export { TopologyError, formatMistakePath, parseNic, parseTopology } from "./topology-parser.ts";
export { formatTopology } from "./topology-format.ts";
