/** What does not fit in a command's options is a wrong use, with the exit code for that. */
import { UserError } from "../std/errors.ts";
import { exitCodes } from "./exit-codes.ts";

/** Runs a check of what was given. @throws UserError with the exit code of wrong use where the check throws one */
export function asUsage<Value>(check: () => Value): Value {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new UserError(error.message, { ...hint, exitCode: exitCodes.usage, cause: error });
  }
}
