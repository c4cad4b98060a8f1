/** Reads a topology as people write it, in YAML: mistakes are reported as yaml-text.ts says. */
import { parseTopology } from "../model/topology-parser.ts";
import type { Topology } from "../model/topology.ts";
import { parseYamlText, readTextFile } from "./yaml-text.ts";

export { YamlTextError as TopologyTextError } from "./yaml-text.ts";

/** The largest topology that is read: some ten thousand agents with a line each fit many times over. */
export const maximumTopologyBytes = 8 * 1024 * 1024;

export interface TopologyText {
  readonly topology: Topology;
  /** The text that was read. */
  readonly text: string;
}

/**
 * Reads this file.
 * @throws YamlTextError for mistakes in it, UserError when it cannot be read or is too large
 */
export async function readTopologyFile(path: string): Promise<TopologyText> {
  const text = await readTextFile(path, "the topology", maximumTopologyBytes);
  return { topology: parseTopologyText(text, path), text };
}

/**
 * Reads this text.
 * @param name what to call the text in mistakes: its file's name
 * @throws YamlTextError
 */
export function parseTopologyText(text: string, name: string): Topology {
  return parseYamlText(text, name, parseTopology);
}
