/** Examples at the end of a command's help. */
import type { Command } from "commander";

/** Adds examples, each a line as one would type it. */
export function helpWithExamples(command: Command, examples: readonly string[]): Command {
  const title = examples.length === 1 ? "Example:" : "Examples:";
  return command.addHelpText("after", `\n${title}\n${examples.map((example) => `  ${example}`).join("\n")}`);
}
