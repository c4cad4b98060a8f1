/**
 * Parts that several messages share: ranges, names, tickets, failures. Schemas validate what comes from the network;
 * fields that they do not know are ignored, so that minors work together.
 */
import { z } from "zod";
import { agentNameSchema, fileSetNameSchema, siteNameSchema, versionSchema } from "../model/names.ts";
import { maximumListEntries, maximumRangesPerMessage, maximumTextLength, maximumTicketLength } from "./limits.ts";

export const wholeNumberSchema = z.int().min(0);
export const textSchema = z.string().max(maximumTextLength);
export const listOf = <T extends z.ZodType>(schema: T) => z.array(schema).max(maximumListEntries);

/** Half-open ranges as a flat list [start, end, start, end, ...], sorted and disjoint. */
export const flatRangesSchema = z
  .array(wholeNumberSchema)
  .max(2 * maximumRangesPerMessage)
  .refine((flat) => {
    if (flat.length % 2 !== 0) return false;
    let last = -1;
    for (let index = 0; index < flat.length; index += 2) {
      const start = flat[index] ?? 0;
      const end = flat[index + 1] ?? 0;
      if (start <= last || end <= start) return false;
      last = end;
    }
    return true;
  }, "ranges must be sorted, disjoint, not adjacent and not empty");
export type FlatRanges = z.infer<typeof flatRangesSchema>;

/** 128 random bits in hex: made at an agent's first start and kept in its data. */
export const agentIdSchema = z.string().regex(/^[0-9a-f]{32}$/);
/** HOST:PORT, as dialled by other agents; IPv6 hosts in brackets. */
export const addressSchema = z
  .string()
  .min(3)
  .max(300)
  .regex(/^(\[[0-9A-Fa-f:.%]+\]|[^\s:/[\]]+):[0-9]{1,5}$/);
export const base64Schema = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/);

/** A file set version in one word: `NAME@VERSION`; neither part can hold an `@`. */
export const fileSetKeySchema = z.string().refine((key) => {
  const [name, version, ...rest] = key.split("@");
  return rest.length === 0 && fileSetNameSchema.safeParse(name).success && versionSchema.safeParse(version).success;
}, "must be NAME@VERSION");
export type FileSetKey = z.infer<typeof fileSetKeySchema>;

/** Which of a file set's two orders of blocks is meant: its manifest's pieces, or its files' blocks. */
export const blockOrderSchema = z.enum(["manifest", "content"]);
export type BlockOrderName = z.infer<typeof blockOrderSchema>;

/** A portion: ranges of one order of one file set. */
export const portionSchema = z.object({
  fileSet: fileSetKeySchema,
  order: blockOrderSchema,
  ranges: flatRangesSchema,
});
export type Portion = z.infer<typeof portionSchema>;

/** What went wrong, as the target (or a publisher, or a prober) saw it. */
export const failureKindSchema = z.enum([
  "badChecksum", // bytes came that do not match the checksum
  "refused", // the connection was refused, or the address cannot be reached
  "reset", // the connection broke
  "stalled", // no byte came for the stall time although a block was due
  "notHeld", // the source says that it does not hold what the ticket names
  "ticketRefused", // the source refuses the ticket
  "protocol", // what came does not fit the protocol
  "disk", // the agent's own disk failed or is full
]);
export type FailureKind = z.infer<typeof failureKindSchema>;

/**
 * A failure whose responsible component was worked out by the agent (claim 16). `certain` false means a suspicion:
 * one observation could not tell, `alsoSuspected` names the others, and the controller settles it by a probe.
 */
export const failureSchema = z.object({
  failureId: wholeNumberSchema,
  component: z.string().max(300),
  certain: z.boolean(),
  alsoSuspected: z.array(z.string().max(300)).max(32),
  kind: failureKindSchema,
  sourceName: z.string().max(128).optional(),
  fileSet: fileSetKeySchema.optional(),
  detail: textSchema,
});
export type Failure = z.infer<typeof failureSchema>;

export const ticketTextSchema = z.string().min(1).max(maximumTicketLength);
export { labelsSchema } from "../model/labels.ts";
export { checksumAlgorithmSchema, checksumTextSchema as rootSchema } from "../model/checksum.ts";
export { agentNameSchema, fileSetNameSchema, siteNameSchema, versionSchema };
