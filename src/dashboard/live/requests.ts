/** Single questions and orders to the controller, beside the event stream. */
import { requestTimeoutMilliseconds } from "./limits.ts";

/** The controller said no, or did not answer: the message is for people. */
class RequestError extends Error {
  override readonly name = "RequestError";
}

/** The path of a request whose parts are names from the network. */
export function pathOf(...parts: readonly string[]): string {
  return `v1/${parts.map(encodeURIComponent).join("/")}`;
}

/** @throws RequestError */
export async function ask<Answer>(path: string): Promise<Answer> {
  return (await request("GET", path)) as Answer;
}

/** Gives an order. Resolves with a line that says what was done. @throws RequestError */
export async function order(path: string): Promise<string> {
  const { done } = (await request("POST", path)) as { done?: unknown };
  return typeof done === "string" ? done : "done";
}

async function request(method: string, path: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, { method, signal: AbortSignal.timeout(requestTimeoutMilliseconds) });
  } catch {
    throw new RequestError("the controller does not answer: is it running?");
  }
  const answer = (await response.json().catch(() => undefined)) as { error?: { message?: unknown } } | undefined;
  if (response.ok && answer !== undefined) return answer;
  const message = answer?.error?.message;
  throw new RequestError(typeof message === "string" ? message : `the controller answered ${response.status}`);
}
