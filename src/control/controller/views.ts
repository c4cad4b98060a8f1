/** What the controller shows of itself: views made from the state, for the API. They change nothing. */
import { RangeSet } from "../../std/ranges.ts";
import type { AgentView, ResourceView, StatusView, VersionDetail, VersionSummary } from "../../protocol/views.ts";
import type { Usage } from "../../protocol/api/rows.ts";
import type { LedgerEntry } from "../../scheduler/ledger.ts";
import { isDue, isOrigin, isTarget } from "./assignments.ts";
import type { Agent, ControllerState, FileSet } from "./state.ts";

/** Files that `fileset show` lists at most. */
export const maximumListedFiles = 10_000;
/** Resources that the status names as the busiest. */
const busiestResources = 8;

export function versionSummary(state: ControllerState, fileSet: FileSet): VersionSummary {
  const { row, manifest } = fileSet;
  const counts = { targets: 0, held: 0, offline: 0, stalled: 0 };
  let heldBytes = 0;
  for (const agent of state.agents.values()) {
    if (!isTarget(state, agent, fileSet)) continue;
    const known = agent.fileSets.get(fileSet.key);
    counts.targets += 1;
    if (known !== undefined) heldBytes += manifest.bytesInRanges(known.held);
    if (known?.status === "held" && known.root === row.root) counts.held += 1;
    else if (agent.connectionId === undefined) counts.offline += 1;
    else if (known?.status === "stalled") counts.stalled += 1;
  }
  return {
    fileSet: fileSet.key,
    name: row.name,
    version: row.version,
    state: row.state,
    active: state.active.get(row.name) === row.version,
    paused: row.paused,
    growing: !manifest.isComplete,
    selector: row.selector,
    priority: row.priority,
    root: row.root,
    sequence: row.sequence,
    files: manifest.files.length,
    blocks: manifest.blockCount,
    totalBytes: manifest.totalBytes,
    counts,
    heldBytes,
    createdAtMilliseconds: row.createdAtMilliseconds,
  };
}

export function versionDetail(state: ControllerState, fileSet: FileSet, listedFiles: number): VersionDetail {
  const agents = [...state.agents.values()].filter(
    (agent) =>
      agent.fileSets.has(fileSet.key) ||
      isTarget(state, agent, fileSet) ||
      (isOrigin(agent, fileSet) && isDue(state, fileSet)),
  );
  return {
    ...versionSummary(state, fileSet),
    agents: agents.map((agent) => {
      const known = agent.fileSets.get(fileSet.key);
      const upToDate = known?.root === fileSet.row.root;
      return {
        agent: agent.row.name,
        site: agent.row.site,
        online: agent.connectionId !== undefined,
        status: known === undefined ? "unknown" : known.status === "held" && !upToDate ? "fetching" : known.status,
        heldBytes: fileSet.manifest.bytesInRanges(known?.held ?? new RangeSet()),
        current: agent.current.get(fileSet.row.name) === fileSet.row.version,
        target: isTarget(state, agent, fileSet),
        ...(known?.problem === undefined ? {} : { problem: known.problem }),
      };
    }),
    fileList: fileSet.manifest.files.slice(0, listedFiles).map(({ path, lengthBytes, version, growing, ended }) => ({
      path,
      lengthBytes,
      version,
      growing: growing && !ended,
    })),
    fileListCut: fileSet.manifest.files.length > listedFiles,
  };
}

export function agentView(state: ControllerState, agent: Agent): AgentView {
  const component = state.failures.get(`agents.${agent.row.name}`);
  return {
    name: agent.row.name,
    agentId: agent.row.agentId,
    site: agent.row.site,
    labels: { ...agent.row.labels },
    address: agent.row.address,
    online: agent.connectionId !== undefined,
    drained: agent.row.drained,
    blocked: agent.row.blocked,
    outOfUse: component?.outOfUse ?? false,
    freeDiskBytes: agent.freeDiskBytes ?? null,
    lanesIn: agent.member?.lanesIn.length ?? 0,
    lanesOut: agent.member?.lanesOut.length ?? 0,
    failures: component?.count ?? 0,
    fileSets: [...agent.fileSets].flatMap(([key, known]) => {
      const fileSet = state.fileSets.get(key);
      if (fileSet === undefined) return [];
      return [
        {
          fileSet: key,
          status: known.status,
          heldBytes: fileSet.manifest.bytesInRanges(known.held),
          totalBytes: fileSet.manifest.totalBytes,
          current: agent.current.get(fileSet.row.name) === fileSet.row.version,
          ...(known.problem === undefined ? {} : { problem: known.problem }),
        },
      ];
    }),
  };
}

