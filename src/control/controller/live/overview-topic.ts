/** The topic `overview`: the fleet at a glance. */
import { namedResource, siteDownlink, siteUplink } from "../../../model/resources.ts";
import type { SiteLinkRow, SiteRow } from "../../../protocol/api/rows.ts";
import type { LiveFileSet } from "./live-file-set.ts";
import { quickTopicMilliseconds } from "./limits.ts";
import type { LiveState, LiveTopic } from "./live-state.ts";
import { controllerRow, fileSetRow, resourceRow, usageOf } from "./rows.ts";
import { TopicParts } from "./topic-parts.ts";

export class OverviewTopic implements LiveTopic {
  readonly parts = new TopicParts(["sites", "links", "resources", "fileSets"]);
  readonly periodMilliseconds = quickTopicMilliseconds;
  readonly #live: LiveState;
  readonly #moving: Set<LiveFileSet>;

  constructor(live: LiveState) {
    this.#live = live;
    this.#moving = new Set(live.progress.fileSets.values());
  }

  onFileSet(fileSet: LiveFileSet): void {
    this.#moving.add(fileSet);
  }

  refresh(): void {
    this.parts.setValue("controller", controllerRow(this.#live));
    this.#refreshFileSets();
    this.#refreshSites();
    this.#refreshLinks();
    for (const [index, entry] of this.#live.state.scheduler.world.ledger.entries().entries()) {
      if (!entry.name.startsWith("resources.")) continue;
      this.parts.set("resources", entry.name, resourceRow(this.#live, entry, index));
    }
  }

  #refreshFileSets(): void {
    for (const fileSet of this.#moving) {
      const { key } = fileSet.fileSet;
      const known = this.#live.progress.fileSets.get(key);
      if (known === undefined) this.parts.delete("fileSets", key);
      else this.parts.set("fileSets", key, fileSetRow(known));
      // One that still moves has another rate and another time left at the next look.
      if (known !== fileSet || fileSet.meter.bitsPerSecond === 0) this.#moving.delete(fileSet);
    }
  }

  #refreshSites(): void {
    const { progress, state, traffic } = this.#live;
    const sites = new Map<string, { online: number; known: number }>();
    for (const site of state.scheduler.world.topology.sites.keys()) sites.set(site, { online: 0, known: 0 });
    for (const { row, online } of progress.agents.values()) {
      const site = sites.get(row.site) ?? { online: 0, known: 0 };
      site.known += 1;
      if (online) site.online += 1;
      sites.set(row.site, site);
    }
    for (const [site, { online, known }] of sites) {
      const row: SiteRow = {
        site,
        agentsOnline: online,
        agentsKnown: known,
        uplink: usageOf(this.#live, siteUplink(site)),
        downlink: usageOf(this.#live, siteDownlink(site)),
        withinBitsPerSecond: traffic.pairs.get(`${site}>${site}`)?.meter.bitsPerSecond ?? 0,
        outOfUse: this.#isOutOfUse(siteUplink(site)) || this.#isOutOfUse(siteDownlink(site)),
      };
      this.parts.set("sites", site, row);
    }
    this.parts.keep("sites", sites);
  }

  #refreshLinks(): void {
    const { state, traffic } = this.#live;
    const through = new Map<string, readonly string[]>();
    for (const path of state.scheduler.world.topology.paths) {
      through.set(`${path.from}>${path.to}`, path.through.map(namedResource));
    }
    const shown = new Set<string>(through.keys());
    for (const [key, { from, to, lanes, meter }] of traffic.pairs) {
      if (from !== to && from !== "" && (lanes > 0 || meter.bitsPerSecond > 0)) shown.add(key);
    }
    for (const key of shown) {
      const [from = "", to = ""] = key.split(">");
      this.parts.set("links", key, this.#linkRow(key, from, to, through.get(key) ?? []));
    }
    this.parts.keep("links", shown);
  }

  #linkRow(link: string, from: string, to: string, through: readonly string[]): SiteLinkRow {
    const pair = this.#live.traffic.pairs.get(link);
    const path = [siteUplink(from), ...through, siteDownlink(to)];
    const capabilities = path.map((name) => usageOf(this.#live, name).capabilityBitsPerSecond ?? Infinity);
    const capability = Math.min(...capabilities);
    return {
      link,
      from,
      to,
      through: [...through],
      lanes: pair?.lanes ?? 0,
      capabilityBitsPerSecond: capability === Infinity ? null : capability,
      allocatedBitsPerSecond: pair?.allocatedMeter.bitsPerSecond ?? 0,
      measuredBitsPerSecond: pair?.meter.bitsPerSecond ?? 0,
      outOfUse: path.some((name) => this.#isOutOfUse(name)),
    };
  }

  #isOutOfUse(component: string): boolean {
    return this.#live.state.failures.get(component)?.outOfUse ?? false;
  }
}
