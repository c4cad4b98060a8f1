/** Brings the controller's memory back from its durable rows, after a start. */
import { UserError } from "../../std/errors.ts";
import {
  activeRowSchema,
  agentRowSchema,
  componentRowSchema,
  fileSetRowSchema,
  readRow,
  removedPrefix,
  sequenceRowSchema,
} from "./records.ts";
import { newAgent } from "./agent-channel.ts";
import { enterFileSet } from "./file-sets.ts";
import { restorePlans } from "./plans.ts";
import { publishOf } from "./publish-progress.ts";
import type { StoredRow } from "../store-port.ts";
import type { ControllerState } from "./state.ts";

/** @throws UserError when a row cannot be read, or a manifest is not what its root names */
export function restore(state: ControllerState, rows: readonly StoredRow[]): void {
  const stretches = new Map<string, StoredRow[]>();
  for (const row of rows) {
    if (row.table !== "manifests") continue;
    const fileSet = row.key.slice(0, row.key.lastIndexOf("/"));
    const list = stretches.get(fileSet) ?? [];
    list.push(row);
    stretches.set(fileSet, list);
  }
  for (const row of rows) {
    if (row.table === "agents") restoreAgent(state, row);
    else if (row.table === "components") restoreComponent(state, row);
    else if (row.table === "meta") restoreMeta(state, row);
    else if (row.table === "fileSets") restoreFileSet(state, row, stretches.get(row.key) ?? []);
  }
  restorePlans(state, rows);
}

function restoreAgent(state: ControllerState, stored: StoredRow): void {
  const row = readRow(stored, agentRowSchema);
  const agent = newAgent(row);
  state.agents.set(row.agentId, agent);
  state.agentsByName.set(row.name, agent);
  if (row.online && !row.blocked) state.awaitedAgents.add(row.agentId);
}

function restoreComponent(state: ControllerState, stored: StoredRow): void {
  const { count, outOfUse, reason } = readRow(stored, componentRowSchema);
  state.failures.restore(stored.key, count, outOfUse, reason, state.now);
  if (outOfUse) state.scheduler.world.setOutOfUse(stored.key, true);
}

function restoreMeta(state: ControllerState, stored: StoredRow): void {
  if (stored.key === "sequence") state.nextSequence = readRow(stored, sequenceRowSchema).next;
  else if (stored.key.startsWith(removedPrefix)) state.removed.add(stored.key.slice(removedPrefix.length));
  else if (stored.key.startsWith("active/")) {
    state.active.set(stored.key.slice("active/".length), readRow(stored, activeRowSchema).version);
  }
}

function restoreFileSet(state: ControllerState, stored: StoredRow, stretches: readonly StoredRow[]): void {
  const row = readRow(stored, fileSetRowSchema);
  const ordered = [...stretches].sort((a, b) => (a.key < b.key ? -1 : 1));
  try {
    const fileSet = enterFileSet(
      state,
      row,
      ordered.map((stretch) => stretch.value),
    );
    if (row.state === "publishing") publishOf(state, fileSet);
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof RangeError)) throw error;
    throw new UserError(`the controller's store is damaged: ${error.message}`, { cause: error });
  }
}

/** Lane ids of one term do not meet those of the terms around it: agents may still know the older ones. */
export function firstLaneId(term: number): number {
  return (term % 1_024) * 4_194_304 + 1;
}
