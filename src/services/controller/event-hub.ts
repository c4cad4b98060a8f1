/**
 * Followers of the event stream: what the live views tell goes to everyone who follows that topic, made once for all.
 *
 * Promises: nothing is made for topics that nobody follows (a topic lingers for a short while, so that a broken connection
 * finds it again); what waits for one follower is bounded, and one that does not keep up gets a fresh snapshot when it
 * reads again; a follower that comes back with its last event's id gets what it missed, or a snapshot.
 */
import type { TopicEvent } from "../../control/controller/live/live-view.ts";
import { EventFollower } from "./event-follower.ts";
import { maximumEventStreams, streamKeepAliveMilliseconds, topicLingerMilliseconds } from "./limits.ts";
import type { LiveFeed } from "./machine.ts";
import { RecentEvents, type SentEvent } from "./recent-events.ts";

export interface EventHubOptions {
  readonly live: LiveFeed;
  /** Distinguishes the ids of this controller's events from those of the one before. */
  readonly term: number;
  readonly nowNanoseconds: () => number;
}

interface FollowedTopic {
  readonly recent: RecentEvents;
  readonly followers: Set<EventFollower>;
  linger: NodeJS.Timeout | undefined;
}

export class EventHub {
  readonly #options: EventHubOptions;
  readonly #topics = new Map<string, FollowedTopic>();
  readonly #followers = new Set<EventFollower>();
  #sequence = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #keepAlive: NodeJS.Timeout;
  #closed = false;

  constructor(options: EventHubOptions) {
    this.#options = options;
    this.#keepAlive = setInterval(() => {
      for (const follower of this.#followers) follower.keepAlive(this.#id(this.#sequence));
    }, streamKeepAliveMilliseconds);
    this.#schedule();
  }

  /** Streams that are open now. */
  get followers(): number {
    return this.#followers.size;
  }

  /**
   * Begins a stream of these topics.
   * @param lastEventId what the follower had last; its topics must be the same
   * @returns undefined when there are as many streams as may be
   */
  follow(topics: readonly string[], lastEventId?: string): ReadableStream<Uint8Array> | undefined {
    if (this.#closed || this.#followers.size >= maximumEventStreams) return undefined;
    const follower = new EventFollower({
      topics,
      snapshots: () => this.#snapshots(topics),
      onGone: () => this.#leave(follower),
    });
    const since = this.#sequenceOf(lastEventId);
    const missed: SentEvent[] = [];
    let resumes = since !== undefined;
    for (const name of topics) {
      const recent = this.#topics.get(name)?.recent.since(since ?? -1);
      if (recent === undefined) resumes = false;
      else missed.push(...recent);
    }
    this.#followers.add(follower);
    for (const name of topics) this.#join(name, follower);
    if (resumes) follower.begin(missed.sort((one, other) => one.sequence - other.sequence));
    else follower.begin(undefined);
    this.#schedule();
    return follower.stream;
  }

  /** Ends all streams. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#keepAlive);
    for (const follower of [...this.#followers]) follower.end();
    for (const { linger } of this.#topics.values()) clearTimeout(linger);
  }

  #join(name: string, follower: EventFollower): void {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      this.#options.live.open(name, this.#options.nowNanoseconds());
      topic = { recent: new RecentEvents(this.#sequence), followers: new Set(), linger: undefined };
      this.#topics.set(name, topic);
    }
    clearTimeout(topic.linger);
    topic.followers.add(follower);
  }

  #leave(follower: EventFollower): void {
    if (!this.#followers.delete(follower)) return;
    for (const name of follower.topics) {
      const topic = this.#topics.get(name);
      if (topic === undefined) continue;
      topic.followers.delete(follower);
      if (topic.followers.size > 0) continue;
      clearTimeout(topic.linger);
      topic.linger = setTimeout(() => {
        this.#topics.delete(name);
        this.#options.live.close(name);
      }, topicLingerMilliseconds).unref();
    }
  }

  /** Only the last one has an id: who got some of them has nothing to go on from. */
  #snapshots(topics: readonly string[]): SentEvent[] {
    const { live, nowNanoseconds } = this.#options;
    return topics.flatMap((name, index) => {
      const event = live.snapshot(name, nowNanoseconds());
      if (event === undefined) return [];
      return [this.#sent(event, this.#sequence, index === topics.length - 1)];
    });
  }

  #tick(): void {
    const { live, nowNanoseconds } = this.#options;
    for (const event of live.tick(nowNanoseconds())) {
      const topic = this.#topics.get(event.topic);
      if (topic === undefined) continue;
      this.#sequence += 1;
      const sent = this.#sent(event, this.#sequence, true);
      topic.recent.add(sent);
      for (const follower of topic.followers) follower.send(sent);
    }
  }

  #sent(event: TopicEvent, sequence: number, withId: boolean): SentEvent {
    const id = withId ? `id: ${this.#id(sequence)}\n` : "";
    return { sequence, frame: Buffer.from(`event: ${event.type}\n${id}data: ${event.text}\n\n`) };
  }

  /** Goes on at the pace that the live views ask for. */
  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#tick();
      this.#schedule();
    }, this.#options.live.periodMilliseconds).unref();
  }

  #id(sequence: number): string {
    return `${this.#options.term}-${sequence}`;
  }

  #sequenceOf(id: string | undefined): number | undefined {
    const match = /^([0-9]{1,16})-([0-9]{1,16})$/.exec(id ?? "");
    return match === null || Number(match[1]) !== this.#options.term ? undefined : Number(match[2]);
  }
}
