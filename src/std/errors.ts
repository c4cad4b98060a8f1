/**
 * Errors that are meant for people.
 *
 * A `UserError` is something that whoever runs the program can put right: a wrong flag, a port that is taken, a file
 * that is not there. It promises one clear line, if need be a second one that says what to do, and the exit code of the
 * program. It is shown without a stack trace; every other error is a defect and is shown as one.
 */

/** Exit code of a program that was used wrongly or could not do what it was told. */
export const DEFAULT_USER_ERROR_EXIT_CODE = 1;

export interface UserErrorOptions {
  /** What to do about it: one line, such as "start the controller first: sluice controller". */
  readonly hint?: string;
  /** Exit code of the program, 1 to 255; 1 when not given. */
  readonly exitCode?: number;
  /** The error underneath. It is kept for logs and never shown to users. */
  readonly cause?: unknown;
}

export class UserError extends Error {
  override readonly name = "UserError";
  readonly hint: string | undefined;
  readonly exitCode: number;

  /**
   * @param message one line, without the word "error" and without a full stop; further lines are folded into it
   * @throws RangeError when the exit code is not an integer from 1 to 255
   */
  constructor(message: string, options: UserErrorOptions = {}) {
    super(toOneLine(message), options.cause === undefined ? undefined : { cause: options.cause });
    const exitCode = options.exitCode ?? DEFAULT_USER_ERROR_EXIT_CODE;
    if (!Number.isInteger(exitCode) || exitCode < 1 || exitCode > 255) {
      throw new RangeError(`an exit code is an integer from 1 to 255, not ${exitCode}`);
    }
    this.hint = options.hint === undefined ? undefined : toOneLine(options.hint);
    this.exitCode = exitCode;
  }
}

/** The text that a user is to see for this error: the message and, when there is one, the hint on a line of its own. */
export function formatUserError(error: UserError): string {
  return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
}

function toOneLine(text: string): string {
  return text.trim().replaceAll(/\s*[\r\n]+\s*/g, " ");
}
