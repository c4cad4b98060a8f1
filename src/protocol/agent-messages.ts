/** What an agent says to the controller on its control channel. Every message is one JSON text. */
import { z } from "zod";
import { protocolVersionSchema } from "./version.ts";
import {
  addressSchema,
  agentIdSchema,
  agentNameSchema,
  base64Schema,
  failureKindSchema,
  failureSchema,
  fileSetKeySchema,
  fileSetNameSchema,
  flatRangesSchema,
  labelsSchema,
  listOf,
  rootSchema,
  siteNameSchema,
  textSchema,
  versionSchema,
  wholeNumberSchema,
} from "./parts.ts";

/** The first message of a connection. */
export const helloSchema = z.object({
  type: z.literal("hello"),
  protocol: protocolVersionSchema,
  agentId: agentIdSchema,
  name: agentNameSchema,
  site: siteNameSchema,
  labels: labelsSchema,
  /** Where other agents reach it. */
  address: addressSchema,
  /** The highest term that this agent has obeyed. */
  term: wholeNumberSchema,
  programVersion: textSchema,
});
export type Hello = z.infer<typeof helloSchema>;

/**
 * Where an agent stands with one file set.
 * manifest: needs pieces of the manifest. preparing: has it, looks through what it stores already.
 * fetching: needs blocks. finishing: has every block, makes it durable. held: all of it is held, verified and durable.
 * stalled: cannot go on by itself; `problem` says why (a full disk, say).
 */
export const fileSetStatusSchema = z.enum(["manifest", "preparing", "fetching", "finishing", "held", "stalled"]);
export type FileSetStatus = z.infer<typeof fileSetStatusSchema>;

/**
 * An agent's state in one file set (claims 2, 11, 12, 19, 28). What it holds, as ranges of the file set's order of
 * blocks; the current length of each file follows from them and the manifest. What it needs is the rest.
 * In a report that is not whole, `manifest` and `content` are what was ADDED since the last one.
 */
export const fileSetStateSchema = z.object({
  fileSet: fileSetKeySchema,
  /** The sequence of the assignment that this is about: a key may be published anew after it was removed. */
  sequence: wholeNumberSchema.optional(),
  root: rootSchema,
  status: fileSetStatusSchema,
  manifest: flatRangesSchema,
  content: flatRangesSchema,
  /** Content that is no longer held (damaged or changed underneath). Empty in a whole state. */
  lost: flatRangesSchema,
  problem: textSchema.optional(),
});
export type FileSetState = z.infer<typeof fileSetStateSchema>;

export const laneReportSchema = z.object({
  laneId: wholeNumberSchema,
  /** Bytes of blocks received since the lane was opened. */
  receivedBytes: wholeNumberSchema,
  /** Given when the lane is at its end: what the agent has not received of it is for the controller to give anew. */
  ended: z.enum(["closed", "failed"]).optional(),
});
export type LaneReport = z.infer<typeof laneReportSchema>;

const reachedSchema = z.object({ agentId: agentIdSchema, roundTripNanoseconds: wholeNumberSchema });
export type Reached = z.infer<typeof reachedSchema>;

/** The state, whole after a welcome, then as it changes (and at least once a heartbeat). */
export const stateSchema = z.object({
  type: z.literal("state"),
  /** True: this is all; what it does not name is not held. False: changes since the message before. */
  whole: z.boolean(),
  fileSets: listOf(fileSetStateSchema),
  /** File sets whose data this agent has deleted since. */
  deleted: listOf(fileSetKeySchema),
  /** Where `current` of each file set points; version null: nowhere. In a change: only those that moved. */
  current: listOf(z.object({ name: fileSetNameSchema, version: versionSchema.nullable() })),
  /** Running lanes (whole), or lanes with something new. */
  lanes: listOf(laneReportSchema),
  /** Failures that the controller has not acknowledged yet. */
  failures: listOf(failureSchema),
  freeDiskBytes: wholeNumberSchema.optional(),
  /** Agents that were reached since, and how long words to them and back took. */
  reached: listOf(reachedSchema).optional(),
});
export type StateMessage = z.infer<typeof stateSchema>;

/** What a probe found: the controller asked this agent to fetch one block from a suspected source or over a suspected link. */
export const probeResultSchema = z.object({
  type: z.literal("probeResult"),
  probeId: wholeNumberSchema,
  outcome: z.enum(["good", "failed"]),
  kind: failureKindSchema.optional(),
});
export type ProbeResult = z.infer<typeof probeResultSchema>;

/** A piece of a challenged block, or the end of the answer. Pieces come in order. */
export const challengeDataSchema = z.object({
  type: z.literal("challengeData"),
  challengeId: wholeNumberSchema,
  bytes: base64Schema,
  /** Given with the last piece. `absent`: the agent no longer holds it; `unreadable`: its disk failed. */
  end: z.enum(["whole", "absent", "unreadable"]).optional(),
});
export type ChallengeData = z.infer<typeof challengeDataSchema>;

/** The answer to an echo. */
export const echoedSchema = z.object({ type: z.literal("echoed"), echoId: wholeNumberSchema });

export const agentMessageSchema = z.discriminatedUnion("type", [
  helloSchema,
  stateSchema,
  probeResultSchema,
  challengeDataSchema,
  echoedSchema,
]);
export type AgentMessage = z.infer<typeof agentMessageSchema>;
