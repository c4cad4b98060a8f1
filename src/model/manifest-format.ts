/**
 * The outer form of a manifest: a header and records, one after another, only ever appended to.
 *
 * Header, 8 bytes: "SLUM", major version, minor version, checksum algorithm, one byte reserved. A record: its type (one
 * byte), the length of its payload (varint), the payload. Another major version is refused. Within a major version,
 * records of unknown types and bytes behind the known fields of a payload are ignored: later minor versions put them there.
 */
import { concatenateBytes } from "../std/bytes.ts";
import { UserError } from "../std/errors.ts";
import type { ChecksumAlgorithm } from "./checksum.ts";
import { checksumAlgorithmCode, checksumAlgorithmOfCode } from "./checksum.ts";
import { maximumManifestBytes, maximumManifestRecordBytes } from "./limits.ts";

export const manifestMajorVersion = 1;
export const manifestMinorVersion = 0;
const magic = [0x53, 0x4c, 0x55, 0x4d] as const; // "SLUM"
const headerBytes = 8;

/** The types of records; what is in each stands with its writer in manifest-records.ts. */
export const recordTypes = {
  directory: 1,
  link: 2,
  file: 3,
  blocks: 4,
  grownBlock: 5,
  fileEnd: 6,
  end: 7,
} as const;

/** The first bytes of every manifest. */
export function manifestHeader(algorithm: ChecksumAlgorithm): Uint8Array {
  return Uint8Array.of(...magic, manifestMajorVersion, manifestMinorVersion, checksumAlgorithmCode(algorithm), 0);
}

/** Takes the log in parts of any size and gives out whole records; keeps the bytes of an incomplete one. */
export class ManifestLog {
  algorithm: ChecksumAlgorithm | undefined = undefined;
  #pending = new Uint8Array(0);
  #lengthBytes = 0;
  #recordPosition = 0;

  /** Bytes taken so far. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Bytes taken that are no whole record yet. */
  get pendingBytes(): number {
    return this.#pending.length;
  }

  /** Where in the log the record starts that is being read, for messages. */
  get recordPosition(): number {
    return this.#recordPosition;
  }

  /**
   * Takes further bytes and calls `onRecord` for each record that is whole now; `payload` is valid during the call only.
   * Throws UserError for another version or unknown algorithm, RangeError where this is no manifest or too large.
   */
  append(bytes: Uint8Array, onRecord: (type: number, payload: Uint8Array) => void): void {
    if (this.#lengthBytes + bytes.length > maximumManifestBytes) {
      throw new RangeError(`it is larger than ${String(maximumManifestBytes)} bytes`);
    }
    const data = this.#pending.length === 0 ? bytes : concatenateBytes([this.#pending, bytes]);
    const base = this.#lengthBytes - this.#pending.length;
    this.#lengthBytes += bytes.length;
    let position = 0;
    if (this.algorithm === undefined) {
      checkMagic(data);
      if (data.length >= headerBytes) {
        this.algorithm = readHeader(data);
        position = headerBytes;
      }
    }
    if (this.algorithm !== undefined) {
      for (;;) {
        this.#recordPosition = base + position;
        const bounds = recordBounds(data, position);
        if (bounds === undefined) break;
        onRecord(data[position] ?? 0, data.subarray(bounds.start, bounds.end));
        position = bounds.end;
      }
    }
    this.#pending = data.slice(position);
  }
}

/** Where the payload lies of the record at `position`; undefined where its end has not come yet. */
function recordBounds(data: Uint8Array, position: number): { start: number; end: number } | undefined {
  let length = 0;
  let scale = 1;
  for (let index = position + 1; index < data.length; index += 1) {
    const byte = data[index] ?? 0;
    length += (byte & 0x7f) * scale;
    scale *= 0x80;
    if (length > maximumManifestRecordBytes || scale > 0x80 ** 3) throw new RangeError("a record is too long");
    if (byte >= 0x80) continue;
    if (byte === 0 && index > position + 1) throw new RangeError("a length is not in its shortest form");
    const end = index + 1 + length;
    return end <= data.length ? { start: index + 1, end } : undefined;
  }
  return undefined;
}

function checkMagic(data: Uint8Array): void {
  if (magic.some((byte, index) => index < data.length && data[index] !== byte)) {
    throw new RangeError("it does not start as a manifest does");
  }
}

function readHeader(data: Uint8Array): ChecksumAlgorithm {
  const major = data[4] ?? 0;
  if (major !== manifestMajorVersion) {
    const versions = `manifest format ${String(major)}, this program reads ${String(manifestMajorVersion)}`;
    throw new UserError(`${versions}: ${major > manifestMajorVersion ? "upgrade" : "publish the file set again"}`);
  }
  return checksumAlgorithmOfCode(data[6] ?? 0);
}
