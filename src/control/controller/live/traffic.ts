/**
 * What goes from whom to whom: every lane's bytes, as its target reports them, gathered by pair of ends and by pair of
 * sites. Lanes may be shorter than the time between two looks, so bytes are counted as reports come, not by looking at
 * the lanes that happen to run.
 */
import type { ControllerCommand, ControllerEvent } from "../controller-events.ts";
import type { ControllerState } from "../state.ts";
import type { Lane } from "../../../scheduler/lane.ts";
import type { Member } from "../../../scheduler/world.ts";
import { flowLingerMilliseconds, wireShare } from "./limits.ts";
import { nanosecondsPerSecond } from "../../../std/units.ts";
import { RateMeter } from "./rate-meter.ts";
import type { ResourceUsage } from "./resource-usage.ts";

/** The lanes between two sites, or from a publisher that did not say where it is (site ""). */
export interface SitePair {
  readonly from: string;
  readonly to: string;
  bytes: number;
  readonly meter: RateMeter;
  /** The rates of its lanes, each times how long the lane has had it. */
  allocatedBits: number;
  readonly allocatedMeter: RateMeter;
  lanes: number;
}

/** The lanes from one source to one target. */
export interface Flow {
  /** SOURCE>TARGET */
  readonly key: string;
  readonly source: Member;
  readonly target: Member;
  readonly pair: SitePair;
  bytes: number;
  readonly meter: RateMeter;
  allocatedBits: number;
  readonly allocatedMeter: RateMeter;
  lanes: number;
  pendingBytes: number;
  /** Of what its lanes brought last. */
  fileSets: ReadonlySet<string>;
  lastLaneNanoseconds: number;
}

interface TrackedLane {
  readonly flow: Flow;
  bytes: number;
  /** Up to when its rate is counted as allocated. */
  allocatedUntilNanoseconds: number;
}

/** Lanes of which the end was never reported are looked for when there are so many more than run. */
const forgottenLanes = 1_000;

export class Traffic {
  readonly #state: ControllerState;
  readonly #lanes = new Map<number, TrackedLane>();
  readonly #flows = new Map<string, Flow>();
  readonly #pairs = new Map<string, SitePair>();
  /** Their ends were reported in what is being handled. */
  readonly #ending: { readonly tracked: TrackedLane; readonly lane: Lane }[] = [];
  readonly #usage: ResourceUsage;
  lanesOpened = 0;
  lanesEnded = 0;
  lanesFailed = 0;

  constructor(state: ControllerState, usage: ResourceUsage) {
    this.#state = state;
    this.#usage = usage;
    for (const lane of state.scheduler.lanes.values()) this.#track(lane).bytes = lane.receivedBytes;
  }

  get flows(): ReadonlyMap<string, Flow> {
    return this.#flows;
  }

  get pairs(): ReadonlyMap<string, SitePair> {
    return this.#pairs;
  }

  /** Takes the counts out of a message. */
  before(event: ControllerEvent): void {
    if (event.type === "agentMessage" && event.message.type === "state") {
      for (const { laneId, receivedBytes, ended } of event.message.lanes) this.#count(laneId, receivedBytes, ended);
    } else if (event.type === "publisherMessage" && event.message.type === "handedOver") {
      for (const { laneId, handedBytes, ended } of event.message.lanes) this.#count(laneId, handedBytes, ended);
    }
  }

