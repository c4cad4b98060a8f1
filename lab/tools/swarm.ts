/** What the BitTorrent programs of a race have in common: torrent, tracker, a source that is ready before the clock starts. */
import { chmodSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { printedBy, repositoryRoot, type Program } from "../../demo/programs.ts";
import type { LabHost } from "../network/lab-plan.ts";
import { startLookMilliseconds, toolStartMilliseconds } from "./limits.ts";
import { trackerPort } from "./ports.ts";
import { PeerRun } from "./peer-run.ts";
import type { ToolSetting } from "./tool.ts";
import { makeTorrent } from "./torrent.ts";

const trackerProgram = join(repositoryRoot, "dist", "lab", "tools", "tracker-main.js");

export class Swarm extends PeerRun {
  readonly torrentFile: string;
  readonly #trackerUrl: string;
  #tracker: Program | undefined;

  constructor(setting: ToolSetting) {
    super(setting);
    this.torrentFile = join(setting.directory, "payload.torrent");
    this.#trackerUrl = `http://${setting.lab.plan.controller.address}:${trackerPort}/announce`;
  }

  /** Where the source's program finds the payload, in the way of a download directory. */
  get sourceDirectory(): string {
    return dirname(this.payload.directory);
  }

  /** Where a target's copy stands. */
  copyOf = (host: LabHost): string => join(this.directoryOf(host), basename(this.payload.directory));

  /** Makes the torrent and starts the tracker: on the controller's host, whose link has no limit. */
  async prepare(): Promise<void> {
    const { lab, programs } = this.setting;
    writeFileSync(this.torrentFile, makeTorrent(this.payload, this.#trackerUrl));
    const { controller } = lab.plan;
    const words = [process.execPath, trackerProgram, controller.address, String(trackerPort)];
    const tracker = programs.start(controller, "tracker", words, { uncounted: true });
    this.#tracker = tracker;
    await this.wait("that the tracker listens", () => printedBy(tracker).includes("listening"), [tracker]);
  }

  /** Waits until the source has told the tracker that it lacks nothing. */
  async sourceAnnounced(source: Program): Promise<void> {
    const line = new RegExp(`^${this.source.address.replaceAll(".", "\\.")} left 0$`, "m");
    await this.wait(
      "that the source offers the payload",
      () => this.#tracker !== undefined && line.test(printedBy(this.#tracker)),
      [source],
    );
  }

  async wait(what: string, isSo: () => boolean, mustRun: readonly Program[]): Promise<void> {
    await this.setting.programs.until(what, isSo, {
      milliseconds: toolStartMilliseconds,
      everyMilliseconds: startLookMilliseconds,
      signal: this.setting.signal,
      mustRun: () => mustRun,
    });
  }

  /** A program without arguments that makes a host's marker. */
  hookOf(host: LabHost): string {
    const path = join(this.setting.directory, `${host.name}.hook`);
    writeFileSync(path, `#!/bin/sh\n: > '${this.markerOf(host)}'\n`);
    chmodSync(path, 0o755);
    return path;
  }
}
