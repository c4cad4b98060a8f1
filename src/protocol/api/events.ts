/**
 * The event stream, GET /v1/events: what a live page shows, by topic.
 *
 * A client names the topics that it shows. For each it first gets a `snapshot`, and then `delta`s: rows that are new or
 * different, whole, and the keys of rows that are gone. Nothing else is needed to be up to date: see apply-event.ts. A
 * client that does not keep up gets a fresh snapshot in place of the deltas that it missed.
 */
import { z } from "zod";
import {
  agentFileSetRowSchema,
  agentRowSchema,
  controllerRowSchema,
  failureRowSchema,
  fileSetRowSchema,
  atBestSchema,
  flowRowSchema,
  progressSampleSchema,
  rarityRowSchema,
  resourceRowSchema,
  siteLinkRowSchema,
  siteProgressRowSchema,
  siteRowSchema,
  targetRowSchema,
  usageSampleSchema,
} from "./rows.ts";
import { topicPattern, type TopicKind } from "./topics.ts";

/** What each topic holds: `single` values that are replaced as a whole, and collections of rows by key. */
export const topicSchemas = {
  /** The whole fleet at a glance. */
  overview: z
    .object({
      controller: controllerRowSchema,
      sites: z.array(siteRowSchema),
      links: z.array(siteLinkRowSchema),
      /** Links by name. */
      resources: z.array(resourceRowSchema),
      fileSets: z.array(fileSetRowSchema),
    })
    .meta({ id: "OverviewTopic" }),
  agents: z.object({ agents: z.array(agentRowSchema) }).meta({ id: "AgentsTopic" }),
  resources: z.object({ resources: z.array(resourceRowSchema) }).meta({ id: "ResourcesTopic" }),
  transfers: z
    .object({
      totals: z.object({
        lanes: z.int().min(0),
        flows: z.int().min(0),
        /** The largest flows are listed; true: there are more. */
        cut: z.boolean(),
      }),
      flows: z.array(flowRowSchema),
      failures: z.array(failureRowSchema),
    })
    .meta({ id: "TransfersTopic" }),
  /** `fileSet:NAME@VERSION` */
  fileSet: z
    .object({
      summary: fileSetRowSchema.nullable().describe("null: there is no such version (any more)"),
      sites: z.array(siteProgressRowSchema),
      agents: z.array(targetRowSchema),
      rarity: z.array(rarityRowSchema).describe("Replaced as a whole"),
      atBest: atBestSchema.nullable().describe("null: not known, as its size is not yet"),
      history: z.array(progressSampleSchema),
    })
    .meta({ id: "FileSetTopic" }),
  /** `agent:NAME` */
  agent: z
    .object({
      summary: agentRowSchema.nullable().describe("null: there is no such agent (any more)"),
      fileSets: z.array(agentFileSetRowSchema),
      flows: z.array(flowRowSchema).describe("In and out"),
    })
    .meta({ id: "AgentTopic" }),
  /** `resource:NAME` */
  resource: z
    .object({
      summary: resourceRowSchema.nullable(),
      flows: z.array(flowRowSchema).describe("Who uses it now"),
      /** From before the first look for sites and links; for interfaces from the first look on. */
      history: z.array(usageSampleSchema),
    })
    .meta({ id: "ResourceTopic" }),
} as const satisfies Record<TopicKind, z.ZodType>;

export type TopicData<Kind extends TopicKind> = z.infer<(typeof topicSchemas)[Kind]>;
export type AnyTopicData = { [Kind in TopicKind]: TopicData<Kind> }[TopicKind];

const noTopic =
  "there is no such topic: overview, agents, resources, transfers, fileSet:NAME@VERSION, agent:NAME, resource:NAME";

/** `overview`, `fileSet:index@7`, `agent:fra-0`, `resource:sites.fra.uplink`. */
export const topicNameSchema = z.string().max(320).regex(topicPattern, noTopic).meta({
  id: "TopicName",
  description: "overview, agents, resources, transfers, fileSet:NAME@VERSION, agent:NAME, resource:NAME",
});

const envelope = {
  topic: z.string(),
  atMilliseconds: z.int().min(0).describe("When it was so, by the controller's clock: milliseconds since 1970"),
};

/** The first event of a topic, and whenever deltas were missed: all there is. `event: snapshot`. */
export const snapshotEventSchema = z
  .object({ ...envelope, data: z.union(Object.values(topicSchemas)) })
  .meta({ id: "SnapshotEvent" });

/** What changed. `event: delta`. One without `changed` and `removed` only says that the controller is there. */
export const deltaEventSchema = z
  .object({
    ...envelope,
    changed: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("Parts of the topic: of a collection only rows that are new or different; anything else as a whole"),
    removed: z.record(z.string(), z.array(z.string())).optional().describe("By collection: keys of rows that are gone"),
  })
  .meta({ id: "DeltaEvent" });

export interface SnapshotEvent {
  readonly type: "snapshot";
  readonly topic: string;
  readonly atMilliseconds: number;
  readonly data: AnyTopicData;
}
export interface DeltaEvent {
  readonly type: "delta";
  readonly topic: string;
  readonly atMilliseconds: number;
  readonly changed?: Readonly<Record<string, unknown>>;
  readonly removed?: Readonly<Record<string, readonly string[]>>;
}
export type LiveEvent = SnapshotEvent | DeltaEvent;
