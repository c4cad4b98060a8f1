/**
 * What the controller shows of itself through its API: the answers of the GET requests and of operators' commands.
 * Times are whole milliseconds since 1970 where they are dates, seconds where they are lengths of time.
 */
import { z } from "zod";
import { fileSetStatusSchema } from "./agent-messages.ts";
import type { PlanView } from "./plan-views.ts";

const count = z.int().min(0);

export const targetCountsSchema = z
  .object({
    /** Agents that should hold it. */
    targets: count,
    /** Of these: hold it whole, verified and durable. */
    held: count,
    offline: count,
    stalled: count,
  })
  .meta({ id: "TargetCounts" });

export const versionSummarySchema = z
  .object({
    fileSet: z.string(),
    name: z.string(),
    version: z.string(),
    state: z.enum(["publishing", "published"]),
    active: z.boolean(),
    paused: z.boolean(),
    growing: z.boolean(),
    selector: z.string(),
    priority: z.int(),
    root: z.string(),
    sequence: count,
    files: count,
    blocks: count,
    totalBytes: count,
    counts: targetCountsSchema,
    /** Bytes that targets hold, of `targets x totalBytes`. */
    heldBytes: count,
    createdAtMilliseconds: count,
  })
  .meta({ id: "VersionSummary" });
export type VersionSummary = z.infer<typeof versionSummarySchema>;

export const versionAgentSchema = z
  .object({
    agent: z.string(),
    site: z.string(),
    online: z.boolean(),
    status: z.union([fileSetStatusSchema, z.literal("unknown")]),
    heldBytes: count,
    /** Whether `current` points here on this agent. */
    current: z.boolean(),
    /** Whether it should hold it (an origin that is no target need not). */
    target: z.boolean(),
    problem: z.string().optional(),
  })
  .meta({ id: "VersionAgent" });

export const fileViewSchema = z
  .object({ path: z.string(), lengthBytes: count, version: count, growing: z.boolean() })
  .meta({ id: "FileView" });

export const versionDetailSchema = versionSummarySchema
  .extend({
    agents: z.array(versionAgentSchema),
    fileList: z.array(fileViewSchema),
    /** True when `fileList` was cut at the limit. */
    fileListCut: z.boolean(),
  })
  .meta({ id: "VersionDetail" });
export type VersionDetail = z.infer<typeof versionDetailSchema>;

export const agentViewSchema = z
  .object({
    name: z.string(),
    agentId: z.string(),
    site: z.string(),
    labels: z.record(z.string(), z.string()),
    address: z.string(),
    online: z.boolean(),
    drained: z.boolean(),
    blocked: z.boolean(),
    /** Out of use after failures. */
    outOfUse: z.boolean(),
    freeDiskBytes: count.nullable(),
    lanesIn: count,
    lanesOut: count,
    failures: count,
    fileSets: z.array(
      z.object({
        fileSet: z.string(),
        status: z.string(),
        heldBytes: count,
        totalBytes: count,
        current: z.boolean(),
        problem: z.string().optional(),
      }),
    ),
  })
  .meta({ id: "AgentView" });
export type AgentView = z.infer<typeof agentViewSchema>;

export const resourceViewSchema = z
  .object({
    resource: z.string(),
    /** null: no limit is stated. */
    capabilityBitsPerSecond: count.nullable(),
    allocatedBitsPerSecond: count.describe("Mean over the last seconds"),
    measuredBitsPerSecond: count.describe("Mean over the last seconds"),
    /** Bytes of payload that came over it since this controller started. */
    carriedBytes: count,
    failures: count,
    outOfUse: z.boolean(),
    /** Why it is out of use, or what is suspected. */
    reason: z.string().optional(),
  })
  .meta({ id: "ResourceView" });
export type ResourceView = z.infer<typeof resourceViewSchema>;

export const statusViewSchema = z
  .object({
    term: count,
    agents: z.object({ online: count, known: count }),
    fileSets: z.array(versionSummarySchema),
    sites: z.array(z.object({ site: z.string(), online: count, known: count })),
    lanes: count,
    busiest: z.array(resourceViewSchema),
    outOfUse: z.array(resourceViewSchema),
  })
  .meta({ id: "StatusView" });
export type StatusView = z.infer<typeof statusViewSchema>;

/** Some of a version's files. */
export const fileListSchema = z
  .object({ files: z.array(fileViewSchema), total: count.describe("Files that the version has") })
  .meta({ id: "FileList" });
export type FileList = z.infer<typeof fileListSchema>;

/** A topology as its file has it, without comments (docs/topology.md). */
export const topologyViewSchema = z.record(z.string(), z.unknown()).meta({ id: "Topology" });

/** A resource, or what else can fail: `sites.fra.uplink`, `agents.fra-0`, `agents.fra-0.disk`. */
export const componentNameSchema = z
  .string()
  .max(300)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be the name of a resource or component: sites.fra.uplink, agents.fra-0");

/** What an operator can ask for beside looking. */
export const operatorRequestSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("removeFileSet"), name: z.string(), version: z.string(), force: z.boolean() }),
  z.object({ type: z.literal("activate"), name: z.string(), version: z.string() }),
  z.object({ type: z.literal("pause"), name: z.string(), version: z.string().optional() }),
  z.object({ type: z.literal("resume"), name: z.string(), version: z.string().optional() }),
  z.object({ type: z.literal("drain"), agent: z.string() }),
  z.object({ type: z.literal("undrain"), agent: z.string() }),
  z.object({ type: z.literal("block"), agent: z.string() }),
  z.object({ type: z.literal("unblock"), agent: z.string() }),
  /** Takes a component back into use without waiting for the next try. */
  z.object({ type: z.literal("putBack"), component: componentNameSchema }),
  /** Works out a schedule; the reply comes when it is durable. */
  z.object({ type: z.literal("plan"), name: z.string(), version: z.string() }),
  /** Challenges the agent with random portions; the reply comes when the bytes are checked. */
  z.object({ type: z.literal("verifyAgent"), agent: z.string(), blocks: z.int().min(1).max(1_000) }),
]);
export type OperatorRequest = z.infer<typeof operatorRequestSchema>;

export const operatorErrorCodeSchema = z.enum(["notFound", "conflict", "invalid", "unavailable"]);
export type OperatorErrorCode = z.infer<typeof operatorErrorCodeSchema>;

export const removedViewSchema = z
  .object({
    fileSet: z.string(),
    /** What agents delete (offline ones when they come back). */
    agents: z.array(z.object({ agent: z.string(), online: z.boolean(), heldBytes: count })),
  })
  .meta({ id: "RemovedView" });
export const doneViewSchema = z
  .object({ done: z.string().describe("What was done, for people") })
  .meta({ id: "DoneView" });
export const challengeViewSchema = z
  .object({
    agent: z.string(),
    checkedBlocks: count,
    checkedBytes: count,
    damaged: z.array(z.object({ fileSet: z.string(), block: count, path: z.string(), problem: z.string() })),
  })
  .meta({ id: "ChallengeView" });
export type OperatorResult =
  | PlanView
  | z.infer<typeof removedViewSchema>
  | z.infer<typeof doneViewSchema>
  | z.infer<typeof challengeViewSchema>;

export const errorViewSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
