/** The options that say how is scheduled; the controller and the simulation have the same. */
import { Option, type Command } from "commander";
import { defaultControllerSettings as defaults, type ControllerSettings } from "../control/controller/settings.ts";
import {
  checkMode,
  parsePartitions,
  schedulingModes,
  schedulingPolicies,
  type SchedulingMode,
  type SchedulingPolicy,
} from "../scheduler/modes.ts";
import { checkWeights, parseWeight } from "../scheduler/cost-weights.ts";
import type { CostWeights } from "../scheduler/cost.ts";
import { parseYamlText, readTextFile } from "../platform/yaml-text.ts";
import { UserError } from "../std/errors.ts";
import { formatDuration, nanosecondsPerMillisecond } from "../std/units.ts";
import { collectList, durationBetween } from "./option-values.ts";

export interface SchedulingFlags {
  readonly mode?: SchedulingMode;
  readonly policy?: SchedulingPolicy;
  readonly partition?: readonly string[];
  readonly replanInterval?: number;
  readonly weights?: string;
  readonly weight?: readonly string[];
}

/** The largest file of weights that is read. */
const maximumWeightsBytes = 64 * 1024;
const shortestReplanMilliseconds = 5;
const longestReplanMilliseconds = 60_000;

/** Adds them. None has a value unless it is given. */
export function addSchedulingOptions(command: Command): Command {
  const replan = formatDuration(defaults.scheduler.replanMilliseconds * nanosecondsPerMillisecond).replaceAll(" ", "");
  return command
    .addOption(
      new Option("--mode <mode>", "what is looked at when something is decided")
        .choices(schedulingModes)
        .default(undefined, defaults.mode),
    )
    .addOption(
      new Option("--policy <policy>", "how sources and blocks are chosen")
        .choices(schedulingPolicies)
        .default(undefined, defaults.policy),
    )
    .addOption(
      new Option(
        "--partition <name=site+site>",
        "with --mode partition: sites that are decided on together; may be given several times",
      )
        .argParser(collectList)
        .default(undefined, "each site by itself"),
    )
    .addOption(
      new Option("--replan-interval <duration>", "with --mode overall: how often everything is looked at")
        .argParser(durationBetween(shortestReplanMilliseconds, longestReplanMilliseconds))
        .default(undefined, replan),
    )
    .addOption(new Option("--weights <file>", "YAML file of weights of the cost function"))
    .addOption(
      new Option(
        "--weight <name=number>",
        "one weight of the cost function, as in rarity=30; may be given several times",
      ).argParser(collectList),
    );
}

/**
 * What the flags say; the rest keeps its defaults.
 * @param weights to begin with, a scenario's for one
 * @throws UserError when something cannot go together, or be read
 */
export async function schedulingSettings(
  flags: SchedulingFlags,
  weights: Partial<CostWeights> = {},
): Promise<Pick<ControllerSettings, "mode" | "policy" | "partitions" | "weights" | "scheduler">> {
  const { mode = defaults.mode, policy = defaults.policy } = flags;
  const partitions = parsePartitions(flags.partition ?? []);
  checkMode(mode, policy, partitions);
  const replanMilliseconds = flags.replanInterval ?? defaults.scheduler.replanMilliseconds;
  const fromFile = flags.weights === undefined ? {} : await readWeights(flags.weights);
  const typed = (flags.weight ?? []).map((text) => parseWeight(text));
  return {
    mode,
    policy,
    partitions,
    weights: Object.assign({}, defaults.weights, weights, fromFile, ...typed) as CostWeights,
    scheduler: { ...defaults.scheduler, replanMilliseconds },
  };
}

async function readWeights(path: string): Promise<Partial<CostWeights>> {
  const text = await readTextFile(path, "the file of weights", maximumWeightsBytes);
  return parseYamlText(text, path, (value) => {
    try {
      return checkWeights(value);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      throw new UserError(`${path}: ${error.message}`, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        cause: error,
      });
    }
  });
}
