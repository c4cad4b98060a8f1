/** `sluice status --watch` on a terminal: follows the event stream and shows the fleet until it is interrupted. */
import { createLogUpdate } from "log-update";
import { applyEvent } from "../../protocol/api/apply-event.ts";
import type { AnyTopicData, LiveEvent, TopicData } from "../../protocol/api/events.ts";
import { showsUnicode } from "./bar.ts";
import { followEvents } from "./event-stream.ts";
import { fleetScreen, watchedClosely } from "./fleet-screen.ts";

/** File sets of which each site's progress is shown. */
const closelyWatched = 3;

export interface WatchOptions {
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
    void followEvents({
      url: this.#options.url,
      topics,
      signal: this.#following.signal,
      onEvent: (event) => this.#take(event),
      onProblem: (problem) => {
        this.#problem = problem;
      },
    });
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
