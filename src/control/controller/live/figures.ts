/** Everything that the controller counts, at one time: what its metrics are made from. Made only when asked for. */
import { resourceOwner } from "./rows.ts";
import type { LiveState } from "./live-state.ts";
import type { Tally } from "./live-file-set.ts";

export interface LiveFigures {
  readonly term: number;
  readonly lanes: number;
  readonly lanesOpened: number;
  readonly lanesEnded: number;
  readonly lanesFailed: number;
  /** Bytes of content by the sites at both ends; from "": a publisher that did not say where it is. */
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly bytes: number }[];
  readonly agents: readonly AgentFigures[];
  readonly fileSets: readonly FileSetFigures[];
  readonly resources: readonly ResourceFigures[];
  readonly components: readonly { readonly name: string; readonly failures: number; readonly outOfUse: boolean }[];
  readonly failuresByKind: ReadonlyMap<string, number>;
}

export interface AgentFigures {
  readonly name: string;
  readonly agentId: string;
  readonly site: string;
  readonly address: string;
  readonly online: boolean;
  readonly heldBytes: number;
  readonly wantedBytes: number;
  readonly freeDiskBytes: number | undefined;
}

export interface FileSetFigures extends Tally {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly selector: string;
  readonly active: boolean;
  readonly paused: boolean;
  readonly totalBytes: number;
  readonly createdAtMilliseconds: number;
}

export interface ResourceFigures {
  readonly name: string;
  readonly kind: string;
  readonly owner: string;
  /** Bits per second; undefined: no limit is stated. */
  readonly capability: number | undefined;
  readonly allocated: number;
  readonly measured: number;
  readonly carriedBytes: number;
}

export function figuresOf(live: LiveState): LiveFigures {
  const { state, traffic, failures } = live;
  return {
    term: state.term,
    lanes: state.scheduler.lanes.size,
    lanesOpened: traffic.lanesOpened,
    lanesEnded: traffic.lanesEnded,
    lanesFailed: traffic.lanesFailed,
    pairs: [...traffic.pairs.values()].map(({ from, to, bytes }) => ({ from, to, bytes })),
    agents: agentFigures(live),
    fileSets: fileSetFigures(live),
    resources: resourceFigures(live),
    components: [...state.failures.all()].map(({ name, count, outOfUse }) => ({ name, failures: count, outOfUse })),
    failuresByKind: failures.byKind,
  };
}

function agentFigures({ progress }: LiveState): AgentFigures[] {
  return [...progress.agents.values()].map(({ agent, row, online, tally }) => ({
    name: row.name,
    agentId: row.agentId,
    site: row.site,
    address: row.address,
    online,
    heldBytes: tally.heldBytes,
    wantedBytes: tally.wantedBytes,
    freeDiskBytes: agent.freeDiskBytes,
  }));
}

function fileSetFigures({ progress }: LiveState): FileSetFigures[] {
  return [...progress.fileSets.values()].map(({ row, tally, active, totalBytes }) => ({
    ...tally,
    name: row.name,
    version: row.version,
    state: row.state,
    selector: row.selector,
    active,
    paused: row.paused,
    totalBytes,
    createdAtMilliseconds: row.createdAtMilliseconds,
  }));
}

/** Sites and links; interfaces only where something is stated of them, since there are two for each agent. */
function resourceFigures({ state, usage }: LiveState): ResourceFigures[] {
  return state.scheduler.world.ledger.entries().flatMap(({ name, capability, carriedBytes }, index) => {
    if (capability === Infinity && name.startsWith("agents.")) return [];
    return [
      {
        name,
        ...resourceOwner(name),
        capability: capability === Infinity ? undefined : capability,
        allocated: usage.of(index).allocatedBitsPerSecond,
        measured: usage.measuredBitsPerSecond(index),
        carriedBytes,
      },
    ];
  });
}
