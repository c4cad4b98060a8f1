/** Bytes that look random and are the same in every run. */
import { createCipheriv, createHash } from "node:crypto";

/** `lengthBytes` bytes that follow from the seed alone. */
export function contentOf(seed: string, lengthBytes: number): Buffer {
  const key = createHash("sha256").update(seed).digest();
  return createCipheriv("aes-256-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(lengthBytes));
}

export const kibibyte = 1024;
export const mebibyte = 1024 * 1024;
