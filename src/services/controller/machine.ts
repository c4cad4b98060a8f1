/**
 * The controller's thinking as its program sees it. `ControllerCore` is one; tests of the program have a smaller one.
 * `handle` alone changes it; the rest are views, taken between two events.
 */
import type { ControllerEvent, ControllerOutput } from "../../control/controller/controller-events.ts";
import type { Topology } from "../../model/topology.ts";
import type { LiveView } from "../../control/controller/live/live-view.ts";
import type { PlanView } from "../../protocol/plan-views.ts";
import type {
  AgentView,
  FileList,
  ResourceView,
  StatusView,
  VersionDetail,
  VersionSummary,
} from "../../protocol/views.ts";

/** The live views: told of everything that is handled, looked at when someone listens. */
export type LiveFeed = Pick<
  LiveView,
  "before" | "after" | "open" | "close" | "snapshot" | "tick" | "periodMilliseconds" | "figures"
>;

export interface ControllerMachine {
  handle(event: ControllerEvent, nowNanoseconds: number): ControllerOutput;
  status(): StatusView;
  fileSets(): VersionSummary[];
  /** `withFiles` false leaves the list of files out. */
  fileSet(name: string, version: string, withFiles?: boolean): VersionDetail | undefined;
  /** Some of the files of a version, in the order of its manifest. */
  files(fileSet: string, offset: number, limit: number): FileList | undefined;
  agents(): AgentView[];
  resources(): ResourceView[];
  /** What there is of a version's manifest; `fileSet` is its key, NAME@VERSION. */
  manifestBytes(fileSet: string): Uint8Array | undefined;
  /** A version's plan; undefined: it has none. @param agent whose steps are listed */
  plan(name: string, version: string, agent: string | undefined): PlanView | undefined;
  topology(): Topology;
  /** After a start, until agents are back: nothing is scheduled. */
  waitsForAgents(): boolean;
  /** What the event stream shows; one for each machine. */
  live(): LiveFeed;
}
