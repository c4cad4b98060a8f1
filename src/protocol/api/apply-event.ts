/** Keeps a topic's data up to date from its events: the one way to read the stream, for pages, programs and tests. */
import type { AnyTopicData, LiveEvent } from "./events.ts";
import { collectionKeys, parseTopic } from "./topics.ts";

type Row = Readonly<Record<string, unknown>>;

/**
 * What a topic holds after an event. Values that did not change stay the same objects; `before` itself is not changed.
 * A delta of a topic of which no snapshot has come gives undefined.
 */
export function applyEvent(before: AnyTopicData | undefined, event: LiveEvent): AnyTopicData | undefined {
  if (event.type === "snapshot") return event.data;
  const kind = parseTopic(event.topic)?.kind;
  if (before === undefined || kind === undefined) return undefined;
  const { changed = {}, removed = {} } = event;
  const keys: Readonly<Record<string, string>> = collectionKeys[kind];
  const after: Record<string, unknown> = { ...before };
  for (const part of new Set([...Object.keys(changed), ...Object.keys(removed)])) {
    const key = keys[part];
    after[part] =
      key === undefined
        ? changed[part]
        : mergeRows(key, after[part] as readonly Row[], (changed[part] ?? []) as readonly Row[], removed[part] ?? []);
  }
  return after as AnyTopicData;
}

/** Rows keep their places; new ones stand at the end. */
function mergeRows(
  key: string,
  before: readonly Row[],
  changed: readonly Row[],
  removed: readonly string[],
): readonly Row[] {
  const news = new Map(changed.map((row) => [row[key], row]));
  const gone = new Set<unknown>(removed);
  const after: Row[] = [];
  for (const row of before) {
    const id = row[key];
    if (gone.has(id) && !news.has(id)) continue;
    after.push(news.get(id) ?? row);
    news.delete(id);
  }
  after.push(...news.values());
  return after;
}
