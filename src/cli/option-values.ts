/** Reads the values of options; what does not fit is a wrong use, told by commander with the option's name. */
import { InvalidArgumentError } from "commander";
import { parseAddress } from "../platform/address.ts";
import type { HostAndPort } from "../platform/address.ts";
import { UserError } from "../std/errors.ts";
import { nanosecondsPerMillisecond, parseDurationNanoseconds } from "../std/units.ts";

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

/** `HOST:PORT`. */
export function hostAndPort(text: string): HostAndPort {
  return reading(() => parseAddress(text, "it"));
}

function reading<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new InvalidArgumentError([error.message, error.hint].filter((part) => part !== undefined).join("; "));
  }
}
