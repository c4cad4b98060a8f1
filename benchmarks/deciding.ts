/**
 * npm run bench -- --deciding: how fast the scheduler alone decides, on one thread, with a full ledger. It is driven by an exact
 * event loop: lanes complete at their rates, what came is told, and at each instant it decides. Only the scheduler's part
 * of the time counts, in seconds of CPU, so that other programs on the machine do not.
 */
import { RangeSet } from "#src/std/ranges.ts";
import { SeededRandom } from "#src/std/seeded-random.ts";
import type { BlockOrder } from "#src/scheduler/block-order.ts";
import type { Member } from "#src/scheduler/world.ts";
import { contentOrder, decidingScheduler } from "./deciding-fleet.ts";
import { DecidingLoop } from "./deciding-loop.ts";
import { UserError } from "#src/std/errors.ts";

/** Where in a distribution it is measured: the part of the blocks that every agent holds before it begins. */
const stages = [
  { name: "start", heldShare: 0 },
  { name: "middle", heldShare: 0.5 },
  { name: "end", heldShare: 0.97 },
] as const;

const blocks = 10_000;
const sites = 100;
const deliveriesPerStage = 1_000_000;
/** Fewer agents have fewer blocks to get at the end: as many as there are. */
const fleets = { large: 10_000, small: 1_000 } as const;

export interface StageFigures {
  readonly agents: number;
  readonly stage: string;
  readonly deliveries: number;
  readonly decisions: number;
  readonly cpuSeconds: number;
  readonly blocksPerSecond: number;
  readonly residentBytes: number;
}

export interface DecidingFigures {
  readonly stages: readonly StageFigures[];
  /** Of all deliveries to 10,000 agents. */
  readonly blocksPerSecond: number;
  readonly residentBytes: number;
  /** Cost of a block with 10,000 agents over that with 1,000. */
  readonly costRatio: number;
}

/** Measures all stages with both fleets, and prints a line for each. */
export function runDeciding(): DecidingFigures {
  process.stdout.write(`${line(["agents", "stage", "deliveries", "CPU, s", "blocks/s", "resident, MiB"])}\n`);
  const measured: StageFigures[] = [];
  for (const agents of [fleets.small, fleets.large]) {
    for (const { name, heldShare } of stages) {
      const figures = measure(agents, name, heldShare);
      measured.push(figures);
      process.stdout.write(`${rowOf(figures)}\n`);
    }
  }
  const [small, large] = [costOfBlock(measured, fleets.small), costOfBlock(measured, fleets.large)];
  const residentBytes = Math.max(...measured.map((figures) => figures.residentBytes));
  const figures = { stages: measured, blocksPerSecond: 1 / large, residentBytes, costRatio: large / small };
  process.stdout.write(`\n${summaryOf(figures)}`);
  return figures;
}

function measure(agents: number, stage: string, heldShare: number): StageFigures {
  const { scheduler, members } = decidingScheduler(agents, sites);
  const order = contentOrder(scheduler, blocks);
  fill(order, members, heldShare);
  for (const member of members.slice(1)) scheduler.setWants(member, order, true);
  const loop = new DecidingLoop(scheduler);
  const deliveries = Math.min(deliveriesPerStage, Math.floor(agents * blocks * (1 - heldShare) * 0.98));
  const { cpuSeconds, delivered, decisions } = loop.run(deliveries);
  if (delivered < deliveries) throw new UserError(`the scheduler stood still after ${delivered} deliveries`);
  const residentBytes = process.memoryUsage().rss;
  return {
    agents,
    stage,
    deliveries: delivered,
    decisions,
    cpuSeconds,
    blocksPerSecond: delivered / cpuSeconds,
    residentBytes,
  };
}

/** The origin holds everything, all others a part drawn at random. */
function fill(order: BlockOrder, [origin, ...others]: readonly Member[], heldShare: number): void {
  if (origin === undefined) return;
  order.holding(origin, false);
  order.addHeld(origin, RangeSet.of(0, blocks));
  const random = new SeededRandom(7);
  for (const member of others) {
    order.holding(member);
    if (heldShare === 0) continue;
    const held: number[] = [];
    for (let block = 0; block < blocks; block += 1) {
      if (random.nextBelow(10_000) >= heldShare * 10_000) continue;
      if (held.at(-1) === block) held[held.length - 1] = block + 1;
      else held.push(block, block + 1);
    }
    order.addHeld(member, RangeSet.fromFlat(held));
  }
}

/** CPU seconds a block, over all stages with so many agents. */
function costOfBlock(figures: readonly StageFigures[], agents: number): number {
  let seconds = 0;
  let deliveries = 0;
  for (const stage of figures) {
    if (stage.agents !== agents) continue;
    seconds += stage.cpuSeconds;
    deliveries += stage.deliveries;
  }
  return seconds / deliveries;
}

function rowOf({ agents, stage, deliveries, cpuSeconds, blocksPerSecond, residentBytes }: StageFigures): string {
  const [speed, resident] = [Math.round(blocksPerSecond), Math.round(residentBytes / 1_048_576)];
  return line([String(agents), stage, String(deliveries), cpuSeconds.toFixed(2), String(speed), String(resident)]);
}

function line(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padStart(index === 0 ? 7 : 14)).join("");
}

function summaryOf({ blocksPerSecond, residentBytes, costRatio }: DecidingFigures): string {
  const speed = `${Math.round(blocksPerSecond)} blocks a second with ${fleets.large} agents (target: at least 100000)`;
  const memory = `${Math.round(residentBytes / 1_048_576)} MiB resident (target: under 2048)`;
  const ratio = `a block costs ${costRatio.toFixed(2)} times as much as with ${fleets.small} agents (target: under 2)`;
  return `${speed}\n${memory}\n${ratio}\n`;
}
