/**
 * The virtual network: flows that each send their queued blocks, over links of limited capacity: in order, but for those
 * that the source does not have yet, which are set aside and go out as soon as it does.
 *
 * Where the allocations on every link fit what it really carries, a flow runs at its allocated rate and a block costs
 * one event, O(log n). Only where they do not are the flows that share the overloaded links worked out anew, max-min fair
 * (fair-shares.ts), once an instant. It promises that no link carries more than its true capacity at any time, and it
 * calls `overloaded` when what the lanes on a link were allocated comes to more than its declared capability.
 */
import { transmissionNanoseconds } from "../std/units.ts";
import { RangeSet } from "../std/ranges.ts";
import type { SeededRandom } from "../std/seeded-random.ts";
import type { BlockOrderName } from "../protocol/parts.ts";
import { fairShares } from "../std/fair-shares.ts";
import { bitsWithin, Flow, nothingWaiting, type FlowBlock, type FlowUser, type Link } from "./flow.ts";
import { phases, type VirtualClock } from "./virtual-clock.ts";

export interface NetworkOptions {
  readonly clock: VirtualClock;
  /** Blocks take up to this part longer or shorter, at random. */
  readonly jitter: number;
  readonly random: SeededRandom;
  readonly overloaded: (link: Link) => void;
}

export class VirtualNetwork {
  readonly links = new Map<string, Link>();
  readonly #clock: VirtualClock;
  readonly #jitter: number;
  readonly #random: SeededRandom;
  readonly #overloaded: (link: Link) => void;
  /** Links whose flows must be worked out anew before time moves on. */
  readonly #unsettled = new Set<Link>();
  /** Links on which more may be allocated than is declared. */
  readonly #suspects = new Set<Link>();

  constructor(options: NetworkOptions) {
    this.#clock = options.clock;
    this.#jitter = options.jitter;
    this.#random = options.random;
    this.#overloaded = options.overloaded;
    this.#clock.whenInstantEnds(() => {
      if (this.#unsettled.size > 0) this.#settle();
      if (this.#suspects.size > 0) this.#checkSuspects();
    });
  }

  /** Until then, lanes may still be as another topology had them. */
  tolerateUntil(nanoseconds: number): void {
    for (const link of this.links.values()) link.toleratedUntilNanoseconds = nanoseconds;
  }

  /** Says what a link is declared to carry and what it really does, from now on. */
  setLink(name: string, capabilityBitsPerSecond: number, trueBitsPerSecond: number): Link {
    const known = this.links.get(name);
    if (known === undefined) {
      const link: Link = {
        name,
        capabilityBitsPerSecond,
        trueBitsPerSecond,
        offeredBitsPerSecond: 0,
        sending: new Set(),
        carriedBits: 0,
        toleratedUntilNanoseconds: 0,
      };
      this.links.set(name, link);
      return link;
    }
    known.capabilityBitsPerSecond = capabilityBitsPerSecond;
    known.trueBitsPerSecond = trueBitsPerSecond;
    this.#unsettled.add(known);
    this.#suspects.add(known);
    return known;
  }

  open(user: FlowUser, links: readonly Link[], allocatedBitsPerSecond: number): Flow {
    return new Flow(user, links, allocatedBitsPerSecond);
  }

  /** Queues blocks behind what is there. */
  push(flow: Flow, fileSet: string, order: BlockOrderName, start: number, end: number): void {
    if (flow.state === "closed" || start >= end) return;
    flow.queue.push({ fileSet, order, start, end });
    if (flow.state === "idle" || flow.state === "waiting") this.#next(flow);
  }

  /** The source has these blocks now: those that were set aside go out next. */
  arrived(flow: Flow, fileSet: string, order: BlockOrderName, start: number, end: number): void {
    const waiting = flow.waiting.get(`${order} ${fileSet}`);
    if (waiting === undefined || !waiting.blocks.overlaps(start, end)) return;
    const blocks = waiting.blocks.intersection(RangeSet.of(start, end));
    waiting.blocks.removeAll(blocks);
    if (waiting.blocks.isEmpty) flow.waiting.delete(`${order} ${fileSet}`);
    blocks.forEach((from, to) => {
      for (let block = from; block < to; block += 1) flow.ready.push({ fileSet, order, block });
    });
    if (flow.state === "waiting") this.#next(flow);
  }

