/**
 * Cuts a state into messages of bounded size. The first carries `whole` if it is so; those behind it add to it, so that
 * the controller, taking them in order, ends with the same whatever the cut.
 */
import type { FileSetState, LaneReport, Reached, StateMessage } from "../../protocol/agent-messages.ts";
import type { Failure, FileSetKey, FlatRanges } from "../../protocol/parts.ts";
import { entriesPerReport, rangesPerReport } from "./limits.ts";

export interface StateParts {
  readonly whole: boolean;
  readonly fileSets: readonly FileSetState[];
  readonly deleted: readonly FileSetKey[];
  readonly current: readonly { name: string; version: string | null }[];
  readonly lanes: readonly LaneReport[];
  readonly failures: readonly Failure[];
  readonly freeDiskBytes?: number;
  /** As many as one message holds. */
  readonly reached?: Reached[];
}

/** At least one message, also when nothing is to be said: a heartbeat. */
export function packStates(parts: StateParts): StateMessage[] {
  const messages: StateMessage[] = [];
  let current = emptyState(parts.whole);
  let room = rangesPerReport;
  const next = () => {
    messages.push(current);
    current = emptyState(false);
    room = rangesPerReport;
  };
  if (parts.freeDiskBytes !== undefined) current.freeDiskBytes = parts.freeDiskBytes;
  if (parts.reached !== undefined) current.reached = parts.reached;
  for (const fileSet of parts.deleted) {
    if (current.deleted.length >= entriesPerReport) next();
    current.deleted.push(fileSet);
  }
  // A file set that was deleted and is there anew: the controller must see the one before the other.
  if (parts.deleted.length > 0 && parts.fileSets.some((state) => parts.deleted.includes(state.fileSet))) next();
  for (const state of parts.fileSets) {
    for (const slice of slicesOf(state)) {
      const ranges = rangesIn(slice);
      if (ranges > room || current.fileSets.length >= entriesPerReport) next();
      current.fileSets.push(slice);
      room -= ranges;
    }
  }
  for (const lane of parts.lanes) {
    if (current.lanes.length >= entriesPerReport) next();
    current.lanes.push(lane);
  }
  for (const move of parts.current) {
    if (current.current.length >= entriesPerReport) next();
    current.current.push(move);
  }
  for (const failure of parts.failures) {
    if (current.failures.length >= entriesPerReport) next();
    current.failures.push(failure);
  }
  messages.push(current);
  return messages;
}

function emptyState(whole: boolean): StateMessage {
  return { type: "state", whole, fileSets: [], deleted: [], current: [], lanes: [], failures: [] };
}

function rangesIn(state: FileSetState): number {
  return (state.manifest.length + state.content.length + state.lost.length) / 2;
}

/** The state itself, or several of the same file set that together say as much. */
function slicesOf(state: FileSetState): FileSetState[] {
  if (rangesIn(state) <= rangesPerReport) return [state];
  const slices: FileSetState[] = [];
  for (const kind of ["lost", "manifest", "content"] as const) {
    for (let start = 0; start < state[kind].length; start += 2 * rangesPerReport) {
      const ranges: FlatRanges = state[kind].slice(start, start + 2 * rangesPerReport);
      slices.push({ ...state, manifest: [], content: [], lost: [], [kind]: ranges });
    }
  }
  return slices;
}