/** What is used of a resource, by its index in the ledger: means over the last seconds; undefined: nobody counts them. */
export type UsageOf = (index: number) => Usage | undefined;

/**
 * Every resource and every other component that has failed (an agent as a source, a disk). Interfaces of agents that have
 * not been there since the controller started are in no ledger, and not listed.
 */
export function resourceViews(state: ControllerState, usageOf: UsageOf): ResourceView[] {
  const { ledger } = state.scheduler.world;
  const views = ledger.entries().map((entry, index) => {
    const { allocatedBitsPerSecond, measuredBitsPerSecond } = usageOf(index) ?? allocatedNow(entry);
    return {
      resource: entry.name,
      capabilityBitsPerSecond: entry.capability === Infinity ? null : entry.capability,
      allocatedBitsPerSecond,
      measuredBitsPerSecond,
      carriedBytes: entry.carriedBytes,
      ...failureOf(state, entry.name),
    };
  });
  const known = new Set(views.map((view) => view.resource));
  for (const component of state.failures.all()) {
    if (known.has(component.name)) continue;
    views.push({
      resource: component.name,
      capabilityBitsPerSecond: null,
      allocatedBitsPerSecond: 0,
      measuredBitsPerSecond: 0,
      carriedBytes: 0,
      ...failureOf(state, component.name),
    });
  }
  return views.sort((a, b) => (a.resource < b.resource ? -1 : 1));
}

function allocatedNow({ allocated }: LedgerEntry): Pick<Usage, "allocatedBitsPerSecond" | "measuredBitsPerSecond"> {
  return { allocatedBitsPerSecond: allocated, measuredBitsPerSecond: 0 };
}

function failureOf(state: ControllerState, name: string): { failures: number; outOfUse: boolean; reason?: string } {
  const component = state.failures.get(name);
  if (component === undefined) return { failures: 0, outOfUse: false };
  return { failures: component.count, outOfUse: component.outOfUse, reason: component.reason };
}

export function statusView(state: ControllerState, usageOf: UsageOf): StatusView {
  const agents = [...state.agents.values()];
  const resources = resourceViews(state, usageOf);
  const sites = new Map<string, { site: string; online: number; known: number }>();
  for (const agent of agents) {
    const site = sites.get(agent.row.site) ?? { site: agent.row.site, online: 0, known: 0 };
    site.known += 1;
    if (agent.connectionId !== undefined) site.online += 1;
    sites.set(agent.row.site, site);
  }
  return {
    term: state.term,
    agents: { online: agents.filter((agent) => agent.connectionId !== undefined).length, known: agents.length },
    fileSets: [...state.fileSets.values()].map((fileSet) => versionSummary(state, fileSet)),
    sites: [...sites.values()].sort((a, b) => (a.site < b.site ? -1 : 1)),
    lanes: state.scheduler.lanes.size,
    busiest: resources
      .filter((view) => use(view) > 0)
      .sort((a, b) => use(b) - use(a))
      .slice(0, busiestResources),
    outOfUse: resources.filter((view) => view.outOfUse),
  };
}

/** What was allocated or measured, over the capability; 0 where none is stated. */
function use({ capabilityBitsPerSecond, allocatedBitsPerSecond, measuredBitsPerSecond }: ResourceView): number {
  if (capabilityBitsPerSecond === null) return 0;
  return Math.max(allocatedBitsPerSecond, measuredBitsPerSecond) / capabilityBitsPerSecond;
}