  setRate(flow: Flow, allocatedBitsPerSecond: number): void {
    if (flow.state === "closed" || allocatedBitsPerSecond === flow.allocatedBitsPerSecond) return;
    if (flow.state !== "sending") {
      flow.allocatedBitsPerSecond = allocatedBitsPerSecond;
      if (flow.state === "stopped") this.#goOn(flow);
      return;
    }
    this.#advance(flow);
    this.#leaveLinks(flow);
    flow.allocatedBitsPerSecond = allocatedBitsPerSecond;
    this.#goOn(flow);
  }

  /** The flow takes other links from now on, since the topology has changed. */
  reroute(flow: Flow, links: readonly Link[]): void {
    if (flow.state !== "sending") {
      flow.links = links;
      return;
    }
    this.#advance(flow);
    this.#leaveLinks(flow);
    flow.links = links;
    this.#goOn(flow);
  }

  /** Ends a flow; what of a block is under way is cut off. @returns the bytes that it had carried of it */
  close(flow: Flow): number {
    if (flow.state === "closed") return 0;
    let cutBytes = 0;
    if (flow.state === "sending") {
      this.#advance(flow);
      cutBytes = flow.receivedBytes(this.#clock.nowNanoseconds) - flow.sentBytes;
      for (const link of flow.links) link.carriedBits += cutBytes * 8;
      this.#leaveLinks(flow);
    }
    flow.state = "closed";
    flow.queue.length = 0;
    flow.ready.length = 0;
    flow.waiting = nothingWaiting;
    flow.revision += 1;
    return cutBytes;
  }

  /** Takes up the next block that the source has. */
  #next(flow: Flow): void {
    flow.current = takeNext(flow);
    if (flow.current === undefined) {
      this.#pause(flow, flow.waiting.size > 0 ? "waiting" : "idle");
      return;
    }
    const lengthBytes = flow.user.lengthBytes(flow.current);
    flow.blockBytes = lengthBytes;
    flow.blockBits = this.#jittered(lengthBytes * 8);
    flow.leftBits = flow.blockBits;
    if (flow.state === "sending") this.#foresee(flow);
    else this.#goOn(flow);
  }

