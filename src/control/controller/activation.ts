/** Which version of a file set is active: durable first, then known to every agent that has anything of that name. */
import { reconcileFileSet } from "./assignments.ts";
import { putRow } from "./records.ts";
import { storeFileSet, versionsOf, type ControllerState, type FileSet } from "./state.ts";

/** Makes a published version the active one. Versions before it need no longer be obtained. */
export function activateVersion(state: ControllerState, fileSet: FileSet): void {
  if (!fileSet.row.wasActive) {
    fileSet.row = { ...fileSet.row, wasActive: true };
    storeFileSet(state, fileSet);
  }
  setActive(state, fileSet.row.name, fileSet.row.version);
}

export function setActive(state: ControllerState, name: string, version: string | null): void {
  if ((state.active.get(name) ?? null) === version) return;
  state.active.set(name, version);
  state.out.store(putRow("meta", `active/${name}`, { version }));
  state.out.note("info", version === null ? `${name} has no active version` : `${name}: ${version} is active`, {
    fileSet: version === null ? name : `${name}@${version}`,
  });
  for (const fileSet of versionsOf(state, name)) reconcileFileSet(state, fileSet);
  state.scheduler.touchAll();
}
