/** aria2 as a BitTorrent client. The clock starts when the last of them has been started. */
import type { LabHost } from "../network/lab-plan.ts";
import { nowMilliseconds } from "../race/milliseconds.ts";
import { missingProgram } from "./installed.ts";
import { torrentPort } from "./ports.ts";
import { unfitForCopying } from "./peer-run.ts";
import { Swarm } from "./swarm.ts";
import type { RaceTool } from "./tool.ts";

const sharedWords = [
  ...["--no-conf=true", "--quiet=true", "--summary-interval=0", "--disable-ipv6=true"],
  ...["--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false", "--enable-peer-exchange=true"],
  ...["--bt-tracker-interval=2", "--bt-max-peers=0", "--bt-request-peer-speed-limit=100M"],
  ...["--file-allocation=none", "--disk-cache=64M", "--seed-ratio=0.0", `--listen-port=${torrentPort}`],
];

export const aria2Tool: RaceTool = {
  name: "aria2",
  missing: () => missingProgram("aria2c", ["--version"], "aria2"),
  unfit: unfitForCopying,
  run: async (setting) => {
    const swarm = new Swarm(setting);
    await swarm.prepare();
    const start = (host: LabHost, directory: string, words: readonly string[]) =>
      setting.programs.start(host, `aria2-${host.name}`, [
        ...["aria2c", ...sharedWords, `--dir=${directory}`, ...words, swarm.torrentFile],
      ]);
    const source = start(swarm.source, swarm.sourceDirectory, ["--bt-seed-unverified=true"]);
    await swarm.sourceAnnounced(source);
    const targets = swarm.targets.map((host) =>
      start(host, swarm.directoryOf(host), [`--on-bt-download-complete=${swarm.hookOf(host)}`]),
    );
    return swarm.completed(nowMilliseconds(), swarm.copyOf, [source, ...targets]);
  },
};
