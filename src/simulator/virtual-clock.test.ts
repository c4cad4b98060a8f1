import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { phases, VirtualClock, type Phase } from "./virtual-clock.ts";

interface Planned {
  readonly delay: number;
  readonly phase: Phase;
  /** What it schedules when it happens. */
  readonly next: readonly Planned[];
}

const phase = fc.constantFrom(...Object.values(phases));
const delay = fc.constantFrom(0, 0, 1, 3);
const { planned } = fc.letrec<{ planned: Planned }>((tie) => ({
  planned: fc.oneof(
    { depthSize: "small" },
    fc.record({ delay, phase, next: fc.constant([]) }),
    fc.record({ delay, phase, next: fc.array(tie("planned"), { maxLength: 3 }) }),
  ),
}));

interface Event {
  readonly at: number;
  readonly phase: Phase;
  readonly order: number;
  readonly next: readonly Planned[];
}

/** The promise, carried out by searching a list. */
function plainOrder(first: readonly Planned[]): string[] {
  const left: Event[] = [];
  const happened: string[] = [];
  let order = 0;
  const schedule = (now: number, all: readonly Planned[]): void => {
    for (const { delay: after, phase: inPhase, next } of all) {
      left.push({ at: now + after, phase: inPhase, order, next });
      order += 1;
    }
  };
  schedule(0, first);
  while (left.length > 0) {
    left.sort((a, b) => a.at - b.at || a.phase - b.phase || a.order - b.order);
    const event = left.shift() as Event;
    happened.push(`${event.at} ${event.phase} ${event.order}`);
    schedule(event.at, event.next);
  }
  return happened;
}

test("things happen by time, then by phase, then in the order in which they were scheduled", () => {
  fc.assert(
    fc.property(fc.array(planned, { maxLength: 8 }), (first) => {
      const clock = new VirtualClock();
      const happened: string[] = [];
      let order = 0;
      const schedule = (all: readonly Planned[]): void => {
        for (const { delay: after, phase: inPhase, next } of all) {
          const mine = order;
          order += 1;
          clock.after(after, inPhase, () => {
            happened.push(`${clock.nowNanoseconds} ${inPhase} ${mine}`);
            schedule(next);
          });
        }
      };
      schedule(first);
      assert.equal(clock.size, order);
      while (clock.step(1_000));
      assert.deepEqual(happened, plainOrder(first));
      assert.equal(clock.nowNanoseconds, 1_000);
      assert.equal(clock.size, 0);
    }),
  );
});

test("an instant ends once, before time moves on, and may be gone on with", () => {
  const clock = new VirtualClock();
  const happened: string[] = [];
  let more = 1;
  clock.whenInstantEnds(() => {
    happened.push(`end of ${clock.nowNanoseconds}`);
    if (clock.nowNanoseconds === 5 && more > 0) {
      more -= 1;
      clock.after(0, phases.network, () => happened.push("once more"));
    }
  });
  clock.at(5, phases.agent, () => happened.push("five"));
  while (clock.step(6));
  assert.deepEqual(happened, ["end of 0", "five", "end of 5", "once more", "end of 5"]);
});
