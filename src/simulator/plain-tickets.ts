/**
 * Tickets within the simulator, where nobody has to be kept from making them up: their fields, joined. The real form, base64
 * of JSON that is checked against a schema, would take a large part of a simulation.
 */
import type { Ticket, TicketCodec } from "../protocol/ticket.ts";
import { UserError } from "../std/errors.ts";

/** So many of the tickets that were made last need not be read again: they are what they were. */
const rememberedTickets = 16_384;

/** In no name, id or key. */
const between = "\n";
const portionsFrom = 10;

/** A codec that remembers what it encoded last. */
export function plainTickets(): TicketCodec {
  let recent = new Map<string, Ticket>();
  let earlier = recent;
  return {
    encode: (ticket) => {
      const text = write(ticket);
      if (recent.size >= rememberedTickets) {
        earlier = recent;
        recent = new Map();
      }
      recent.set(text, ticket);
      return text;
    },
    decode: (text) => recent.get(text) ?? earlier.get(text) ?? read(text),
  };
}

function write({
  term,
  laneId,
  revision,
  use,
  holderId,
  peerId,
  peerName,
  after,
  portions,
  rateBitsPerSecond,
  durationMilliseconds,
}: Ticket): string {
  let text = `${term}\n${laneId}\n${revision}\n${use}\n${holderId}\n${peerId}\n${peerName}\n${rateBitsPerSecond}\n${durationMilliseconds}\n${after?.join(",") ?? ""}`;
  for (const { fileSet, order, ranges } of portions) text += `\n${fileSet}\n${order}\n${ranges.join(",")}`;
  return text;
}

function read(text: string): Ticket {
  const fields = text.split(between);
  const [term, laneId, revision, use, holderId, peerId, peerName, rate, duration, after] = fields;
  if (use !== "fetch" && use !== "handOver" && use !== "probe") throw new UserError("the ticket cannot be read");
  const portions: Ticket["portions"] = [];
  for (let index = portionsFrom; index + 2 < fields.length; index += 3) {
    const [fileSet = "", order, ranges = ""] = fields.slice(index, index + 3);
    portions.push({
      fileSet,
      order: order === "manifest" ? "manifest" : "content",
      ranges: ranges === "" ? [] : ranges.split(",").map(Number),
    });
  }
  return {
    term: Number(term),
    laneId: Number(laneId),
    revision: Number(revision),
    use,
    holderId: holderId ?? "",
    peerId: peerId ?? "",
    peerName: peerName ?? "",
    ...(after === undefined || after === "" ? {} : { after: after.split(",").map(Number) }),
    portions,
    rateBitsPerSecond: Number(rate),
    durationMilliseconds: Number(duration),
    signature: "",
  };
}
