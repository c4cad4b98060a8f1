/** The options of every command that asks a controller, and how such a command runs. */
import { Option } from "commander";
import type { Command } from "commander";
import type { ControllerClient } from "./controller-client.ts";
import { logLevels } from "../platform/log-levels.ts";
import { durationMilliseconds } from "./option-values.ts";

/** Where the controller is looked for when nobody says. */
export const defaultControllerUrl = "http://127.0.0.1:7400";
/** How long a controller that does not answer is asked again. */
const defaultConnectTimeout = "3s";

export interface ControllerOptions {
  readonly controller: string;
  readonly connectTimeout: number;
  readonly json?: boolean;
}

/** Adds `--controller`, `--connect-timeout` and `--json`. */
export function withControllerOptions(command: Command): Command {
  return command
    .addOption(new Option("-c, --controller <url>", "URL of the controller").default(defaultControllerUrl))
    .addOption(
      new Option("--connect-timeout <duration>", "how long to try a controller that does not answer")
        .argParser(durationMilliseconds)
        .default(durationMilliseconds(defaultConnectTimeout), defaultConnectTimeout),
    )
    .option("--json", "answer in JSON, for programs");
}

/** What the two programs say on standard error. */
export function logLevelOption(): Option {
  return new Option("--log-level <level>", "the least that is logged on standard error")
    .choices(logLevels)
    .default(undefined, "info");
}

/** A client for the controller that the options name; loaded only now. */
export async function connectController(options: ControllerOptions): Promise<ControllerClient> {
  const { ControllerClient: Client } = await import("./controller-client.ts");
  return new Client({ url: options.controller, connectTimeoutMilliseconds: options.connectTimeout });
}