  #jittered(bits: number): number {
    if (this.#jitter === 0) return bits;
    return Math.max(1, Math.round(bits * (1 + this.#jitter * (2 * this.#random.nextUnit() - 1))));
  }

  /** Starts or goes on sending the block that it has, from outside its links. */
  #goOn(flow: Flow): void {
    if (flow.allocatedBitsPerSecond <= 0) {
      flow.state = "stopped";
      flow.rateBitsPerSecond = 0;
      flow.revision += 1;
      return;
    }
    flow.state = "sending";
    let fits = true;
    for (const link of flow.links) {
      link.sending.add(flow);
      link.offeredBitsPerSecond += flow.allocatedBitsPerSecond;
      if (link.offeredBitsPerSecond > link.trueBitsPerSecond) {
        this.#unsettled.add(link);
        fits = false;
      }
      if (link.offeredBitsPerSecond > link.capabilityBitsPerSecond) this.#suspects.add(link);
    }
    flow.rateBitsPerSecond = fits ? flow.allocatedBitsPerSecond : 0;
    this.#foresee(flow);
  }

  /** Works out when the block under way will have been sent. */
  #foresee(flow: Flow): void {
    flow.revision += 1;
    flow.sinceNanoseconds = this.#clock.nowNanoseconds;
    if (flow.rateBitsPerSecond === 0) return;
    const revision = flow.revision;
    this.#clock.after(durationOf(flow), phases.network, () => {
      if (flow.revision === revision) this.#finish(flow);
    });
  }

  #finish(flow: Flow): void {
    const { current } = flow;
    if (current === undefined) return;
    const lengthBytes = flow.blockBytes;
    flow.sentBytes += lengthBytes;
    flow.blockBits = 0;
    for (const link of flow.links) link.carriedBits += lengthBytes * 8;
    flow.user.sent(current, lengthBytes);
    if (flow.state === "sending") this.#next(flow);
  }

  #pause(flow: Flow, state: "idle" | "waiting"): void {
    if (flow.state === "sending") this.#leaveLinks(flow);
    flow.state = state;
    flow.revision += 1;
  }

  #leaveLinks(flow: Flow): void {
    for (const link of flow.links) {
      // Others may have been held back until now.
      if (link.offeredBitsPerSecond > link.trueBitsPerSecond) this.#unsettled.add(link);
      link.sending.delete(flow);
      link.offeredBitsPerSecond -= flow.allocatedBitsPerSecond;
    }
    flow.rateBitsPerSecond = 0;
  }

  /** Counts what has been sent of the block under way until now. */
  #advance(flow: Flow): void {
    const now = this.#clock.nowNanoseconds;
    flow.leftBits = Math.max(0, flow.leftBits - bitsWithin(now - flow.sinceNanoseconds, flow.rateBitsPerSecond));
    flow.sinceNanoseconds = now;
  }

  /** Works out the rates of all flows that are tied to an unsettled link through overloaded ones. */
  #settle(): void {
    const flows = new Set<Flow>();
    const visited = new Set<Link>(this.#unsettled);
    this.#unsettled.clear();
    // The set grows while it is walked through.
    for (const link of visited) {
      for (const flow of link.sending) {
        if (flows.has(flow)) continue;
        flows.add(flow);
        for (const other of flow.links) {
          if (other.offeredBitsPerSecond > other.trueBitsPerSecond) visited.add(other);
        }
      }
    }
    const crowded = [...visited].filter((link) => link.offeredBitsPerSecond > link.trueBitsPerSecond);
    const indexes = new Map(crowded.map((link, index) => [link, index]));
    const sharing = [...flows];
    const rates = fairShares(
      sharing.map((flow) => ({
        demandBitsPerSecond: flow.allocatedBitsPerSecond,
        links: flow.links.flatMap((link) => indexes.get(link) ?? []),
      })),
      crowded.map((link) => link.trueBitsPerSecond),
    );
    for (const [index, flow] of sharing.entries()) {
      const rate = rates[index] ?? 0;
      if (rate === flow.rateBitsPerSecond) continue;
      this.#advance(flow);
      flow.rateBitsPerSecond = rate;
      this.#foresee(flow);
    }
  }

  #checkSuspects(): void {
    const now = this.#clock.nowNanoseconds;
    for (const link of this.#suspects) {
      if (link.offeredBitsPerSecond <= link.capabilityBitsPerSecond) continue;
      if (now >= link.toleratedUntilNanoseconds) this.#overloaded(link);
      else this.#clock.at(link.toleratedUntilNanoseconds, phases.timer, () => this.#suspects.add(link));
    }
    this.#suspects.clear();
  }
}

/** The next block that the source has, taken off what is queued. */
function takeNext(flow: Flow): FlowBlock | undefined {
  for (let next = flow.ready.shift(); next !== undefined; next = flow.ready.shift()) {
    if (flow.user.isThere(next)) return next;
    setAside(flow, next);
  }
  for (let head = flow.queue[0]; head !== undefined; head = flow.queue[0]) {
    const next = { fileSet: head.fileSet, order: head.order, block: head.start };
    head.start += 1;
    if (head.start === head.end) flow.queue.shift();
    if (flow.user.isThere(next)) return next;
    setAside(flow, next);
  }
  return undefined;
}

function setAside(flow: Flow, { fileSet, order, block }: FlowBlock): void {
  const key = `${order} ${fileSet}`;
  let waiting = flow.waiting.get(key);
  if (waiting === undefined) {
    waiting = { fileSet, order, blocks: new RangeSet() };
    if (flow.waiting === nothingWaiting) flow.waiting = new Map();
    flow.waiting.set(key, waiting);
  }
  waiting.blocks.add(block, block + 1);
}

/** How long the rest of the block takes at the flow's rate, exactly, rounded up. */
function durationOf(flow: Flow): number {
  if (flow.leftBits !== flow.blockBytes * 8) return Math.ceil((flow.leftBits * 1e9) / flow.rateBitsPerSecond);
  if (flow.memoBytes !== flow.blockBytes || flow.memoRate !== flow.rateBitsPerSecond) {
    flow.memoBytes = flow.blockBytes;
    flow.memoRate = flow.rateBitsPerSecond;
    flow.memoNanoseconds = transmissionNanoseconds(flow.blockBytes, flow.rateBitsPerSecond);
  }
  return flow.memoNanoseconds;
}
