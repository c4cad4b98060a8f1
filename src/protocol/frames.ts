/**
 * The frames of a block stream (docs/protocol.md): a header of 16 bytes, then a payload.
 *
 *   type u8 | flags u8 | count u16 | tag u32 | block u32 | payload length u32      (little-endian)
 *
 * The end that dials opens lanes (TICKET, tag = lane) and streams in them (OPEN, tag = stream: one order of one file set).
 * It pulls with REQUEST and gets DATA, or hands over with PUSH and DATA and gets ACCEPTED or REJECTED. DATA carries part
 * of a batch: whole blocks in order, whose lengths both ends know (from the manifest, or from PUSH); the first part has
 * the flag `first`, and a stream has at most one batch under way.
 *
 * Everything here is checked before it is believed: reading throws ProtocolViolation on any byte that does not fit, and
 * allocates nothing that a peer could make large.
 */
import { checksumLengthBytes } from "../model/checksum.ts";
import { maximumBlockBytes, maximumBlocks } from "../model/limits.ts";
import { decodeUtf8, encodeUtf8 } from "../std/utf8.ts";
import { maximumTicketLength } from "./limits.ts";
import { fileSetKeySchema } from "./parts.ts";
import type { BlockOrderName, FailureKind, FileSetKey } from "./parts.ts";

export const frameHeaderBytes = 16;
/** The most that one DATA frame carries. */
export const maximumDataBytes = 1024 * 1024;
/** The most blocks that one batch names. */
export const maximumBatchBlocks = 65_535;
/** The most that a batch of several blocks is long; a batch of one block is as long as that block. */
export const maximumSmallBatchBytes = 1024 * 1024;
/** The most blocks that one PUSH announces. */
export const maximumPushEntries = 4_096;
/** The most ranges that one REQUEST asks for. */
export const maximumRequestRanges = 5_000;
const requestRangeBytes = 12;
const pushEntryBytes = 12 + checksumLengthBytes;
const maximumFileSetKeyLength = 257;
const maximumDetailBytes = 512;
const maximumUint32 = 0xffff_ffff;

export const frameType = {
  /** tag: lane; payload: the text of a ticket, which opens the lane or adds to it. */
  ticket: 1,
  /** tag: stream; block: its lane; flags: 0 manifest, 1 content; payload: the file set's key. */
  open: 2,
  /** tag: stream; payload: ranges. */
  request: 3,
  /** tag: lane, which ends with all its streams; answered by CLOSED, behind which nothing of them comes. */
  cancel: 4,
  /** tag: stream; count: entries; block: number of the batch; payload: entries. The bytes follow as DATA. */
  push: 5,
  /** tag: stream; block: number of the flush: make durable what was handed over of this file set. */
  flush: 6,
  /** tag: stream; block: first block of the batch (of a pushed one: its number); count: its blocks. */
  data: 7,
  /** tag: lane, which has ended; flags: reason; block: the block concerned; payload: text for people. */
  refused: 8,
  /** tag: lane. */
  closed: 9,
  /** tag: stream; block: number of the batch, all of which is verified and written. */
  accepted: 10,
  /** tag: stream; block: number of the batch; flags: reason; payload: the blocks that were not taken. */
  rejected: 11,
  /** tag: stream; block: number of the flush. */
  flushed: 12,
  /** tag: lane: what comes next is yet to come to the source itself. Ends with the lane's next DATA. */
  waiting: 13,
} as const;
export type FrameType = (typeof frameType)[keyof typeof frameType];

/** Flag of the first DATA of a batch. */
export const firstOfBatch = 1;
/** Flag of an entry of PUSH: it is the last block of its file. */
const finalBlock = 1;

export interface FrameHeader {
  readonly type: FrameType;
  readonly flags: number;
  readonly count: number;
  readonly tag: number;
  readonly block: number;
  readonly payloadBytes: number;
}

/** The peer did not keep to the protocol; the connection is of no use any more. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}

/** Which frames an end may be sent: by the one that dials (`fromDialler`), or by the one that accepts. */
export type FrameDirection = "fromDialler" | "fromAccepter";

