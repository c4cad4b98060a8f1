/**
 * The controller's thinking as its program sees it. `ControllerCore` is one; tests of the program have a smaller one.
 * `handle` alone changes it; the rest are views, taken between two events.
 */
import type { ControllerEvent, ControllerOutput } from "../../control/controller/controller-events.ts";
import type { Topology } from "../../model/topology.ts";
import type { AgentView, ResourceView, StatusView, VersionDetail, VersionSummary } from "../../protocol/views.ts";

export interface ControllerMachine {
  handle(event: ControllerEvent, nowNanoseconds: number): ControllerOutput;
  status(): StatusView;
  fileSets(): VersionSummary[];
  /** `withFiles` false leaves the list of files out. */
  fileSet(name: string, version: string, withFiles?: boolean): VersionDetail | undefined;
  agents(): AgentView[];
  resources(): ResourceView[];
  /** What there is of a version's manifest; `fileSet` is its key, NAME@VERSION. */
  manifestBytes(fileSet: string): Uint8Array | undefined;
  topology(): Topology;
}
