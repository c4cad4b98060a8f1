/** The rows that the controller keeps in its durable store: their shapes, and how they are read and written. */
import { z } from "zod";
import { decodeUtf8, encodeUtf8 } from "../../std/utf8.ts";
import { UserError } from "../../std/errors.ts";
import {
  addressSchema,
  agentIdSchema,
  agentNameSchema,
  checksumAlgorithmSchema,
  fileSetNameSchema,
  labelsSchema,
  rootSchema,
  siteNameSchema,
  versionSchema,
  wholeNumberSchema,
} from "../../protocol/parts.ts";
import type { StoreChange, StoredRow, StoreTable } from "../store-port.ts";

/** Table `agents`, by agent id. */
export const agentRowSchema = z.object({
  agentId: agentIdSchema,
  name: agentNameSchema,
  site: siteNameSchema,
  labels: labelsSchema,
  address: addressSchema,
  drained: z.boolean(),
  blocked: z.boolean(),
  /** It was connected when the row was last written: lanes of it may run after a restart. */
  online: z.boolean(),
  /** Failures of this agent's reports up to this id have been counted. */
  lastFailureId: z.int().min(-1),
});
export type AgentRow = z.infer<typeof agentRowSchema>;

/** Table `fileSets`, by NAME@VERSION. */
export const fileSetRowSchema = z.object({
  name: fileSetNameSchema,
  version: versionSchema,
  sequence: wholeNumberSchema,
  selector: z.string(),
  priority: z.int(),
  state: z.enum(["publishing", "published"]),
  paused: z.boolean(),
  activate: z.boolean(),
  /** It has been the active version once: going back to an earlier one does not make it wanted again. */
  wasActive: z.boolean().default(false),
  algorithm: checksumAlgorithmSchema,
  pieceBytes: z.int().min(1),
  root: rootSchema,
  manifestBytes: wholeNumberSchema,
  publishId: agentIdSchema,
  site: siteNameSchema.optional(),
  /** Of a publish through one agent: its name. It is an origin: it holds the file set whether it is a target or not. */
  agent: agentNameSchema.optional(),
  createdAtMilliseconds: wholeNumberSchema,
});
export type FileSetRow = z.infer<typeof fileSetRowSchema>;

/** Table `components`, by the component's name. */
export const componentRowSchema = z.object({
  count: wholeNumberSchema,
  outOfUse: z.boolean(),
  reason: z.string(),
});

/** Table `meta`, key `active/NAME`. */
export const activeRowSchema = z.object({ version: versionSchema.nullable() });
/** Table `meta`, key `sequence`. */
export const sequenceRowSchema = z.object({ next: wholeNumberSchema });

/** Table `meta`, key `removed/NAME@VERSION`: there is nothing more to say. */
export const removedPrefix = "removed/";

/** A change that puts a row written as JSON. */
export function putRow(table: StoreTable, key: string, value: unknown): StoreChange {
  return { table, key, value: encodeUtf8(JSON.stringify(value)) };
}

/** Reads a row written as JSON. @throws UserError when the store holds something else */
export function readRow<T>(row: StoredRow, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(decodeUtf8(row.value)));
  } catch (error) {
    throw new UserError(`the controller's store is damaged: row ${row.table}/${row.key} cannot be read`, {
      cause: error,
    });
  }
}

/** Key of a stretch of a manifest in the table `manifests`; keys sort by offset. */
export function manifestRowKey(fileSet: string, offset: number): string {
  return `${fileSet}/${offset.toString().padStart(16, "0")}`;
}
