/** How asking a controller can fail, as data. */
import { DEFAULT_USER_ERROR_EXIT_CODE, UserError, type UserErrorOptions } from "../std/errors.ts";

/**
 * unreachable: it did not answer in time. usage: it was not even asked. failed: what answers is no controller, or it
 * failed. The others are what it refused: see `code` in the API's document.
 */
export type ClientErrorKind =
  | "unreachable"
  | "usage"
  | "failed"
  | "invalid"
  | "forbidden"
  | "notFound"
  | "conflict"
  | "unavailable";

/** What a command line ends with; 1 for the rest. */
const exitCodes: Readonly<Partial<Record<ClientErrorKind, number>>> = { usage: 2, unreachable: 3, conflict: 5 };

const refusals: readonly string[] = ["invalid", "forbidden", "notFound", "conflict", "unavailable"];

export class ClientError extends UserError {
  readonly kind: ClientErrorKind;
  /** Several mistakes, one a line; the message has them in one. */
  readonly lines: readonly string[];

  constructor(kind: ClientErrorKind, message: string, options: UserErrorOptions = {}) {
    super(message, { exitCode: exitCodes[kind] ?? DEFAULT_USER_ERROR_EXIT_CODE, ...options });
    this.kind = kind;
    this.lines = message.split("\n");
  }
}

/** What the controller refused, in its own words. */
export function refusedError({ code, message }: { code: string; message: string }): ClientError {
  return new ClientError(refusals.includes(code) ? (code as ClientErrorKind) : "failed", message);
}
