/**
 * What the demonstration tells at its end: how long it took beside a time that no schedule can beat, and what went over
 * each site's links beside what they may carry, from the controller's own counters.
 */
import { formatFields, formatTable } from "#src/cli/table.ts";
import { cutBound } from "#src/bound/cut-bound.ts";
import type { Bound } from "#src/bound/cut-bound.ts";
import type { Manifest } from "#src/model/manifest.ts";
import { siteDownlink, siteUplink } from "#src/model/resources.ts";
import type { Topology } from "#src/model/topology.ts";
import type { ResourceView, VersionDetail } from "#src/protocol/views.ts";
import { wireBytes } from "#src/std/token-bucket.ts";
import { formatBitsPerSecond, formatBytes } from "#src/std/units.ts";

export interface Outcome {
  readonly version: VersionDetail;
  readonly manifest: Manifest;
  readonly resources: readonly ResourceView[];
  readonly topology: Topology;
  readonly sites: readonly string[];
  readonly publisherSite: string;
  /** From the start of `sluice publish` to its end: every agent holds all of it. */
  readonly publishSeconds: number;
  /** The part of it from when the controller had heard of the file set. */
  readonly distributionSeconds: number;
  readonly verifiedFiles: number;
}

/** A few lines for people. */
export function summarize(outcome: Outcome): string {
  const { version, manifest, resources, sites, distributionSeconds, publishSeconds } = outcome;
  const uniqueBytes = manifest.totalBytes - manifest.bytesInRanges(manifest.duplicates());
  const bound = boundOf(outcome, uniqueBytes);
  const carriedBytes = (name: string): number => resources.find(({ resource }) => resource === name)?.carriedBytes ?? 0;
  const outBytes = sites.reduce((sum, site) => sum + carriedBytes(siteUplink(site)), 0);
  const least = sites.length - 1;
  const fields = formatFields([
    [
      "file set",
      `${version.fileSet}: ${version.files} files, ${formatBytes(version.totalBytes)}, ${formatBytes(uniqueBytes)} without duplicate blocks`,
    ],
    ["verified", `${outcome.verifiedFiles} files on ${version.counts.held} agents: content, mode, time, links`],
    ["time", `${seconds(distributionSeconds)} from the publisher's first word to the last agent's last block`],
    ["", `${seconds(publishSeconds)} for all of \`sluice publish --wait\`: start, reading, checksums, distribution`],
    ["simple cut bound", `${seconds(bound.seconds)}: ${bound.kind} ${bound.where}`.trimEnd()],
    ["ratio", (distributionSeconds / bound.seconds).toFixed(2)],
    [
      "over uplinks",
      `${(outBytes / uniqueBytes).toFixed(2)} copies, ${least} at least: one for each site but the publisher's`,
    ],
  ]);
  const links = sites.flatMap((site) => [siteUplink(site), siteDownlink(site)]);
  const views = links.flatMap((name) => resources.filter(({ resource }) => resource === name));
  const averageBitsPerSecond = (view: ResourceView): number =>
    Math.round((wireBytes(view.carriedBytes) * 8) / distributionSeconds);
  const table = formatTable<ResourceView>(
    [
      { title: "LINK", cell: ({ resource }) => resource },
      { title: "CARRIED", align: "right", cell: ({ carriedBytes }) => formatBytes(carriedBytes) },
      { title: "AVERAGE", align: "right", cell: (view) => formatBitsPerSecond(averageBitsPerSecond(view)) },
      {
        title: "CAPABILITY",
        align: "right",
        cell: ({ capabilityBitsPerSecond: rate }) => (rate === null ? "no limit" : formatBitsPerSecond(rate)),
      },
      {
        title: "OF CAPABILITY",
        align: "right",
        cell: (view) => share(averageBitsPerSecond(view), view.capabilityBitsPerSecond),
      },
    ],
    views,
    "no links",
  );
  return `${fields}\n${table}rates and bound count headers: 1514 bytes on the wire for 1448 of payload\n`;
}

/** The publisher as an agent of its site whose interface has no limit; it has all blocks at the start. */
function boundOf({ manifest, topology, version, publisherSite }: Outcome, uniqueBytes: number): Bound {
  const publisher = "(publisher)";
  const targets = version.agents.filter(({ target }) => target).map(({ agent, site }) => ({ name: agent, site }));
  const unlimited = Number.MAX_SAFE_INTEGER;
  const nic = { upBitsPerSecond: unlimited, downBitsPerSecond: unlimited };
  let shortestBytes = Infinity;
  for (let block = 0; block < manifest.blockCount; block += 1) {
    shortestBytes = Math.min(shortestBytes, manifest.blockLengthBytes(block));
  }
  return cutBound({
    agents: [{ name: publisher, site: publisherSite, nic }, ...targets],
    epochs: [{ fromSeconds: 0, topology }],
    fileSets: [
      {
        startSeconds: 0,
        blocks: { count: manifest.blockCount, totalBytes: wireBytes(uniqueBytes), shortestBytes, bytesOf: () => 0 },
        origins: [publisher],
        targets: targets.map(({ name }) => name),
        relays: "targets",
      },
    ],
  });
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

function share(part: number, whole: number | null): string {
  return whole === null ? "-" : `${((100 * part) / whole).toFixed(1)} %`;
}
