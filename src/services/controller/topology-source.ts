/**
 * Where the controller's topology comes from: the FILE that it was started with, else what an operator applied last, else
 * nothing (any site, no limits). What is in force is in the store, as the text that people wrote, comments and all.
 */
import type { StoreChange, StorePort } from "../../control/store-port.ts";
import { emptyTopology } from "../../model/topology.ts";
import type { Topology } from "../../model/topology.ts";
import { parseTopologyText } from "../../platform/yaml-topology.ts";
import type { TopologyText } from "../../platform/yaml-topology.ts";
import { UserError } from "../../std/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../std/utf8.ts";

/** The program's own row; the state machine leaves the table alone. */
const topologyRow = { table: "topology", key: "text" } as const;

export interface InitialTopology {
  readonly topology: Topology;
  readonly text: string | undefined;
  /** What must become durable with the start. */
  readonly changes: readonly StoreChange[];
}

/**
 * The topology to start with.
 * @param file what `--topology` read, if it was given
 * @throws UserError when the stored one does not fit this program any more
 */
export async function initialTopology(store: StorePort, file: TopologyText | undefined): Promise<InitialTopology> {
  if (file !== undefined) return { ...file, changes: [topologyChange(file.text)] };
  const stored = await store.read(topologyRow.table, topologyRow.key);
  if (stored === undefined) return { topology: emptyTopology(), text: undefined, changes: [] };
  const text = decodeUtf8(stored);
  try {
    return { topology: parseTopologyText(text, "the stored topology"), text, changes: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message, { hint: "give a right one with --topology FILE", cause: error });
  }
}

/** The row that makes this text the stored topology. */
export function topologyChange(text: string): StoreChange {
  return { ...topologyRow, value: encodeUtf8(text) };
}
