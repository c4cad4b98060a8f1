/**
 * Tickets written with Node's own Base64. The text is the same as the pure code's, letter by letter; a controller writes
 * thousands a second, and the pure code makes a string of each digit.
 */
import { decodeTicket, type TicketCodec } from "../protocol/ticket.ts";

export const nativeTickets: TicketCodec = {
  encode: (ticket) => Buffer.from(JSON.stringify(ticket)).toString("base64"),
  decode: decodeTicket,
};
