/** Rows of the topics, made from what is counted. */
import { agentNicDown, agentNicUp, parseResourceName, type ResourceReference } from "../../../model/resources.ts";
import type {
  AgentFileSetRow,
  AgentRow,
  ControllerRow,
  FileSetRow,
  FlowRow,
  ResourceRow,
  TargetRow,
  Usage,
} from "../../../protocol/api/rows.ts";
import type { LedgerEntry } from "../../../scheduler/ledger.ts";
import { isName } from "../../../model/names.ts";
import { nanosecondsPerSecond } from "../../../std/units.ts";
import type { LiveAgent } from "./live-agent.ts";
import { shownStatus, type LiveFileSet } from "./live-file-set.ts";
import type { LiveState } from "./live-state.ts";
import { threeDigits } from "./rate-meter.ts";
import type { Flow } from "./traffic.ts";

export function controllerRow({ state, progress, traffic }: LiveState): ControllerRow {
  let agentsOnline = 0;
  for (const { online } of progress.agents.values()) if (online) agentsOnline += 1;
  let received = 0;
  for (const { meter } of traffic.pairs.values()) received += meter.bitsPerSecond;
  let outOfUse = 0;
  for (const component of state.failures.all()) if (component.outOfUse) outOfUse += 1;
  return {
    term: state.term,
    agentsOnline,
    agentsKnown: progress.agents.size,
    lanes: state.scheduler.lanes.size,
    lanesOpened: traffic.lanesOpened,
    lanesEnded: traffic.lanesEnded,
    lanesFailed: traffic.lanesFailed,
    receivedBitsPerSecond: threeDigits(received),
    outOfUse,
    waitsForAgents: state.recoveringUntilNanoseconds !== undefined,
  };
}

/** What a resource by its name may carry and carries. */
export function usageOf({ state, usage }: LiveState, name: string): Usage {
  const { ledger } = state.scheduler.world;
  return usage.of(ledger.find(name));
}

export function resourceRow(live: LiveState, entry: LedgerEntry, index: number): ResourceRow {
  return {
    resource: entry.name,
    ...resourceOwner(entry.name),
    ...live.usage.of(index),
    carriedBytes: entry.carriedBytes,
    ...failuresOf(live, entry.name),
  };
}

/** A component that has failed and is no resource: an agent as a source, a disk. */
export function componentRow(live: LiveState, name: string): ResourceRow {
  return {
    resource: name,
    ...resourceOwner(name),
    capabilityBitsPerSecond: null,
    allocatedBitsPerSecond: 0,
    measuredBitsPerSecond: 0,
    carriedBytes: 0,
    ...failuresOf(live, name),
  };
}

function failuresOf(
  { state }: LiveState,
  name: string,
): Pick<ResourceRow, "failures" | "outOfUse" | "reason" | "retryInSeconds"> {
  const component = state.failures.get(name);
  if (component === undefined) return { failures: 0, outOfUse: false };
  const { count, outOfUse, reason, retryAtNanoseconds } = component;
  const retryInSeconds = Math.max(0, Math.round((retryAtNanoseconds - state.now) / nanosecondsPerSecond));
  return { failures: count, outOfUse, reason, ...(outOfUse ? { retryInSeconds } : {}) };
}

const kinds = {
  siteUplink: "siteUplink",
  siteDownlink: "siteDownlink",
  agentNicUp: "nicUp",
  agentNicDown: "nicDown",
  link: "link",
} as const satisfies Record<ResourceReference["kind"], ResourceRow["kind"]>;

/** What kind of thing a resource or component is, and whose. */
export function resourceOwner(name: string): Pick<ResourceRow, "kind" | "owner"> {
  const isResource = /^(?:sites\..*\.(?:up|down)link|agents\..*\.nic\.(?:up|down)|resources\..*)$/.test(name);
  if (isResource && isName(ownerOf(name))) {
    const reference = parseResourceName(name);
    return { kind: kinds[reference.kind], owner: ownerOf(name) };
  }
  return { kind: "component", owner: name.replace(/^[a-z]+\./, "").replace(/\.disk$/, "") };
}

function ownerOf(name: string): string {
  return name.replace(/^[a-z]+\./, "").replace(/\.(?:uplink|downlink|nic\.up|nic\.down)$/, "");
}

