/** Waiting for a version's targets as commands do it: shown on a terminal, ended by a signal, with exit codes. */
import { PublishError, type PublishErrorKind } from "../services/publisher/publish-error.ts";
import { waitForTargets, type WaitResult } from "../services/publisher/wait-for-targets.ts";
import { UserError } from "../std/errors.ts";
import { exitCodes } from "./exit-codes.ts";
import { PublishProgress } from "./live/publish-progress.ts";

const exitCodeOf: Readonly<Record<PublishErrorKind, number>> = {
  failed: exitCodes.failure,
  unreachable: exitCodes.unreachable,
  conflict: exitCodes.conflict,
  waitTimedOut: exitCodes.timedOut,
  interrupted: exitCodes.interrupted,
};

/** An error of publishing or waiting with the exit code that fits; any other as it is. */
export function withExitCode(error: unknown): unknown {
  if (!(error instanceof PublishError)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new UserError(error.message, { ...hint, exitCode: exitCodeOf[error.kind], cause: error });
}

export interface FleetWait {
  readonly url: string;
  readonly name: string;
  readonly version: string;
  /** undefined: without end. */
  readonly timeoutMilliseconds: number | undefined;
}

/** Shows how far the targets are until all of them hold the version. @throws UserError with the exit code that fits */
export async function waitUntilTargetsHold(wait: FleetWait): Promise<WaitResult> {
  const progress = new PublishProgress(process.stderr);
  try {
    const result = await waitForTargets({ ...wait, onProgress: (at) => progress.fleet(at) });
    progress.end(true);
    return result;
  } catch (error) {
    progress.end(false);
    throw withExitCode(error);
  }
}
