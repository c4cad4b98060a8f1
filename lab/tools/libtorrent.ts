/** libtorrent (Rasterbar) through its Python binding. All sessions run before the clock starts. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { printedBy, repositoryRoot } from "../../demo/programs.ts";
import type { LabHost } from "../network/lab-plan.ts";
import { nowMilliseconds } from "../race/milliseconds.ts";
import { missingProgram } from "./installed.ts";
import { torrentPort } from "./ports.ts";
import { unfitForCopying } from "./peer-run.ts";
import { Swarm } from "./swarm.ts";
import type { RaceTool } from "./tool.ts";

/** Debian's own: its libtorrent is for no other. */
const python = "/usr/bin/python3";
const peerProgram = join(repositoryRoot, "lab", "tools", "libtorrent_peer.py");

export const libtorrentTool: RaceTool = {
  name: "libtorrent",
  missing: () => missingProgram(python, ["-c", "import libtorrent"], "python3-libtorrent"),
  unfit: unfitForCopying,
  run: async (setting) => {
    const swarm = new Swarm(setting);
    await swarm.prepare();
    const go = join(setting.directory, "go");
    const sourceGo = join(setting.directory, "source-go");
    const start = (role: "source" | "target", host: LabHost, directory: string) => {
      const files = [role === "source" ? sourceGo : go, swarm.markerOf(host)];
      const words = [python, peerProgram, role, swarm.torrentFile, directory, host.address, String(torrentPort)];
      return setting.programs.start(host, `libtorrent-${host.name}`, [...words, ...files]);
    };
    const source = start("source", swarm.source, swarm.sourceDirectory);
    const targets = swarm.targets.map((host) => start("target", host, swarm.directoryOf(host)));
    const all = [source, ...targets];
    await swarm.wait("that every session runs", () => all.every((one) => printedBy(one).includes("ready")), all);
    writeFileSync(sourceGo, "");
    await swarm.sourceAnnounced(source);
    const startedAt = nowMilliseconds();
    writeFileSync(go, "");
    return swarm.completed(startedAt, swarm.copyOf, all);
  },
};
