/** Weights of the cost function as users give them: names and numbers, checked; what is not given keeps its default. */
import { nearestSpelling } from "../std/nearest.ts";
import { UserError } from "../std/errors.ts";
import { defaultCostWeights, type CostWeights } from "./cost.ts";

/** The highest weight: a score, a sum of weights times small counts, stays an exact integer. */
const maximumWeight = 1_000_000;

const names = Object.keys(defaultCostWeights) as (keyof CostWeights)[];

/**
 * Takes `rarity=30`.
 * @throws UserError when there is no such weight, or it is no number that fits
 */
export function parseWeight(text: string): Partial<CostWeights> {
  const [, name, value] = /^([^=]*)=([^=]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new UserError(`${JSON.stringify(text)} is no weight`, { hint: "write it as NAME=NUMBER, as in rarity=30" });
  }
  return checkWeights({ [name]: /^[0-9]+$/.test(value) ? Number(value) : value });
}

/**
 * Takes names and numbers, as from a file.
 * @throws UserError when one is no weight, or no whole number from 0 to `maximumWeight`
 */
export function checkWeights(value: unknown): Partial<CostWeights> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError("weights are names with a number each, as in `rarity: 30`");
  }
  const weights: Partial<Record<keyof CostWeights, number>> = {};
  for (const [given, number] of Object.entries(value)) {
    const name = names.find((known) => known === given);
    if (name === undefined) {
      const nearest = nearestSpelling(given, names);
      throw new UserError(
        `there is no weight ${JSON.stringify(given)}${nearest === undefined ? "" : ` (did you mean ${nearest}?)`}`,
        { hint: `there are ${names.join(", ")}` },
      );
    }
    if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number > maximumWeight) {
      throw new UserError(
        `the weight ${name} must be a whole number from 0 to ${maximumWeight}, not ${JSON.stringify(number)}`,
      );
    }
    weights[name] = number;
  }
  return weights;
}
