/**
 * The bytes of a publish's manifest, kept so that the controller can be sent any rest of it: it says itself how much it
 * has, after each new connection. Only appended to.
 */
import { UserError } from "../../std/errors.ts";
import { toBase64 } from "../../std/base64.ts";
import type { FileSetKey, Portion } from "../../protocol/parts.ts";
import type { Append } from "../../protocol/publisher-messages.ts";
import { manifestWindowBytes } from "./limits.ts";

export class ManifestLog {
  #bytes = new Uint8Array(64 * 1024);
  #lengthBytes = 0;
  /** Of everything so far. */
  root: string | undefined;
  blockCount = 0;
  pieceCount = 0;
  #sentBytes = 0;

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Whether all of it has been sent on this connection. */
  get isSent(): boolean {
    return this.#sentBytes === this.#lengthBytes;
  }

  append(bytes: Uint8Array, root: string, blockCount: number, pieceCount: number): void {
    const needed = this.#lengthBytes + bytes.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#lengthBytes));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#lengthBytes);
    this.#lengthBytes = needed;
    this.root = root;
    this.blockCount = blockCount;
    this.pieceCount = pieceCount;
  }

  /** The bytes start .. end - 1, as long as nothing is appended: a view. */
  view(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, Math.min(end, this.#lengthBytes));
  }

  /** Why these portions of `fileSet` cannot be handed over; undefined: they can. */
  problemOf(portions: readonly Portion[], fileSet: FileSetKey): string | undefined {
    for (const { fileSet: wanted, order, ranges } of portions) {
      if (wanted !== fileSet) return `${wanted} is not being published here`;
      const end = ranges.at(-1) ?? 0;
      const count = order === "content" ? this.blockCount : this.pieceCount;
      if (end > count) return `${order} block ${end - 1} does not exist`;
    }
    return undefined;
  }

  /** The controller has the first `bytes` of it. @throws UserError when there is no such place */
  rewind(bytes: number): void {
    if (bytes > this.#lengthBytes) {
      throw new UserError(`the controller says it has ${bytes} bytes of a manifest of ${this.#lengthBytes}`);
    }
    this.#sentBytes = bytes;
  }

  /**
   * The next messages to send, about a window full; the root goes with the last byte.
   * @param payloadBytes the most that one message carries
   */
  takeMessages(publishId: string, payloadBytes: number): Append[] {
    const messages: Append[] = [];
    let window = manifestWindowBytes;
    while (window > 0 && this.#sentBytes < this.#lengthBytes) {
      const offset = this.#sentBytes;
      const end = Math.min(offset + payloadBytes, this.#lengthBytes);
      const message: Append = {
        type: "append",
        publishId,
        offset,
        bytes: toBase64(this.view(offset, end)),
      };
      const root = end === this.#lengthBytes ? this.root : undefined;
      messages.push(root === undefined ? message : { ...message, root });
      this.#sentBytes = end;
      window -= end - offset;
    }
    return messages;
  }
}
