/** Finds a race by its name (a file of `races/`) or by its path, and reads it. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { nearestSpelling } from "#src/std/nearest.ts";
import { UserError } from "#src/std/errors.ts";
import { repositoryRoot } from "../../demo/programs.ts";
import { parseRace } from "./parse-race.ts";
import type { Race } from "./race.ts";

const racesDirectory = join(repositoryRoot, "races");
const suffix = ".yaml";
/** The largest file of a race that is read: hundreds of hosts with a line each fit many times over. */
const maximumRaceBytes = 1024 * 1024;
/** YAML aliases that are followed; more is a text made to blow up. */
const maximumAliases = 1_000;

/** @throws UserError when there is no such race, or it has mistakes */
export function loadRace(nameOrPath: string): Race {
  const named = join(racesDirectory, nameOrPath + suffix);
  const path = !nameOrPath.includes("/") && existsSync(named) ? named : nameOrPath;
  if (!existsSync(path) || !statSync(path).isFile()) {
    const nearest = nearestSpelling(nameOrPath, raceNames());
    throw new UserError(`there is no race ${JSON.stringify(nameOrPath)}`, {
      hint: nearest === undefined ? `give a file or one of ${raceNames().join(", ")}` : `did you mean ${nearest}?`,
    });
  }
  if (statSync(path).size > maximumRaceBytes) throw new UserError(`${path} is too large for a race`);
  let value: unknown;
  try {
    value = parse(readFileSync(path, "utf8"), { maxAliasCount: maximumAliases });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new UserError(`${path} is no YAML: ${reason}`, { cause: error });
  }
  try {
    return parseRace(value, basename(path).replace(/\.ya?ml$/, ""));
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** The races of the project. */
export function raceNames(): string[] {
  return readdirSync(racesDirectory)
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .sort();
}
