/**
 * Waits until every target holds a version (and points `current` to it, if it is the active one).
 *
 * It promises to go on over restarts of the controller, and to say, when the time is over, which targets are missing.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { VersionDetail } from "../../protocol/views.ts";
import { formatDuration, nanosecondsPerMillisecond } from "../../std/units.ts";
import { ControllerApi } from "./controller-api.ts";
import { namedLaggards, waitPollMilliseconds } from "./limits.ts";
import { PublishError } from "./publish-error.ts";

export interface WaitOptions {
  readonly url: string;
  readonly name: string;
  readonly version: string;
  /** undefined: without end. */
  readonly timeoutMilliseconds: number | undefined;
  readonly onProgress?: (progress: WaitProgress) => void;
  readonly signal?: AbortSignal;
}

export interface WaitProgress {
  readonly targets: number;
  /** Targets that hold it whole, and use it if it is active. */
  readonly ready: number;
  readonly heldBytes: number;
  readonly totalBytes: number;
  /** The same for each site, by name. */
  readonly sites: readonly SiteProgress[];
}

export interface SiteProgress {
  readonly site: string;
  readonly targets: number;
  readonly ready: number;
  readonly heldBytes: number;
  readonly totalBytes: number;
}

export interface WaitResult {
  readonly targets: number;
  readonly heldAtMilliseconds: number;
}

/** @throws PublishError waitTimedOut when the time is over; failed when the version is removed meanwhile */
export async function waitForTargets(options: WaitOptions): Promise<WaitResult> {
  const { url, name, version, timeoutMilliseconds, onProgress, signal } = options;
  const giveUpAt = timeoutMilliseconds === undefined ? undefined : performance.now() + timeoutMilliseconds;
  let last: VersionDetail | undefined;
  for (;;) {
    const left = giveUpAt === undefined ? Infinity : giveUpAt - performance.now();
    const api = new ControllerApi({
      url,
      patienceMilliseconds: Math.max(0, left),
      ...(signal === undefined ? {} : { signal }),
    });
    try {
      last = await api.versionDetail(name, version);
    } catch (error) {
      // Without end of waiting an absent controller is waited for; with one, this is that end.
      if (error instanceof PublishError && error.kind === "unreachable") throw timedOut(options, last, error);
      throw error;
    }
    if (last === undefined) {
      throw new PublishError("failed", `${name}@${version} was removed while its targets were waited for`);
    }
    const missing = laggards(last);
    const { targets } = last.counts;
    onProgress?.({
      targets,
      ready: targets - missing.length,
      heldBytes: last.heldBytes,
      totalBytes: targets * last.totalBytes,
      sites: sitesOf(last),
    });
    if (missing.length === 0) return { targets, heldAtMilliseconds: Date.now() };
    if (giveUpAt !== undefined && performance.now() + waitPollMilliseconds > giveUpAt) {
      throw timedOut(options, last, undefined);
    }
    await pause(waitPollMilliseconds, undefined, signal === undefined ? {} : { signal });
  }
}

function sitesOf(detail: VersionDetail): SiteProgress[] {
  const targets = detail.agents.filter(({ target }) => target);
  const names = [...new Set(targets.map(({ site }) => site))].sort();
  return names.map((site) => {
    const own = targets.filter((agent) => agent.site === site);
    return {
      site,
      targets: own.length,
      ready: own.filter((agent) => isReady(agent, detail)).length,
      heldBytes: own.reduce((sum, { heldBytes }) => sum + heldBytes, 0),
      totalBytes: own.length * detail.totalBytes,
    };
  });
}

function isReady(agent: VersionDetail["agents"][number], { active }: VersionDetail): boolean {
  return agent.status === "held" && (!active || agent.current);
}

/** Targets that do not hold a version, or do not use it though it is active; each with what it lacks. */
function laggards(detail: VersionDetail): string[] {
  const missing: string[] = [];
  for (const agent of detail.agents) {
    if (!agent.target || isReady(agent, detail)) continue;
    const problem = agent.problem === undefined ? "" : `: ${agent.problem}`;
    missing.push(`${agent.agent} (${agent.online ? `${agent.status}${problem}` : "offline"})`);
  }
  return missing;
}

function timedOut(options: WaitOptions, detail: VersionDetail | undefined, cause: unknown): PublishError {
  const what = `${options.name}@${options.version}`;
  const after = `after ${formatDuration((options.timeoutMilliseconds ?? 0) * nanosecondsPerMillisecond)}`;
  if (detail === undefined || cause !== undefined) {
    return new PublishError("waitTimedOut", `${what}: the controller cannot be reached ${after}`, { cause });
  }
  const missing = laggards(detail);
  const more = missing.length > namedLaggards ? ` and ${missing.length - namedLaggards} more` : "";
  const named = missing.slice(0, namedLaggards).join(", ");
  return new PublishError(
    "waitTimedOut",
    `${what}: ${missing.length} of ${detail.counts.targets} targets do not hold it ${after}: ${named}${more}`,
    { hint: "the version is published; agents go on fetching it" },
  );
}
