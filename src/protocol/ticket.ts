/**
 * The ticket (rule 5 of the design): the controller's word to a source, carried by the target, to which it is opaque.
 * It says who may pull which portions, at what rate and for how long after the source first sees it. A source serves
 * nothing without one. The signature is empty until identities can sign; its place is there from the first day.
 */
import { z } from "zod";
import { decodeUtf8, encodeUtf8 } from "../std/utf8.ts";
import { fromBase64, toBase64 } from "../std/base64.ts";
import { UserError } from "../std/errors.ts";
import { agentIdSchema, listOf, portionSchema, siteNameSchema, textSchema, wholeNumberSchema } from "./parts.ts";
import { maximumLanesBefore, maximumTicketLength } from "./limits.ts";

export const ticketSchema = z.object({
  /** The controller's term when it was issued; a source refuses one older than the newest it has seen. */
  term: wholeNumberSchema,
  laneId: wholeNumberSchema,
  /** Rises with each ticket of the same lane; the rate and duration of the highest one count. */
  revision: wholeNumberSchema,
  use: z.enum(["fetch", "handOver", "probe"]),
  /** The agent that serves (or, for a hand-over, receives). */
  holderId: agentIdSchema,
  /** The agent or publisher at the other end: an agent's id, or a publish id. */
  peerId: agentIdSchema,
  peerName: textSchema,
  /** Its site, for counting what goes where; a publisher need not say. */
  peerSite: siteNameSchema.optional(),
  /** Other lanes out of the same source that must have ended before this one is served: it takes their bandwidth over. */
  after: z.array(wholeNumberSchema).max(maximumLanesBefore).optional(),
  /** What may be asked for, added to what earlier tickets of the same lane allowed. */
  portions: listOf(portionSchema),
  rateBitsPerSecond: wholeNumberSchema,
  durationMilliseconds: wholeNumberSchema,
  signature: z.string().max(1_000),
});
export type Ticket = z.infer<typeof ticketSchema>;

/** A ticket's way into text and back. Where both ends are one process, as in the simulator, a cheaper one than ours will do. */
export interface TicketCodec {
  encode(ticket: Ticket): string;
  /** @throws UserError when the text is no ticket */
  decode(text: string): Ticket;
}

/** The ticket's text form: base64 of JSON. */
export function encodeTicket(ticket: Ticket): string {
  return toBase64(encodeUtf8(JSON.stringify(ticket)));
}

/** Reads a ticket's text form. @throws UserError when it is not one. */
export function decodeTicket(text: string): Ticket {
  if (text.length > maximumTicketLength) throw new UserError("the ticket is too long");
  try {
    return ticketSchema.parse(JSON.parse(decodeUtf8(fromBase64(text))));
  } catch (error) {
    throw new UserError("the ticket cannot be read", { cause: error });
  }
}

/** The one that goes over a network. */
export const ticketCodec: TicketCodec = { encode: encodeTicket, decode: decodeTicket };
