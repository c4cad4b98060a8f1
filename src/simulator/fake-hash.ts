/**
 * The simulator's checksums: fast, the same on every machine, and safe against nobody.
 *
 * A block's bytes are never made unless somebody asks to see them (a challenge): then they are a mark and the checksum that
 * the block is known by, and `fakeHash` of such bytes is that checksum.
 */
import type { ChecksumAlgorithm, Hash } from "../model/checksum.ts";
import { checksumLengthBytes } from "../model/checksum.ts";
import { encodeUtf8 } from "../std/utf8.ts";

const mark = encodeUtf8("sluice simulator");
/** What everything in the simulated world is said to be hashed by. */
export const fakeAlgorithm: ChecksumAlgorithm = "blake3";

/** 32 bytes that differ, in all likelihood, for different bytes. */
export const fakeHash: Hash = (algorithm, bytes) => {
  if (isFakeBlock(bytes)) return bytes.slice(mark.length, mark.length + checksumLengthBytes);
  return digest(algorithm === fakeAlgorithm ? 1 : 2, bytes);
};

/** 32 bytes that a text and a number stand for. */
export function fakeChecksum(text: string, number: number): Uint8Array {
  return digest(number, encodeUtf8(text));
}

/** What a block is known by: the text and number that stand for what is in it, and its length. */
export interface FakeBlock {
  readonly text: string;
  readonly number: number;
  readonly lengthBytes: number;
}

/** The checksum of a block: the same as `fakeHash` of its bytes. */
export function fakeBlockChecksum(block: FakeBlock): Uint8Array {
  const isShort = block.lengthBytes < mark.length + checksumLengthBytes;
  return isShort ? fakeHash(fakeAlgorithm, shortBytes(block)) : fakeChecksum(block.text, block.number);
}

/** The bytes of a block; `isWrong`: as a corrupt disk would have them. */
export function fakeBlockBytes(block: FakeBlock, isWrong: boolean): Uint8Array {
  const isShort = block.lengthBytes < mark.length + checksumLengthBytes;
  const bytes = isShort ? shortBytes(block) : new Uint8Array(block.lengthBytes);
  if (!isShort) {
    bytes.set(mark);
    bytes.set(fakeChecksum(block.text, block.number), mark.length);
  }
  const changed = isShort ? 0 : mark.length;
  if (isWrong) bytes[changed] = (bytes[changed] ?? 0) ^ 1;
  return bytes;
}

/** Of a block too short for the mark, the bytes are made up themselves. */
function shortBytes({ text, number, lengthBytes }: FakeBlock): Uint8Array {
  const pattern = fakeChecksum(text, number);
  return Uint8Array.from({ length: lengthBytes }, (_, index) => pattern[index % pattern.length] ?? 0);
}

function isFakeBlock(bytes: Uint8Array): boolean {
  if (bytes.length < mark.length + checksumLengthBytes) return false;
  return mark.every((byte, index) => bytes[index] === byte);
}

/** Eight words that every byte goes through, mixed at the end as MurmurHash3 does. */
function digest(seed: number, bytes: Uint8Array): Uint8Array {
  let low = (seed ^ 0x9e37_79b9) | 0;
  let high = (Math.floor(seed / 0x1_0000_0000) ^ bytes.length) | 0;
  for (let index = 0; index < bytes.length; index += 1) {
    low = Math.imul(low ^ (bytes[index] ?? 0), 0x0100_0193);
    high = (Math.imul(high, 31) + (low >>> 15)) | 0;
  }
  const result = new Uint8Array(checksumLengthBytes);
  for (let word = 0; word < checksumLengthBytes / 4; word += 1) {
    let mixed = low ^ Math.imul(high, 0x85eb_ca6b) ^ Math.imul(word + 1, 0xc2b2_ae35);
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    mixed ^= mixed >>> 16;
    low = (low + mixed) | 0;
    high = Math.imul(high ^ mixed, 0x0100_0193);
    result.set([mixed & 255, (mixed >>> 8) & 255, (mixed >>> 16) & 255, mixed >>> 24], word * 4);
  }
  return result;
}
