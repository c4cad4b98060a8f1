/**
 * Rates, sizes and durations as people write and read them, and the arithmetic between the three.
 *
 * Inside, rates are bits per second, sizes bytes, durations nanoseconds: integers below 2^53, worked out
 * exactly, so that a trace is the same on every machine.
 */
import { UserError } from "./errors.ts";

export const nanosecondsPerMillisecond = 1_000_000;
export const nanosecondsPerSecond = 1_000_000_000;

const bitsPerByte = 8;
/** Bits in a second to bytes in a nanosecond. */
const bitNanosecondsPerByteSecond = bitsPerByte * nanosecondsPerSecond;

type Units = Readonly<Record<string, bigint>>;

const byteUnits: Units = {
  B: 1n,
  KB: 10n ** 3n,
  kB: 10n ** 3n,
  MB: 10n ** 6n,
  GB: 10n ** 9n,
  TB: 10n ** 12n,
  KiB: 2n ** 10n,
  MiB: 2n ** 20n,
  GiB: 2n ** 30n,
  TiB: 2n ** 40n,
};

const rateUnits: Units = {
  bps: 1n,
  Kbps: 10n ** 3n,
  kbps: 10n ** 3n,
  Mbps: 10n ** 6n,
  Gbps: 10n ** 9n,
  Tbps: 10n ** 12n,
  ...Object.fromEntries(Object.entries(byteUnits).map(([unit, bytes]) => [`${unit}/s`, bytes * BigInt(bitsPerByte)])),
};

const durationUnits: Units = {
  ns: 1n,
  us: 10n ** 3n,
  ms: 10n ** 6n,
  s: 10n ** 9n,
  m: 60n * 10n ** 9n,
  h: 3600n * 10n ** 9n,
  d: 86_400n * 10n ** 9n,
};

/**
 * Bits per second from "10Gbps", "2.5 Mbps", "100MB/s", "64MiB/s", or a plain number of bits per second.
 * Throws UserError, with the accepted forms, on anything else and above 2^53 - 1. A fraction of a bit is dropped.
 */
export function parseBitsPerSecond(text: string | number): number {
  return parseQuantity(text, rateUnits, {
    what: "a rate",
    forms:
      "write bits per second as a plain number or with bps, Kbps, Mbps, Gbps, Tbps, or bytes as MB/s, MiB/s and so on, as in 10Gbps",
  });
}

/** Bytes from "64MiB", "1.5 GB", or a plain number of bytes; otherwise as `parseBitsPerSecond`. */
export function parseBytes(text: string | number): number {
  return parseQuantity(text, byteUnits, {
    what: "a size",
    forms: "write bytes as a plain number or with B, KB, MB, GB, TB, KiB, MiB, GiB, TiB, as in 64MiB",
  });
}

/**
 * Nanoseconds from "15m", "200ms", "1.5 h", or 0. Throws UserError on anything else: a plain number
 * other than 0 has no unit that everyone would guess. A fraction of a nanosecond is dropped.
 */
export function parseDurationNanoseconds(text: string | number): number {
  const forms = "write a number with ns, us, ms, s, m, h or d, as in 200ms";
  const trimmed = String(text).trim();
  if (/^\d+(\.\d+)?$/.test(trimmed) && !/^0+(\.0+)?$/.test(trimmed)) {
    throw new UserError(`${JSON.stringify(text)} is not a duration: the unit is missing`, {
      hint: forms,
    });
  }
  return parseQuantity(text, durationUnits, { what: "a duration", forms });
}

/** A rate for people, to three digits: "1.5 Gbps". */
export function formatBitsPerSecond(bitsPerSecond: number): string {
  return formatScaled(bitsPerSecond, 1000, ["bps", "Kbps", "Mbps", "Gbps", "Tbps"]);
}

/** A size for people, to three digits: "64 MiB". */
export function formatBytes(bytes: number): string {
  return formatScaled(bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
}

/** A duration for people: "350 us", "12.3 s", "2 m 5 s", "1 h 30 m", "3 d 4 h". */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds < 0) return `-${formatDuration(-nanoseconds)}`;
  if (nanoseconds < 59.95 * nanosecondsPerSecond) {
    return formatScaled(nanoseconds, 1000, ["ns", "us", "ms", "s"]);
  }
  const seconds = Math.round(nanoseconds / nanosecondsPerSecond);
  if (seconds < 3600) return twoUnits(Math.floor(seconds / 60), "m", seconds % 60, "s");
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) return twoUnits(Math.floor(minutes / 60), "h", minutes % 60, "m");
  const hours = Math.round(minutes / 60);
  return twoUnits(Math.floor(hours / 24), "d", hours % 24, "h");
}

