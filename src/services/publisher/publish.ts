/**
 * Publishes a file, a folder or something that grows as a version of a file set.
 *
 * It promises: nothing is said to the controller before the source was read and found fit; either the version is
 * published as a whole or nothing of it stays; every failure is a PublishError or another UserError, one clear line.
 */
import { HashWorkerPool } from "../../platform/hash-worker-pool.ts";
import { WorkerThread } from "../../platform/worker-thread.ts";
import { ControllerApi } from "./controller-api.ts";
import { PublishError } from "./publish-error.ts";
import { publishGrowing } from "./publish-growing.ts";
import type { PublishContext, PublishOptions, PublishResult } from "./publish-options.ts";
import { publishTree } from "./publish-tree.ts";
import type { SourceJobs } from "./source-jobs.ts";

/** Publishes. @throws UserError */
export async function publish(options: PublishOptions): Promise<PublishResult> {
  const { url, patienceMilliseconds, signal } = options;
  const context: PublishContext = {
    options,
    api: new ControllerApi({ url, patienceMilliseconds, signal }),
    pool: new HashWorkerPool(),
    thread: new WorkerThread<SourceJobs>(new URL("./source-worker.js", import.meta.url)),
  };
  try {
    return await (options.source.kind === "tree"
      ? publishTree(context, options.source.path)
      : publishGrowing(context, options.source));
  } catch (error) {
    if (signal.aborted) throw interruptedError(signal);
    throw error;
  } finally {
    await Promise.all([context.pool.close(), context.thread.close()]);
  }
}

function interruptedError(signal: AbortSignal): PublishError {
  const reason: unknown = signal.reason;
  const message = reason instanceof Error ? reason.message : "stopped";
  return new PublishError("interrupted", `${message}: nothing was published`);
}