export function fileSetRow(live: LiveFileSet): FileSetRow {
  const { row, fileSet, tally, meter, heldBackBy, totalBytes } = live;
  const { manifest } = fileSet;
  return {
    fileSet: fileSet.key,
    name: row.name,
    version: row.version,
    state: row.state,
    active: live.active,
    paused: row.paused,
    growing: !manifest.isComplete,
    selector: row.selector,
    priority: row.priority,
    sequence: row.sequence,
    files: manifest.files.length,
    blocks: manifest.blockCount,
    totalBytes,
    createdAtMilliseconds: row.createdAtMilliseconds,
    targets: tally.targets,
    held: tally.held,
    offline: tally.offline,
    stalled: tally.stalled,
    heldBytes: tally.heldBytes,
    wantedBytes: tally.wantedBytes,
    rateBitsPerSecond: meter.bitsPerSecond,
    secondsLeft: secondsLeft(live),
    // Worked out now and then: what is complete is held back by nothing from the moment on.
    heldBackBy: tally.held === tally.targets && manifest.isComplete ? null : heldBackBy,
  };
}

/** For those that can go on: at the rate of now, and not below what no schedule can beat. */
function secondsLeft({ tally, meter, heldBackBy, row }: LiveFileSet): number | null {
  const missing = tally.wantedBytes - tally.heldBytes;
  if (missing <= 0) return tally.held === tally.targets ? 0 : null;
  if (row.paused || meter.bitsPerSecond === 0) return null;
  return Math.ceil(Math.max(heldBackBy?.secondsAtLeast ?? 0, (missing * 8) / meter.bitsPerSecond));
}

/** What goes through an agent's interface. */
export function nicRates({ state, usage }: LiveState, agent: LiveAgent): { in: number; out: number } {
  const { ledger } = state.scheduler.world;
  agent.nicDown ??= ledger.find(agentNicDown(agent.row.name));
  agent.nicUp ??= ledger.find(agentNicUp(agent.row.name));
  return { in: usage.measuredBitsPerSecond(agent.nicDown), out: usage.measuredBitsPerSecond(agent.nicUp) };
}

export function agentRow(live: LiveState, liveAgent: LiveAgent): AgentRow {
  const { agent, row, online, tally } = liveAgent;
  const { state } = live;
  const rates = nicRates(live, liveAgent);
  const component = state.failures.get(`agents.${row.name}`);
  return {
    agent: row.name,
    site: row.site,
    labels: row.labels,
    address: row.address,
    online,
    drained: row.drained,
    blocked: row.blocked,
    outOfUse: component?.outOfUse ?? false,
    state: agentState(row, online, tally),
    fileSetsHeld: tally.held,
    fileSetsWanted: tally.wanted,
    heldBytes: tally.heldBytes,
    wantedBytes: tally.wantedBytes,
    lanesIn: agent.member?.lanesIn.length ?? 0,
    lanesOut: agent.member?.lanesOut.length ?? 0,
    inBitsPerSecond: rates.in,
    outBitsPerSecond: rates.out,
    failures: component?.count ?? 0,
    freeDiskBytes: agent.freeDiskBytes ?? null,
  };
}

function agentState(row: LiveAgent["row"], online: boolean, tally: LiveAgent["tally"]): AgentRow["state"] {
  if (row.blocked) return "blocked";
  if (!online) return "offline";
  if (tally.stalled > 0) return "stalled";
  if (tally.held < tally.wanted) return "fetching";
  return row.drained ? "drained" : "idle";
}

export function flowRow(flow: Flow): FlowRow {
  const { source, target } = flow;
  return {
    flow: flow.key,
    source: source.name,
    target: target.name,
    sourceSite: source.site ?? null,
    targetSite: target.site ?? "",
    publisher: source.kind === "publisher",
    lanes: flow.lanes,
    allocatedBitsPerSecond: flow.allocatedMeter.bitsPerSecond,
    measuredBitsPerSecond: flow.meter.bitsPerSecond,
    pendingBytes: flow.pendingBytes,
    fileSets: [...flow.fileSets],
  };
}

export function targetRow(fileSet: LiveFileSet, live: LiveAgent): TargetRow {
  const known = live.agent.fileSets.get(fileSet.fileSet.key);
  return {
    agent: live.row.name,
    site: live.row.site,
    online: live.online,
    target: fileSet.isTarget(live),
    status: shownStatus(known, fileSet.fileSet),
    heldBytes: fileSet.heldBytes(live),
    current: live.agent.current.get(fileSet.row.name) === fileSet.row.version,
    ...(known?.problem === undefined ? {} : { problem: known.problem }),
  };
}

export function agentFileSetRow(fileSet: LiveFileSet, live: LiveAgent): AgentFileSetRow {
  const { target, status, heldBytes, current, problem } = targetRow(fileSet, live);
  return {
    fileSet: fileSet.fileSet.key,
    target,
    status,
    heldBytes,
    totalBytes: fileSet.totalBytes,
    current,
    ...(problem === undefined ? {} : { problem }),
  };
}
