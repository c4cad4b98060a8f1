/**
 * Checksums: which algorithms there are, and how a checksum is written.
 *
 * The hashing itself is a port that pure code is handed; here is only what a checksum is: 32 bytes and the name of its
 * algorithm, as text "blake3:<64 hexadecimal digits>".
 */
import { z } from "zod";
import { UserError } from "../std/errors.ts";
import { checksumLengthBytes } from "./checksum-length.ts";
import { fromHex, toHex } from "../std/hex.ts";

export { checksumLengthBytes } from "./checksum-length.ts";

export type ChecksumAlgorithm = "blake3" | "sha256";

/** The port: the checksum, 32 bytes, of `bytes`. */
export type Hash = (algorithm: ChecksumAlgorithm, bytes: Uint8Array) => Uint8Array;

export const checksumAlgorithmSchema = z.enum(["blake3", "sha256"]);

const codes: Readonly<Record<ChecksumAlgorithm, number>> = { blake3: 1, sha256: 2 };
const textPattern = /^(blake3|sha256):([0-9a-f]{64})$/;

/** A checksum as text, checked for its form. */
export const checksumTextSchema = z.string().regex(textPattern, "not a checksum such as blake3:<64 digits>");

/** The number that stands for an algorithm in binary formats. */
export function checksumAlgorithmCode(algorithm: ChecksumAlgorithm): number {
  return codes[algorithm];
}

/** The algorithm of a code. Throws UserError for one that this program does not know. */
export function checksumAlgorithmOfCode(code: number): ChecksumAlgorithm {
  if (code === codes.blake3) return "blake3";
  if (code === codes.sha256) return "sha256";
  throw new UserError(`checksum algorithm ${String(code)} is not known to this program`, {
    hint: "upgrade this program, or publish with blake3 or sha256",
  });
}

/** "blake3:<hex>". Throws RangeError unless `checksum` is 32 bytes. */
export function formatChecksum(algorithm: ChecksumAlgorithm, checksum: Uint8Array): string {
  if (checksum.length !== checksumLengthBytes) {
    throw new RangeError(`a checksum of ${String(checksum.length)} bytes`);
  }
  return `${algorithm}:${toHex(checksum)}`;
}

/** The reverse of `formatChecksum`. Throws UserError on any other text. */
export function parseChecksum(text: string): { algorithm: ChecksumAlgorithm; checksum: Uint8Array } {
  const match = textPattern.exec(text);
  if (match === null) {
    throw new UserError(`${JSON.stringify(text.slice(0, 100))} is not a checksum`, {
      hint: "a checksum is blake3: or sha256: and 64 lower-case hexadecimal digits",
    });
  }
  return { algorithm: match[1] === "sha256" ? "sha256" : "blake3", checksum: fromHex(match[2] ?? "") };
}
