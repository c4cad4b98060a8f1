/**
 * Writing and reading of binary records.
 *
 * Every read is checked against the end of the input and throws RangeError instead of inventing
 * bytes; every number has exactly one encoding. Numbers are little-endian, of variable length
 * (unsigned LEB128) up to 2^53 - 1.
 */
import { decodeUtf8, encodeUtf8 } from "./utf8.ts";

const initialCapacityBytes = 64;
const maximumVarintBytes = 8;

/** Collects bytes in a buffer that grows as needed. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** `capacityBytes`: how much to set aside at first. */
  constructor(capacityBytes: number = initialCapacityBytes) {
    this.#bytes = new Uint8Array(capacityBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** One byte. Throws RangeError outside 0..255. */
  u8(value: number): void {
    checkInteger(value, 0xff);
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Four bytes, least significant first. Throws RangeError outside 0..2^32 - 1. */
  u32(value: number): void {
    checkInteger(value, 0xffff_ffff);
    this.#reserve(4);
    for (let shift = 0; shift < 32; shift += 8) this.#bytes[this.#length++] = value >>> shift;
  }

  /** One to eight bytes. Throws RangeError outside 0..2^53 - 1. */
  varint(value: number): void {
    checkInteger(value, Number.MAX_SAFE_INTEGER);
    this.#reserve(maximumVarintBytes);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A signed integer, small near zero. Throws RangeError outside -2^52..2^52 - 1. */
  zigzag(value: number): void {
    this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** The bytes themselves, without a length. */
  bytes(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** The length in bytes as a varint, then UTF-8. Throws RangeError on lone surrogates. */
  text(value: string): void {
    const encoded = encodeUtf8(value);
    this.varint(encoded.length);
    this.bytes(encoded);
  }

  /** A copy of all that was written, or of what was written from `start` on. */
  toBytes(start: number = 0): Uint8Array {
    return this.#bytes.slice(start, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Reads what ByteWriter wrote. Every method throws RangeError where the input ends too early. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position;
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    this.#require(1);
    return this.#bytes[this.#position++] ?? 0;
  }

  u32(): number {
    this.#require(4);
    let value = 0;
    for (let shift = 0; shift < 32; shift += 8) {
      value |= (this.#bytes[this.#position++] ?? 0) << shift;
    }
    return value >>> 0;
  }

  /** Also throws RangeError on a number above 2^53 - 1 or not in its shortest form. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < maximumVarintBytes; index += 1) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && index > 0) throw new RangeError("a number is not in its shortest form");
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new RangeError("a number is above 2^53 - 1");
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A view of the next `count` bytes, not a copy. */
  bytes(count: number): Uint8Array {
    checkInteger(count, Number.MAX_SAFE_INTEGER);
    this.#require(count);
    const start = this.#position;
    this.#position += count;
    return this.#bytes.subarray(start, this.#position);
  }

  /** Also throws RangeError on invalid UTF-8. */
  text(): string {
    return decodeUtf8(this.bytes(this.varint()));
  }

  #require(count: number): void {
    if (count > this.remaining) throw new RangeError("the input ends in the middle of a value");
  }
}

/** One array with the bytes of all `parts`, in their order. */
export function concatenateBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return whole;
}

/** Whether two arrays hold the same bytes. */
export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    if (left[index] !== right[index]) return false;
  }
  return true;
}

function checkInteger(value: number, maximum: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > maximum) {
    throw new RangeError(`${String(value)} is not an integer of 0..${String(maximum)}`);
  }
}
