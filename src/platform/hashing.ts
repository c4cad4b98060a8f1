/**
 * Hashing for real: the Hash port of the pure code, and a pool of threads for hashing what is large.
 *
 * BLAKE3 comes from a native package. Where that cannot be loaded, new file sets are made with SHA-256 of Node itself;
 * file sets that others made with BLAKE3 are refused with a clear line.
 */
import { createHash } from "node:crypto";
import { UserError } from "../std/errors.ts";
import type { ChecksumAlgorithm, Hash } from "../model/checksum.ts";

type Blake3 = (input: Buffer) => Uint8Array;

const blake3 = await loadBlake3();

async function loadBlake3(): Promise<Blake3 | undefined> {
  try {
    const native = await import("@napi-rs/blake-hash");
    return native.blake3;
  } catch {
    return undefined;
  }
}

/** What new checksums are made with on this machine. */
export function preferredChecksumAlgorithm(): ChecksumAlgorithm {
  return blake3 === undefined ? "sha256" : "blake3";
}

/** Whether checksums of this algorithm can be verified on this machine. */
export function canHash(algorithm: ChecksumAlgorithm): boolean {
  return algorithm === "sha256" || blake3 !== undefined;
}

/** The checksum of `bytes`, which may stand in shared memory. Throws UserError where the algorithm cannot be had. */
export const hash: Hash = (algorithm, bytes) => {
  if (algorithm === "sha256") return createHash("sha256").update(bytes).digest();
  if (blake3 === undefined) {
    throw new UserError(
      "BLAKE3 checksums cannot be verified here: the native package @napi-rs/blake-hash does not load",
      {
        hint: "install the package for this platform, or publish with sha256",
      },
    );
  }
  return blake3(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
};
