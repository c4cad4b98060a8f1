/** What is measured on each resource, by the bytes that the ledger has counted over it; and samples of it over time. */
import type { UsageSample } from "../../../protocol/api/rows.ts";
import type { Ledger, LedgerEntry } from "../../../scheduler/ledger.ts";
import { nanosecondsPerSecond } from "../../../std/units.ts";
import { wireShare } from "./limits.ts";
import { RateMeter, threeDigits } from "./rate-meter.ts";
import { Samples } from "./samples.ts";

export class ResourceUsage {
  readonly #ledger: Ledger;
  readonly #meters: RateMeter[] = [];
  readonly #samples = new Map<string, { list: Samples<UsageSample>; carriedBytes: number }>();
  /** Interfaces that someone looks at: only these have samples, since there are thousands. */
  readonly #watched = new Map<string, number>();
  #look: { atNanoseconds: number; carried: readonly number[]; rates: readonly number[] } = {
    atNanoseconds: -Infinity,
    carried: [],
    rates: [],
  };

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Smoothed, bits per second on the wire; 0 for one that is not known. */
  measuredBitsPerSecond(index: number | undefined): number {
    return index === undefined ? 0 : (this.#meters[index]?.bitsPerSecond ?? 0);
  }

  tick(seconds: number): void {
    for (const [index, entry] of this.#ledger.entries().entries()) {
      const meter = this.#meters[index];
      if (meter === undefined) this.#meters[index] = new RateMeter(entry.carriedBytes);
      else meter.update(entry.carriedBytes, seconds, wireShare);
    }
  }

  /** Takes a sample of each site and link, and of what is watched. */
  sample(atMilliseconds: number, seconds: number): void {
    for (const entry of this.#ledger.entries()) {
      if (entry.name.startsWith("agents.") && !this.#watched.has(entry.name)) continue;
      const known = this.#samples.get(entry.name);
      const sampled = known ?? { list: new Samples<UsageSample>("drop"), carriedBytes: entry.carriedBytes };
      if (known === undefined) this.#samples.set(entry.name, sampled);
      const bits = (entry.carriedBytes - sampled.carriedBytes) * 8 * wireShare;
      sampled.carriedBytes = entry.carriedBytes;
      sampled.list.add({
        sample: String(atMilliseconds),
        atMilliseconds,
        ...capabilityAndAllocated(entry),
        measuredBitsPerSecond: seconds > 0 ? threeDigits(bits / seconds) : 0,
      });
    }
  }

  /**
   * Bits per second by index of the ledger, over the time since the last look but one second at least: for whoever looks
   * now and then. Does not touch the smoothed rates.
   */
  measuredSinceLastLook(nowNanoseconds: number): readonly number[] {
    const seconds = (nowNanoseconds - this.#look.atNanoseconds) / nanosecondsPerSecond;
    if (seconds < 1) return this.#look.rates;
    const { carried } = this.#look;
    const entries = this.#ledger.entries();
    const rates = entries.map(({ carriedBytes }, index) =>
      threeDigits(((carriedBytes - (carried[index] ?? carriedBytes)) * 8 * wireShare) / seconds),
    );
    this.#look = { atNanoseconds: nowNanoseconds, carried: entries.map(({ carriedBytes }) => carriedBytes), rates };
    return rates;
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

/** As views show them: null where there is no limit. */
export function capabilityAndAllocated(entry: LedgerEntry): {
  capabilityBitsPerSecond: number | null;
  allocatedBitsPerSecond: number;
} {
  return {
    capabilityBitsPerSecond: entry.capability === Infinity ? null : entry.capability,
    allocatedBitsPerSecond: entry.allocated,
  };
}
