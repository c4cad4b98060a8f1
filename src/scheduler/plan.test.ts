/** Plans: how they are worked out, written down, read back, followed and left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RangeSet } from "../std/ranges.ts";
import { parseTopology } from "../model/topology.ts";
import type { BlockOrder } from "./block-order.ts";
import { decodePlan, encodePlan } from "./plan-codec.ts";
import { PlanMaker } from "./plan-maker.ts";
import { numbersPerStep, stepAt, stepCount, type Plan } from "./plan.ts";
import { addAgent, addContent, LaneRunner, makeOrigin } from "./scheduler.testing.ts";
import { Scheduler } from "./scheduler.ts";
import type { Member } from "./world.ts";

const mebibyte = 1_048_576;
const blocks = 32;
const link = { uplink: "500Mbps", downlink: "500Mbps" };
const topology = parseTopology({ sites: { a: link, b: link }, defaults: { nic: { up: "1Gbps", down: "1Gbps" } } });

interface Fleet {
  readonly scheduler: Scheduler;
  readonly order: BlockOrder;
  readonly agents: readonly Member[];
}

/** Two sites of three; a-0 has everything. */
function fleet(): Fleet {
  const scheduler = new Scheduler({ topology, seed: 1, firstLaneId: 1 });
  const order = addContent(scheduler, "payload@1", blocks, mebibyte);
  const agents = ["a-0", "a-1", "a-2", "b-0", "b-1", "b-2"].map((name) => addAgent(scheduler, name, name.slice(0, 1)));
  makeOrigin(scheduler, order, agents[0] as Member);
  return { scheduler, order, agents };
}

function makePlan({ scheduler, order, agents }: Fleet): Plan {
  const maker = new PlanMaker(scheduler, order, agents.slice(1), { seed: 1, firstLaneId: 1 });
  while (!maker.work(10));
  return maker.plan();
}

test("a plan brings every target every block once, from somebody who has it by then", () => {
  const plan = makePlan(fleet());
  assert.ok(plan.isWhole);
  assert.equal(stepCount(plan), 5 * blocks);
  const steps = plan.targets.flatMap((target) =>
    Array.from({ length: target.steps.length / numbersPerStep }, (_, index) => ({
      target: target.id,
      ...stepAt(plan, target, index),
    })),
  );
  const begunAt = new Map<string, number>();
  for (const { target, start, sequence } of steps) begunAt.set(`${target} ${String(start)}`, sequence);
  assert.equal(begunAt.size, 5 * blocks);
  for (const { sourceId, start, sequence } of steps) {
    if (sourceId === "a-0") continue;
    const begun = begunAt.get(`${sourceId} ${String(start)}`);
    assert.ok(begun !== undefined && begun < sequence, `${sourceId} is to give ${String(start)} before it gets it`);
  }
  const bound = (blocks * mebibyte * 8) / 500e6;
  assert.ok(plan.predictedMilliseconds / 1_000 < bound * 1.3, `${String(plan.predictedMilliseconds)} ms`);
});

test("working a plan out changes nothing of what is", () => {
  const { scheduler, order, agents } = fleet();
  makePlan({ scheduler, order, agents });
  assert.equal(scheduler.lanes.size, 0);
  assert.equal(order.hungry.size, 0);
  for (const { allocated } of scheduler.world.ledger.entries()) assert.equal(allocated, 0);
});

test("instructions are drawn from a plan in its order, and bring everything", () => {
  const { scheduler, order, agents } = fleet();
  const plan = makePlan({ scheduler, order, agents });
  for (const agent of agents.slice(1)) scheduler.setWants(agent, order, true);
  scheduler.plans.follow(order, plan);
  const runner = new LaneRunner(scheduler);
  runner.run([order], () => undefined, 30);
  assert.equal(order.hungry.size, 0);
  scheduler.decide(31e9);
  const progress = scheduler.plans.progress(order);
  assert.equal(progress?.begunSteps, 5 * blocks);
  assert.deepEqual(progress?.counts(), { following: 0, left: 0, done: 5 });
});

test("whose source is away leaves the plan, by itself, and still gets everything", () => {
  const { scheduler, order, agents } = fleet();
  const plan = makePlan({ scheduler, order, agents });
  const away = agents[1] as Member;
  for (const agent of agents.slice(2)) scheduler.setWants(agent, order, true);
  away.online = false;
  scheduler.plans.follow(order, plan);
  new LaneRunner(scheduler).run([order], () => undefined, 30);
  assert.equal(order.hungry.size, 0);
  const { left, done } = scheduler.plans.progress(order)?.counts() ?? { left: 0, done: 0 };
  assert.ok(left > 0 && left + done >= 4, `${String(left)} have left, ${String(done)} are done`);
});

test("a plan that is dropped leaves nobody waiting", () => {
  const { scheduler, order, agents } = fleet();
  for (const agent of agents.slice(1)) scheduler.setWants(agent, order, true);
  scheduler.plans.follow(order, makePlan({ scheduler, order, agents }));
  new LaneRunner(scheduler).run([order], () => undefined, 0.1);
  scheduler.plans.forgetPlan(order);
  new LaneRunner(scheduler).run([order], () => undefined, 30);
  assert.equal(order.hungry.size, 0);
  assert.equal(scheduler.isTouched, false);
});

test("what is held already need not be planned, nor brought", () => {
  const { scheduler, order, agents } = fleet();
  const [, half] = agents;
  assert.ok(half);
  scheduler.addHeld(half, order, RangeSet.of(0, blocks / 2), 0);
  const plan = makePlan({ scheduler, order, agents });
  assert.equal(stepCount(plan), 5 * blocks - blocks / 2);
});

test("a plan is read back as it was written, in a few bytes for each step", () => {
  const plan = makePlan(fleet());
  const bytes = encodePlan(plan);
  assert.deepEqual(decodePlan(bytes), plan);
  assert.ok(bytes.length < stepCount(plan) * 10, `${String(bytes.length)} bytes`);
});

test("bytes that are no plan are refused, whatever they are", () => {
  const bytes = encodePlan(makePlan(fleet()));
  assert.throws(() => decodePlan(bytes.subarray(0, bytes.length - 1)), /a stored plan cannot be read/);
  assert.throws(() => decodePlan(new Uint8Array([9])), /it has another format/);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, value) => {
      const changed = bytes.slice();
      changed[at] = value;
      try {
        const plan = decodePlan(changed);
        for (const target of plan.targets) {
          for (let index = 0; index * numbersPerStep < target.steps.length; index += 1) stepAt(plan, target, index);
        }
      } catch (error) {
        assert.match(String(error), /a stored plan cannot be read/);
      }
    }),
  );
});
