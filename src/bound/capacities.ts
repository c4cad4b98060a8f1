/**
 * What cuts carry over time. A capacity is a list of rates in bits per second, one for each epoch; Infinity: no limit.
 */
import { agentNicDown, agentNicUp } from "../model/resources.ts";
import type { BoundAgent, BoundEpoch } from "./bound-input.ts";

export type Rates = readonly number[];

export class Capacities {
  readonly agents: readonly BoundAgent[];
  readonly epochs: readonly BoundEpoch[];
  readonly #byResource: ReadonlyMap<string, number>[];
  readonly unlimited: Rates;
  readonly nothing: Rates;

  constructor(agents: readonly BoundAgent[], epochs: readonly BoundEpoch[]) {
    this.agents = agents;
    this.epochs = epochs;
    this.unlimited = epochs.map(() => Infinity);
    this.nothing = epochs.map(() => 0);
    this.#byResource = epochs.map(({ topology }) => {
      const capabilities = topology.capabilities(agents);
      for (const { name, trueRate } of agents) {
        for (const resource of [agentNicUp(name), agentNicDown(name)]) {
          const declared = capabilities.get(resource);
          if (declared !== undefined && trueRate !== undefined && trueRate < 1) {
            capabilities.set(resource, Math.max(1, Math.floor(declared * trueRate)));
          }
        }
      }
      return capabilities;
    });
  }

  of(resource: string): Rates {
    return this.#byResource.map((capabilities) => capabilities.get(resource) ?? Infinity);
  }

  /** All of these together. */
  sum(all: Iterable<Rates>): Rates {
    const total = this.epochs.map(() => 0);
    for (const rates of all) for (const [epoch, rate] of rates.entries()) total[epoch] = (total[epoch] ?? 0) + rate;
    return total;
  }

  /** The scarcest of these at each time. */
  least(all: Iterable<Rates>): Rates {
    const least = this.epochs.map(() => Infinity);
    for (const rates of all) {
      for (const [epoch, rate] of rates.entries()) least[epoch] = Math.min(least[epoch] ?? Infinity, rate);
    }
    return least;
  }

  /** When so many bits have passed at the earliest, from `startSeconds` on. */
  endSeconds(bits: number, startSeconds: number, rates: Rates): number {
    let left = bits;
    let now = startSeconds;
    for (const [epoch, rate] of rates.entries()) {
      const until = this.epochs[epoch + 1]?.fromSeconds ?? Infinity;
      if (until <= now) continue;
      if (left <= 0 || rate === Infinity) return now;
      if (left <= (until - now) * rate) return now + left / rate;
      left -= (until - now) * rate;
      now = until;
    }
    return now;
  }
}
