/** Works out the figures of a run from what was seen of it. */
import { agentNicDown, agentNicUp, namedResource, siteDownlink, siteUplink } from "#src/model/resources.ts";
import { nanosecondsPerMillisecond } from "#src/std/units.ts";
import type { ProcessFigures } from "../measure/process-watch.ts";
import {
  averageUntil,
  payloadBytes,
  ratesBySecond,
  samplesWithin,
  slidingWindows,
  type CapabilityStep,
  type TrafficSample,
} from "../measure/traffic-samples.ts";
import { median, type LinkFigures, type RunFigures } from "../report/race-report.ts";
import type { ToolRun } from "../tools/tool.ts";
import { frameBytes, headerBytes } from "./race-bound.ts";
import type { Race } from "./race.ts";

export interface Observed {
  readonly race: Race;
  readonly boundSeconds: number | undefined;
  readonly run: ToolRun;
  /** By resource, from before the start to after the end. */
  readonly traffic: ReadonlyMap<string, readonly TrafficSample[]>;
  readonly processes: ProcessFigures;
  readonly competingBitsPerSecond: readonly number[];
}

export function figuresOf(observed: Observed): RunFigures {
  const { race, run, boundSeconds, processes } = observed;
  const { fileSets, agents } = race.scenario;
  const firstAt = Math.min(...fileSets.map(({ atNanoseconds }) => atNanoseconds));
  const startOf = (fileSet: number): number =>
    run.startedAtMilliseconds + ((fileSets[fileSet]?.atNanoseconds ?? 0) - firstAt) / nanosecondsPerMillisecond;
  const endedAt = Math.max(...run.completions.map(({ atMilliseconds }) => atMilliseconds));
  const makespanSeconds = (endedAt - run.startedAtMilliseconds) / 1_000;
  const completions = run.completions
    .map(({ fileSet, host, atMilliseconds }) => ({
      fileSet: `${fileSets[fileSet]?.name}@${fileSets[fileSet]?.version}`,
      host,
      seconds: (atMilliseconds - startOf(fileSet)) / 1_000,
    }))
    .toSorted((one, other) => one.seconds - other.seconds);
  const seconds = completions.map((completion) => completion.seconds);
  const delivered = run.completions.reduce((sum, { fileSet }) => sum + (fileSets[fileSet]?.totalBytes ?? 0), 0);
  const totalBytes = fileSets.reduce((sum, fileSet) => sum + fileSet.totalBytes, 0);
  const traffic = new Map(
    [...observed.traffic].map(([resource, samples]) => [
      resource,
      samplesWithin(samples, run.startedAtMilliseconds, endedAt),
    ]),
  );
  const links = linksOf(race, run, traffic);
  const sites = [...new Set(agents.map(({ site }) => site))];
  const others = competingFrom(race, observed.competingBitsPerSecond);
  const copies = sites.map((site): [string, number] => {
    const bytes = payloadBytes(traffic.get(siteUplink(site)) ?? [], headerBytes);
    const othersBytes = ((others.get(site) ?? 0) * makespanSeconds * (frameBytes - headerBytes)) / frameBytes / 8;
    return [site, Math.max(0, bytes - othersBytes) / totalBytes];
  });
  return {
    makespanSeconds,
    ratio: boundSeconds === undefined ? null : makespanSeconds / boundSeconds,
    medianCompletionSeconds: median(seconds),
    lastCompletionSeconds: Math.max(...seconds),
    uplinkCopies: sites.length < 2 ? null : copies.reduce((sum, [, count]) => sum + count, 0),
    uplinkCopiesBySite: Object.fromEntries(sites.length < 2 ? [] : copies),
    beyondDeclaredBytes: Math.max(
      0,
      ...links.map(({ beyondDeclaredBytes, isShared }) => (isShared ? 0 : beyondDeclaredBytes)),
    ),
    links,
    sourceUplinksBitsPerSecond: sites.length < 2 ? null : sourceUplinks(race, traffic),
    cpuSeconds: processes.cpuSeconds,
    cpuSecondsPerGigabyteDelivered: processes.cpuSeconds / (delivered / 1e9),
    peakMemoryBytes: processes.peakMemoryBytes,
    deliveredBytesPerSecond: delivered / makespanSeconds,
    competingBitsPerSecond: observed.competingBitsPerSecond,
    besideCompetingBitsPerSecond: besideCompeting(others, traffic),
    afterProductionSeconds: afterProduction(race, run, startOf),
    completions,
  };
}

