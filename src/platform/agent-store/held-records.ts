/**
 * The journal of a file set as bytes: which blocks are held, record by record.
 *
 *   header   "SLUJ", major, minor
 *   record   length of the payload (4 bytes), its CRC-32 (4 bytes), payload: type (1 byte) and what belongs to it
 *
 * WRITTEN is appended as soon as blocks are written, without waiting for the disk: after a crash it says what is worth
 * hashing again. HELD follows when the data is durable: that is believed, as long as the files look as it says. What
 * follows a record that does not add up is ignored: it is the end of a write that was cut off.
 */
import { crc32 } from "node:zlib";
import { ByteReader, ByteWriter } from "../../std/bytes.ts";
import { UserError } from "../../std/errors.ts";
import { RangeSet } from "../../std/ranges.ts";
import { maximumBlocks, maximumEntries } from "../../model/limits.ts";
import { FileStamps } from "./file-stamps.ts";
import type { FileStamp } from "./file-stamps.ts";

const magic = [0x53, 0x4c, 0x55, 0x4a];
const major = 1;
const minor = 0;
export const journalHeaderBytes = 6;
const frameBytes = 8;
const stampBytes = 16;

const recordTypes = { manifest: 1, written: 2, held: 3, dropped: 4, complete: 5 } as const;

/** What the records of a journal come to. */
export interface JournalState {
  /** Of the manifest: bytes stored and their CRC-32, as it grew. Only the data says which of them reached the disk. */
  readonly manifests: { readonly lengthBytes: number; readonly crc: number }[];
  /** Durable and verified, if the files still look as the stamps say. */
  readonly held: RangeSet;
  /** Written, perhaps not durable. */
  readonly candidates: RangeSet;
  readonly stamps: FileStamps;
  complete: boolean;
  /** Something at the end could not be read. */
  torn: boolean;
  /** The length of what could be read. */
  readBytes: number;
}

export function emptyJournalState(): JournalState {
  return {
    manifests: [],
    held: new RangeSet(),
    candidates: new RangeSet(),
    stamps: new FileStamps(),
    complete: false,
    torn: false,
    readBytes: 0,
  };
}

export function journalHeader(): Uint8Array {
  return Uint8Array.from([...magic, major, minor]);
}

export function manifestRecord(lengthBytes: number, crc: number): Uint8Array {
  return record(recordTypes.manifest, (payload) => {
    payload.varint(lengthBytes);
    payload.u32(crc);
  });
}

export function writtenRecord(blocks: RangeSet): Uint8Array {
  return record(recordTypes.written, (payload) => writeRanges(payload, blocks));
}

export function droppedRecord(blocks: RangeSet): Uint8Array {
  return record(recordTypes.dropped, (payload) => writeRanges(payload, blocks));
}

/** `stamps`: of the files that these blocks belong to, by index. */
export function heldRecord(
  blocks: RangeSet,
  stamps: readonly (readonly [file: number, stamp: FileStamp])[],
): Uint8Array {
  return record(recordTypes.held, (payload) => {
    writeRanges(payload, blocks);
    payload.varint(stamps.length);
    const numbers = new DataView(new ArrayBuffer(stampBytes));
    for (const [file, stamp] of stamps) {
      payload.varint(file);
      payload.varint(stamp.sizeBytes);
      numbers.setFloat64(0, stamp.modifiedMilliseconds);
      numbers.setFloat64(8, stamp.inode);
      payload.bytes(new Uint8Array(numbers.buffer));
    }
  });
}

export function completeRecord(): Uint8Array {
  return record(recordTypes.complete, () => undefined);
}

/** Throws UserError when a newer program wrote it; whatever else is wrong with the bytes, the good ones before it count. */
export function readJournal(bytes: Uint8Array, shownAs: string): JournalState {
  const state = emptyJournalState();
  if (bytes.length < journalHeaderBytes || magic.some((byte, index) => bytes[index] !== byte)) {
    state.torn = true;
    return state;
  }
  if (bytes[4] !== major) {
    throw new UserError(`${shownAs} has format ${String(bytes[4])}, this program reads ${major}`, {
      hint: "use the program version that wrote it, or a newer one",
    });
  }
  state.readBytes = journalHeaderBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  while (state.readBytes + frameBytes <= bytes.length) {
    const start = state.readBytes + frameBytes;
    const end = start + view.getUint32(state.readBytes, true);
    if (end > bytes.length) break;
    const payload = bytes.subarray(start, end);
    if (crc32(payload) !== view.getUint32(state.readBytes + 4, true)) break;
    try {
      applyRecord(state, new ByteReader(payload));
    } catch (error) {
      if (error instanceof RangeError) break;
      throw error;
    }
    state.readBytes = end;
  }
  state.torn = state.readBytes !== bytes.length;
  return state;
}

function applyRecord(state: JournalState, payload: ByteReader): void {
  const type = payload.u8();
  if (type === recordTypes.manifest) {
    const lengthBytes = payload.varint();
    state.manifests.push({ lengthBytes, crc: payload.u32() });
  } else if (type === recordTypes.written) {
    state.candidates.addAll(readRanges(payload));
  } else if (type === recordTypes.held) {
    const blocks = readRanges(payload);
    const count = payload.varint();
    for (let index = 0; index < count; index += 1) readStamp(state.stamps, payload);
    state.held.addAll(blocks);
    state.candidates.removeAll(blocks);
  } else if (type === recordTypes.dropped) {
    const blocks = readRanges(payload);
    state.held.removeAll(blocks);
    state.candidates.removeAll(blocks);
    state.complete = false;
  } else if (type === recordTypes.complete) {
    state.complete = true;
  }
}

function readStamp(stamps: FileStamps, payload: ByteReader): void {
  const file = payload.varint();
  if (file >= maximumEntries) throw new RangeError("no file has this index");
  const sizeBytes = payload.varint();
  const bytes = payload.bytes(stampBytes);
  const numbers = new DataView(bytes.buffer, bytes.byteOffset, stampBytes);
  stamps.set(file, { sizeBytes, modifiedMilliseconds: numbers.getFloat64(0), inode: numbers.getFloat64(8) });
}

function writeRanges(payload: ByteWriter, blocks: RangeSet): void {
  payload.varint(blocks.rangeCount);
  let position = 0;
  blocks.forEach((start, end) => {
    payload.varint(start - position);
    payload.varint(end - start);
    position = end;
  });
}

function readRanges(payload: ByteReader): RangeSet {
  const flat: number[] = [];
  const count = payload.varint();
  let position = 0;
  for (let index = 0; index < count; index += 1) {
    const start = position + payload.varint();
    position = start + payload.varint();
    if (position > maximumBlocks) throw new RangeError("no file set has so many blocks");
    flat.push(start, position);
  }
  return RangeSet.fromFlat(flat);
}

function record(type: number, write: (payload: ByteWriter) => void): Uint8Array {
  const payload = new ByteWriter();
  payload.u8(type);
  write(payload);
  const bytes = payload.toBytes();
  const framed = new Uint8Array(frameBytes + bytes.length);
  const view = new DataView(framed.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, crc32(bytes), true);
  framed.set(bytes, frameBytes);
  return framed;
}
