/** transmission-daemon. All daemons run before the clock starts; then each finds the torrent in the folder that it watches. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { LabHost } from "../network/lab-plan.ts";
import { nowMilliseconds } from "../race/milliseconds.ts";
import { missingProgram } from "./installed.ts";
import { torrentPort } from "./ports.ts";
import { unfitForCopying } from "./peer-run.ts";
import { Swarm } from "./swarm.ts";
import type { RaceTool } from "./tool.ts";

/** What a daemon needs after its start until it looks at its folder; it says nothing of it. */
const settleMilliseconds = 2_000;

export const transmissionTool: RaceTool = {
  name: "transmission",
  missing: () => missingProgram("transmission-daemon", ["--version"], "transmission-daemon"),
  unfit: unfitForCopying,
  run: async (setting) => {
    const swarm = new Swarm(setting);
    await swarm.prepare();
    const watchOf = (host: LabHost): string => join(setting.directory, `${host.name}.watch`);
    const start = (host: LabHost, directory: string) => {
      const config = join(setting.directory, `${host.name}.config`);
      mkdirSync(config);
      mkdirSync(watchOf(host));
      writeFileSync(
        join(config, "settings.json"),
        JSON.stringify(settingsOf(host, directory, watchOf(host), swarm.hookOf(host))),
      );
      const words = ["transmission-daemon", "--foreground", "--config-dir", config];
      return setting.programs.start(host, `transmission-${host.name}`, words);
    };
    const source = start(swarm.source, swarm.sourceDirectory);
    const targets = swarm.targets.map((host) => start(host, swarm.directoryOf(host)));
    await pause(settleMilliseconds, undefined, { signal: setting.signal });
    copyFileSync(swarm.torrentFile, join(watchOf(swarm.source), "payload.torrent"));
    await swarm.sourceAnnounced(source);
    const startedAt = nowMilliseconds();
    for (const host of swarm.targets) copyFileSync(swarm.torrentFile, join(watchOf(host), "payload.torrent"));
    return swarm.completed(startedAt, swarm.copyOf, [source, ...targets]);
  },
};

function settingsOf(host: LabHost, directory: string, watch: string, hook: string): object {
  return {
    "download-dir": directory,
    "incomplete-dir-enabled": false,
    "rename-partial-files": false,
    "watch-dir": watch,
    "watch-dir-enabled": true,
    "script-torrent-done-enabled": true,
    "script-torrent-done-filename": hook,
    "bind-address-ipv4": host.address,
    "peer-port": torrentPort,
    "dht-enabled": false,
    "lpd-enabled": false,
    "pex-enabled": true,
    "utp-enabled": false,
    "port-forwarding-enabled": false,
    "rpc-enabled": false,
    encryption: 0,
    "upload-slots-per-torrent": 32,
    "peer-limit-global": 500,
    "peer-limit-per-torrent": 200,
    "cache-size-mb": 64,
    "download-queue-enabled": false,
    "seed-queue-enabled": false,
    "queue-stalled-enabled": false,
    "speed-limit-down-enabled": false,
    "speed-limit-up-enabled": false,
    "ratio-limit-enabled": false,
    "idle-seeding-limit-enabled": false,
    "start-added-torrents": true,
    preallocation: 1,
    umask: 18,
  };
}
