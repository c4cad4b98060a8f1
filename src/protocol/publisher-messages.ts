/**
 * The publisher's channel. A publish has an id that the publisher makes; with it the publisher comes back after a break
 * or a restart of the controller and goes on where it was. The publisher writes the manifest, the controller checks it
 * against the root, and instructs the publisher to hand blocks over to agents as it instructs agents to pull.
 */
import { z } from "zod";
import { maximumSelectorLength } from "../model/limits.ts";
import { protocolVersionSchema } from "./version.ts";
import {
  agentIdSchema,
  agentNameSchema,
  base64Schema,
  checksumAlgorithmSchema,
  failureKindSchema,
  fileSetKeySchema,
  fileSetNameSchema,
  flatRangesSchema,
  listOf,
  rootSchema,
  siteNameSchema,
  textSchema,
  versionSchema,
  wholeNumberSchema,
} from "./parts.ts";
import { blockOrderSchema } from "./parts.ts";
import { instructSchema } from "./controller-messages.ts";

/** Opens a publish or takes it up again. */
export const beginSchema = z.object({
  type: z.literal("begin"),
  protocol: protocolVersionSchema,
  publishId: agentIdSchema,
  name: fileSetNameSchema,
  version: versionSchema,
  /** Text of the selector of targets. */
  selector: z.string().max(maximumSelectorLength),
  priority: z.int().min(-1_000_000).max(1_000_000),
  site: siteNameSchema.optional(),
  agent: agentNameSchema.optional(),
  activate: z.boolean(),
  growing: z.boolean(),
  algorithm: checksumAlgorithmSchema,
  pieceBytes: z
    .int()
    .min(1_024)
    .max(16 * 1024 * 1024),
  /** Of a publish that does not grow: what the whole manifest will be, so that the same content is known again. */
  root: rootSchema.optional(),
  manifestBytes: wholeNumberSchema.optional(),
});
export type Begin = z.infer<typeof beginSchema>;

/** Appends to the manifest; `root` is that of the manifest up to and with these bytes. */
export const appendSchema = z.object({
  type: z.literal("append"),
  publishId: agentIdSchema,
  offset: wholeNumberSchema,
  bytes: base64Schema,
  /** Left out while a long manifest is still being sent piece by piece; the controller acts only on bytes that a root covers. */
  root: rootSchema.optional(),
});
export type Append = z.infer<typeof appendSchema>;

/** What came of hand-overs: accepted by the receiver (verified and written), failed, or the lane's end. */
export const handedOverSchema = z.object({
  type: z.literal("handedOver"),
  publishId: agentIdSchema,
  lanes: listOf(
    z.object({
      laneId: wholeNumberSchema,
      handedBytes: wholeNumberSchema,
      ended: z.enum(["closed", "failed"]).optional(),
    }),
  ),
  failures: listOf(z.object({ laneId: wholeNumberSchema, kind: failureKindSchema, detail: textSchema })),
});
export type HandedOver = z.infer<typeof handedOverSchema>;

/** The receivers have made durable all that was handed to them (sent before a commit is asked for). */
export const commitSchema = z.object({ type: z.literal("commit"), publishId: agentIdSchema });

/** The source changed underneath, or the user stopped it: nothing of this publish may stay. */
export const abortSchema = z.object({ type: z.literal("abort"), publishId: agentIdSchema, reason: textSchema });

/** Nothing new, still there. */
export const aliveSchema = z.object({ type: z.literal("alive"), publishId: agentIdSchema });

export const publisherMessageSchema = z.discriminatedUnion("type", [
  beginSchema,
  appendSchema,
  handedOverSchema,
  commitSchema,
  abortSchema,
  aliveSchema,
]);
export type PublisherMessage = z.infer<typeof publisherMessageSchema>;

/** The publish may go on. `manifestBytes`: how much of the manifest the controller has (covered by a root). */
export const acceptedSchema = z.object({
  type: z.literal("accepted"),
  publishId: agentIdSchema,
  term: wholeNumberSchema,
  manifestBytes: wholeNumberSchema,
  heartbeatMilliseconds: wholeNumberSchema,
});

/** This version exists already with this very root: there is nothing to do. */
export const alreadySchema = z.object({ type: z.literal("already"), publishId: agentIdSchema });

export const rejectedSchema = z.object({
  type: z.literal("rejected"),
  publishId: agentIdSchema,
  code: z.enum([
    "exists",
    "busy",
    "noTargets",
    "unknownAgent",
    "agentOffline",
    "unknownSite",
    "selector",
    "manifest",
    "protocol",
    "aborted",
    "unknownPublish",
  ]),
  reason: textSchema,
});
export type Rejected = z.infer<typeof rejectedSchema>;

/** Content that agents hold (verified and written): the publisher need not keep it any longer once durable there. */
export const heldSchema = z.object({
  type: z.literal("held"),
  publishId: agentIdSchema,
  order: blockOrderSchema,
  ranges: flatRangesSchema,
});

/** Every block is with an agent: make the receivers flush, then commit. */
export const allHandedOverSchema = z.object({
  type: z.literal("allHandedOver"),
  publishId: agentIdSchema,
  fileSet: fileSetKeySchema,
  receivers: listOf(
    z.object({ agentId: agentIdSchema, address: z.string().max(300), laneId: wholeNumberSchema, ticket: z.string() }),
  ),
});
export type AllHandedOver = z.infer<typeof allHandedOverSchema>;

export const committedSchema = z.object({ type: z.literal("committed"), publishId: agentIdSchema });

export const controllerToPublisherSchema = z.discriminatedUnion("type", [
  acceptedSchema,
  alreadySchema,
  rejectedSchema,
  heldSchema,
  allHandedOverSchema,
  committedSchema,
  instructSchema,
]);
export type ControllerToPublisher = z.infer<typeof controllerToPublisherSchema>;
