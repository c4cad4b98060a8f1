/**
 * UTF-8 without TextEncoder, which pure code does not have.
 *
 * Strict both ways: text with lone surrogates is not encoded, and bytes that are not the
 * one shortest form of valid text are not decoded, so text and bytes correspond one to one.
 */

const decodedUnitsAtOnce = 4096;
const invalid = "not valid UTF-8";

/** The number of bytes `text` takes in UTF-8. Throws RangeError where a surrogate stands alone. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      length += 1;
    } else if (unit < 0xd800 || unit > 0xdfff) {
      length += 2;
    } else {
      // A pair is two units and four bytes.
      surrogatePair(text, index);
      index += 1;
      length += 2;
    }
  }
  return length;
}

/** `text` in UTF-8. Throws RangeError where a surrogate stands alone. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  let position = 0;
  for (let index = 0; index < text.length; index += 1) {
    let point = text.charCodeAt(index);
    if (point < 0x80) {
      bytes[position++] = point;
      continue;
    }
    if (point < 0x800) {
      bytes[position++] = 0xc0 | (point >> 6);
    } else {
      if (point >= 0xd800 && point <= 0xdfff) {
        point = surrogatePair(text, index);
        index += 1;
        bytes[position++] = 0xf0 | (point >> 18);
        bytes[position++] = 0x80 | ((point >> 12) & 0x3f);
      } else {
        bytes[position++] = 0xe0 | (point >> 12);
      }
      bytes[position++] = 0x80 | ((point >> 6) & 0x3f);
    }
    bytes[position++] = 0x80 | (point & 0x3f);
  }
  return bytes;
}

/** The text that `bytes` hold. Throws RangeError on anything that is not valid, shortest-form UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  const units = new Uint16Array(Math.min(bytes.length, decodedUnitsAtOnce) + 1);
  let text = "";
  let used = 0;
  let position = 0;
  while (position < bytes.length) {
    if (used >= decodedUnitsAtOnce) {
      text += unitsToText(units, used);
      used = 0;
    }
    const first = bytes[position] ?? 0;
    if (first < 0x80) {
      units[used++] = first;
      position += 1;
      continue;
    }
    const width = sequenceWidth(first);
    const point = multibytePoint(bytes, position, width);
    position += width;
    if (point < 0x10000) {
      units[used++] = point;
    } else {
      units[used++] = 0xd7c0 + (point >> 10);
      units[used++] = 0xdc00 + (point & 0x3ff);
    }
  }
  return text + unitsToText(units, used);
}

function surrogatePair(text: string, index: number): number {
  const high = text.charCodeAt(index);
  const low = index + 1 < text.length ? text.charCodeAt(index + 1) : 0;
  if (high > 0xdbff || low < 0xdc00 || low > 0xdfff) {
    throw new RangeError("text holds a lone surrogate, which UTF-8 cannot carry");
  }
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

function unitsToText(units: Uint16Array, count: number): string {
  return Reflect.apply(String.fromCharCode, undefined, units.subarray(0, count));
}

function sequenceWidth(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  throw new RangeError(invalid);
}

function multibytePoint(bytes: Uint8Array, position: number, width: number): number {
  if (position + width > bytes.length) throw new RangeError(invalid);
  let point = (bytes[position] ?? 0) & (0xff >> (width + 1));
  for (let index = position + 1; index < position + width; index += 1) {
    const byte = bytes[index] ?? 0;
    if ((byte & 0xc0) !== 0x80) throw new RangeError(invalid);
    point = (point << 6) | (byte & 0x3f);
  }
  const isOverlong = (width === 3 && point < 0x800) || (width === 4 && point < 0x10000);
  if (isOverlong || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
    throw new RangeError(invalid);
  }
  return point;
}
