/** `sluice config show`: what every option is set to, and by whom. */
import type { Command } from "commander";
import { helpWithExamples } from "../help.ts";
import { withoutSettings } from "../settings/setting-names.ts";
import { passesWordsOn } from "../wrong-words.ts";

export interface ConfigShowFlags {
  readonly json?: boolean;
}

export function registerConfig(program: Command): void {
  const config = program.command("config").description("show how commands are configured").enablePositionalOptions();
  const show = passesWordsOn(withoutSettings(config.command("show")))
    .description("print what every option of a command is set to, and where each value came from")
    .argument("[command...]", "a command with options as it would be run; the two programs and publish when left out")
    .option("--json", "answer in JSON, for programs")
    .action(async (words: string[], flags: ConfigShowFlags) =>
      (await import("./config-actions.ts")).showConfig(words, flags),
    );
  helpWithExamples(show, [
    "sluice config show agent",
    "sluice config show publish --config ./client.yaml --wait",
    "sluice config show --json controller",
  ]);
}