/**
 * How long `bytes` take at `rateBitsPerSecond`: ceil(bytes * 8 * 10^9 / rate) nanoseconds, exactly;
 * 2^53 - 1 where it would be longer. Throws RangeError unless bytes >= 0 and rate >= 1.
 */
export function transmissionNanoseconds(bytes: number, rateBitsPerSecond: number): number {
  checkQuantity(bytes, 0);
  checkQuantity(rateBitsPerSecond, 1);
  const divisor = greatestCommonDivisor(bitNanosecondsPerByteSecond, rateBitsPerSecond);
  const rate = rateBitsPerSecond / divisor;
  const product = bytes * (bitNanosecondsPerByteSecond / divisor);
  if (product <= Number.MAX_SAFE_INTEGER) {
    const remainder = product % rate;
    return (product - remainder) / rate + (remainder > 0 ? 1 : 0);
  }
  const exact = BigInt(bytes) * BigInt(bitNanosecondsPerByteSecond / divisor);
  return boundedNumber((exact + BigInt(rate) - 1n) / BigInt(rate));
}

/**
 * The whole bytes that pass within `nanoseconds` at `rateBitsPerSecond`: floor(nanoseconds * rate / (8 * 10^9)), exactly;
 * at most 2^53 - 1. Throws RangeError unless both are integers of at least 0.
 */
export function bytesWithin(nanoseconds: number, rateBitsPerSecond: number): number {
  checkQuantity(nanoseconds, 0);
  checkQuantity(rateBitsPerSecond, 0);
  if (rateBitsPerSecond === 0) return 0;
  const divisor = greatestCommonDivisor(bitNanosecondsPerByteSecond, rateBitsPerSecond);
  const rate = rateBitsPerSecond / divisor;
  const unit = bitNanosecondsPerByteSecond / divisor;
  const product = nanoseconds * rate;
  if (product <= Number.MAX_SAFE_INTEGER) return (product - (product % unit)) / unit;
  return boundedNumber((BigInt(nanoseconds) * BigInt(rate)) / BigInt(unit));
}

interface Wording {
  readonly what: string;
  readonly forms: string;
}

function parseQuantity(text: string | number, units: Units, wording: Wording): number {
  const match = /^(\d{1,20})(?:\.(\d{1,20}))?\s*([A-Za-z]+(?:\/s)?)?$/.exec(String(text).trim());
  const unitName = match?.[3];
  const unit = unitName === undefined ? 1n : Object.hasOwn(units, unitName) ? units[unitName] : undefined;
  if (match === null || unit === undefined) {
    throw new UserError(`${JSON.stringify(text)} is not ${wording.what}`, { hint: wording.forms });
  }
  const fraction = match[2] ?? "";
  const value = (BigInt((match[1] ?? "") + fraction) * unit) / 10n ** BigInt(fraction.length);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new UserError(`${JSON.stringify(text)} is too large for ${wording.what}`, {
      hint: `the most is 2^53 - 1; ${wording.forms}`,
    });
  }
  return Number(value);
}

function formatScaled(value: number, step: number, units: readonly string[]): string {
  let scaled = value;
  let index = 0;
  // Compared after rounding, so that 999,999 becomes "1 MB" and not "1000 KB".
  while (index < units.length - 1 && Number(threeDigits(scaled)) >= step) {
    scaled /= step;
    index += 1;
  }
  return `${threeDigits(scaled)} ${units[index] ?? ""}`;
}

function threeDigits(value: number): string {
  const decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return String(Number(value.toFixed(decimals)));
}

function twoUnits(first: number, firstUnit: string, second: number, secondUnit: string): string {
  const whole = `${String(first)} ${firstUnit}`;
  return second === 0 ? whole : `${whole} ${String(second)} ${secondUnit}`;
}

function greatestCommonDivisor(first: number, second: number): number {
  let larger = first;
  let smaller = second;
  while (smaller > 0) [larger, smaller] = [smaller, larger % smaller];
  return larger;
}

function checkQuantity(value: number, minimum: number): void {
  if (!Number.isSafeInteger(value) || value < minimum) {
    throw new RangeError(`${String(value)} is not an integer of at least ${String(minimum)}`);
  }
}

function boundedNumber(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}
