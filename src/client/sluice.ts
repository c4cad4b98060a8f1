/**
 * The client for programs: publish, write a file that grows, wait for a version, follow what happens, and order what an
 * operator can order. One object for each controller; it holds no connection open but those that are in use.
 */
import { checkFileSetName, checkVersion } from "../model/names.ts";
import { parseSelector } from "../model/selector.ts";
import type { AnyTopicData, LiveEvent, TopicData } from "../protocol/api/events.ts";
import { applyEvent } from "../protocol/api/apply-event.ts";
import type { TopicKind } from "../protocol/api/topics.ts";
import type { PublishOptions, PublishProgress, PublishResult } from "../services/publisher/publish-options.ts";
import { publish } from "../services/publisher/publish.ts";
import { waitForTargets, type WaitProgress, type WaitResult } from "../services/publisher/wait-for-targets.ts";
import { ControllerClient } from "./controller-client.ts";
import { followEvents, type FollowOptions } from "./event-stream.ts";
import { GrowingFile } from "./growing-file.ts";

/** How long a controller that does not answer is tried again when nobody says. */
const defaultConnectTimeoutMilliseconds = 10_000;

export interface ConnectOptions {
  /** How long a controller that does not answer is tried again; 10 s when left out. */
  readonly connectTimeoutMilliseconds?: number;
}

/** What a version is to be, however it is published. */
export interface VersionOptions {
  readonly name: string;
  readonly version: string;
  /** Which agents are to hold it; all when left out. */
  readonly to?: string;
  /** Higher goes first; 0 when left out. */
  readonly priority?: number;
  /** Agents use it as soon as they hold it; true when left out. */
  readonly activate?: boolean;
  /** The site that this program runs in, so that its agents are handed the data first. */
  readonly site?: string;
  /** The one agent that it enters through. */
  readonly agent?: string;
  readonly onProgress?: (progress: PublishProgress) => void;
  /** Stops the publish: nothing of it stays. */
  readonly signal?: AbortSignal;
}

export interface PublishPathOptions extends VersionOptions {
  /** A file or a folder. */
  readonly path: string;
}

export interface GrowingFileOptions extends VersionOptions {
  /** The name of the file in the file set. */
  readonly fileName: string;
}

export interface WaitForOptions {
  readonly name: string;
  readonly version: string;
  /** Without end when left out. */
  readonly timeoutMilliseconds?: number;
  readonly onProgress?: (progress: WaitProgress) => void;
  readonly signal?: AbortSignal;
}

/** The part of a topic's name that says what it holds: of `fileSet:index@7` that is `fileSet`. */
export type KindOfTopic<Topic extends string> = Topic extends `${infer Kind extends TopicKind}:${string}`
  ? Kind
  : Topic extends TopicKind
    ? Topic
    : TopicKind;

export class Sluice {
  /** The routes of the API, one method each. */
  readonly api: ControllerClient;
  readonly #url: string;
  readonly #connectTimeoutMilliseconds: number;

  /** @throws ClientError when it is no URL of a controller */
  constructor(url: string, { connectTimeoutMilliseconds = defaultConnectTimeoutMilliseconds }: ConnectOptions = {}) {
    this.#url = url;
    this.#connectTimeoutMilliseconds = connectTimeoutMilliseconds;
    this.api = new ControllerClient({ url, connectTimeoutMilliseconds });
  }

  /**
   * Publishes a file or a folder. Resolves when it is published as a whole (agents may still be fetching it).
   * @throws PublishError, another UserError for a name or a path that does not fit
   */
  async publish(options: PublishPathOptions): Promise<PublishResult> {
    const stop = options.signal ?? new AbortController().signal;
    return publish({ ...this.#publishOptions(options, stop), source: { kind: "tree", path: options.path } });
  }

  /** Begins a file that agents follow while it is written. See GrowingFile. */
  createGrowingFile(options: GrowingFileOptions): GrowingFile {
    return new GrowingFile(async (stream, signal) => {
      const both = options.signal === undefined ? signal : AbortSignal.any([signal, options.signal]);
      const source = { kind: "stream", stream, fileName: options.fileName } as const;
      return publish({ ...this.#publishOptions(options, both), source });
    });
  }

  /** Waits until every target holds a version, and uses it if it is active. @throws PublishError when the time is over */
  async waitFor({ timeoutMilliseconds, ...options }: WaitForOptions): Promise<WaitResult> {
    return waitForTargets({ url: this.#url, ...options, timeoutMilliseconds });
  }

  /** The events of these topics, as they come. */
  events(topics: readonly string[], options: FollowOptions = {}): AsyncGenerator<LiveEvent> {
    return followEvents(this.api, topics, options);
  }

  /** What a topic holds, each time that it is different: `overview`, `fileSet:index@7`, ... */
  async *follow<const Topic extends string>(
    topic: Topic,
    options: FollowOptions = {},
  ): AsyncGenerator<TopicData<KindOfTopic<Topic>>> {
    let data: AnyTopicData | undefined;
    for await (const event of this.events([topic], options)) {
      const after = applyEvent(data, event);
      if (after === undefined || (event.type === "delta" && !event.changed && !event.removed)) continue;
      data = after;
      yield data as TopicData<KindOfTopic<Topic>>;
    }
  }

  #publishOptions(options: VersionOptions, signal: AbortSignal): Omit<PublishOptions, "source"> {
    const { name, version, to = "all", priority = 0, activate = true, site, agent, onProgress } = options;
    checkFileSetName(name);
    checkVersion(version);
    parseSelector(to);
    return {
      url: this.#url,
      name,
      version,
      selector: to,
      priority,
      activate,
      patienceMilliseconds: this.#connectTimeoutMilliseconds,
      signal,
      ...(site === undefined ? {} : { site }),
      ...(agent === undefined ? {} : { agent }),
      ...(onProgress === undefined ? {} : { onProgress }),
    };
  }
}

/** A client for the controller at this URL: `http://HOST:PORT`. Nothing is asked of it yet. */
export function connect(url: string, options: ConnectOptions = {}): Sluice {
  return new Sluice(url, options);
}
