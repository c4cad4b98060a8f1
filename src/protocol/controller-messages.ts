/** What the controller says to an agent. Each message carries the controller's term; an agent refuses an older one. */
import { z } from "zod";
import { protocolVersionSchema } from "./version.ts";
import { maximumLanesBefore } from "./limits.ts";
import {
  addressSchema,
  agentIdSchema,
  base64Schema,
  checksumAlgorithmSchema,
  fileSetKeySchema,
  fileSetNameSchema,
  listOf,
  portionSchema,
  rootSchema,
  textSchema,
  ticketTextSchema,
  versionSchema,
  wholeNumberSchema,
} from "./parts.ts";

const term = wholeNumberSchema;

/** The answer to a hello. The agent then sends its whole state. */
export const welcomeSchema = z.object({
  type: z.literal("welcome"),
  term,
  protocol: protocolVersionSchema,
  settings: z.object({
    /** An agent says something at least this often; after three times this the controller takes it for gone. */
    heartbeatMilliseconds: z.int().min(10).max(600_000),
    /** Changes of state are gathered for at most this long before they are sent. */
    reportMilliseconds: z.int().min(1).max(60_000),
    /** A lane on which a block is due and no byte comes for this long has stalled. */
    stallMilliseconds: z.int().min(10).max(600_000),
    /** How many versions of a file set are kept: the active one and those before it. */
    keepVersions: z.int().min(1).max(1_000),
  }),
});
export type Welcome = z.infer<typeof welcomeSchema>;

/** The hello is not accepted; the connection closes. `retry`: it may be accepted later without the operator's doing. */
export const refusedSchema = z.object({
  type: z.literal("refused"),
  code: z.enum(["protocol", "nameInUse", "unknownSite", "blocked", "identity", "overloaded"]),
  reason: textSchema,
  retry: z.boolean(),
});
export type Refused = z.infer<typeof refusedSchema>;

/**
 * The agent's file set (claims 9, 24), or its extension when it grows: the root is the controller's word for what the
 * manifest must be. Piece checksums are those from `firstPiece` on; earlier ones the agent has from the message before.
 * `tail`: the last bytes of the manifest, when they are few; otherwise transfers bring the pieces.
 */
export const assignSchema = z.object({
  type: z.literal("assign"),
  term,
  fileSet: fileSetKeySchema,
  /** Rises with each published version of the controller; orders the versions of a file set. */
  sequence: wholeNumberSchema,
  priority: z.int().min(-1_000_000).max(1_000_000),
  algorithm: checksumAlgorithmSchema,
  root: rootSchema,
  manifestBytes: wholeNumberSchema,
  pieceBytes: z
    .int()
    .min(1_024)
    .max(16 * 1024 * 1024),
  firstPiece: wholeNumberSchema,
  pieceChecksums: base64Schema,
  tail: z.object({ offset: wholeNumberSchema, bytes: base64Schema }).optional(),
});
export type Assign = z.infer<typeof assignSchema>;

/**
 * The agent no longer has to obtain this file set. `delete`: it deletes what it holds of it (removed or aborted);
 * otherwise it keeps it if whole and within `keepVersions`, and drops it if not.
 */
export const unassignSchema = z.object({
  type: z.literal("unassign"),
  term,
  fileSet: fileSetKeySchema,
  delete: z.boolean(),
});

/** `current` of NAME must point to this version as soon as all of it is held; null: to none. */
export const activateSchema = z.object({
  type: z.literal("activate"),
  term,
  name: fileSetNameSchema,
  version: versionSchema.nullable(),
});

/** A lane as the end that is instructed sees it: an agent that pulls from `holder`, or a publisher that hands over to it. */
export const openLaneSchema = z.object({
  laneId: wholeNumberSchema,
  holderName: textSchema,
  holderId: agentIdSchema,
  address: addressSchema,
  rateBitsPerSecond: wholeNumberSchema,
  /** It ends by itself when what the same message queues into it has come. */
  endsWhenEmpty: z.boolean().optional(),
  /** Other lanes out of its source or into its target, whose place it takes: it begins when they have ended. */
  after: z.array(wholeNumberSchema).max(maximumLanesBefore).optional(),
  /** Names of the resources between the two ends, also those without a stated capability: for working out blame. */
  path: z.array(z.string().max(300)).max(64),
});
export type OpenLane = z.infer<typeof openLaneSchema>;

/**
 * Instructions (claim 1, 13, 28), in this order: close, open, transfers, rates. A transfer queues portions into an open
 * lane behind what is there. Each carries the ticket for just what it adds.
 */
export const instructSchema = z.object({
  type: z.literal("instruct"),
  term,
  close: listOf(wholeNumberSchema),
  open: listOf(openLaneSchema),
  transfers: listOf(z.object({ laneId: wholeNumberSchema, portions: listOf(portionSchema), ticket: ticketTextSchema })),
  rates: listOf(
    z.object({ laneId: wholeNumberSchema, rateBitsPerSecond: wholeNumberSchema, ticket: ticketTextSchema }),
  ),
});
export type Instruct = z.infer<typeof instructSchema>;

/** The controller has these failures in its durable store; the agent forgets them. */
export const acknowledgeSchema = z.object({
  type: z.literal("acknowledge"),
  term,
  failureIds: listOf(wholeNumberSchema),
});

/** Fetch one block from a source and say whether it comes and is right. What comes is thrown away. */
export const probeSchema = z.object({
  type: z.literal("probe"),
  term,
  probeId: wholeNumberSchema,
  lane: openLaneSchema,
  ticket: ticketTextSchema,
  fileSet: fileSetKeySchema,
  block: wholeNumberSchema,
  lengthBytes: wholeNumberSchema,
  checksum: z.string().max(100),
});
export type Probe = z.infer<typeof probeSchema>;

/** Read this block from the disk and send its bytes: the controller verifies them itself (claims 18, 27). */
export const challengeSchema = z.object({
  type: z.literal("challenge"),
  term,
  challengeId: wholeNumberSchema,
  fileSet: fileSetKeySchema,
  block: wholeNumberSchema,
  rateBitsPerSecond: wholeNumberSchema,
});
export type Challenge = z.infer<typeof challengeSchema>;

/** The controller found a challenged block wrong: it is not held any more and must be fetched again. */
export const discardSchema = z.object({
  type: z.literal("discard"),
  term,
  fileSet: fileSetKeySchema,
  block: wholeNumberSchema,
});

/** Answer at once: how long that takes says how far away the agent is. Only for agents of protocol 1.1 and later. */
export const echoSchema = z.object({ type: z.literal("echo"), term, echoId: wholeNumberSchema });

export const controllerMessageSchema = z.discriminatedUnion("type", [
  welcomeSchema,
  refusedSchema,
  assignSchema,
  unassignSchema,
  activateSchema,
  instructSchema,
  acknowledgeSchema,
  probeSchema,
  challengeSchema,
  discardSchema,
  echoSchema,
]);
export type ControllerMessage = z.infer<typeof controllerMessageSchema>;
