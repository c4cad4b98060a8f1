/** The names of topics and the keys of their rows: all that reading the event stream takes, and small enough for a page. */

export type TopicKind = "overview" | "agents" | "resources" | "transfers" | "fileSet" | "agent" | "resource";

/** `overview`, `agents`, `resources`, `transfers`, `fileSet:NAME@VERSION`, `agent:NAME`, `resource:NAME`. */
export const topicPattern = /^(?:overview|agents|resources|transfers|(?:fileSet|agent|resource):[^,\s]{1,300})$/;

/** The key of each collection's rows. What is not named here (`controller`, `rarity`, ...) is replaced as a whole. */
export const collectionKeys = {
  overview: { sites: "site", links: "link", resources: "resource", fileSets: "fileSet" },
  agents: { agents: "agent" },
  resources: { resources: "resource" },
  transfers: { flows: "flow", failures: "failure" },
  fileSet: { sites: "site", agents: "agent", history: "sample" },
  agent: { fileSets: "fileSet", flows: "flow" },
  resource: { flows: "flow", history: "sample" },
} as const satisfies Record<TopicKind, Record<string, string>>;

/** `fileSet:index@7` is of the kind `fileSet`, about `index@7`. Of a text that is no topic: undefined. */
export function parseTopic(topic: string): { kind: TopicKind; about: string } | undefined {
  if (!topicPattern.test(topic)) return undefined;
  const colon = topic.indexOf(":");
  if (colon < 0) return { kind: topic as TopicKind, about: "" };
  return { kind: topic.slice(0, colon) as TopicKind, about: topic.slice(colon + 1) };
}
