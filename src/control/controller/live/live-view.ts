/**
 * The live views of the controller: what the event stream tells, by topic (protocol/api/events.ts).
 *
 * It hears every event before it is handled and every batch of commands after, and notes what they are about; rows are
 * made only in `tick`, only for topics that someone listens to, and only of what is different. It changes nothing.
 */
import type { Usage } from "../../../protocol/api/rows.ts";
import { parseTopic } from "../../../protocol/api/topics.ts";
import { nanosecondsPerMillisecond, nanosecondsPerSecond } from "../../../std/units.ts";
import type { ControllerCommand, ControllerEvent } from "../controller-events.ts";
import { harmlessKinds } from "../components.ts";
import type { ControllerState } from "../state.ts";
import { AgentTopic, FileSetTopic, ResourceTopic } from "./detail-topics.ts";
import { figuresOf, type LiveFigures } from "./figures.ts";
import { FailureLog } from "./failure-log.ts";
import { HeldBack } from "./held-back.ts";
import {
  idleTickMilliseconds,
  maximumBoundsPerSample,
  progressSampleMilliseconds,
  quickTopicMilliseconds,
  usageSampleMilliseconds,
} from "./limits.ts";
import { AgentsTopic, ResourcesTopic, TransfersTopic } from "./list-topics.ts";
import type { LiveState, LiveTopic } from "./live-state.ts";
import { OverviewTopic } from "./overview-topic.ts";
import { Progress } from "./progress.ts";
import { ResourceUsage } from "./resource-usage.ts";
import { Traffic } from "./traffic.ts";

/** An event of a topic: its kind, and its data as the JSON that is sent. */
export interface TopicEvent {
  readonly topic: string;
  readonly type: "snapshot" | "delta";
  readonly text: string;
}

interface OpenTopic {
  readonly topic: LiveTopic;
  refreshedAtNanoseconds: number;
}

export class LiveView {
  readonly #live: LiveState;
  readonly #topics = new Map<string, OpenTopic>();
  #countedAtNanoseconds: number | undefined;
  /** When rates were last worked out: only while someone listens. */
  #measuredAtNanoseconds: number | undefined;
  #usageSampledAtNanoseconds: number | undefined;
  #progressSampledAtNanoseconds: number | undefined;

