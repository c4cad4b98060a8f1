/** rsync: a daemon on the source, from which every other host copies everything. The clock starts with the copying. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { UserError } from "#src/std/errors.ts";
import { lastLineOf } from "../../demo/programs.ts";
import { nowMilliseconds } from "../race/milliseconds.ts";
import { missingProgram } from "./installed.ts";
import { rsyncPort } from "./ports.ts";
import { PeerRun, unfitForCopying } from "./peer-run.ts";
import type { RaceTool } from "./tool.ts";

/** The daemon does not say when it listens. */
const settleMilliseconds = 500;

export const rsyncTool: RaceTool = {
  name: "rsync",
  missing: () => missingProgram("rsync", ["--version"], "rsync"),
  unfit: unfitForCopying,
  run: async (setting) => {
    const run = new PeerRun(setting);
    const { programs } = setting;
    const config = join(setting.directory, "rsyncd.conf");
    const module = `[payload]\npath = ${run.payload.directory}\nread only = yes\n`;
    writeFileSync(config, `use chroot = no\nuid = root\ngid = root\nmax connections = 0\n${module}`);
    const { source } = run;
    const words = ["--daemon", "--no-detach", `--config=${config}`, `--address=${source.address}`];
    const daemon = programs.start(source, "rsync-daemon", ["rsync", ...words, `--port=${rsyncPort}`]);
    await pause(settleMilliseconds, undefined, { signal: setting.signal });
    const failed = new AbortController();
    const startedAt = nowMilliseconds();
    for (const host of run.targets) {
      const from = `rsync://${source.address}:${rsyncPort}/payload/`;
      const client = programs.start(host, `rsync-${host.name}`, [
        ...["rsync", "-a", "--whole-file", from, `${run.directoryOf(host)}/`],
      ]);
      void client.ended.then((code) => {
        if (code === 0) writeFileSync(run.markerOf(host), "");
        else failed.abort(new UserError(`rsync on ${host.name} failed: ${lastLineOf(client)}`));
      });
    }
    const signal = AbortSignal.any([setting.signal, failed.signal]);
    return new PeerRun({ ...setting, signal }).completed(startedAt, (host) => run.directoryOf(host), [daemon]);
  },
};
