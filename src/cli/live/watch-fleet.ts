/** `sluice status --watch` on a terminal: follows the event stream and shows the fleet until it is interrupted. */
import { createLogUpdate } from "log-update";
import type { ControllerClient } from "../../client/controller-client.ts";
import { followEvents } from "../../client/event-stream.ts";
import { applyEvent } from "../../protocol/api/apply-event.ts";
import type { AnyTopicData, LiveEvent, TopicData } from "../../protocol/api/events.ts";
import { showsUnicode } from "./bar.ts";
import { fleetScreen, watchedClosely } from "./fleet-screen.ts";

/** File sets of which each site's progress is shown. */
const closelyWatched = 3;
/** Somebody looks on: a controller that is back is seen within this. */
const longestPauseMilliseconds = 2_000;

export interface WatchOptions {
  readonly client: ControllerClient;
  readonly url: string;
  readonly intervalMilliseconds: number;
  readonly out: NodeJS.WriteStream;
  readonly signal: AbortSignal;
}

/** Runs until the signal is given; the last screen stays. */
export async function watchFleet(options: WatchOptions): Promise<void> {
  const watch = new FleetWatch(options);
  await watch.run();
}

class FleetWatch {
  readonly #options: WatchOptions;
  readonly #topics = new Map<string, AnyTopicData>();
  #problem: string | undefined;
  #close: readonly string[] = [];
  #following: AbortController | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { out, signal, intervalMilliseconds } = this.#options;
    const update = createLogUpdate(out);
    const show = (): void => update(this.#screen());
    const timer = setInterval(show, intervalMilliseconds);
    out.on("resize", show);
    this.#follow();
    show();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    clearInterval(timer);
    out.off("resize", show);
    this.#following?.abort();
    show();
    update.done();
  }

  /** Follows the overview, and the file sets that are under way: other topics take another connection. */
  #follow(): void {
    this.#following?.abort();
    this.#following = new AbortController();
    const topics = ["overview", ...this.#close.map((fileSet) => `fileSet:${fileSet}`)];
    for (const topic of this.#topics.keys()) if (!topics.includes(topic)) this.#topics.delete(topic);
    void this.#read(topics, this.#following.signal).catch((error: unknown) => {
      this.#problem = error instanceof Error ? error.message : String(error);
    });
  }

  async #read(topics: readonly string[], signal: AbortSignal): Promise<void> {
    const onBroken = (problem: string): void => {
      this.#problem = `${problem}; trying again`;
    };
    for await (const event of followEvents(this.#options.client, topics, {
      signal,
      onBroken,
      longestPauseMilliseconds,
    })) {
      this.#problem = undefined;
      this.#take(event);
    }
  }

  #take(event: LiveEvent): void {
    const data = applyEvent(this.#topics.get(event.topic), event);
    if (data === undefined) return;
    this.#topics.set(event.topic, data);
    if (event.topic !== "overview") return;
    const close = watchedClosely((data as TopicData<"overview">).fileSets, closelyWatched);
    if ([...close].sort().join() === [...this.#close].sort().join()) return;
    this.#close = close;
    this.#follow();
  }

  #screen(): string {
    const { out, url } = this.#options;
    const sites = this.#close.map((fileSet) => {
      const data = this.#topics.get(`fileSet:${fileSet}`) as TopicData<"fileSet"> | undefined;
      return [fileSet, data?.sites ?? []] as const;
    });
    return fleetScreen(
      {
        url,
        nowMilliseconds: Date.now(),
        overview: this.#topics.get("overview") as TopicData<"overview"> | undefined,
        sites: new Map(sites),
        problem: this.#problem,
      },
      // A terminal that does not know its size says 0.
      { columns: out.columns || 80, rows: (out.rows || 24) - 1, unicode: showsUnicode(process.env) },
    );
  }
}
