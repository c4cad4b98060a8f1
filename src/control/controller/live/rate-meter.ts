/** Makes a rate of a count that rises: smoothed, so that it can be read, and 0 soon after the count stands still. */
import { rateSmoothingSeconds } from "./limits.ts";

/** A count that stands still for so many times the smoothing has no rate any more. */
const stillTimes = 3;

export class RateMeter {
  #bytes: number | undefined;
  #bitsPerSecond = 0;
  #stillSeconds = 0;

  /** @param bytes where the count stands now; left out: where it stands at the first update, which then gives no rate */
  constructor(bytes?: number) {
    this.#bytes = bytes;
  }

  /** Bits per second, of three significant digits. */
  get bitsPerSecond(): number {
    return threeDigits(this.#bitsPerSecond);
  }

  /**
   * The count stands at `bytes` now, `seconds` after the last time. A count that fell begins anew.
   * @param factor bits of the rate for each bit counted
   */
  update(bytes: number, seconds: number, factor = 1): void {
    if (seconds <= 0) return;
    const measured = (Math.max(0, bytes - (this.#bytes ?? bytes)) * 8 * factor) / seconds;
    this.#bytes = bytes;
    this.#bitsPerSecond += (measured - this.#bitsPerSecond) * (seconds / (rateSmoothingSeconds / 2 + seconds));
    this.#stillSeconds = measured === 0 ? this.#stillSeconds + seconds : 0;
    if (this.#stillSeconds >= stillTimes * rateSmoothingSeconds) this.#bitsPerSecond = 0;
  }
}

/** Rounded to three significant digits: what changes less is not worth telling. */
export function threeDigits(value: number): number {
  let scale = 1;
  while (value / scale >= 1_000) scale *= 10;
  return Math.round(value / scale) * scale;
}
