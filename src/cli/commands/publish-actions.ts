/** What `sluice publish` does: checks how it was called, publishes, waits if asked to, and tells what came of it. */
import { asUsage } from "../as-usage.ts";
import { checkAgentName, checkFileSetName, checkSiteName, checkVersion } from "../../model/names.ts";
import { parseSelector } from "../../model/selector.ts";
import { parseControllerUrl } from "../../platform/channel.ts";
import { processRuns, type FollowEnd } from "../../services/publisher/growing-source.ts";
import { PublishError } from "../../services/publisher/publish-error.ts";
import { publish } from "../../services/publisher/publish.ts";
import type { PublishOptions, PublishResult, PublishSource } from "../../services/publisher/publish-options.ts";
import { waitForTargets, type WaitResult } from "../../services/publisher/wait-for-targets.ts";
import { UserError } from "../../std/errors.ts";
import { formatBytes } from "../../std/units.ts";
import { exitCodes } from "../exit-codes.ts";
import { print, targetsText } from "../output.ts";
import { PublishProgress } from "../live/publish-progress.ts";
import { withExitCode } from "../wait-for-fleet.ts";
import type { PublishFlags } from "./publish.ts";

const standardInput = "-";

/** Runs the command. @throws UserError with the exit code that fits */
export async function publishPath(path: string, flags: PublishFlags): Promise<void> {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    // Asked a second time, it goes at once.
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    stop.abort(new Error(`stopped by ${name}`));
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const progress = new PublishProgress(process.stderr);
  try {
    const options = optionsOf(path, flags, stop.signal, progress);
    const result = await publish(options);
    const targets = flags.wait ? await wait(options, flags, result, progress) : undefined;
    progress.end(true);
    print(flags.json, jsonOf(result, targets), () => textOf(result, targets));
  } catch (error) {
    progress.end(false);
    throw withExitCode(error);
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

function optionsOf(path: string, flags: PublishFlags, signal: AbortSignal, progress: PublishProgress): PublishOptions {
  const { fileset, version, to, priority, site, agent, activate, controller, connectTimeout } = flags;
  const source = asUsage(() => {
    parseControllerUrl(controller);
    checkFileSetName(fileset);
    checkVersion(version);
    parseSelector(to);
    if (site !== undefined) checkSiteName(site);
    if (agent !== undefined) checkAgentName(agent);
    if (flags.timeout !== undefined && !flags.wait) throw new UserError("--timeout goes with --wait");
    return sourceOf(path, flags);
  });
  return {
    url: controller,
    name: fileset,
    version,
    selector: to,
    priority,
    activate,
    source,
    patienceMilliseconds: connectTimeout,
    signal,
    onProgress: (at) => {
      if (at.stage === "scanning") progress.note("looking through what is to be published");
      else if (at.stage === "connecting") progress.note(`waiting for the controller: ${at.problem}`);
      else if (at.stage === "hashing") progress.amount("checksums", at.doneBytes, at.totalBytes);
      else progress.amount("handed over", at.doneBytes, at.totalBytes);
    },
    ...(site === undefined ? {} : { site }),
    ...(agent === undefined ? {} : { agent }),
  };
}

function sourceOf(path: string, flags: PublishFlags): PublishSource {
  const { as, follow, finalAfterIdle, finalOnExit } = flags;
  if (!follow && (finalAfterIdle !== undefined || finalOnExit !== undefined)) {
    throw new UserError("--final-after-idle and --final-on-exit go with --follow");
  }
  if (path === standardInput) {
    if (follow) throw new UserError("--follow is for files: standard input is followed anyway");
    if (as === undefined) {
      throw new UserError("standard input needs the name of the file that it becomes", {
        hint: "give it with --as NAME",
      });
    }
    return { kind: "stream", stream: process.stdin, fileName: as };
  }
  if (!follow) {
    if (as !== undefined) throw new UserError("--as is for standard input and for --follow");
    return { kind: "tree", path };
  }
  if (finalAfterIdle === undefined && finalOnExit === undefined) {
    throw new UserError("--follow needs to know when the file has ended", {
      hint: "give --final-after-idle DURATION or --final-on-exit PID",
    });
  }
  const end: FollowEnd = {
    ...(finalAfterIdle === undefined ? {} : { afterIdleMilliseconds: finalAfterIdle }),
    ...(finalOnExit === undefined ? {} : { writerRuns: () => processRuns(finalOnExit) }),
  };
  return { kind: "follow", path, fileName: as, end };
}

async function wait(
  options: PublishOptions,
  flags: PublishFlags,
  result: PublishResult,
  progress: PublishProgress,
): Promise<WaitResult> {
  const { url, name, version, signal } = options;
  try {
    return await waitForTargets({
      url,
      name,
      version,
      timeoutMilliseconds: flags.timeout,
      signal,
      onProgress: (at) => progress.fleet(at),
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new PublishError("interrupted", `${result.fileSet} is published; its targets are waited for no longer`);
  }
}

function resultLine(result: PublishResult): string {
  const { fileSet, outcome, files, bytes } = result;
  if (outcome === "committed") {
    return `${fileSet} is published: ${files} ${files === 1 ? "file" : "files"}, ${formatBytes(bytes)}`;
  }
  const times = result.onlyTimesDiffer ? "; only modification times differ, those of the first publish stay" : "";
  return `${fileSet} exists already with this content${times}`;
}

function textOf(result: PublishResult, targets: WaitResult | undefined): string {
  const line = resultLine(result);
  if (targets === undefined) return `${line}\n`;
  return `${line}\n${targetsText(targets.targets)}\n`;
}

function jsonOf(result: PublishResult, targets: WaitResult | undefined): unknown {
  return {
    ...result,
    handOverStartedAtMilliseconds: result.handOverStartedAtMilliseconds ?? null,
    ...(targets === undefined ? {} : targets),
  };
}
