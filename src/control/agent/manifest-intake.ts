/**
 * How a file set's manifest comes in: pieces in any order, verified against the root that the controller gave, and a
 * growing one under a new root each time. It promises that `prefixBytes` only rises, that every byte of the prefix was
 * verified, and hands each byte of it out once, in order.
 */
import { concatenateBytes, equalBytes } from "../../std/bytes.ts";
import { UserError } from "../../std/errors.ts";
import { RangeSet } from "../../std/ranges.ts";
import type { Hash } from "../../model/checksum.ts";
import { checksumLengthBytes } from "../../model/checksum.ts";
import type { ManifestSummary } from "../../model/manifest-root.ts";
import { pieceCount, pieceRange, verifyPiece } from "../../model/manifest-root.ts";

const noBytes: Uint8Array = new Uint8Array(0);

export class ManifestIntake {
  readonly #hash: Hash;
  #summary: ManifestSummary;
  readonly #held = new RangeSet();
  /** Verified pieces that do not join the prefix yet. */
  readonly #loose = new Map<number, Uint8Array>();
  /** What the prefix holds of the piece that it ends in; empty where it ends between two. */
  #last = noBytes;
  #prefixBytes = 0;

  /** @param summary verified against its root already */
  constructor(hash: Hash, summary: ManifestSummary) {
    this.#hash = hash;
    this.#summary = summary;
  }

  get summary(): ManifestSummary {
    return this.#summary;
  }

  get pieceCount(): number {
    return pieceCount(this.#summary);
  }

  /** The pieces that are held under the current root. The set is this object's own. */
  get held(): RangeSet {
    return this.#held;
  }

  /** Bytes from the start that are verified without a gap. */
  get prefixBytes(): number {
    return this.#prefixBytes;
  }

  get isWhole(): boolean {
    return this.#prefixBytes === this.#summary.lengthBytes;
  }

  /** The bytes of a piece that is held and not handed out yet, since one before it is missing; undefined: it was, or is not held. */
  loosePiece(index: number): Uint8Array | undefined {
    return this.#loose.get(index);
  }

  /** How many bytes the pieces start..end - 1 hold together. */
  bytesInPieces(start: number, end: number): number {
    return Math.min(end * this.#summary.pieceBytes, this.#summary.lengthBytes) - start * this.#summary.pieceBytes;
  }

  /**
   * Takes a piece that came in. A whole piece was verified on the way; the last one, which may have changed meanwhile, is
   * verified here.
   * @returns the bytes that now follow the prefix, in order; undefined when the piece is not one of the current root
   */
  add(index: number, bytes: Uint8Array): Uint8Array[] | undefined {
    const { start, end } = pieceRange(this.#summary, index);
    if (bytes.length !== end - start) return undefined;
    if (bytes.length < this.#summary.pieceBytes && !verifyPiece(this.#hash, this.#summary, index, bytes)) {
      return undefined;
    }
    if (this.#held.has(index)) return [];
    this.#held.add(index, index + 1);
    this.#loose.set(index, bytes);
    return this.#advance();
  }

  /**
   * Takes over a new root of the same manifest, grown. Pieces that are held stay held but for a last one that grew.
   * @param summary verified against its root, and `extends` the current one
   */
  extend(summary: ManifestSummary): void {
    const { lengthBytes, pieceBytes } = this.#summary;
    const last = Math.floor(lengthBytes / pieceBytes);
    if (summary.lengthBytes > lengthBytes && lengthBytes % pieceBytes !== 0) {
      this.#held.remove(last, last + 1);
      this.#loose.delete(last);
    }
    this.#summary = summary;
  }

  /** Takes the last bytes of the manifest, as an assignment carries them. @returns as `add`; wrong bytes change nothing */
  addTail(offset: number, bytes: Uint8Array): Uint8Array[] {
    const parts: Uint8Array[] = [];
    if (offset + bytes.length !== this.#summary.lengthBytes) return parts;
    for (let index = Math.floor(offset / this.#summary.pieceBytes); index < this.pieceCount; index += 1) {
      if (this.#held.has(index)) continue;
      const piece = this.#pieceFromTail(index, offset, bytes);
      if (piece === undefined || !verifyPiece(this.#hash, this.#summary, index, piece)) continue;
      this.#held.add(index, index + 1);
      this.#loose.set(index, piece);
      parts.push(...this.#advance());
    }
    return parts;
  }

  /**
   * Takes what was stored before a restart, as far as its pieces verify. What it has of a last piece that has grown since
   * was verified under an earlier root; it is checked again when the rest of that piece comes.
   * @returns the bytes of the prefix
   */
  restore(stored: Uint8Array): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (let index = 0; index < this.pieceCount; index += 1) {
      const { start, end } = pieceRange(this.#summary, index);
      if (end > stored.length) {
        if (index < this.pieceCount - 1 || stored.length <= start) break;
        this.#last = stored.subarray(start);
        this.#prefixBytes = stored.length;
        parts.push(this.#last);
        break;
      }
      if (!verifyPiece(this.#hash, this.#summary, index, stored.subarray(start, end))) break;
      this.#held.add(index, index + 1);
      this.#loose.set(index, stored.subarray(start, end));
      parts.push(...this.#advance());
    }
    return parts;
  }

  /** The piece out of the tail, and out of what the prefix has of it where the tail starts within. */
  #pieceFromTail(index: number, offset: number, tail: Uint8Array): Uint8Array | undefined {
    const { start, end } = pieceRange(this.#summary, index);
    if (offset <= start) return tail.subarray(start - offset, end - offset);
    const have = this.#prefixBytes - start;
    if (have < offset - start || have !== this.#last.length) return undefined;
    return concatenateBytes([this.#last, tail.subarray(this.#prefixBytes - offset, end - offset)]);
  }

  /** Moves the prefix over what joins it. @throws UserError when a piece differs from what its own start was */
  #advance(): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (;;) {
      const index = Math.floor(this.#prefixBytes / this.#summary.pieceBytes);
      const piece = this.#loose.get(index);
      const within = this.#last.length;
      if (piece === undefined || piece.length < within) return parts;
      if (within > 0 && !equalBytes(piece.subarray(0, within), this.#last)) {
        throw new UserError("the manifest was changed where it should only have grown");
      }
      this.#loose.delete(index);
      const part = piece.subarray(within);
      this.#prefixBytes += part.length;
      this.#last = piece.length === this.#summary.pieceBytes ? noBytes : piece;
      if (part.length > 0) parts.push(part);
      if (piece.length < this.#summary.pieceBytes) return parts;
    }
  }
}

/** Whether `next` can be what a manifest of which `previous` is a summary has grown to. */
export function extendsSummary(previous: ManifestSummary, next: ManifestSummary): boolean {
  if (next.pieceBytes !== previous.pieceBytes || next.lengthBytes < previous.lengthBytes) return false;
  const unchanged = Math.floor(previous.lengthBytes / previous.pieceBytes) * checksumLengthBytes;
  return equalBytes(previous.pieceChecksums.subarray(0, unchanged), next.pieceChecksums.subarray(0, unchanged));
}
