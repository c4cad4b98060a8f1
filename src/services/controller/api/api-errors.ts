/** How the API says no: one form of answer, and a status code for each reason. */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { OperatorErrorCode } from "../../../protocol/views.ts";

export type ApiErrorCode = OperatorErrorCode | "forbidden" | "tooLarge" | "internal";

const statusCodes: Readonly<Record<ApiErrorCode, ContentfulStatusCode>> = {
  invalid: 400,
  forbidden: 403,
  notFound: 404,
  conflict: 409,
  tooLarge: 413,
  internal: 500,
  unavailable: 503,
};

/** A reason to say no, thrown by a handler. Several mistakes are several lines of the message. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: ApiErrorCode;

  constructor(code: ApiErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The answer that `errorViewSchema` describes. */
export function errorAnswer(context: Context, code: ApiErrorCode, message: string): Response {
  return context.json({ error: { code, message } }, statusCodes[code]);
}

export function tooLarge(maximumBytes: number): ApiError {
  return new ApiError("tooLarge", `the request has more than ${maximumBytes} bytes`);
}
