import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TicketTimes } from "./ticket-times.ts";

test("lanes whose tickets run out are given once, the first one first, and only while they run", () => {
  const times = new TicketTimes();
  const runs = new Map([1, 2, 3].map((laneId) => [laneId, true]));
  for (const laneId of [1, 2, 3]) times.issued(laneId, 10 * laneId);
  times.issued(1, 40);
  assert.deepEqual(times.takeUntil(19, runs), []);
  assert.equal(times.firstNanoseconds, 20);
  runs.delete(2);
  assert.deepEqual(times.takeUntil(30, runs), [3]);
  assert.equal(times.firstNanoseconds, 40);
  times.forget(1);
  assert.equal(times.firstNanoseconds, undefined);
});

test("what is known of lanes that have ended is bounded", () => {
  const times = new TicketTimes();
  const runs = new Map([[0, true]]);
  times.issued(0, 1);
  for (let laneId = 1; laneId <= 5_000; laneId += 1) {
    times.issued(laneId, 1);
    times.takeUntil(0, runs);
  }
  // The first one runs on, and stands before all the others.
  assert.deepEqual(times.takeUntil(1, runs), [0]);
  assert.equal(times.firstNanoseconds, undefined);
});

test("does what a plain list does", () => {
  const step = fc.record({ laneId: fc.nat(5), kind: fc.constantFrom("issue", "end", "take") });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const times = new TicketTimes();
      const runs = new Map<number, number>();
      for (const [now, { laneId, kind }] of steps.entries()) {
        if (kind === "issue") {
          runs.set(laneId, now + 10);
          times.issued(laneId, now + 10);
        } else if (kind === "end") runs.delete(laneId);
        else {
          const due = [...runs].filter(([, runsOut]) => runsOut <= now).sort(([, a], [, b]) => a - b);
          assert.deepEqual(
            times.takeUntil(now, runs),
            due.map(([id]) => id),
          );
          for (const [id] of due) runs.delete(id);
        }
      }
    }),
  );
});
