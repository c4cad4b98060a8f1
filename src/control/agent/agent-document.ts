/**
 * What an agent must remember over a restart beside the data itself: its file sets, the term it obeys, and failures
 * that the controller has not acknowledged (claims 16, 26). It is stored as one JSON file, replaced as a whole.
 */
import { z } from "zod";
import {
  checksumAlgorithmSchema,
  failureSchema,
  fileSetKeySchema,
  fileSetNameSchema,
  rootSchema,
  versionSchema,
  wholeNumberSchema,
} from "../../protocol/parts.ts";
import { maximumPreviousVersions } from "./limits.ts";

/** A file set that this agent was given. */
export const assignedFileSetSchema = z.object({
  fileSet: fileSetKeySchema,
  sequence: wholeNumberSchema,
  /** False: it need not be obtained (any more), but may be kept. */
  wanted: z.boolean(),
  algorithm: checksumAlgorithmSchema,
  root: rootSchema,
  manifestBytes: wholeNumberSchema,
  pieceBytes: wholeNumberSchema,
  /** Base64 of the checksums of all pieces. */
  pieceChecksums: z.string(),
  /** All of it is held, verified and durable. */
  complete: z.boolean(),
});
export type AssignedFileSet = z.infer<typeof assignedFileSetSchema>;

export const agentDocumentSchema = z.object({
  format: z.literal(1),
  term: wholeNumberSchema,
  keepVersions: z.int().min(1),
  fileSets: z.array(assignedFileSetSchema),
  /** For each name: the version that the controller wants `current` to point to, and those it pointed to before. */
  active: z.array(
    z.object({
      name: fileSetNameSchema,
      version: versionSchema.nullable(),
      /** The latest first. */
      previous: z.array(versionSchema).max(maximumPreviousVersions).default([]),
    }),
  ),
  failures: z.array(failureSchema),
  nextFailureId: wholeNumberSchema,
});
export type AgentDocument = z.infer<typeof agentDocumentSchema>;
