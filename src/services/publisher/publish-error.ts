/** How a publish can fail, as data: the command line gives each kind its exit code. */
import { UserError, type UserErrorOptions } from "../../std/errors.ts";

/**
 * failed: the source, or what the controller says of it. unreachable: the controller did not answer in time.
 * conflict: the version exists with other content, or is being published by somebody else.
 * waitTimedOut: published, but not every target holds it yet. interrupted: stopped by a signal.
 */
export type PublishErrorKind = "failed" | "unreachable" | "conflict" | "waitTimedOut" | "interrupted";

export class PublishError extends UserError {
  readonly kind: PublishErrorKind;

  constructor(kind: PublishErrorKind, message: string, options: UserErrorOptions = {}) {
    super(message, options);
    this.kind = kind;
  }
}

/** The source is not what it was when its checksums were made. */
export function changedError(path: string): PublishError {
  return new PublishError("failed", `${JSON.stringify(path)} changed while it was being published`, {
    hint: "nothing of this version was kept; publish again when it is still",
  });
}
