/**
 * uftp: one sender, multicast to all others. Within one site only: the lab's routers do not carry multicast. It keeps to
 * no rate by itself, so it is told 95 % of the slowest interface; its end is that of the last host.
 */
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { join } from "node:path";
import { UserError } from "#src/std/errors.ts";
import { lastLineOf } from "../../demo/programs.ts";
import { nowMilliseconds } from "../race/milliseconds.ts";
import type { Race } from "../race/race.ts";
import { missingProgram } from "./installed.ts";
import { PeerRun, unfitForCopying } from "./peer-run.ts";
import type { RaceTool } from "./tool.ts";

/** The daemons do not say when they listen. */
const settleMilliseconds = 1_000;
/** Of the slowest interface: what is not payload has to pass, too. */
const rateShare = 0.95;
/** Of the payload in a packet: a full frame less the headers of IP, UDP and uftp. */
const blockBytes = 1_400;

export const uftpTool: RaceTool = {
  name: "uftp",
  missing: () => missingProgram("which", ["uftp", "uftpd"], "uftp"),
  unfit: (race) => {
    const sites = new Set(race.scenario.agents.map(({ site }) => site));
    if (sites.size > 1) return "the lab's routers do not carry multicast from site to site";
    if (slowestInterface(race) === undefined) return "it needs a rate to send at";
    if (race.scenario.fileSets.some(({ targets }) => targets !== "all")) return "it sends to all hosts";
    return unfitForCopying(race);
  },
  run: async (setting) => {
    const run = new PeerRun(setting);
    const { programs, race } = setting;
    const daemons = run.targets.map((host) =>
      programs.start(host, `uftpd-${host.name}`, [
        ...["uftpd", "-d", "-t", "-D", run.directoryOf(host), "-I", "eth0"],
        ...["-L", join(setting.directory, `${host.name}.uftpd.log`)],
      ]),
    );
    await pause(settleMilliseconds, undefined, { signal: setting.signal });
    const kilobitsPerSecond = Math.floor(((slowestInterface(race) ?? 0) * rateShare) / 1_000);
    const failed = new AbortController();
    const startedAt = nowMilliseconds();
    const sender = programs.start(run.source, "uftp", [
      ...["uftp", "-R", String(kilobitsPerSecond), "-I", "eth0", "-b", String(blockBytes)],
      ...["-E", run.payload.directory, run.payload.directory],
    ]);
    void sender.ended.then((code) => {
      if (code !== 0) failed.abort(new UserError(`uftp failed: ${lastLineOf(sender)}`));
      else for (const host of run.targets) writeFileSync(run.markerOf(host), "");
    });
    const signal = AbortSignal.any([setting.signal, failed.signal]);
    return new PeerRun({ ...setting, signal }).completed(startedAt, (host) => run.directoryOf(host), daemons);
  },
};

/** What the slowest interface of a race carries; undefined: one of them has no limit. */
function slowestInterface({ scenario, shaped }: Race): number | undefined {
  if (!shaped) return undefined;
  const rates = scenario.agents.flatMap((agent) => {
    const { upBitsPerSecond, downBitsPerSecond } = scenario.topology.nicOf(agent);
    return [upBitsPerSecond, downBitsPerSecond];
  });
  const known = rates.filter((rate) => rate !== undefined);
  return known.length < rates.length ? undefined : Math.min(...known);
}
