/** `sluice publish`: makes a file, a folder or something that grows a version of a file set. */
import { Option, type Command } from "commander";
import { defaultControllerUrl } from "../controller-options.ts";
import { helpWithExamples } from "../help.ts";
import { durationBetween, durationMilliseconds, exclusive, wholeNumberBetween } from "../option-values.ts";

export interface PublishFlags {
  readonly controller: string;
  readonly connectTimeout: number;
  readonly fileset: string;
  readonly version: string;
  readonly to: string;
  readonly priority: number;
  readonly site?: string;
  readonly agent?: string;
  readonly activate: boolean;
  readonly wait: boolean;
  readonly timeout?: number;
  readonly as?: string;
  readonly follow: boolean;
  readonly finalAfterIdle?: number;
  readonly finalOnExit?: number;
  readonly json: boolean;
}

/** How long a controller that does not answer is tried; one that is only being restarted is back by then. */
const defaultConnectTimeout = "30s";
const highestPriority = 1_000_000;
const highestProcessId = 2 ** 31 - 1;
const day = 86_400_000;

export function registerPublish(program: Command): void {
  const publish = program
    .command("publish")
    .description("publish a file, a folder or standard input as a version of a file set")
    .argument("<path>", "a file, a folder, or - for standard input, which is published while it grows")
    .addOption(new Option("-c, --controller <url>", "URL of the controller").default(defaultControllerUrl))
    .addOption(
      new Option("--connect-timeout <duration>", "how long to try a controller that does not answer")
        .argParser(durationMilliseconds)
        .default(durationMilliseconds(defaultConnectTimeout), defaultConnectTimeout),
    )
    .requiredOption("--fileset <name>", "name of the file set")
    .requiredOption("--version <version>", "the version to publish")
    .option("--to <selector>", "which agents are to hold it, for example site=fra,tier!=test", "all")
    .addOption(
      new Option("--priority <number>", "what has a higher one goes first")
        .argParser(wholeNumberBetween(-highestPriority, highestPriority))
        .default(0),
    )
    .addOption(exclusive(new Option("--site <site>", "the site of this host: its way out is charged"), "agent"))
    .option("--agent <name>", "the agent on this host, which becomes the first holder")
    .option("--no-activate", "do not make it the version in use")
    .option("--wait", "end when every target holds it", false)
    .option("--timeout <duration>", "with --wait: how long to wait for targets", durationMilliseconds)
    .option("--as <name>", "name of the file that standard input or a followed file becomes")
    .option("--follow", "the file is still being written: publish it while it grows", false)
    .option(
      "--final-after-idle <duration>",
      "with --follow: it has ended when it did not grow for so long",
      durationBetween(1, 30 * day),
    )
    .option(
      "--final-on-exit <pid>",
      "with --follow: it has ended when this process has",
      wholeNumberBetween(1, highestProcessId),
    )
    .option("--json", "tell the result in JSON, for programs", false)
    .action(async (path: string, flags: PublishFlags) =>
      (await import("./publish-actions.ts")).publishPath(path, flags),
    );
  helpWithExamples(publish, [
    "sluice publish ./index --fileset index --version 42 --to site=fra --wait --timeout 15m",
    "pg_dump db | sluice publish - --as db.sql --fileset backup --version 2026-01-31",
    "sluice publish build.log --follow --final-on-exit 4711 --fileset log --version 17",
  ]);
}