interface FrameRule {
  readonly directions: readonly FrameDirection[];
  readonly minimumBytes: number;
  readonly maximumBytes: number;
  readonly maximumFlags: number;
}

const both: readonly FrameDirection[] = ["fromDialler", "fromAccepter"];
const dialler: readonly FrameDirection[] = ["fromDialler"];
const accepter: readonly FrameDirection[] = ["fromAccepter"];
const rule = (
  directions: readonly FrameDirection[],
  minimumBytes: number,
  maximumBytes: number,
  maximumFlags: number,
): FrameRule => ({ directions, minimumBytes, maximumBytes, maximumFlags });

const rules: ReadonlyMap<number, FrameRule> = new Map([
  [frameType.ticket, rule(dialler, 1, maximumTicketLength, 0)],
  [frameType.open, rule(dialler, 3, maximumFileSetKeyLength, 1)],
  [frameType.request, rule(dialler, requestRangeBytes, maximumRequestRanges * requestRangeBytes, 0)],
  [frameType.cancel, rule(dialler, 0, 0, 0)],
  [frameType.push, rule(dialler, pushEntryBytes, maximumPushEntries * pushEntryBytes, 0)],
  [frameType.flush, rule(dialler, 0, 0, 0)],
  [frameType.data, rule(both, 1, maximumDataBytes, firstOfBatch)],
  [frameType.refused, rule(accepter, 0, maximumDetailBytes, 255)],
  [frameType.closed, rule(accepter, 0, 0, 0)],
  [frameType.accepted, rule(accepter, 0, 0, 0)],
  [frameType.rejected, rule(accepter, 4, maximumPushEntries * 4, 255)],
  [frameType.flushed, rule(accepter, 0, 0, 0)],
  [frameType.waiting, rule(accepter, 0, 0, 0)],
]);

/**
 * Reads the header that begins at `offset`.
 * @throws ProtocolViolation when its type, flags, count or length are not of this direction and protocol
 */
export function readFrameHeader(bytes: Uint8Array, offset: number, direction: FrameDirection): FrameHeader {
  const type = readByte(bytes, offset);
  const flags = readByte(bytes, offset + 1);
  const count = readByte(bytes, offset + 2) | (readByte(bytes, offset + 3) << 8);
  const tag = readUint32(bytes, offset + 4);
  const block = readUint32(bytes, offset + 8);
  const payloadBytes = readUint32(bytes, offset + 12);
  const rule = rules.get(type);
  if (rule === undefined || !rule.directions.includes(direction)) {
    throw new ProtocolViolation(`a frame of type ${type}`);
  }
  if (payloadBytes < rule.minimumBytes || payloadBytes > rule.maximumBytes) {
    throw new ProtocolViolation(`a frame of type ${type} with ${payloadBytes} bytes`);
  }
  if (flags > rule.maximumFlags) throw new ProtocolViolation(`a frame of type ${type} with flags ${flags}`);
  if ((type === frameType.data || type === frameType.push) !== count > 0) {
    throw new ProtocolViolation(`a frame of type ${type} with count ${count}`);
  }
  return { type: type as FrameType, flags, count, tag, block, payloadBytes };
}

/** A header, as 16 bytes. Throws RangeError on a number that does not fit its field. */
export function encodeFrameHeader(
  header: FrameHeader,
  into: Uint8Array = new Uint8Array(frameHeaderBytes),
): Uint8Array {
  if (header.count > 0xffff || header.flags > 0xff) throw new RangeError("a count or flags that do not fit");
  into[0] = header.type;
  into[1] = header.flags;
  into[2] = header.count & 0xff;
  into[3] = header.count >>> 8;
  writeUint32(into, 4, header.tag);
  writeUint32(into, 8, header.block);
  writeUint32(into, 12, header.payloadBytes);
  return into;
}

