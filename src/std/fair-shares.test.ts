import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fairShares } from "./fair-shares.ts";

test("flows that fit get what they ask for", () => {
  assert.deepEqual(
    fairShares(
      [
        { demandBitsPerSecond: 3, links: [0] },
        { demandBitsPerSecond: 7, links: [0] },
      ],
      [10],
    ),
    [3, 7],
  );
  assert.deepEqual(fairShares([{ demandBitsPerSecond: 5, links: [] }], []), [5]);
});

test("what a small flow leaves goes to the others, and a flow is held by its fullest link only", () => {
  const flows = [
    { demandBitsPerSecond: 10, links: [0] },
    { demandBitsPerSecond: 100, links: [0] },
    { demandBitsPerSecond: 100, links: [0, 1] },
    { demandBitsPerSecond: 100, links: [1] },
  ];
  assert.deepEqual(fairShares(flows, [90, 60]), [10, 50, 30, 30]);
});

test("no link is over its capacity, and every flow has its demand or a full link on which nobody has more", () => {
  const flow = fc.record({
    demandBitsPerSecond: fc.integer({ min: 1, max: 1_000_000 }),
    links: fc.uniqueArray(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
  });
  const capacities = fc.array(fc.integer({ min: 1_000, max: 1_000_000 }), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(flow, { maxLength: 20 }), capacities, (flows, links) => {
      const rates = fairShares(flows, links);
      const used = links.map((_, link) =>
        flows.reduce((sum, { links: own }, index) => sum + (own.includes(link) ? (rates[index] ?? 0) : 0), 0),
      );
      for (const [link, capacity] of links.entries()) assert.ok((used[link] ?? 0) <= capacity);
      for (const [index, { demandBitsPerSecond, links: own }] of flows.entries()) {
        const rate = rates[index] ?? 0;
        if (rate === demandBitsPerSecond) continue;
        const isHeld = own.some((link) => {
          const others = flows.flatMap((other, at) => (other.links.includes(link) ? [rates[at] ?? 0] : []));
          // Each flow on the link may have lost less than 1 bit per second to rounding.
          return (
            (used[link] ?? 0) > (links[link] ?? 0) - others.length - 1 && others.every((other) => other <= rate + 1)
          );
        });
        assert.ok(isHeld, `flow ${String(index)} could have more`);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});
