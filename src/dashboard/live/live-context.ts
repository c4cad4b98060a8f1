/** How pages get at what is live: `useTopic` follows a topic for as long as the component is there. */
import { createContext } from "preact";
import { useContext, useEffect } from "preact/hooks";
import type { TopicData } from "../../protocol/api/events.ts";
import type { TopicKind } from "../../protocol/api/topics.ts";
import type { LiveSource } from "./live-source.ts";

export const LiveContext = createContext<LiveSource | undefined>(undefined);

export function useLive(): LiveSource {
  const live = useContext(LiveContext);
  if (live === undefined) throw new Error("the page has no line to the controller");
  return live;
}

/** What is known of a topic, such as `overview`, or `agent` about `fra-0`. Undefined until it has come. */
export function useTopic<Kind extends TopicKind>(kind: Kind, about?: string): TopicData<Kind> | undefined {
  const live = useLive();
  const name = about === undefined ? kind : `${kind}:${about}`;
  useEffect(() => live.follow(name), [live, name]);
  return live.topic(name).value as TopicData<Kind> | undefined;
}
