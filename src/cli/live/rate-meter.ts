/** How fast a sum rises, and when it will be there: over the last few seconds, so that it follows without jumping. */

/** What is older than this no longer counts. */
const windowMilliseconds = 8_000;
/** Nothing is told from less than this. */
const leastMilliseconds = 700;

interface Sample {
  readonly atMilliseconds: number;
  readonly bytes: number;
}

export class RateMeter {
  #samples: Sample[] = [];

  /** So much is done by now. */
  add(atMilliseconds: number, bytes: number): void {
    const last = this.#samples.at(-1);
    // What was done may be taken back, when a connection breaks: what came before says nothing then.
    if (last !== undefined && bytes < last.bytes) this.#samples = [];
    this.#samples = this.#samples.filter((sample) => atMilliseconds - sample.atMilliseconds <= windowMilliseconds);
    this.#samples.push({ atMilliseconds, bytes });
  }

  /** undefined: not known yet. */
  get bytesPerSecond(): number | undefined {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined) return undefined;
    const milliseconds = last.atMilliseconds - first.atMilliseconds;
    return milliseconds < leastMilliseconds ? undefined : ((last.bytes - first.bytes) * 1000) / milliseconds;
  }

  /** Seconds until this is done; undefined: not known, or never at this rate. */
  secondsUntil(bytes: number): number | undefined {
    const rate = this.bytesPerSecond;
    const done = this.#samples.at(-1)?.bytes ?? 0;
    return rate === undefined || rate <= 0 ? undefined : Math.max(0, bytes - done) / rate;
  }
}
