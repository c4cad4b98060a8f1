/** A controller whose live views are followed, for tests. */
import assert from "node:assert/strict";
import { applyEvent } from "../../../protocol/api/apply-event.ts";
import type { AnyTopicData, LiveEvent, TopicData } from "../../../protocol/api/events.ts";
import { topicSchemas } from "../../../protocol/api/events.ts";
import { parseTopic } from "../../../protocol/api/topics.ts";
import type { ControllerCommand, ControllerEvent } from "../controller-events.ts";
import { Stage, stateOf, testFileSet } from "../controller.testing.ts";
import type { TopicEvent } from "./live-view.ts";

const tickNanoseconds = 1_000_000_000;

/** A stage whose live views are followed. */
export class LiveStage extends Stage {
  readonly data = new Map<string, AnyTopicData>();
  deltas: TopicEvent[] = [];

  override handle(event: ControllerEvent): ControllerCommand[] {
    if (event.type === "started") return super.handle(event);
    this.core.live().before(event);
    const commands = super.handle(event);
    this.core.live().after(commands);
    return commands;
  }

  follow(topic: string): void {
    const event = this.core.live().open(topic, this.now);
    assert.ok(event !== undefined);
    this.#take(event);
  }

  /** Lets a second pass and takes what is told. */
  tick(): void {
    this.now += tickNanoseconds;
    this.deltas = this.core.live().tick(this.now);
    for (const event of this.deltas) this.#take(event);
  }

  topic<Kind extends keyof typeof topicSchemas>(kind: Kind, name: string = kind): TopicData<Kind> {
    return this.data.get(name) as TopicData<Kind>;
  }

  #take(event: TopicEvent): void {
    const parsed = { type: event.type, ...(JSON.parse(event.text) as object) } as LiveEvent;
    const data = applyEvent(this.data.get(event.topic), parsed);
    assert.ok(data !== undefined);
    this.data.set(event.topic, topicSchemas[parseTopic(event.topic)?.kind ?? "overview"].parse(data));
  }
}

export const blocks = 24;
export const fileSets = [testFileSet("a", "1", blocks), testFileSet("a", "2", blocks), testFileSet("b", "1", blocks)];
/** The lane that iad-0 or another was told to open to this source. */
export function laneFrom(stage: LiveStage, holder: string): number {
  const opened = stage.sent.flatMap((command) =>
    command.type === "sendAgent" && command.message.type === "instruct" ? command.message.open : [],
  );
  const laneId = opened.findLast(({ holderName }) => holderName === holder)?.laneId;
  assert.ok(laneId !== undefined);
  return laneId;
}

/** fra-0 holds all of a file set that iad-0 and iad-1 want. */
export function published(stage: LiveStage): { iad: number } {
  const [index] = fileSets;
  assert.ok(index);
  const fra = stage.connect("fra-0", "fra");
  const iad = stage.connect("iad-0", "iad");
  stage.connect("iad-1", "iad");
  const publisher = stage.publisher("publisher");
  const publishId = stage.publishFileSet(publisher, index, { agent: "fra-0" });
  stage.state(fra, { fileSets: [stateOf(index, "fetching")] });
  stage.state(fra, { fileSets: [stateOf(index, "held", [0, blocks])] });
  stage.publish(publisher, { type: "commit", publishId });
  stage.state(iad, { fileSets: [stateOf(index, "fetching")] });
  return { iad };
}
