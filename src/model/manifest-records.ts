/**
 * The records of a manifest: what is in each, written and read.
 *
 * Numbers are varints, texts UTF-8 with their length, times milliseconds since 1970, modes permission bits. Reading throws
 * RangeError where a payload is too short; whether the values make sense is for the manifest to check.
 */
import { ByteReader, ByteWriter } from "../std/bytes.ts";
import { checksumLengthBytes } from "./checksum.ts";
import { recordTypes } from "./manifest-format.ts";

const growingFlag = 1;
const finalFlag = 1;

/** 1 DIRECTORY: path, mode, time (zigzag). */
export interface DirectoryRecord {
  readonly path: string;
  readonly mode: number;
  readonly modifiedMilliseconds: number;
}

/** 2 LINK: path, target. */
export interface LinkRecord {
  readonly path: string;
  readonly target: string;
}

/** 3 FILE: path, mode, time (zigzag), version, flags (1: growing), block size, length (0 where it grows). */
export interface FileRecord {
  readonly path: string;
  readonly mode: number;
  readonly modifiedMilliseconds: number;
  readonly version: number;
  readonly growing: boolean;
  readonly blockBytes: number;
  readonly lengthBytes: number;
}

/** 5 GROWN_BLOCK: length, checksum, flags (1: the last block of its file). */
export interface GrownBlockRecord {
  readonly lengthBytes: number;
  readonly checksum: Uint8Array;
  readonly final: boolean;
}

/** 6 FILE_END: time (zigzag). */
export interface FileEndRecord {
  readonly modifiedMilliseconds: number;
}

/** 7 END: number of files, number of blocks. */
export interface EndRecord {
  readonly fileCount: number;
  readonly blockCount: number;
}

export function writeDirectory(record: DirectoryRecord): Uint8Array {
  return frame(recordTypes.directory, (writer) => {
    writer.text(record.path);
    writer.varint(record.mode);
    writer.zigzag(record.modifiedMilliseconds);
  });
}

export function readDirectory(payload: Uint8Array): DirectoryRecord {
  const reader = new ByteReader(payload);
  return { path: reader.text(), mode: reader.varint(), modifiedMilliseconds: reader.zigzag() };
}

export function writeLink(record: LinkRecord): Uint8Array {
  return frame(recordTypes.link, (writer) => {
    writer.text(record.path);
    writer.text(record.target);
  });
}

export function readLink(payload: Uint8Array): LinkRecord {
  const reader = new ByteReader(payload);
  return { path: reader.text(), target: reader.text() };
}

export function writeFile(record: FileRecord): Uint8Array {
  return frame(recordTypes.file, (writer) => {
    writer.text(record.path);
    writer.varint(record.mode);
    writer.zigzag(record.modifiedMilliseconds);
    writer.varint(record.version);
    writer.varint(record.growing ? growingFlag : 0);
    writer.varint(record.blockBytes);
    writer.varint(record.lengthBytes);
  });
}

export function readFile(payload: Uint8Array): FileRecord {
  const reader = new ByteReader(payload);
  return {
    path: reader.text(),
    mode: reader.varint(),
    modifiedMilliseconds: reader.zigzag(),
    version: reader.varint(),
    growing: reader.varint() % 2 === growingFlag,
    blockBytes: reader.varint(),
    lengthBytes: reader.varint(),
  };
}

/** 4 BLOCKS: checksums one after another, as many as the payload has. */
export function writeBlocks(checksums: Uint8Array): Uint8Array {
  return frame(recordTypes.blocks, (writer) => {
    writer.bytes(checksums);
  });
}

export function writeGrownBlock(record: GrownBlockRecord): Uint8Array {
  return frame(recordTypes.grownBlock, (writer) => {
    writer.varint(record.lengthBytes);
    writer.bytes(record.checksum);
    writer.varint(record.final ? finalFlag : 0);
  });
}

export function readGrownBlock(payload: Uint8Array): GrownBlockRecord {
  const reader = new ByteReader(payload);
  return {
    lengthBytes: reader.varint(),
    checksum: reader.bytes(checksumLengthBytes),
    final: reader.varint() % 2 === finalFlag,
  };
}

export function writeFileEnd(record: FileEndRecord): Uint8Array {
  return frame(recordTypes.fileEnd, (writer) => {
    writer.zigzag(record.modifiedMilliseconds);
  });
}

export function readFileEnd(payload: Uint8Array): FileEndRecord {
  return { modifiedMilliseconds: new ByteReader(payload).zigzag() };
}

export function writeEnd(record: EndRecord): Uint8Array {
  return frame(recordTypes.end, (writer) => {
    writer.varint(record.fileCount);
    writer.varint(record.blockCount);
  });
}

export function readEnd(payload: Uint8Array): EndRecord {
  const reader = new ByteReader(payload);
  return { fileCount: reader.varint(), blockCount: reader.varint() };
}

function frame(type: number, writePayload: (writer: ByteWriter) => void): Uint8Array {
  const payload = new ByteWriter();
  writePayload(payload);
  const record = new ByteWriter(payload.length + 8);
  record.u8(type);
  record.varint(payload.length);
  record.bytes(payload.toBytes());
  return record.toBytes();
}
