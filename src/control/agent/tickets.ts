/** Whether this agent serves, or takes, what a ticket names (rule 5 of the design). It serves nothing without one. */
import { UserError } from "../../std/errors.ts";
import type { Ticket, TicketCodec } from "../../protocol/ticket.ts";

export type TicketDecision =
  | { readonly ok: true; readonly ticket: Ticket }
  | { readonly ok: false; readonly reason: string };

/**
 * Judges a ticket as it came.
 * @param peerId who the other end says it is
 * @param term the highest term that this agent has obeyed
 * @param uses what the connection is for
 */
export function judgeTicket(
  text: string,
  peerId: string,
  selfId: string,
  term: number,
  uses: readonly Ticket["use"][],
  codec: TicketCodec,
): TicketDecision {
  let ticket: Ticket;
  try {
    ticket = codec.decode(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ok: false, reason: error.message };
  }
  const reason = objection(ticket, peerId, selfId, term, uses);
  return reason === undefined ? { ok: true, ticket } : { ok: false, reason };
}

function objection(
  ticket: Ticket,
  peerId: string,
  selfId: string,
  term: number,
  uses: readonly Ticket["use"][],
): string | undefined {
  if (ticket.holderId !== selfId) return "the ticket is for another agent";
  if (ticket.peerId !== peerId) return "the ticket was given to another";
  if (!uses.includes(ticket.use)) return `the ticket is not for this use but for ${ticket.use}`;
  if (ticket.term < term) return `the ticket is of term ${String(ticket.term)}, this agent obeys ${String(term)}`;
  return undefined;
}
