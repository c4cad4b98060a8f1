/** A needed option that is missing can be given in three ways: the message says which. */
import type { Command } from "commander";
import { configKey, configPartOf, environmentName, settableOptions } from "./setting-names.ts";

/** Adds to commander's message about a missing option what else would have done. */
export function tellWhereElse(command: Command): void {
  const before = command.configureOutput();
  command.configureOutput({
    outputError: (text, write) => {
      before.outputError?.(text, write);
      const flags = /^error: required option '(.+)' not specified$/m.exec(text)?.[1];
      const option = settableOptions(command).find((candidate) => candidate.flags === flags);
      if (option === undefined) return;
      const file = `/etc/sluice/${configPartOf(command)}.yaml`;
      write(`give it, or set ${environmentName(command, option)}, or ${configKey(command, option)} in ${file}\n`);
    },
  });
}
