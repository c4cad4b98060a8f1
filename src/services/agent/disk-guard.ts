/**
 * Keeps free what the operator wants kept free on the disk (`--keep-free`). The file system is asked now and then; what
 * is written in between is counted.
 */
import { formatBytes } from "../../std/units.ts";
import { UserError } from "../../std/errors.ts";
import { diskCheckBytes, diskCheckMilliseconds } from "./limits.ts";

export class DiskGuard {
  readonly #freeDiskBytes: () => Promise<number>;
  readonly #keepFreeBytes: number;
  readonly #nowMilliseconds: () => number;
  #usableBytes = 0;
  #checkedAtMilliseconds = -Infinity;
  #writtenBytes = 0;

  constructor(freeDiskBytes: () => Promise<number>, keepFreeBytes: number, nowMilliseconds: () => number) {
    this.#freeDiskBytes = freeDiskBytes;
    this.#keepFreeBytes = keepFreeBytes;
    this.#nowMilliseconds = nowMilliseconds;
  }

  /** What may be written now. */
  async usableBytes(): Promise<number> {
    this.#usableBytes = Math.max(0, (await this.#freeDiskBytes()) - this.#keepFreeBytes);
    this.#checkedAtMilliseconds = this.#nowMilliseconds();
    this.#writtenBytes = 0;
    return this.#usableBytes;
  }

  /** @throws UserError when writing this much would take what is to be kept free */
  async admit(lengthBytes: number): Promise<void> {
    const age = this.#nowMilliseconds() - this.#checkedAtMilliseconds;
    const isNear = this.#usableBytes - this.#writtenBytes - lengthBytes < diskCheckBytes;
    if (age > diskCheckMilliseconds || (isNear && age > 0)) await this.usableBytes();
    if (this.#writtenBytes + lengthBytes > this.#usableBytes) throw this.#tooLittle(lengthBytes);
    this.#writtenBytes += lengthBytes;
  }

  /** @throws UserError when so much that is still to come has no room */
  async expect(lengthBytes: number): Promise<void> {
    if ((await this.usableBytes()) < lengthBytes) throw this.#tooLittle(lengthBytes);
  }

  #tooLittle(lengthBytes: number): UserError {
    const kept = this.#keepFreeBytes === 0 ? "" : ` beside the ${formatBytes(this.#keepFreeBytes)} kept free`;
    const usable = formatBytes(Math.max(0, this.#usableBytes - this.#writtenBytes));
    return new UserError(`not enough disk space: ${formatBytes(lengthBytes)} needed, ${usable} left${kept}`);
  }
}