function linksOf(race: Race, run: ToolRun, traffic: ReadonlyMap<string, readonly TrafficSample[]>): LinkFigures[] {
  const declared = race.declared.capabilities(race.scenario.agents);
  const shared = new Set(race.competing.flatMap(({ from, to }) => resourcesBetween(race, from, to)));
  const links: LinkFigures[] = [];
  for (const [resource, samples] of traffic) {
    // What a host's interface sends is limited at the host, which is not watched.
    if (race.scenario.agents.some(({ name }) => agentNicUp(name) === resource)) continue;
    const capability = declared.get(resource);
    const steps: CapabilityStep[] =
      capability === undefined
        ? []
        : [
            { fromMilliseconds: 0, bitsPerSecond: capability },
            ...run.changes
              .filter((change) => change.resource === resource)
              .map(({ atMilliseconds, bitsPerSecond }) => ({ fromMilliseconds: atMilliseconds, bitsPerSecond })),
          ];
    const { peakBitsPerSecond, beyondBytes } = slidingWindows(samples, steps);
    links.push({
      resource,
      declaredBitsPerSecond: capability ?? null,
      peakSecondBitsPerSecond: peakBitsPerSecond,
      beyondDeclaredBytes: beyondBytes,
      payloadBytes: payloadBytes(samples, headerBytes),
      bitsPerSecondBySecond: ratesBySecond(samples, run.startedAtMilliseconds),
      isShared: shared.has(resource),
    });
  }
  return links;
}

/** What competing flows put on the uplink of each site, on average. */
function competingFrom(race: Race, rates: readonly number[]): Map<string, number> {
  const bySite = new Map<string, number>();
  for (const [index, { from, to }] of race.competing.entries()) {
    const site = siteOf(race, from);
    if (site !== siteOf(race, to)) bySite.set(site, (bySite.get(site) ?? 0) + (rates[index] ?? 0));
  }
  return bySite;
}

function besideCompeting(
  others: ReadonlyMap<string, number>,
  traffic: ReadonlyMap<string, readonly TrafficSample[]>,
): number | null {
  for (const [site, rate] of others) {
    const all = averageUntil(traffic.get(siteUplink(site)) ?? [], headerBytes, Infinity);
    if (all !== undefined) return all - rate;
  }
  return null;
}

function siteOf(race: Race, host: string): string {
  return race.scenario.agents.find(({ name }) => name === host)?.site ?? "";
}

/** What a flow from host to host uses, of what is watched. */
function resourcesBetween(race: Race, from: string, to: string): string[] {
  const [source, target] = [siteOf(race, from), siteOf(race, to)];
  if (source === target) return [agentNicDown(to)];
  const links = race.scenario.topology.paths.find((path) => path.from === source && path.to === target)?.through ?? [];
  return [siteUplink(source), siteDownlink(target), agentNicDown(to), ...links.map(namedResource)];
}

/** How well the sites of the sources used their uplinks while they held what no other site has. */
function sourceUplinks(
  race: Race,
  traffic: ReadonlyMap<string, readonly TrafficSample[]>,
): Readonly<Record<string, number>> {
  const bytes = new Map<string, number>();
  for (const { origins, totalBytes } of race.scenario.fileSets) {
    const site = race.scenario.agents.find(({ name }) => name === origins[0])?.site;
    if (site !== undefined) bytes.set(site, (bytes.get(site) ?? 0) + totalBytes);
  }
  const rates = [...bytes].map(([site, payload]): [string, number] => [
    site,
    averageUntil(traffic.get(siteUplink(site)) ?? [], headerBytes, payload) ?? 0,
  ]);
  return Object.fromEntries(rates);
}

function afterProduction(race: Race, run: ToolRun, startOf: (fileSet: number) => number): number | null {
  const delays = run.completions.flatMap(({ fileSet, atMilliseconds }) => {
    const { growthBitsPerSecond, totalBytes = 0 } = race.scenario.fileSets[fileSet] ?? {};
    if (growthBitsPerSecond === undefined) return [];
    return [(atMilliseconds - startOf(fileSet)) / 1_000 - (totalBytes * 8) / growthBitsPerSecond];
  });
  return delays.length === 0 ? null : Math.max(...delays);
}
