/**
 * uftp: one sender, multicast to all others. It keeps to no rate by itself, so it is told 95 % of the slowest link; its
 * end is that of the last host.
 */
import { writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { basename, join } from "node:path";
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
    const { dataDelayNanoseconds, topology } = race.scenario;
    if (dataDelayNanoseconds > 0) return "the lab does not delay multicast";
    if (topology.paths.some(({ through }) => through.length > 0)) {
      return "the lab does not lead multicast through links by name";
    }
    if (slowestLink(race) === undefined) return "it needs a rate to send at";
    if (race.scenario.fileSets.some(({ targets }) => targets !== "all")) return "it sends to all hosts";
    return unfitForCopying(race);
  },
  run: async (setting) => {
    const run = new PeerRun(setting);
    const { programs, race } = setting;
    setting.lab.carryMulticast();
    const daemons = run.targets.map((host) =>
      programs.start(host, `uftpd-${host.name}`, [
        ...["uftpd", "-d", "-t", "-D", run.directoryOf(host), "-I", "eth0"],
        ...["-L", join(setting.directory, `${host.name}.uftpd.log`)],
      ]),
    );
    await pause(settleMilliseconds, undefined, { signal: setting.signal });
    const kilobitsPerSecond = Math.floor(((slowestLink(race) ?? 0) * rateShare) / 1_000);
    const failed = new AbortController();
    const startedAt = nowMilliseconds();
    const sender = programs.start(run.source, "uftp", [
      ...["uftp", "-R", String(kilobitsPerSecond), "-I", "eth0", "-b", String(blockBytes)],
      ...["-H", run.targets.map(({ address }) => clientId(address)).join(","), run.payload.directory],
    ]);
    void sender.ended.then((code) => {
      if (code !== 0) failed.abort(new UserError(`uftp failed: ${lastLineOf(sender)}`));
      else for (const host of run.targets) writeFileSync(run.markerOf(host), "");
    });
    const signal = AbortSignal.any([setting.signal, failed.signal]);
    return new PeerRun({ ...setting, signal }).completed(
      startedAt,
      (host) => join(run.directoryOf(host), basename(run.payload.directory)),
      daemons,
    );
  },
};

/** What a receiver calls itself: its address in hexadecimal digits. */
function clientId(address: string): string {
  const digits = address.split(".").map((part) => Number(part).toString(16).padStart(2, "0"));
  return `0x${digits.join("").toUpperCase()}`;
}

/** What the slowest link carries that the packets pass; undefined: an interface has no limit. */
function slowestLink({ scenario, shaped }: Race): number | undefined {
  if (!shaped) return undefined;
  const { topology, agents, fileSets } = scenario;
  const source = agents.find(({ name }) => name === fileSets[0]?.origins[0]);
  const interfaces = agents.map((agent) => {
    const { upBitsPerSecond, downBitsPerSecond } = topology.nicOf(agent);
    return agent === source ? upBitsPerSecond : downBitsPerSecond;
  });
  const sites = [...topology.sites].map(([name, site]) =>
    name === source?.site ? site.uplinkBitsPerSecond : site.downlinkBitsPerSecond,
  );
  const isOneSite = new Set(agents.map(({ site }) => site)).size === 1;
  const rates = [...interfaces, ...(isOneSite ? [] : sites.filter((rate) => rate !== undefined))];
  const known = rates.filter((rate) => rate !== undefined);
  return known.length < rates.length ? undefined : Math.min(...known);
}
