/** `sluice controller`: runs the controller. */
import type { Command } from "commander";
import type { HostAndPort } from "../../platform/address.ts";
import { helpWithExamples } from "../help.ts";
import { durationBetween, hostAndPort, wholeNumberBetween } from "../option-values.ts";

export interface ControllerProgramFlags {
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
}

const day = 86_400_000;

export function registerController(program: Command): void {
  const controller = program
    .command("controller")
    .description("run the controller: it decides every transfer")
    .requiredOption("--data <dir>", "directory of its store")
    .requiredOption("--listen <host:port>", "where agents, publishers and operators reach it; port 0: any", hostAndPort)
    .option("--topology <file>", "YAML file of sites and links, read again on SIGHUP; the last applied when left out")
    .option(
      "--out-of-use-after <count>",
      "failures after which a component is taken out of use",
      wholeNumberBetween(1, 1000),
    )
    .option("--retry <duration>", "when a component that is out of use is first tried again", durationBetween(100, day))
    .option(
      "--keep-versions <count>",
      "versions that agents keep of a file set, the active one included",
      wholeNumberBetween(1, 1000),
    )
    .option(
      "--verify-interval <duration>",
      "how often an agent is challenged with a random block; 0: never",
      durationBetween(0, day),
    )
    .option(
      "--heartbeat <duration>",
      "how often agents say something at least; silent for three times this is gone",
      durationBetween(10, 600_000),
    )
    .option(
      "--stall <duration>",
      "how long a transfer may bring nothing before it has failed",
      durationBetween(10, 600_000),
    )
    .option(
      "--publisher-timeout <duration>",
      "how long a publish waits for a publisher that is away",
      durationBetween(100, day),
    )
    .option(
      "--recovery <duration>",
      "how long a started controller waits for agents that were connected before",
      durationBetween(0, day),
    )
    .option("--receivers <count>", "agents that a publisher hands blocks to", wholeNumberBetween(1, 1000))
    .action(async (flags: ControllerProgramFlags) => (await import("./controller-program.ts")).runController(flags));
  helpWithExamples(controller, [
    "sluice controller --data /var/lib/sluice/controller --listen 0.0.0.0:7400 --topology /etc/sluice/topology.yaml",
  ]);
}
