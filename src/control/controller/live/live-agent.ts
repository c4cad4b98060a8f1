/** An agent as the live views know it: its place in the tables of progress, and sums over the file sets it should hold. */
import type { Agent } from "../state.ts";
import type { AgentRow } from "../records.ts";

export interface AgentTally {
  wanted: number;
  held: number;
  stalled: number;
  heldBytes: number;
  wantedBytes: number;
}

export interface LiveAgent {
  readonly agentId: string;
  /** Its column in the tables of every file set. */
  readonly column: number;
  readonly agent: Agent;
  /** As it was looked at last. */
  row: AgentRow;
  online: boolean;
  readonly tally: AgentTally;
  /** Places of its interfaces in the ledger, once they are there. */
  nicUp: number | undefined;
  nicDown: number | undefined;
}

export function emptyAgentTally(): AgentTally {
  return { wanted: 0, held: 0, stalled: 0, heldBytes: 0, wantedBytes: 0 };
}
