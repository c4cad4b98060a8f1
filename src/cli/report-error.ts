/** How the command line says that something went wrong. */
import { printable } from "../platform/printable.ts";
import { UserError } from "../std/errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { clearerChoices } from "./wrong-words.ts";

/** An error for programs. */
interface ErrorView {
  readonly message: string;
  readonly hint?: string;
  readonly exitCode: number;
}

/** An error of several mistakes, each of them a line. */
interface LinesError {
  readonly lines: readonly string[];
}

/**
 * Tells the user about an error on standard error.
 * @returns the exit code that goes with it
 */
export function reportError(error: unknown): number {
  for (const line of errorLines(error)) process.stderr.write(`${line}\n`);
  if (process.env["SLUICE_DEBUG"] === "1" && error instanceof Error) {
    process.stderr.write(`${error.stack ?? ""}\n`);
    if (error.cause instanceof Error) process.stderr.write(`cause: ${error.cause.stack ?? error.cause.message}\n`);
  }
  return error instanceof UserError ? error.exitCode : exitCodes.failure;
}

/** What commander has refused. */
export function wrongUse({ message }: Error): ErrorView {
  const [text = "", hint] = clearerChoices(message)
    .replace(/^error: /, "")
    .split("\n");
  const hints = hint === undefined ? {} : { hint: hint.replace(/^\((.*)\)$/, "$1") };
  return { message: text, ...hints, exitCode: exitCodes.usage };
}

/** Any other error. */
export function errorView(error: unknown): ErrorView {
  if (!(error instanceof UserError)) {
    const message = error instanceof Error ? error.message : String(error);
    return { message: `unexpected error: ${message}`, exitCode: exitCodes.failure };
  }
  const message = hasLines(error) ? error.lines.join("\n") : error.message;
  return { message, ...(error.hint === undefined ? {} : { hint: error.hint }), exitCode: error.exitCode };
}

/** `sluice: what happened`, and what to do about it. */
function errorLines(error: unknown): string[] {
  if (!(error instanceof UserError)) {
    const message = error instanceof Error ? error.message : String(error);
    return [
      `sluice: unexpected error: ${printable(message)}`,
      "this is a defect of sluice: run it again with SLUICE_DEBUG=1 and report what it shows",
    ];
  }
  const messages = hasLines(error) ? error.lines : [error.message];
  const lines = messages.map((message) => `sluice: ${printable(message)}`);
  if (error.hint !== undefined) lines.push(printable(error.hint));
  return lines;
}

function hasLines(error: object): error is LinesError {
  return "lines" in error && Array.isArray(error.lines) && error.lines.length > 0;
}