  /** Takes note of lanes that were opened, and of those that have ended. */
  after(commands: readonly ControllerCommand[]): void {
    for (const { tracked, lane } of this.#ending.splice(0)) this.#noteAllocated(tracked, lane);
    for (const command of commands) {
      if (command.type !== "sendAgent" && command.type !== "sendPublisher") continue;
      if (command.message.type !== "instruct") continue;
      for (const { laneId } of command.message.open) {
        this.lanesOpened += 1;
        const lane = this.#state.scheduler.lanes.get(laneId);
        if (lane !== undefined) this.#track(lane);
      }
    }
  }

  /** Counts what the lanes that run have been allocated up to now. */
  countRunning(now: number): void {
    for (const lane of this.#state.scheduler.lanes.values()) {
      this.#noteAllocated(this.#lanes.get(lane.laneId) ?? this.#track(lane), lane, now);
    }
  }

  /** Works out rates, and what runs now. */
  tick(now: number, seconds: number): void {
    for (const pair of this.#pairs.values()) {
      pair.lanes = 0;
      updateMeters(pair, seconds);
    }
    for (const flow of this.#flows.values()) {
      flow.lanes = 0;
      flow.pendingBytes = 0;
      updateMeters(flow, seconds);
    }
    const fileSets = new Map<Flow, Set<string>>();
    for (const lane of this.#state.scheduler.lanes.values()) {
      const { flow } = this.#lanes.get(lane.laneId) ?? this.#track(lane);
      flow.lanes += 1;
      flow.pendingBytes += lane.pendingBytes;
      flow.lastLaneNanoseconds = now;
      flow.pair.lanes += 1;
      const known = fileSets.get(flow) ?? new Set();
      for (const order of lane.pending.keys()) known.add(order.description.fileSet);
      if (known.size > 0) fileSets.set(flow, known);
    }
    for (const [flow, known] of fileSets) flow.fileSets = known;
    this.forget(now);
  }

  /** Lets go of what is over; to be called now and then also when nobody looks. */
  forget(now: number): void {
    const { lanes } = this.#state.scheduler;
    if (this.#lanes.size > lanes.size + forgottenLanes) {
      for (const laneId of this.#lanes.keys()) if (!lanes.has(laneId)) this.#lanes.delete(laneId);
    }
    for (const [key, flow] of this.#flows) {
      if (now - flow.lastLaneNanoseconds > flowLingerMilliseconds * 1_000_000) this.#flows.delete(key);
    }
  }

  #count(laneId: number, bytes: number, ended: "closed" | "failed" | undefined): void {
    const tracked = this.#lanes.get(laneId);
    if (tracked === undefined) return;
    const news = bytes - tracked.bytes;
    if (news > 0) {
      tracked.bytes = bytes;
      tracked.flow.bytes += news;
      tracked.flow.pair.bytes += news;
    }
    if (ended === undefined) return;
    this.#lanes.delete(laneId);
    const lane = this.#state.scheduler.lanes.get(laneId);
    if (lane !== undefined) this.#ending.push({ tracked, lane });
    if (ended === "failed") this.lanesFailed += 1;
    else this.lanesEnded += 1;
  }

  /** By default up to the event that was handled last. */
  #noteAllocated(tracked: TrackedLane, { path, rateBitsPerSecond }: Lane, now = this.#state.now): void {
    const seconds = (now - tracked.allocatedUntilNanoseconds) / nanosecondsPerSecond;
    if (seconds <= 0) return;
    tracked.allocatedUntilNanoseconds = now;
    const bits = rateBitsPerSecond * seconds;
    tracked.flow.allocatedBits += bits;
    tracked.flow.pair.allocatedBits += bits;
    this.#usage.noteAllocated(path, bits);
  }

  #track(lane: Lane): TrackedLane {
    const flow = this.#flow(lane.source, lane.target);
    for (const order of lane.pending.keys()) {
      if (!flow.fileSets.has(order.description.fileSet)) flow.fileSets = new Set([order.description.fileSet]);
    }
    const tracked = { flow, bytes: 0, allocatedUntilNanoseconds: lane.openedNanoseconds };
    this.#lanes.set(lane.laneId, tracked);
    return tracked;
  }

  #flow(source: Member, target: Member): Flow {
    const key = `${source.name}>${target.name}`;
    let flow = this.#flows.get(key);
    if (flow === undefined || flow.source !== source || flow.target !== target) {
      flow = {
        key,
        source,
        target,
        pair: this.#pair(source.site ?? "", target.site ?? ""),
        bytes: 0,
        meter: new RateMeter(0),
        allocatedBits: 0,
        allocatedMeter: new RateMeter(0),
        lanes: 0,
        pendingBytes: 0,
        fileSets: new Set(),
        lastLaneNanoseconds: this.#state.now,
      };
      this.#flows.set(key, flow);
    }
    flow.lastLaneNanoseconds = this.#state.now;
    return flow;
  }

  #pair(from: string, to: string): SitePair {
    const key = `${from}>${to}`;
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      const meters = { meter: new RateMeter(0), allocatedMeter: new RateMeter(0) };
      pair = { from, to, bytes: 0, allocatedBits: 0, lanes: 0, ...meters };
      this.#pairs.set(key, pair);
    }
    return pair;
  }
}

function updateMeters(
  counted: Pick<SitePair, "bytes" | "meter" | "allocatedBits" | "allocatedMeter">,
  seconds: number,
): void {
  counted.meter.update(counted.bytes, seconds, wireShare);
  counted.allocatedMeter.update(counted.allocatedBits / 8, seconds);
}
