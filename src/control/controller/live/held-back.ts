/**
 * What holds a file set back: of the cuts of src/bound those that can be worked out from sums that are kept anyway. For
 * each, what is still to cross over what the cut carries; the slowest one binds, and no schedule is faster.
 *
 * It looks at one file set as if it had the links for itself: so it is a time that cannot be beaten, not a forecast. What
 * is queued to come into a site has still to come. Agents that are away and those that are stuck count for nothing.
 */
import { agentNicDown, agentNicUp, namedResource, siteDownlink, siteUplink } from "../../../model/resources.ts";
import type { Topology } from "../../../model/topology.ts";
import { Capacities } from "../../../bound/capacities.ts";
import { SiteCuts } from "../../../bound/site-cuts.ts";
import type { HeldBackBy } from "../../../protocol/api/rows.ts";
import type { BlockOrder } from "../../../scheduler/block-order.ts";
import type { Member } from "../../../scheduler/world.ts";
import { RangeSet } from "../../../std/ranges.ts";
import type { ControllerState } from "../state.ts";
import { nanosecondsPerMillisecond } from "../../../std/units.ts";
import { heldBackMilliseconds, maximumHeldBackPerTick, wireShare } from "./limits.ts";
import type { LiveFileSet } from "./live-file-set.ts";
import type { Progress, ProgressListener } from "./progress.ts";

/** So many bytes must still cross what carries so many bits per second. */
type Offer = (bytes: number, bitsPerSecond: number, resource: string | null, text: string) => void;

export class HeldBack implements ProgressListener {
  readonly #state: ControllerState;
  readonly #progress: Progress;
  #topology: Topology | undefined;
  #agents = "";
  #capacities = new Capacities([], []);
  #cuts = new SiteCuts(this.#capacities, []);
  /** What the agents of a site may send together. */
  readonly #uploads = new Map<string, number>();
  /** What an agent may receive, by its id. */
  readonly #downloads = new Map<string, number>();
  readonly #due = new Set<LiveFileSet>();
  readonly #lookedAtNanoseconds = new WeakMap<LiveFileSet, number>();
  /** Bytes that are queued to come into a site from others. */
  readonly #coming = new Map<BlockOrder, Map<string, number>>();

  constructor(state: ControllerState, progress: Progress) {
    this.#state = state;
    this.#progress = progress;
  }

  /** It is different: what holds it back may be something else now. */
  onFileSet(fileSet: LiveFileSet): void {
    this.#due.add(fileSet);
  }

  /** Looks at some of the file sets that are different. @returns those that something else holds back now */
  refresh(nowNanoseconds: number): LiveFileSet[] {
    const { fileSets } = this.#progress;
    if (this.#state.scheduler.world.topology !== this.#topology) {
      for (const one of fileSets.values()) this.#due.add(one);
    }
    const earliest = nowNanoseconds - heldBackMilliseconds * nanosecondsPerMillisecond;
    const looked: LiveFileSet[] = [];
    for (const fileSet of this.#due) {
      if (looked.length >= maximumHeldBackPerTick) break;
      if ((this.#lookedAtNanoseconds.get(fileSet) ?? -Infinity) > earliest) continue;
      if (looked.length === 0) this.#prepare();
      this.#due.delete(fileSet);
      if (fileSets.get(fileSet.fileSet.key) === fileSet) looked.push(fileSet);
    }
    return looked.filter((fileSet) => {
      this.#lookedAtNanoseconds.set(fileSet, nowNanoseconds);
      const heldBackBy = this.#of(fileSet);
      if (isSameReason(heldBackBy, fileSet.heldBackBy)) return false;
      fileSet.heldBackBy = heldBackBy;
      return true;
    });
  }

  /** No schedule can bring what is missing sooner than this, by the links as they are now. Seconds. */
  secondsAtLeast(fileSet: LiveFileSet): number {
    this.#prepare();
    return this.#slowest(fileSet).secondsAtLeast;
  }

  /** null: nothing is missing. */
  #of(fileSet: LiveFileSet): HeldBackBy | null {
    const { tally, row } = fileSet;
    const plain = (text: string): HeldBackBy => ({ resource: null, text, secondsAtLeast: 0 });
    if (tally.targets === tally.held) {
      return tally.targets > 0 && !fileSet.fileSet.manifest.isComplete ? plain("it is still being written") : null;
    }
    if (row.paused) return plain("it is paused");
    if (fileSet.fetching === 0) {
      if (tally.stalled > 0) return plain(`${agentsText(tally.stalled)} cannot go on: see their problem`);
      return plain(`${agentsText(tally.offline)} ${tally.offline === 1 ? "is" : "are"} offline`);
    }
    return this.#alone(fileSet) ?? this.#slowest(fileSet);
  }

  /** Blocks that only the agent has that it entered through, while that agent cannot give them to others. */
  #alone({ fileSet: { content }, row }: LiveFileSet): HeldBackBy | undefined {
    const { origins } = content;
    if (row.state !== "published" || origins.length === 0) return undefined;
    const { world } = this.#state.scheduler;
    const gives = ({ online, serves, name }: Member): boolean =>
      online && serves !== "no" && !world.isOutOfUse(`agents.${name}`);
    if (origins.some(gives)) return undefined;
    if (content.freshBlocks.toRangeSet().isEmpty) return undefined;
    const names = origins.map(({ name }) => name).join(", ");
    const why = origins.some(({ online }) => online) ? "out of use" : "offline";
    const [only] = origins;
    const resource = origins.length === 1 && only !== undefined && why === "out of use" ? `agents.${only.name}` : null;
    return { resource, text: `only ${names} has what is missing, and is ${why}`, secondsAtLeast: 0 };
  }

