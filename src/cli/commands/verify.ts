/** `sluice verify`: re-reads what an agent's data directory holds. */
import type { Command } from "commander";
import { helpWithExamples } from "../help.ts";

export interface VerifyFlags {
  readonly data: string;
  readonly json?: boolean;
}

export function registerVerify(program: Command): void {
  const verify = program
    .command("verify")
    .description(
      "read everything that an agent holds again and compare it with the checksums; beside a running agent too",
    )
    .requiredOption("--data <dir>", "data directory of the agent")
    .option("--json", "print JSON")
    .action(async (flags: VerifyFlags) => (await import("./verify-actions.ts")).verify(flags));
  helpWithExamples(verify, ["sluice verify --data /var/lib/sluice/agent"]);
}
