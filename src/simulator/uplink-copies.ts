/**
 * What went out over each site's uplink, beside the least that any schedule has to send over it: what only that site has and
 * another one lacks. Bytes of content; manifests are not counted.
 */
import { RangeSet } from "../std/ranges.ts";
import type { BoundFileSet } from "../bound/bound-input.ts";

export interface UplinkFigures {
  readonly site: string;
  /** What left the site for others. */
  readonly bytes: number;
  /** Nobody can do with less over this one. */
  readonly leastBytes: number;
}

export interface UplinkTotals {
  readonly bytes: number;
  /** Nobody can do with less over all of them: what the sites lack, summed. */
  readonly leastBytes: number;
}

/** @param siteOf the site of each agent, by name */
export function uplinkFigures(
  fileSets: readonly BoundFileSet[],
  siteOf: ReadonlyMap<string, string>,
  bytesOutOfSite: ReadonlyMap<string, number>,
): { readonly uplinks: readonly UplinkFigures[]; readonly all: UplinkTotals } {
  const least = new Map<string, number>([...siteOf.values()].map((site) => [site, 0]));
  const all = { bytes: 0, leastBytes: 0 };
  for (const fileSet of fileSets) {
    const sites = new SiteHoldings(fileSet, siteOf);
    for (const site of sites.wanting) all.leastBytes += sites.lackedBytes(site);
    for (const site of sites.having) {
      if ([...sites.wanting].some((other) => other !== site)) {
        least.set(site, (least.get(site) ?? 0) + sites.bytesOnlyIn(site));
      }
    }
  }
  for (const bytes of bytesOutOfSite.values()) all.bytes += bytes;
  const uplinks = [...least].map(([site, leastBytes]) => ({ site, bytes: bytesOutOfSite.get(site) ?? 0, leastBytes }));
  return { uplinks, all };
}

/** Which sites have and want what of one file set at its start. */
class SiteHoldings {
  /** Sites of targets that are no origins. */
  readonly wanting = new Set<string>();
  readonly #fileSet: BoundFileSet;
  readonly #originSites: ReadonlySet<string>;
  readonly #heldIn = new Map<string, RangeSet>();

  constructor(fileSet: BoundFileSet, siteOf: ReadonlyMap<string, string>) {
    this.#fileSet = fileSet;
    const origins = new Set(fileSet.origins);
    for (const name of fileSet.targets) if (!origins.has(name)) this.wanting.add(siteOf.get(name) ?? "");
    this.#originSites = new Set(fileSet.origins.map((name) => siteOf.get(name) ?? ""));
    for (const [name, held] of fileSet.held ?? []) {
      const site = siteOf.get(name) ?? "";
      const there = this.#heldIn.get(site) ?? new RangeSet();
      there.addAll(held);
      this.#heldIn.set(site, there);
    }
  }

  get having(): ReadonlySet<string> {
    return new Set([...this.#originSites, ...this.#heldIn.keys()]);
  }

  /** What nobody in a site has. */
  lackedBytes(site: string): number {
    if (this.#originSites.has(site)) return 0;
    const { blocks } = this.#fileSet;
    const held = this.#heldIn.get(site);
    return blocks.totalBytes - (held === undefined ? 0 : blocks.bytesOf(held));
  }

  /** What nobody outside a site has. */
  bytesOnlyIn(site: string): number {
    for (const other of this.#originSites) if (other !== site) return 0;
    const elsewhere = new RangeSet();
    for (const [other, held] of this.#heldIn) if (other !== site) elsewhere.addAll(held);
    const { blocks } = this.#fileSet;
    return blocks.totalBytes - blocks.bytesOf(elsewhere);
  }
}
