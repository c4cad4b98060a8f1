/** `sluice completion SHELL`: a script that completes the words of this command line. */
import { Argument } from "commander";
import type { Command } from "commander";
import { helpWithExamples } from "../help.ts";
import { print } from "../output.ts";
import { withoutSettings } from "../settings/setting-names.ts";
import { passesWordsOn } from "../wrong-words.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** The hidden command that those scripts ask. */
const askingCommand = "complete";

export function registerCompletion(program: Command): void {
  const completion = withoutSettings(program.command("completion"))
    .description("print a script that completes commands, options and names in your shell")
    .addArgument(new Argument("<shell>", `one of ${shells.join(", ")}`).choices(shells))
    .option("--json", "answer in JSON, for programs")
    .action(async (shell: Shell, { json }: { readonly json?: boolean }) => {
      const { completionScript } = await import("../completion/scripts.ts");
      print(json, { shell, script: completionScript(shell) }, () => completionScript(shell));
    });
  helpWithExamples(
    completion,
    [
      "source <(sluice completion bash)",
      "sluice completion bash > /etc/bash_completion.d/sluice",
      'sluice completion zsh > "${fpath[1]}/_sluice"',
      "sluice completion fish > ~/.config/fish/completions/sluice.fish",
    ],
    "Names of file sets, versions and agents are asked of the controller that SLUICE_CONTROLLER or the config file names; one that does not answer at once is done without.",
  );
  passesWordsOn(withoutSettings(program.command(askingCommand, { hidden: true })))
    .description("what may come next on a command line; asked by the scripts of sluice completion")
    .argument("[words...]", "the words so far, the last one unfinished")
    .action(async (words: string[]) => (await import("../completion/complete-actions.ts")).complete(words));
}
