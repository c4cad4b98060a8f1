/** Reads values of a parsed YAML file and collects mistakes, each with the keys and places that lead to it. */
import { UserError } from "../std/errors.ts";
import { nearestSpelling } from "../std/nearest.ts";
import { parseBitsPerSecond, parseBytes, parseDurationNanoseconds } from "../std/units.ts";
import { formatMistakePath, TopologyError, type TopologyMistake } from "../model/topology-parser.ts";

export type ScenarioMistake = TopologyMistake;
export type MistakePath = readonly (string | number)[];

/** Mistakes collected before reading is given up. */
const maximumMistakes = 100;

/** A scenario with mistakes; the message shows them all, each with its place. */
export class ScenarioError extends UserError {
  readonly mistakes: readonly ScenarioMistake[];

  constructor(mistakes: readonly ScenarioMistake[]) {
    const shown = mistakes.map(({ path, message }) =>
      path.length === 0 ? message : `${formatMistakePath(path)}: ${message}`,
    );
    super(
      `the scenario has ${mistakes.length === 1 ? "a mistake" : `${String(mistakes.length)} mistakes`}: ${shown.join("; ")}`,
    );
    this.mistakes = mistakes;
  }
}

/** Each reading method gives undefined where the value is left out, and after a mistake. */
export class ScenarioReader {
  readonly #mistakes: ScenarioMistake[] = [];

  get isClean(): boolean {
    return this.#mistakes.length === 0;
  }

  add(path: MistakePath, message: string): void {
    this.#mistakes.push({ path, message });
    if (this.#mistakes.length >= maximumMistakes) this.throwIfAny();
  }

  throwIfAny(): void {
    if (this.#mistakes.length > 0) throw new ScenarioError(this.#mistakes);
  }

  /** The result of `read`; what it throws for users becomes a mistake (those of a topology keep their places) at this path. */
  attempt<Value>(path: MistakePath, read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (error instanceof TopologyError) {
        for (const mistake of error.mistakes) this.add([...path, ...mistake.path], mistake.message);
      } else if (error instanceof UserError) {
        this.add(path, error.hint === undefined ? error.message : `${error.message}: ${error.hint}`);
      } else {
        throw error;
      }
      return undefined;
    }
  }

  /** The fields of an object whose keys are fixed; another key is a mistake. Empty where it is left out. */
  object(value: unknown, path: MistakePath, keys: readonly string[]): ReadonlyMap<string, unknown> {
    const fields = new Map<string, unknown>();
    if (value === undefined || value === null) return fields;
    if (typeof value !== "object" || Array.isArray(value)) {
      this.add(path, `expected keys and values, found ${describe(value)}`);
      return fields;
    }
    for (const [key, field] of Object.entries(value)) {
      if (keys.includes(key)) {
        if (field !== null) fields.set(key, field);
        continue;
      }
      const nearest = nearestSpelling(key, keys);
      const known = nearest === undefined ? `; known are ${keys.join(", ")}` : `; did you mean ${nearest}?`;
      this.add([...path, key], `unknown key${known}`);
    }
    return fields;
  }

  list(value: unknown, path: MistakePath): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    this.add(path, `expected a list, found ${describe(value)}`);
    return [];
  }

  text(value: unknown, path: MistakePath): string | undefined {
    if (value === undefined || typeof value === "string") return value;
    const hint = typeof value === "number" ? ": write it in quotes" : "";
    this.add(path, `expected a text, found ${describe(value)}${hint}`);
    return undefined;
  }

  wholeNumber(value: unknown, path: MistakePath, minimum: number, maximum: number): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
    this.add(path, `expected a whole number of ${String(minimum)} to ${String(maximum)}, found ${describe(value)}`);
    return undefined;
  }

  /** A number of 0 to 1. */
  part(value: unknown, path: MistakePath): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value === "number" && value >= 0 && value <= 1) return value;
    this.add(path, `expected a number of 0 to 1, found ${describe(value)}`);
    return undefined;
  }

  duration(value: unknown, path: MistakePath): number | undefined {
    return this.#quantity(value, path, "a duration such as 200ms", parseDurationNanoseconds);
  }

  bytes(value: unknown, path: MistakePath): number | undefined {
    return this.#quantity(value, path, "a size such as 64MiB", parseBytes);
  }

  rate(value: unknown, path: MistakePath): number | undefined {
    const rate = this.#quantity(value, path, "a rate such as 10Gbps", parseBitsPerSecond);
    if (rate === 0) this.add(path, "a rate is at least 1 bit per second");
    return rate === 0 ? undefined : rate;
  }

  #quantity(
    value: unknown,
    path: MistakePath,
    what: string,
    parse: (text: string | number) => number,
  ): number | undefined {
    if (value === undefined) return undefined;
    if (typeof value === "string" || typeof value === "number") return this.attempt(path, () => parse(value));
    this.add(path, `expected ${what}, found ${describe(value)}`);
    return undefined;
  }
}

function describe(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "keys and values";
  return JSON.stringify(value) ?? typeof value;
}
