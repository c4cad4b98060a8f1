/**
 * The simulator's checksums: fast, the same on every machine, and safe against nobody.
 *
 * A block's bytes are never made unless somebody asks to see them (a challenge): then they are a mark and the checksum that
 * the block is known by, and `fakeHash` of such bytes is that checksum.
 */
import type { Hash } from "../model/checksum.ts";
import { checksumLengthBytes } from "../model/checksum.ts";
import { encodeUtf8 } from "../std/utf8.ts";

const mark = encodeUtf8("sluice simulator");

/** 32 bytes that differ, in all likelihood, for different bytes. */
export const fakeHash: Hash = (algorithm, bytes) => {
  if (isFakeBlock(bytes)) return bytes.slice(mark.length, mark.length + checksumLengthBytes);
  return digest(algorithm === "blake3" ? 1 : 2, bytes);
};

/** The checksum of a block that is known by a text and a number. */
export function fakeChecksum(text: string, number: number): Uint8Array {
  return digest(number, encodeUtf8(text));
}

/** The bytes of a block with this checksum; `isWrong`: as a corrupt disk would have them. A block too short for its mark has no such bytes: zeros. */
export function fakeBlockBytes(checksum: Uint8Array, lengthBytes: number, isWrong: boolean): Uint8Array {
  const bytes = new Uint8Array(lengthBytes);
  if (lengthBytes < mark.length + checksumLengthBytes) return bytes;
  bytes.set(mark);
  bytes.set(checksum, mark.length);
  if (isWrong) bytes[mark.length] = (bytes[mark.length] ?? 0) ^ 1;
  return bytes;
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