/** A whole frame. Fields that are left out are 0. */
export function encodeFrame(
  type: FrameType,
  fields: { tag: number; flags?: number; count?: number; block?: number },
  payload: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const frame = new Uint8Array(frameHeaderBytes + payload.length);
  const { tag, flags = 0, count = 0, block = 0 } = fields;
  encodeFrameHeader({ type, flags, count, tag, block, payloadBytes: payload.length }, frame);
  frame.set(payload, frameHeaderBytes);
  return frame;
}

/** A range that is asked for. */
export interface RequestRange {
  readonly start: number;
  readonly end: number;
  /** Length of the last block as the asker knows it: of a manifest that grows, the source may know a longer last piece. */
  readonly lastBlockBytes: number;
}

/** Payload of REQUEST, for 1 to `maximumRequestRanges` ranges. */
export function encodeRequest(ranges: readonly RequestRange[]): Uint8Array {
  const payload = new Uint8Array(ranges.length * requestRangeBytes);
  ranges.forEach(({ start, end, lastBlockBytes }, index) => {
    writeUint32(payload, index * requestRangeBytes, start);
    writeUint32(payload, index * requestRangeBytes + 4, end);
    writeUint32(payload, index * requestRangeBytes + 8, lastBlockBytes);
  });
  return payload;
}

/** Reads a REQUEST's payload: sorted, disjoint ranges. @throws ProtocolViolation */
export function decodeRequest(payload: Uint8Array): RequestRange[] {
  if (payload.length % requestRangeBytes !== 0) throw new ProtocolViolation("a request that ends within a range");
  const ranges: RequestRange[] = [];
  let previousEnd = 0;
  for (let offset = 0; offset < payload.length; offset += requestRangeBytes) {
    const start = readUint32(payload, offset);
    const end = readUint32(payload, offset + 4);
    const lastBlockBytes = readUint32(payload, offset + 8);
    if (start < previousEnd || end <= start || end > maximumBlocks) {
      throw new ProtocolViolation("a request whose ranges are not in order");
    }
    checkBlockLength(lastBlockBytes);
    ranges.push({ start, end, lastBlockBytes });
    previousEnd = end;
  }
  return ranges;
}

/** One block of a batch that is handed over. */
export interface PushEntry {
  readonly block: number;
  readonly lengthBytes: number;
  /** The last block of its file. */
  readonly final: boolean;
  readonly checksum: Uint8Array;
}

/** Payload of PUSH, for 1 to `maximumPushEntries` entries. Throws RangeError on a checksum of another length. */
export function encodePushEntries(entries: readonly PushEntry[]): Uint8Array {
  const payload = new Uint8Array(entries.length * pushEntryBytes);
  entries.forEach(({ block, lengthBytes, final, checksum }, index) => {
    const offset = index * pushEntryBytes;
    if (checksum.length !== checksumLengthBytes) throw new RangeError(`a checksum of ${checksum.length} bytes`);
    writeUint32(payload, offset, block);
    writeUint32(payload, offset + 4, lengthBytes);
    writeUint32(payload, offset + 8, final ? finalBlock : 0);
    payload.set(checksum, offset + 12);
  });
  return payload;
}

/**
 * Reads a PUSH's payload. Checksums are copies.
 * @throws ProtocolViolation when the blocks are not in rising order or a batch of several is longer than allowed
 */
export function decodePushEntries(header: FrameHeader, payload: Uint8Array): PushEntry[] {
  if (payload.length !== header.count * pushEntryBytes) throw new ProtocolViolation("a push whose list does not fit");
  const entries: PushEntry[] = [];
  let previous = -1;
  let totalBytes = 0;
  for (let offset = 0; offset < payload.length; offset += pushEntryBytes) {
    const block = readUint32(payload, offset);
    const lengthBytes = readUint32(payload, offset + 4);
    const flags = readUint32(payload, offset + 8);
    if (block <= previous || block >= maximumBlocks) {
      throw new ProtocolViolation("a push whose blocks are not in order");
    }
    if (flags > finalBlock) throw new ProtocolViolation(`a pushed block with flags ${flags}`);
    checkBlockLength(lengthBytes);
    previous = block;
    totalBytes += lengthBytes;
    entries.push({
      block,
      lengthBytes,
      final: flags === finalBlock,
      checksum: payload.slice(offset + 12, offset + pushEntryBytes),
    });
  }
  if (entries.length > 1 && totalBytes > maximumSmallBatchBytes) throw new ProtocolViolation("a push that is too long");
  return entries;
}

