/**
 * What a manifest is named and verified by.
 *
 * A manifest is carried in pieces. Its summary lists the checksum of each; its root, a checksum of the summary, is the
 * name that comes through the controller's word. Whoever has the root verifies a summary by it, and by the summary every
 * piece, whoever sent them. A growing manifest gets a new root each time; its earlier whole pieces stay as they are.
 */
import { ByteWriter, concatenateBytes, equalBytes } from "../std/bytes.ts";
import { UserError } from "../std/errors.ts";
import { encodeUtf8 } from "../std/utf8.ts";
import type { ChecksumAlgorithm, Hash } from "./checksum.ts";
import { checksumAlgorithmCode, checksumLengthBytes, formatChecksum, parseChecksum } from "./checksum.ts";
import { manifestPieceBytes, maximumBlockBytes, maximumManifestBytes, maximumManifestPieces } from "./limits.ts";

/** `root`: as text, with its algorithm. `pieceChecksums`: 32 bytes for each piece, one after another. */
export interface ManifestSummary {
  readonly root: string;
  readonly lengthBytes: number;
  readonly pieceBytes: number;
  readonly pieceChecksums: Uint8Array;
}

const rootPrefix = encodeUtf8("sluice manifest 1\n");
const twoToThe32 = 0x1_0000_0000;

/** The piece size of a manifest that is written as a whole: 64 KiB, doubled until there are at most 128. A growing one uses 64 KiB. */
export function manifestPieceBytesFor(lengthBytes: number): number {
  let pieceBytes = manifestPieceBytes;
  while (lengthBytes > pieceBytes * maximumManifestPieces) pieceBytes *= 2;
  return pieceBytes;
}

/** The summary of a whole manifest. Throws RangeError unless the piece size is of 1..16 MiB. */
export function summarizeManifest(
  hash: Hash,
  algorithm: ChecksumAlgorithm,
  bytes: Uint8Array,
  pieceBytes: number,
): ManifestSummary {
  const summarizer = new ManifestSummarizer(hash, algorithm, pieceBytes);
  summarizer.append(bytes);
  return summarizer.summary();
}

/** Whether a summary is the one that its root names; also refuses impossible sizes. Throws UserError where the root is no checksum. */
export function verifySummary(hash: Hash, summary: ManifestSummary): boolean {
  const { root, lengthBytes, pieceBytes, pieceChecksums } = summary;
  const { algorithm } = parseChecksum(root);
  if (!isPieceSize(pieceBytes)) return false;
  if (!Number.isInteger(lengthBytes) || lengthBytes < 0 || lengthBytes > maximumManifestBytes) return false;
  if (pieceChecksums.length !== pieceCount(summary) * checksumLengthBytes) return false;
  return rootOf(hash, algorithm, summary) === root;
}

/** How many pieces a manifest has. */
export function pieceCount(summary: { readonly lengthBytes: number; readonly pieceBytes: number }): number {
  return Math.ceil(summary.lengthBytes / summary.pieceBytes);
}

/** The bytes start..end - 1 of the manifest that a piece holds. Throws RangeError where there is no such piece. */
export function pieceRange(summary: ManifestSummary, index: number): { readonly start: number; readonly end: number } {
  if (!Number.isInteger(index) || index < 0 || index >= pieceCount(summary)) {
    throw new RangeError(`there is no piece ${String(index)}`);
  }
  const start = index * summary.pieceBytes;
  return { start, end: Math.min(start + summary.pieceBytes, summary.lengthBytes) };
}

/** Whether `bytes` are the piece `index` of a summary that has been verified. Throws RangeError where there is no such piece. */
export function verifyPiece(hash: Hash, summary: ManifestSummary, index: number, bytes: Uint8Array): boolean {
  const { start, end } = pieceRange(summary, index);
  if (bytes.length !== end - start) return false;
  const expected = summary.pieceChecksums.subarray(index * checksumLengthBytes, (index + 1) * checksumLengthBytes);
  return equalBytes(hash(parseChecksum(summary.root).algorithm, bytes), expected);
}

/** The summary of a manifest that is appended to: only the last piece and new ones are hashed again. */
export class ManifestSummarizer {
  readonly #hash: Hash;
  readonly #algorithm: ChecksumAlgorithm;
  readonly #pieceBytes: number;
  readonly #wholePieces = new ByteWriter();
  #tail: Uint8Array = new Uint8Array(0);
  #lengthBytes = 0;

  /** Throws RangeError unless the piece size is of 1..16 MiB. */
  constructor(hash: Hash, algorithm: ChecksumAlgorithm, pieceBytes: number) {
    if (!isPieceSize(pieceBytes)) throw new RangeError(`${String(pieceBytes)} is not a size of pieces`);
    this.#hash = hash;
    this.#algorithm = algorithm;
    this.#pieceBytes = pieceBytes;
  }

  /** Takes further bytes. Throws UserError where the manifest becomes too large. */
  append(bytes: Uint8Array): void {
    this.#lengthBytes += bytes.length;
    if (this.#lengthBytes > maximumManifestBytes) {
      throw new UserError(`the manifest is larger than ${String(maximumManifestBytes)} bytes`, {
        hint: "publish fewer files at once, or larger blocks",
      });
    }
    let position = 0;
    while (this.#tail.length + (bytes.length - position) >= this.#pieceBytes) {
      const end = position + this.#pieceBytes - this.#tail.length;
      const part = bytes.subarray(position, end);
      const piece = this.#tail.length === 0 ? part : concatenateBytes([this.#tail, part]);
      this.#wholePieces.bytes(this.#hash(this.#algorithm, piece));
      this.#tail = new Uint8Array(0);
      position = end;
    }
    if (position < bytes.length) this.#tail = concatenateBytes([this.#tail, bytes.subarray(position)]);
  }

  /** The summary of everything taken so far. */
  summary(): ManifestSummary {
    const pieceChecksums = concatenateBytes([
      this.#wholePieces.toBytes(),
      this.#tail.length === 0 ? this.#tail : this.#hash(this.#algorithm, this.#tail),
    ]);
    const parts = { lengthBytes: this.#lengthBytes, pieceBytes: this.#pieceBytes, pieceChecksums };
    return { root: rootOf(this.#hash, this.#algorithm, parts), ...parts };
  }
}

function rootOf(hash: Hash, algorithm: ChecksumAlgorithm, parts: Omit<ManifestSummary, "root">): string {
  const writer = new ByteWriter(rootPrefix.length + 16 + parts.pieceChecksums.length);
  writer.bytes(rootPrefix);
  writer.u8(checksumAlgorithmCode(algorithm));
  writer.u32(parts.pieceBytes);
  writer.u32(Math.floor(parts.lengthBytes / twoToThe32));
  writer.u32(parts.lengthBytes % twoToThe32);
  writer.bytes(parts.pieceChecksums);
  return formatChecksum(algorithm, hash(algorithm, writer.toBytes()));
}

function isPieceSize(pieceBytes: number): boolean {
  return Number.isInteger(pieceBytes) && pieceBytes >= 1 && pieceBytes <= maximumBlockBytes;
}
