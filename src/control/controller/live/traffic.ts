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
import { RateMeter } from "./rate-meter.ts";

/** The lanes between two sites, or from a publisher that did not say where it is (site ""). */
export interface SitePair {
  readonly from: string;
  readonly to: string;
  bytes: number;
  readonly meter: RateMeter;
  lanes: number;
  allocatedBitsPerSecond: number;
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
  lanes: number;
  allocatedBitsPerSecond: number;
  pendingBytes: number;
  readonly fileSets: Set<string>;
  lastLaneNanoseconds: number;
}

interface TrackedLane {
  readonly flow: Flow;
  bytes: number;
}

/** Lanes of which the end was never reported are looked for when there are so many more than run. */
const forgottenLanes = 1_000;

export class Traffic {
  readonly #state: ControllerState;
  readonly #lanes = new Map<number, TrackedLane>();
  readonly #flows = new Map<string, Flow>();
  readonly #pairs = new Map<string, SitePair>();
  lanesOpened = 0;
  lanesEnded = 0;
  lanesFailed = 0;

  constructor(state: ControllerState) {
    this.#state = state;
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

  /** Takes note of lanes that were opened. */
  after(commands: readonly ControllerCommand[]): void {
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

  /** Works out rates and what is allocated now. */
  tick(now: number, seconds: number): void {
    for (const pair of this.#pairs.values()) {
      pair.lanes = 0;
      pair.allocatedBitsPerSecond = 0;
      pair.meter.update(pair.bytes, seconds, wireShare);
    }
    for (const flow of this.#flows.values()) {
      flow.lanes = 0;
      flow.allocatedBitsPerSecond = 0;
      flow.pendingBytes = 0;
      flow.fileSets.clear();
      flow.meter.update(flow.bytes, seconds, wireShare);
    }
    for (const lane of this.#state.scheduler.lanes.values()) {
      const { flow } = this.#lanes.get(lane.laneId) ?? this.#track(lane);
      flow.lanes += 1;
      flow.allocatedBitsPerSecond += lane.rateBitsPerSecond;
      flow.pendingBytes += lane.pendingBytes;
      flow.lastLaneNanoseconds = now;
      for (const order of lane.pending.keys()) flow.fileSets.add(order.description.fileSet);
      flow.pair.lanes += 1;
      flow.pair.allocatedBitsPerSecond += lane.rateBitsPerSecond;
    }
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
    if (ended === "failed") this.lanesFailed += 1;
    else this.lanesEnded += 1;
  }

  #track(lane: Lane): TrackedLane {
    const tracked = { flow: this.#flow(lane.source, lane.target), bytes: 0 };
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
        lanes: 0,
        allocatedBitsPerSecond: 0,
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
      pair = { from, to, bytes: 0, meter: new RateMeter(0), lanes: 0, allocatedBitsPerSecond: 0 };
      this.#pairs.set(key, pair);
    }
    return pair;
  }
}
