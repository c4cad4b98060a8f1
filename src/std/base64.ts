/**
 * Bytes as Base64 text (RFC 4648 section 4, with padding) and back.
 *
 * Strict: exactly one text stands for any bytes, and every other text is refused.
 */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const noDigit = 255;
const valueOfCode = new Uint8Array(128).fill(noDigit);
for (let value = 0; value < alphabet.length; value += 1) {
  valueOfCode[alphabet.charCodeAt(value)] = value;
}

/** Base64 text of `bytes`, padded with `=`. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  const whole = bytes.length - (bytes.length % 3);
  for (let index = 0; index < whole; index += 3) {
    const group = ((bytes[index] ?? 0) << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0);
    text += digit(group >> 18) + digit(group >> 12) + digit(group >> 6) + digit(group);
  }
  if (bytes.length - whole === 1) {
    const group = (bytes[whole] ?? 0) << 16;
    text += `${digit(group >> 18)}${digit(group >> 12)}==`;
  } else if (bytes.length - whole === 2) {
    const group = ((bytes[whole] ?? 0) << 16) | ((bytes[whole + 1] ?? 0) << 8);
    text += `${digit(group >> 18)}${digit(group >> 12)}${digit(group >> 6)}=`;
  }
  return text;
}

/** The bytes of Base64 `text`. Throws RangeError unless `text` is exactly what `toBase64` makes of them. */
export function fromBase64(text: string): Uint8Array {
  if (text.length % 4 !== 0) throw new RangeError("Base64 text whose length is no multiple of 4");
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let position = 0;
  for (let index = 0; index < text.length; index += 4) {
    const isLast = index + 4 === text.length;
    const group =
      (digitValue(text, index) << 18) |
      (digitValue(text, index + 1) << 12) |
      (isLast && padding === 2 ? 0 : digitValue(text, index + 2) << 6) |
      (isLast && padding >= 1 ? 0 : digitValue(text, index + 3));
    bytes[position++] = group >> 16;
    if (position < bytes.length) bytes[position++] = group >> 8;
    if (position < bytes.length) bytes[position++] = group;
    const unused = isLast ? (padding === 2 ? 0xffff : padding === 1 ? 0xff : 0) : 0;
    if ((group & unused) !== 0) throw new RangeError("Base64 text with stray bits in its last digit");
  }
  return bytes;
}

function digit(value: number): string {
  return alphabet[value & 63] ?? "";
}

function digitValue(text: string, index: number): number {
  const value = valueOfCode[text.charCodeAt(index)];
  if (value === undefined || value === noDigit) throw new RangeError("not a Base64 digit");
  return value;
}
