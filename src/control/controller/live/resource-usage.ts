/**
 * What is measured on each resource, by the bytes that the ledger has counted over it, and what was allocated of it, by
 * the time that each lane has had its rate; and samples of both over time. Lanes may last some tens of milliseconds: what
 * the ledger has allocated at one moment says little, so both are means over the last seconds and can be compared.
 */
import type { Usage, UsageSample } from "../../../protocol/api/rows.ts";
import type { Ledger } from "../../../scheduler/ledger.ts";
import { wireShare } from "./limits.ts";
import { RateMeter, threeDigits } from "./rate-meter.ts";
import { Samples } from "./samples.ts";

interface Meters {
  readonly measured: RateMeter;
  readonly allocated: RateMeter;
}

interface Sampled {
  readonly list: Samples<UsageSample>;
  carriedBytes: number;
  allocatedBits: number;
}

export class ResourceUsage {
  readonly #ledger: Ledger;
  readonly #meters: Meters[] = [];
  /** By index of the ledger: rate times the time that lanes have had it. */
  readonly #allocatedBits: number[] = [];
  readonly #samples = new Map<string, Sampled>();
  /** Interfaces that someone looks at: only these have samples, since there are thousands. */
  readonly #watched = new Map<string, number>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** A lane over these resources has had its rate for some time: so many bits could have come. */
  noteAllocated(path: readonly number[], bits: number): void {
    for (const index of path) this.#allocatedBits[index] = (this.#allocatedBits[index] ?? 0) + bits;
  }

  /** Smoothed, bits per second on the wire; 0 for one that is not known. */
  measuredBitsPerSecond(index: number | undefined): number {
    return index === undefined ? 0 : (this.#meters[index]?.measured.bitsPerSecond ?? 0);
  }

  /** As views show it: a capability of null where there is no limit. */
  of(index: number | undefined): Usage {
    const capability = index === undefined ? Infinity : this.#ledger.capabilityOn(index);
    return {
      capabilityBitsPerSecond: capability === Infinity ? null : capability,
      allocatedBitsPerSecond: index === undefined ? 0 : (this.#meters[index]?.allocated.bitsPerSecond ?? 0),
      measuredBitsPerSecond: this.measuredBitsPerSecond(index),
    };
  }

  tick(seconds: number): void {
    for (const [index, { carriedBytes }] of this.#ledger.entries().entries()) {
      const allocatedBytes = (this.#allocatedBits[index] ?? 0) / 8;
      const meters = this.#meters[index];
      if (meters === undefined) {
        this.#meters[index] = { measured: new RateMeter(carriedBytes), allocated: new RateMeter(allocatedBytes) };
      } else {
        meters.measured.update(carriedBytes, seconds, wireShare);
        meters.allocated.update(allocatedBytes, seconds);
      }
    }
  }

  /** Takes a sample of each site and link, and of what is watched. */
  sample(atMilliseconds: number, seconds: number): void {
    const rate = (bits: number): number => (seconds > 0 ? threeDigits(bits / seconds) : 0);
    for (const [index, { name, carriedBytes }] of this.#ledger.entries().entries()) {
      if (name.startsWith("agents.") && !this.#watched.has(name)) continue;
      const allocatedBits = this.#allocatedBits[index] ?? 0;
      const known = this.#samples.get(name);
      const sampled = known ?? { list: new Samples<UsageSample>("drop"), carriedBytes, allocatedBits };
      if (known === undefined) this.#samples.set(name, sampled);
      sampled.list.add({
        sample: String(atMilliseconds),
        atMilliseconds,
        capabilityBitsPerSecond: this.of(index).capabilityBitsPerSecond,
        allocatedBitsPerSecond: rate(allocatedBits - sampled.allocatedBits),
        measuredBitsPerSecond: rate((carriedBytes - sampled.carriedBytes) * 8 * wireShare),
      });
      sampled.carriedBytes = carriedBytes;
      sampled.allocatedBits = allocatedBits;
    }
  }

  samples(name: string): readonly UsageSample[] {
    return this.#samples.get(name)?.list.all ?? [];
  }

  watch(name: string): void {
    this.#watched.set(name, (this.#watched.get(name) ?? 0) + 1);
  }

  unwatch(name: string): void {
    const left = (this.#watched.get(name) ?? 0) - 1;
    if (left > 0) {
      this.#watched.set(name, left);
      return;
    }
    this.#watched.delete(name);
    if (name.startsWith("agents.")) this.#samples.delete(name);
  }
}
