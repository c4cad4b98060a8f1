/**
 * The time that no tool can beat in a race: the payload at the goodput that TCP leaves of the links' rates.
 *
 * A full Ethernet frame of 1,514 bytes (14 Ethernet, 20 IP, 20 TCP, 12 timestamps) carries 1,448 bytes, so a link of R
 * bits per second carries R x 1448 / 1514 of payload; ACKs are left out, which favours the bound. The cuts are those of
 * src/bound; blocks are taken as infinitely small, since how a tool cuts the payload is its own business.
 */
import { cutBound } from "#src/bound/cut-bound.ts";
import { Topology, type NicCapability } from "#src/model/topology.ts";
import { boundEpochsOf } from "#src/simulator/bound-of-scenario.ts";
import type { Scenario } from "#src/simulator/scenario.ts";
import { nanosecondsPerSecond } from "#src/std/units.ts";
import { targetsOf } from "./parse-race.ts";

/** Of a full frame on Ethernet. */
export const frameBytes = 1_514;
/** What is not payload: 14 Ethernet, 20 IP, 20 TCP, 12 timestamps. */
export const headerBytes = 66;
const payloadShare = (frameBytes - headerBytes) / frameBytes;

export interface RaceBound {
  /** From the first `at`; undefined: nothing limits this race. */
  readonly seconds: number | undefined;
  /** Which kind of cut binds. */
  readonly kind: string;
}

/** @param topology what the links carry: what the kernel is told, or what the controller is */
export function raceBound(scenario: Scenario, topology: Topology): RaceBound {
  const { seconds, kind } = cutBound({
    agents: scenario.agents,
    epochs: boundEpochsOf({ ...scenario, topology, events: setsOf(scenario, topology) }).map((epoch) => ({
      fromSeconds: epoch.fromSeconds,
      topology: goodputOf(epoch.topology, scenario),
    })),
    fileSets: scenario.fileSets.map((fileSet, index) => ({
      startSeconds: fileSet.atNanoseconds / nanosecondsPerSecond,
      blocks: { count: 1, totalBytes: fileSet.totalBytes, shortestBytes: 0, bytesOf: () => fileSet.totalBytes },
      origins: fileSet.origins,
      targets: targetsOf(scenario, index),
      relays: scenario.relays,
      growthBitsPerSecond: fileSet.growthBitsPerSecond,
    })),
  });
  return { seconds: seconds > 0 ? seconds : undefined, kind };
}

/** Events that change a resource of this topology: the links and what is declared of them need not be the same ones. */
function setsOf(scenario: Scenario, topology: Topology): Scenario["events"] {
  return scenario.events.filter((event) => {
    if (event.type !== "set") return false;
    try {
      topology.withCapability(event.resource, event.bitsPerSecond);
      return true;
    } catch {
      return false;
    }
  });
}

type SiteRates = NonNullable<ReturnType<Topology["sites"]["get"]>>;

/** The same links with what TCP leaves of them; interfaces that groups of agents speak of stand under `agents`. */
function goodputOf(topology: Topology, scenario: Scenario): Topology {
  const scale = (rate: number | undefined): number | undefined =>
    rate === undefined ? undefined : Math.max(1, Math.floor(rate * payloadShare));
  const nic = (of: NicCapability): NicCapability => ({
    upBitsPerSecond: scale(of.upBitsPerSecond),
    downBitsPerSecond: scale(of.downBitsPerSecond),
  });
  const site = (of: SiteRates): SiteRates => ({
    uplinkBitsPerSecond: scale(of.uplinkBitsPerSecond),
    downlinkBitsPerSecond: scale(of.downlinkBitsPerSecond),
  });
  return new Topology(
    {
      sites: new Map([...topology.sites].map(([name, of]) => [name, site(of)])),
      resources: new Map([...topology.resources].map(([name, rate]) => [name, scale(rate) ?? rate])),
      agents: new Map(scenario.agents.map((agent) => [agent.name, { nic: nic(topology.nicOf(agent)) }])),
      defaults: { nic: {} },
      paths: topology.paths,
    },
    topology.isUnlimited,
  );
}