  constructor(state: ControllerState) {
    const progress = new Progress(state);
    const heldBack = new HeldBack(state, progress);
    progress.listeners.add(heldBack);
    const usage = new ResourceUsage(state.scheduler.world.ledger);
    this.#live = {
      state,
      progress,
      traffic: new Traffic(state, usage),
      usage,
      failures: new FailureLog(),
      heldBack,
    };
  }

  /** An event is about to be handled. */
  before(event: ControllerEvent): void {
    this.#live.progress.before(event);
    this.#live.traffic.before(event);
    if (event.type === "agentMessage" && event.message.type === "state") this.#noteFailures(event);
  }

  /** It was handled, and these commands came of it. */
  after(commands: readonly ControllerCommand[]): void {
    this.#live.traffic.after(commands);
  }

  /** When `tick` is due again: soon while someone listens, else often enough for rates. Milliseconds. */
  get periodMilliseconds(): number {
    return this.#topics.size > 0 ? quickTopicMilliseconds : idleTickMilliseconds;
  }

  /** Begins a topic. @returns its first snapshot; undefined: there is no such topic */
  open(name: string, nowNanoseconds: number): TopicEvent | undefined {
    if (this.#topics.has(name)) return this.snapshot(name, nowNanoseconds);
    const topic = this.#create(name);
    if (topic === undefined) return undefined;
    if (this.#topics.size === 0) this.#count(nowNanoseconds);
    this.#topics.set(name, { topic, refreshedAtNanoseconds: nowNanoseconds });
    this.#live.progress.listeners.add(topic);
    topic.refresh(nowNanoseconds);
    return this.snapshot(name, nowNanoseconds);
  }

  close(name: string): void {
    const open = this.#topics.get(name);
    if (open === undefined) return;
    this.#topics.delete(name);
    this.#live.progress.listeners.delete(open.topic);
    open.topic.close?.();
  }

  /** All that an open topic holds, as its last delta left it. */
  snapshot(name: string, nowNanoseconds: number): TopicEvent | undefined {
    const open = this.#topics.get(name);
    if (open === undefined) return undefined;
    return this.#event(name, "snapshot", open.topic.parts.snapshot(), nowNanoseconds);
  }

  /** Brings counts and open topics up to date. @returns the deltas of those that are different */
  tick(nowNanoseconds: number): TopicEvent[] {
    this.#count(nowNanoseconds);
    this.#sample(nowNanoseconds);
    const events: TopicEvent[] = [];
    for (const [name, open] of this.#topics) {
      // A tick that comes a little early counts.
      const due = open.refreshedAtNanoseconds + (open.topic.periodMilliseconds - 50) * nanosecondsPerMillisecond;
      if (nowNanoseconds < due) continue;
      open.refreshedAtNanoseconds = nowNanoseconds;
      open.topic.refresh(nowNanoseconds);
      const body = open.topic.parts.takeDelta();
      if (body !== undefined) events.push(this.#event(name, "delta", body, nowNanoseconds));
    }
    return events;
  }

  /** Everything that is counted, as of now. */
  figures(): LiveFigures {
    this.#live.progress.process();
    return figuresOf(this.#live);
  }

  #create(name: string): LiveTopic | undefined {
    const parsed = parseTopic(name);
    switch (parsed?.kind) {
      case "overview":
        return new OverviewTopic(this.#live);
      case "agents":
        return new AgentsTopic(this.#live);
      case "resources":
        return new ResourcesTopic(this.#live);
      case "transfers":
        return new TransfersTopic(this.#live);
      case "fileSet":
        return new FileSetTopic(this.#live, parsed.about);
      case "agent":
        return new AgentTopic(this.#live, parsed.about);
      case "resource":
        return new ResourceTopic(this.#live, parsed.about);
      default:
        return undefined;
    }
  }

  #event(topic: string, type: TopicEvent["type"], body: string, nowNanoseconds: number): TopicEvent {
    const atMilliseconds = this.#dateMilliseconds(nowNanoseconds);
    return { topic, type, text: `{"topic":${JSON.stringify(topic)},"atMilliseconds":${atMilliseconds},${body}}` };
  }

  /** What is used of a resource, by its index in the ledger: means over the last seconds. */
  usageOf(index: number): Usage {
    return this.#live.usage.of(index);
  }

  /** Progress and use of resources always; flows and what holds file sets back only while someone listens. */
  #count(nowNanoseconds: number): void {
    const { progress, traffic, usage } = this.#live;
    progress.process();
    const last = this.#countedAtNanoseconds ?? nowNanoseconds;
    const seconds = (nowNanoseconds - last) / nanosecondsPerSecond;
    this.#countedAtNanoseconds = nowNanoseconds;
    this.#measuredAtNanoseconds ??= nowNanoseconds;
    for (const { meter, tally } of progress.fileSets.values()) meter.update(tally.heldBytes, seconds);
    traffic.countRunning(nowNanoseconds);
    usage.tick(seconds);
    if (this.#topics.size === 0) {
      traffic.forget(nowNanoseconds);
      return;
    }
    // What came while nobody looked came in all of that time, not since the last count.
    const measuredSeconds = (nowNanoseconds - this.#measuredAtNanoseconds) / nanosecondsPerSecond;
    this.#measuredAtNanoseconds = nowNanoseconds;
    traffic.tick(nowNanoseconds, measuredSeconds);
    for (const fileSet of this.#live.heldBack.refresh(nowNanoseconds)) progress.tell(fileSet);
  }

  #sample(nowNanoseconds: number): void {
    const since = (last: number | undefined): number =>
      last === undefined ? Infinity : (nowNanoseconds - last) / nanosecondsPerMillisecond;
    const atMilliseconds = this.#dateMilliseconds(nowNanoseconds);
    // A tick that comes a little early counts.
    const usageMilliseconds = since(this.#usageSampledAtNanoseconds);
    if (usageMilliseconds >= usageSampleMilliseconds - 50) {
      this.#usageSampledAtNanoseconds = nowNanoseconds;
      this.#live.usage.sample(atMilliseconds, Number.isFinite(usageMilliseconds) ? usageMilliseconds / 1_000 : 0);
    }
    if (since(this.#progressSampledAtNanoseconds) < progressSampleMilliseconds - 50) return;
    this.#progressSampledAtNanoseconds = nowNanoseconds;
    let bounds = 0;
    for (const fileSet of this.#live.progress.fileSets.values()) {
      const { history, tally } = fileSet;
      const { held, targets, heldBytes, wantedBytes } = tally;
      const before = history.all.at(-1);
      const isOver = held === targets && before?.heldBytes === heldBytes && before.held === held;
      if (targets === 0 || isOver) continue;
      history.add({ sample: String(atMilliseconds), atMilliseconds, heldBytes, wantedBytes, held, targets });
      if (fileSet.atBest !== undefined || held === targets || bounds >= maximumBoundsPerSample) continue;
      if (!fileSet.fileSet.manifest.isComplete) continue;
      bounds += 1;
      const secondsAtLeast = this.#live.heldBack.secondsAtLeast(fileSet);
      fileSet.atBest = { fromMilliseconds: atMilliseconds, heldBytes, secondsAtLeast };
    }
  }

  #noteFailures(event: ControllerEvent & { type: "agentMessage" }): void {
    const { state, failures } = this.#live;
    const row = state.connections.get(event.connectionId)?.agent?.row;
    if (row === undefined || event.message.type !== "state") return;
    for (const failure of event.message.failures) {
      if (failure.failureId <= row.lastFailureId || harmlessKinds.has(failure.kind)) continue;
      failures.note(row.name, failure, this.#dateMilliseconds(state.now));
    }
  }

  #dateMilliseconds(nowNanoseconds: number): number {
    const { epochMilliseconds } = this.#live.state;
    return Math.max(0, Math.floor(epochMilliseconds + nowNanoseconds / nanosecondsPerMillisecond));
  }
}