/** Payload of REJECTED. */
export function encodeBlockList(blocks: readonly number[]): Uint8Array {
  const payload = new Uint8Array(blocks.length * 4);
  blocks.forEach((block, index) => writeUint32(payload, index * 4, block));
  return payload;
}

/** Reads a REJECTED's payload. @throws ProtocolViolation */
export function decodeBlockList(payload: Uint8Array): number[] {
  if (payload.length % 4 !== 0) throw new ProtocolViolation("a list that ends within a number");
  return Array.from({ length: payload.length / 4 }, (_, index) => readUint32(payload, index * 4));
}

/** Payload of OPEN. */
export function encodeFileSetKey(fileSet: FileSetKey): Uint8Array {
  return encodeUtf8(fileSet);
}

/** Reads an OPEN's file set and order. @throws ProtocolViolation */
export function decodeOpen(header: FrameHeader, payload: Uint8Array): { fileSet: FileSetKey; order: BlockOrderName } {
  const parsed = fileSetKeySchema.safeParse(asciiText(payload));
  if (!parsed.success) throw new ProtocolViolation("a stream of something that is no file set");
  return { fileSet: parsed.data, order: header.flags === 1 ? "content" : "manifest" };
}

/** The text of a ticket, to be decoded by whoever judges it. @throws ProtocolViolation when it is not plain ASCII */
export function decodeTicketPayload(payload: Uint8Array): string {
  return asciiText(payload);
}

const failureCodes = { ticketRefused: 1, notHeld: 2, badChecksum: 3, disk: 4, refused: 5, protocol: 6 } as const;
/** What one end tells the other about its lane's end or a block that it did not take. */
export type RefusalKind = keyof typeof failureCodes & FailureKind;

export function refusalCode(kind: RefusalKind): number {
  return failureCodes[kind];
}

/** @throws ProtocolViolation on a code that is not one of `allowed` */
export function refusalKind(code: number, allowed: readonly RefusalKind[]): RefusalKind {
  const kind = allowed.find((candidate) => failureCodes[candidate] === code);
  if (kind === undefined) throw new ProtocolViolation(`a refusal with code ${code}`);
  return kind;
}

/** A text for people, cut to what fits. */
export function encodeDetail(text: string): Uint8Array {
  return encodeUtf8(text.replaceAll(/[^\x20-\x7e]/g, "?").slice(0, maximumDetailBytes));
}

/** A text from a peer: whatever is not plain is shown as `?`. */
export function decodeDetail(payload: Uint8Array): string {
  return Array.from(payload, (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "?")).join("");
}

function asciiText(bytes: Uint8Array): string {
  if (bytes.some((byte) => byte < 0x20 || byte > 0x7e)) throw new ProtocolViolation("a text that is not plain ASCII");
  return decodeUtf8(bytes);
}

function checkBlockLength(lengthBytes: number): void {
  if (lengthBytes < 1 || lengthBytes > maximumBlockBytes) {
    throw new ProtocolViolation(`a block of ${lengthBytes} bytes`);
  }
}

function readByte(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw new RangeError("the header is not whole");
  return byte;
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (readByte(bytes, offset) |
      (readByte(bytes, offset + 1) << 8) |
      (readByte(bytes, offset + 2) << 16) |
      (readByte(bytes, offset + 3) << 24)) >>>
    0
  );
}

function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > maximumUint32) throw new RangeError(`${value} does not fit`);
  bytes[offset] = value & 0xff;
  bytes[offset + 1] = (value >>> 8) & 0xff;
  bytes[offset + 2] = (value >>> 16) & 0xff;
  bytes[offset + 3] = value >>> 24;
}