  #slowest(fileSet: LiveFileSet): HeldBackBy {
    const isHandedOver = fileSet.row.state === "published";
    const otherwise = isHandedOver
      ? "the agents themselves: no link that it needs has a limit"
      : "its publisher still hands it over";
    let slowest: HeldBackBy = { resource: null, text: otherwise, secondsAtLeast: 0 };
    const offer: Offer = (bytes, bitsPerSecond, resource, text) => {
      if (bytes <= 0 || bitsPerSecond === Infinity || bitsPerSecond <= 0) return;
      const secondsAtLeast = (bytes * 8 * wireShare) / bitsPerSecond;
      // Of two that are as slow, the one that has a name says more.
      const isNamed = secondsAtLeast === slowest.secondsAtLeast && slowest.resource === null && resource !== null;
      if (secondsAtLeast > slowest.secondsAtLeast || isNamed) slowest = { resource, text, secondsAtLeast };
    };
    const missing = new Map<string, number>();
    let longest = { seconds: 0, bytes: 0, name: "" };
    for (const agent of this.#progress.agents.values()) {
      if (!agent.online || !fileSet.lacks(agent)) continue;
      const bytes = fileSet.totalBytes - fileSet.heldBytes(agent);
      missing.set(agent.row.site, (missing.get(agent.row.site) ?? 0) + bytes);
      const seconds = bytes / (this.#downloads.get(agent.agentId) ?? Infinity);
      if (seconds <= longest.seconds) continue;
      longest = { seconds, bytes, name: agent.row.name };
    }
    const nic = agentNicDown(longest.name);
    offer(longest.bytes, this.#rate(nic), nic, `what agent ${longest.name} may receive`);
    this.#offerSites(fileSet, missing, offer);
    if (isHandedOver) this.#offerOrigins(fileSet.fileSet.content, offer);
    return { ...slowest, secondsAtLeast: Math.round(slowest.secondsAtLeast * 10) / 10 };
  }

  #offerSites(fileSet: LiveFileSet, missing: ReadonlyMap<string, number>, offer: Offer): void {
    const { content } = fileSet.fileSet;
    const all = content.blockCount === 0 ? new RangeSet() : RangeSet.of(0, content.blockCount);
    all.removeAll(content.duplicates);
    let crossing = 0;
    for (const [site, missingBytes] of missing) {
      const into = this.#cuts.sites.length < 2 ? 0 : (this.#cuts.into(new Set([site]))[0] ?? Infinity);
      const absentBytes = this.#lackedBy(site, content, all);
      crossing += absentBytes;
      const way = this.#scarcestWay(site, into);
      offer(
        absentBytes,
        into,
        way ?? null,
        way === undefined ? `what can get into site ${site}` : describeResource(way),
      );
      offer(
        missingBytes,
        into + (this.#uploads.get(site) ?? 0),
        null,
        `what the agents of site ${site} may send to each other`,
      );
    }
    // Where a publisher hands over, what sites lack need not come from another site.
    if (fileSet.row.state === "published") this.#offerUplinks(fileSet, all, missing, crossing, offer);
  }

  /** The one resource that everything into a site passes and that lets through just this; undefined: several together. */
  #scarcestWay(site: string, into: number): string | undefined {
    const others = this.#cuts.sites.filter((other) => other !== site);
    const ways = others.map((other) => [siteUplink(other), ...this.#linksBetween(other, site), siteDownlink(site)]);
    const [first = [], ...rest] = ways;
    return first.toReversed().find((name) => this.#rate(name) === into && rest.every((way) => way.includes(name)));
  }

  #linksBetween(from: string, to: string): string[] {
    const path = this.#topology?.paths.find((candidate) => candidate.from === from && candidate.to === to);
    return (path?.through ?? []).map((name) => namedResource(name));
  }

  /** What only the agents have that it entered through must leave these at least once. */
  #offerOrigins(order: BlockOrder, offer: Offer): void {
    const origins = order.origins.filter(({ online }) => online);
    const [only] = origins;
    if (only === undefined) return;
    const rate = origins.reduce((sum, { name }) => sum + this.#rate(agentNicUp(name)), 0);
    const bytes = order.bytesOf(order.freshBlocks.toRangeSet());
    if (origins.length === 1) offer(bytes, rate, agentNicUp(only.name), `what agent ${only.name} may send`);
    else offer(bytes, rate, null, "what the agents may send that it entered through");
  }

  #offerUplinks(
    { fileSet: { content } }: LiveFileSet,
    all: RangeSet,
    missing: ReadonlyMap<string, number>,
    crossing: number,
    offer: Offer,
  ): void {
    const { sites } = this.#cuts;
    const sources = sites.filter((site) =>
      content.membersIn(site).some((member) => member.online && content.holdings.get(member)?.held.isEmpty === false),
    );
    const [only] = sources;
    if (sources.length === 1 && only !== undefined) {
      const uplink = siteUplink(only);
      // What no other site has must leave this one at least once.
      let leaving = 0;
      for (const site of missing.keys()) {
        if (site !== only) leaving = Math.max(leaving, this.#lackedBy(site, content, all));
      }
      offer(leaving, this.#rate(uplink), uplink, `the uplink of site ${only}`);
    }
    const uplinks = sites.reduce((sum, site) => sum + this.#rate(siteUplink(site)), 0);
    offer(crossing, uplinks, null, "the uplinks of all sites together");
  }

  /** Bytes that have still to come into a site: those that nobody there has or is sent, and those that are being sent. */
  #lackedBy(site: string, order: BlockOrder, all: RangeSet): number {
    const absent = order.views.get(site)?.absent.toRangeSet() ?? all;
    return order.bytesOf(absent) + (this.#coming.get(order)?.get(site) ?? 0);
  }

  /** What lanes between sites have pending. */
  #countComing(): void {
    this.#coming.clear();
    for (const { source, target, pending } of this.#state.scheduler.lanes.values()) {
      if (source.site === target.site || target.site === undefined) continue;
      for (const [order, ranges] of pending) {
        const sites = this.#coming.get(order) ?? new Map<string, number>();
        sites.set(target.site, (sites.get(target.site) ?? 0) + order.bytesOf(ranges));
        this.#coming.set(order, sites);
      }
    }
  }

  #rate(resource: string): number {
    return this.#capacities.of(resource)[0] ?? Infinity;
  }

  /** Works out what the links carry, if the topology is another one or other agents are there. */
  #prepare(): void {
    this.#countComing();
    const { topology } = this.#state.scheduler.world;
    const agents = [...this.#progress.agents.values()]
      .filter(({ online }) => online)
      .map(({ agentId, row: { name, site } }) => ({ agentId, name, site }));
    const key = agents.map(({ name, site }) => `${name} ${site}`).join("\n");
    if (this.#topology === topology && this.#agents === key) return;
    this.#topology = topology;
    this.#agents = key;
    this.#capacities = new Capacities(agents, [{ fromSeconds: 0, topology }]);
    this.#cuts = new SiteCuts(this.#capacities, [...new Set(agents.map(({ site }) => site))]);
    this.#uploads.clear();
    this.#downloads.clear();
    for (const { agentId, name, site } of agents) {
      this.#downloads.set(agentId, this.#rate(agentNicDown(name)));
      this.#uploads.set(site, (this.#uploads.get(site) ?? 0) + this.#rate(agentNicUp(name)));
    }
  }
}

/** For people. */
function describeResource(name: string): string {
  const [, kind = "", rest = ""] = /^(\w+)\.(.+)$/.exec(name) ?? [];
  if (kind === "resources") return `the link ${rest}`;
  const [, site = "", side = ""] = /^(.+)\.(uplink|downlink)$/.exec(rest) ?? [];
  return `the ${side} of site ${site}`;
}

function agentsText(count: number): string {
  return count === 1 ? "1 agent" : `${String(count)} agents`;
}

function isSameReason(one: HeldBackBy | null, other: HeldBackBy | null): boolean {
  if (one === null || other === null) return one === other;
  return one.resource === other.resource && one.text === other.text && one.secondsAtLeast === other.secondsAtLeast;
}
