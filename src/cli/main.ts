/**
 * The command line: `sluice NOUN VERB`. It promises that every error is one line on standard error that begins with
 * `sluice: ` (with what to do about it on a second line at most), that the exit code tells scripts what happened (see
 * exit-codes.ts), and that a stack trace is shown only to who asks for it with SLUICE_DEBUG=1.
 */
import { CommanderError } from "commander";
import { exitCodes } from "./exit-codes.ts";
import { createProgram } from "./program.ts";
import { printError } from "./output.ts";
import { errorView, reportError, wrongUse } from "./report-error.ts";
import { findCommand } from "./settings/command-words.ts";
import { applySettings } from "./settings/settings.ts";
import { tellWhereElse } from "./settings/where-else.ts";
import { helpWords, refuseWrongWords } from "./wrong-words.ts";

// Whoever read our output has seen enough (`sluice agent ls | head -1`).
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok);
  throw error;
});
process.stderr.on("error", () => undefined);

const program = createProgram();
const words = helpWords(process.argv.slice(2));
process.on("uncaughtException", (error) => process.exit(fail(error)));
try {
  refuseWrongWords(program, words);
  const found = findCommand(program, words);
  // Help is given also where a config file has a mistake.
  if (!asksForHelp(words)) applySettings(program, found, process.env);
  tellWhereElse(found.command);
  await program.parseAsync([...words], { from: "user" });
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said what there is to say: help and the version were asked for, anything else is a wrong use.
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error.exitCode !== 0 && wantsJson()) printError(wrongUse(error));
  } else {
    process.exitCode = fail(error);
  }
}

function asksForHelp(given: readonly string[]): boolean {
  return given.some((word) => word === "--help" || word === "-h");
}

/** Tells about an error: to people on standard error, to programs that asked for JSON on standard output too. */
function fail(error: unknown): number {
  if (wantsJson()) printError(errorView(error));
  return reportError(error);
}

function wantsJson(): boolean {
  const { command } = findCommand(program, words);
  return words.includes("--json") || command.getOptionValue("json") === true;
}
