/**
 * Bytes as lower-case hexadecimal text and back.
 */

const pairOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Two lower-case hexadecimal digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += pairOfByte[byte] ?? "";
  return text;
}

/** The bytes of hexadecimal `text`, in either case. Throws RangeError on any other character and on an odd length. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0) throw new RangeError("hexadecimal text of an odd length");
  const bytes = new Uint8Array(text.length / 2);
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = (digitValue(text.charCodeAt(2 * index)) << 4) | digitValue(text.charCodeAt(2 * index + 1));
  }
  return bytes;
}

function digitValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x61 + 10;
  if (code >= 0x41 && code <= 0x46) return code - 0x41 + 10;
  throw new RangeError("not a hexadecimal digit");
}
