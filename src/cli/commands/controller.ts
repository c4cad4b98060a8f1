/** `sluice controller`: runs the controller. */
import { Option } from "commander";
import type { Command } from "commander";
import { defaultControllerSettings as defaults } from "../../control/controller/settings.ts";
import type { HostAndPort } from "../../platform/address.ts";
import { formatDuration, nanosecondsPerMillisecond } from "../../std/units.ts";
import { logLevelOption } from "../controller-options.ts";
import { addSchedulingOptions, type SchedulingFlags } from "../scheduling-options.ts";
import { helpWithExamples } from "../help.ts";
import { durationBetween, hostAndPort, wholeNumberBetween } from "../option-values.ts";

export interface ControllerProgramFlags extends SchedulingFlags {
  readonly data: string;
  readonly listen: HostAndPort;
  readonly topology?: string;
  readonly outOfUseAfter?: number;
  readonly retry?: number;
  readonly keepVersions?: number;
  readonly verifyInterval?: number;
  readonly heartbeat?: number;
  readonly stall?: number;
  readonly publisherTimeout?: number;
  readonly recovery?: number;
  readonly receivers?: number;
  readonly relays?: "targets" | "all";
  readonly logLevel?: string;
}

const day = 86_400_000;
const tenMinutes = 600_000;

export function registerController(program: Command): void {
  const controller = program
    .command("controller")
    .description("run the controller: it decides every transfer")
    .requiredOption("--data <dir>", "directory of its store")
    .requiredOption("--listen <host:port>", "where agents, publishers and operators reach it; port 0: any", hostAndPort)
    .addOption(
      new Option("--topology <file>", "YAML file of sites and links, read again on SIGHUP").default(
        undefined,
        "what was applied last, else no limits",
      ),
    );
  for (const option of tuningOptions()) controller.addOption(option);
  addSchedulingOptions(controller)
    .addOption(logLevelOption())
    .action(async (flags: ControllerProgramFlags) => (await import("./controller-program.ts")).runController(flags));
  helpWithExamples(
    controller,
    ["sluice controller --data /var/lib/sluice/controller --listen 0.0.0.0:7400 --topology /etc/sluice/topology.yaml"],
    'Prints "listening on http://HOST:PORT" on standard output when it is ready, logs to standard error, and stops in good order on SIGTERM and SIGINT.',
  );
}

/** Its time-outs and counts. None has a value unless it is given: the state machine has the defaults. */
function tuningOptions(): Option[] {
  return [
    count("--out-of-use-after <count>", "failures after which a component is taken out of use", defaults.outOfUseAfter),
    duration("--retry <duration>", "when a component that is out of use is first tried again", {
      range: [100, day],
      milliseconds: defaults.retryMilliseconds,
    }),
    count(
      "--keep-versions <count>",
      "versions that agents keep of a file set, the active one included",
      defaults.keepVersions,
    ),
    duration("--verify-interval <duration>", "how often an agent is challenged with a random block; 0: never", {
      range: [0, day],
      milliseconds: defaults.challengeIntervalMilliseconds,
    }),
    duration("--heartbeat <duration>", "how often agents say something at least; silent for three times this is gone", {
      range: [10, tenMinutes],
      milliseconds: defaults.heartbeatMilliseconds,
    }),
    duration("--stall <duration>", "how long a transfer may bring nothing before it has failed", {
      range: [10, tenMinutes],
      milliseconds: defaults.stallMilliseconds,
    }),
    duration("--publisher-timeout <duration>", "how long a publish waits for a publisher that is away", {
      range: [100, day],
      milliseconds: defaults.publisherGoneMilliseconds,
    }),
    duration(
      "--recovery <duration>",
      "how long a started controller waits for agents and publishers that were there before",
      { range: [0, day], milliseconds: defaults.recoveryMilliseconds },
    ),
    count("--receivers <count>", "agents that a publisher hands blocks to", defaults.receivers),
    new Option("--relays <who>", "who may carry a file set for others: its targets, or all agents")
      .choices(["targets", "all"])
      .default(undefined, defaults.relays),
  ];
}

function count(flags: string, description: string, value: number): Option {
  return new Option(flags, description).argParser(wholeNumberBetween(1, 1000)).default(undefined, String(value));
}

function duration(
  flags: string,
  description: string,
  { range, milliseconds }: { readonly range: readonly [number, number]; readonly milliseconds: number },
): Option {
  const shown = milliseconds === 0 ? "0" : formatDuration(milliseconds * nanosecondsPerMillisecond).replaceAll(" ", "");
  return new Option(flags, description).argParser(durationBetween(...range)).default(undefined, shown);
}
