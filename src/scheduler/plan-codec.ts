/**
 * A plan as bytes, for the controller's store: numbers of variable length, starts as differences. What is read is checked
 * against every bound before it is believed.
 */
import { ByteReader, ByteWriter } from "../std/bytes.ts";
import { UserError } from "../std/errors.ts";
import { maximumPlanSteps, numbersPerStep, type Plan, type PlannedTarget } from "./plan.ts";

/** The form of these bytes; another one is a program's of another time. */
const planFormat = 1;
/** Members, and different rates, of one plan. */
const maximumNames = 200_000;
const maximumRates = maximumPlanSteps;
const maximumRate = Number.MAX_SAFE_INTEGER;
const maximumUint32 = 0xffff_ffff;

export function encodePlan(plan: Plan): Uint8Array {
  const writer = new ByteWriter();
  for (const number of [planFormat, plan.blockCount, plan.predictedMilliseconds, plan.isWhole ? 1 : 0]) {
    writer.varint(number);
  }
  writer.varint(plan.members.length);
  for (const id of plan.members) writer.text(id);
  writer.varint(plan.ratesBitsPerSecond.length);
  for (const rate of plan.ratesBitsPerSecond) writer.varint(rate);
  const indices = new Map(plan.members.map((id, index) => [id, index]));
  writer.varint(plan.targets.length);
  for (const { id, steps } of plan.targets) {
    writer.varint(indices.get(id) ?? 0);
    writer.varint(steps.length / numbersPerStep);
    let before = 0;
    let sequenceBefore = 0;
    for (let at = 0; at < steps.length; at += numbersPerStep) {
      const [source = 0, start = 0, end = 0, rate = 0, milliseconds = 0, sequence = 0] = steps.subarray(
        at,
        at + numbersPerStep,
      );
      for (const number of [source, start, end - start, rate, milliseconds - before, sequence - sequenceBefore]) {
        writer.varint(number);
      }
      before = milliseconds;
      sequenceBefore = sequence;
    }
  }
  return writer.toBytes();
}

/** @throws UserError when these bytes are no plan */
export function decodePlan(bytes: Uint8Array): Plan {
  try {
    return read(new ByteReader(bytes));
  } catch (error) {
    if (!(error instanceof RangeError) && !(error instanceof UserError)) throw error;
    throw new UserError(`a stored plan cannot be read: ${error.message}`, { cause: error });
  }
}

function read(reader: ByteReader): Plan {
  if (reader.varint() !== planFormat) throw new RangeError("it has another format");
  const blockCount = bounded(reader.varint(), maximumUint32);
  const predictedMilliseconds = bounded(reader.varint(), maximumUint32);
  const isWhole = reader.varint() === 1;
  const members = readList(reader, maximumNames, () => reader.text());
  const ratesBitsPerSecond = readList(reader, maximumRates, () => bounded(reader.varint(), maximumRate));
  let steps = 0;
  const targets = readList(reader, members.length, (): PlannedTarget => {
    const id = members[reader.varint()];
    if (id === undefined) throw new RangeError("it names a member that it does not list");
    const count = reader.varint();
    steps += count;
    if (steps > maximumPlanSteps || count * numbersPerStep > reader.remaining) {
      throw new RangeError("it has too many steps");
    }
    return {
      id,
      steps: readSteps(reader, count, { members: members.length, rates: ratesBitsPerSecond.length, blockCount }),
    };
  });
  if (reader.remaining > 0) throw new RangeError("there is more behind its end");
  return { blockCount, predictedMilliseconds, isWhole, members, ratesBitsPerSecond, targets };
}

interface Limits {
  readonly members: number;
  readonly rates: number;
  readonly blockCount: number;
}

function readSteps(reader: ByteReader, count: number, limits: Limits): Uint32Array {
  const steps = new Uint32Array(count * numbersPerStep);
  let before = 0;
  let sequence = 0;
  for (let at = 0; at < steps.length; at += numbersPerStep) {
    const source = bounded(reader.varint(), limits.members - 1);
    const start = bounded(reader.varint(), limits.blockCount - 1);
    const end = bounded(start + reader.varint(), limits.blockCount);
    const rate = bounded(reader.varint(), limits.rates - 1);
    before = bounded(before + reader.varint(), maximumUint32);
    sequence = bounded(sequence + reader.varint(), maximumPlanSteps);
    steps.set([source, start, end, rate, before, sequence], at);
  }
  return steps;
}

function readList<Item>(reader: ByteReader, maximum: number, readItem: () => Item): Item[] {
  const length = bounded(reader.varint(), Math.min(maximum, reader.remaining));
  return Array.from({ length }, readItem);
}

function bounded(number: number, maximum: number): number {
  if (number > maximum) throw new RangeError(`${number} is more than there can be`);
  return number;
}
