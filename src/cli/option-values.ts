/** Reads the values of options; what does not fit is a wrong use, told by commander with the option's name. */
import { InvalidArgumentError } from "commander";
import type { Option } from "commander";
import { parseAddress } from "../platform/address.ts";
import type { HostAndPort } from "../platform/address.ts";
import { UserError } from "../std/errors.ts";
import { nanosecondsPerMillisecond, parseBytes, parseDurationNanoseconds } from "../std/units.ts";

/** Whole milliseconds from `2s`, `150ms` and the like. */
export function durationMilliseconds(text: string): number {
  return reading(() => Math.round(parseDurationNanoseconds(text) / nanosecondsPerMillisecond));
}

/** As `durationMilliseconds`, within these bounds. */
export function durationBetween(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const milliseconds = durationMilliseconds(text);
    if (milliseconds < lowest || milliseconds > highest) {
      throw new InvalidArgumentError(`It must be from ${lowest} ms to ${highest} ms.`);
    }
    return milliseconds;
  };
}

/** A whole number within these bounds. */
export function wholeNumberBetween(lowest: number, highest: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^-?[0-9]{1,15}$/.test(text) || number < lowest || number > highest) {
      throw new InvalidArgumentError(`It must be a whole number from ${lowest} to ${highest}.`);
    }
    return number;
  };
}

/** Bytes from `256MiB` and the like. */
export function sizeBytes(text: string): number {
  return reading(() => parseBytes(text));
}

/** `HOST:PORT`. */
export function hostAndPort(text: string): HostAndPort {
  return reading(() => parseAddress(text, "it"));
}

/** For an option that may be given several times: every value is one of a list. */
export function collectList(text: string, before: readonly string[] | undefined): readonly string[] {
  const isTyped = before !== undefined && typedLists.has(before);
  const list = [...(isTyped ? before : []), text];
  typedLists.add(list);
  return list;
}

/** Lists that were made of typed values: one from elsewhere is replaced by what is typed, not added to. */
const typedLists = new WeakSet<readonly string[]>();
const neededOptions = new WeakSet<Option>();
const exclusions = new WeakMap<Option, string>();

/** Marks an option that a command cannot do without, though commander does not ask for it. */
export function needed(option: Option): Option {
  neededOptions.add(option);
  return option;
}

/** Whether a command cannot do without it. */
export function isNeeded(option: Option): boolean {
  return option.mandatory || neededOptions.has(option);
}

/** Only one of the two may be given; where one is typed, the other counts for nothing if it comes from elsewhere. */
export function exclusive(option: Option, other: string): Option {
  exclusions.set(option, other);
  return option.conflicts(other);
}

/** Whether one of the two options excludes the other. */
export function excludes(left: Option, right: Option): boolean {
  return exclusions.get(left) === right.attributeName() || exclusions.get(right) === left.attributeName();
}

function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new InvalidArgumentError([error.message, error.hint].filter((part) => part !== undefined).join("; "));
  }
}
