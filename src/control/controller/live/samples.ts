/**
 * Samples over time, bounded. A full list either drops its oldest (what was used lately), or is thinned out so that it
 * always reaches back to its first one (how far a distribution has come).
 */
import { maximumSamples } from "./limits.ts";

export class Samples<Sample> {
  readonly #whenFull: "drop" | "thin";
  #samples: Sample[] = [];
  /** Of the samples offered, one in so many is kept. */
  #stride = 1;
  #offered = 0;

  constructor(whenFull: "drop" | "thin") {
    this.#whenFull = whenFull;
  }

  /** Oldest first. */
  get all(): readonly Sample[] {
    return this.#samples;
  }

  add(sample: Sample): void {
    this.#offered += 1;
    if ((this.#offered - 1) % this.#stride !== 0) return;
    this.#samples.push(sample);
    if (this.#samples.length <= maximumSamples) return;
    if (this.#whenFull === "drop") {
      this.#samples.shift();
      return;
    }
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
    this.#stride *= 2;
  }
}
