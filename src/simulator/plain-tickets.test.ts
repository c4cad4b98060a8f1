import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../std/errors.ts";
import type { Ticket } from "../protocol/ticket.ts";
import { plainTickets } from "./plain-tickets.ts";

test("a ticket comes back as it went in, and what is none is refused", () => {
  const ticket: Ticket = {
    term: 3,
    laneId: 4_194_305,
    revision: 2,
    use: "fetch",
    holderId: "a".repeat(32),
    peerId: "b".repeat(32),
    peerName: "publisher of index@1",
    portions: [
      { fileSet: "index@1", order: "manifest", ranges: [0, 1] },
      { fileSet: "index@1", order: "content", ranges: [0, 5, 7, 8] },
      { fileSet: "other@2", order: "content", ranges: [] },
    ],
    rateBitsPerSecond: 1_000_000,
    durationMilliseconds: 10_000,
    signature: "",
  };
  const without = { ...ticket, portions: [] };
  const codec = plainTickets();
  for (const one of [ticket, without]) {
    assert.deepEqual(codec.decode(codec.encode(one)), one);
    // Also when it is long ago that it was made.
    assert.deepEqual(plainTickets().decode(codec.encode(one)), one);
  }
  assert.throws(() => codec.decode("nonsense"), UserError);
});
