/** What runs of all tools but ours have in common: one payload from one host to all others, nothing that happens later. */
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "#src/std/errors.ts";
import type { Program } from "../../demo/programs.ts";
import type { LabHost } from "../network/lab-plan.ts";
import type { Payload } from "../race/payload.ts";
import { targetsOf } from "../race/parse-race.ts";
import type { Race } from "../race/race.ts";
import { completionLookMilliseconds } from "./limits.ts";
import type { Completion, ToolRun, ToolSetting } from "./tool.ts";

/** Why a tool that copies what is there cannot run this race. */
export function unfitForCopying({ scenario }: Race): string | undefined {
  if (scenario.fileSets.length > 1) return "it is raced with one payload only";
  if (scenario.fileSets.some(({ growthBitsPerSecond }) => growthBitsPerSecond !== undefined)) {
    return "it does not publish what still grows";
  }
  const onlyOurs = scenario.events.some(({ type }) => type !== "set");
  return onlyOurs ? "stops and starts of programs are raced with sluice only" : undefined;
}

export class PeerRun {
  readonly setting: ToolSetting;
  readonly payload: Payload;
  readonly source: LabHost;
  readonly targets: readonly LabHost[];

  constructor(setting: ToolSetting) {
    const [payload] = setting.payloads;
    if (payload === undefined) throw new UserError("there is no payload");
    this.setting = setting;
    this.payload = payload;
    this.source = setting.lab.host(payload.fileSet.origins[0] ?? "");
    this.targets = targetsOf(setting.race.scenario, 0).map((name) => setting.lab.host(name));
  }

  /** A directory of a host, made now. */
  directoryOf(host: LabHost): string {
    const path = join(this.setting.directory, host.name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** A file whose appearance says that a host is complete. */
  markerOf(host: LabHost): string {
    return join(this.setting.directory, `${host.name}.complete`);
  }

  /** Does what `set` events order: with the kernel, since these tools know of no declared capability. */
  scheduleChanges(): () => void {
    const { race, lab } = this.setting;
    const timers = race.scenario.events.flatMap((event) =>
      event.type === "set" && race.shaped
        ? [setTimeout(() => lab.setRate(event.resource, event.bitsPerSecond), event.atNanoseconds / 1e6)]
        : [],
    );
    return () => {
      for (const timer of timers) clearTimeout(timer);
    };
  }

  /** Waits until every target's marker is there. @param copyOf where a host's copy stands */
  async completed(
    startedAtMilliseconds: number,
    copyOf: (host: LabHost) => string,
    mustRun: readonly Program[],
  ): Promise<ToolRun> {
    const { programs, timeoutMilliseconds, signal } = this.setting;
    const completions = new Map<string, Completion>();
    const stopChanges = this.scheduleChanges();
    const look = (): boolean => {
      for (const host of this.targets) {
        if (completions.has(host.name)) continue;
        const stats = statSync(this.markerOf(host), { throwIfNoEntry: false });
        if (stats === undefined) continue;
        completions.set(host.name, {
          ...{ fileSet: 0, host: host.name, atMilliseconds: stats.mtimeMs, copy: copyOf(host) },
        });
      }
      return completions.size === this.targets.length;
    };
    try {
      await programs.until("that every host has everything", look, {
        milliseconds: timeoutMilliseconds,
        everyMilliseconds: completionLookMilliseconds,
        signal,
        mustRun: () => mustRun,
      });
    } finally {
      stopChanges();
    }
    return { startedAtMilliseconds, completions: [...completions.values()], changes: [] };
  }
}
