import { strict as assert } from "node:assert";
import { it } from "node:test";
import { encodeTicket, type Ticket } from "../protocol/ticket.ts";
import { nativeTickets } from "./native-tickets.ts";

it("writes tickets as the pure code does, and what it writes is read", () => {
  for (const peerName of ["fra-0", "f", "fr", "fra", "Zürich ≠ 東京 🚚", "a lone \ud83d surrogate"]) {
    const ticket: Ticket = {
      term: 3,
      laneId: 4_194_305,
      revision: 1,
      use: "fetch",
      holderId: "a".repeat(32),
      peerId: "b".repeat(32),
      peerName,
      portions: [{ fileSet: "index@1", order: "content", ranges: [0, 7, 9, 12] }],
      rateBitsPerSecond: 1_000_000,
      durationMilliseconds: 10_000,
      signature: "",
    };
    const text = nativeTickets.encode(ticket);
    assert.equal(text, encodeTicket(ticket));
    assert.deepEqual(nativeTickets.decode(text), ticket);
  }
});
