/** BitTorrent programs: one that has it all and serves, and for each measurement one that fetches into a new directory. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { UserError } from "#src/std/errors.ts";
import { lastLineOf, repositoryRoot } from "../demo/programs.ts";
import type { Program, Programs } from "../demo/programs.ts";
import { differences, readTree } from "../demo/trees.ts";
import type { Tree } from "../demo/trees.ts";
import type { Side } from "./one-to-one.ts";
import { cpuSecondsOf, cpuSecondsOfChildren, forgetPeak, peakBytesOf } from "./process-usage.ts";
import type { Measurement } from "./process-usage.ts";
import { answering, freePort } from "./rsync-side.ts";
import { makeTorrent, startTracker } from "./torrent.ts";
import type { Workload } from "./workloads.ts";

const pieceBytes = 1024 * 1024;
const lookMilliseconds = 20;
/** Debian's packages belong to this one, whichever other is in front of it. */
const python = "/usr/bin/python3";
const script = join(repositoryRoot, "benchmarks", "libtorrent-end.py");

/** What is started: command and words. */
type CommandLine = readonly [command: string, words: readonly string[]];

interface Tool {
  readonly name: string;
  readonly isInstalled: () => boolean;
  readonly seed: (torrent: string, parent: string, port: number) => CommandLine;
  readonly fetch: (torrent: string, parent: string, peerPort: number) => CommandLine;
}

const ariaWords = [
  ...["--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false", "--bt-tracker-interval=2"],
  ...["--bt-max-peers=0", "--bt-request-peer-speed-limit=100M", "--file-allocation=none", "--disk-cache=64M"],
  ...["--allow-overwrite=true", "--summary-interval=0", "--console-log-level=warn"],
];

export const torrentTools: readonly Tool[] = [
  {
    name: "libtorrent",
    isInstalled: () => spawnSync(python, ["-c", "import libtorrent"], { stdio: "ignore" }).status === 0,
    seed: (torrent, parent, port) => [python, [script, "seed", torrent, parent, String(port)]],
    fetch: (torrent, parent, peerPort) => [python, [script, "fetch", torrent, parent, String(peerPort)]],
  },
  {
    name: "aria2",
    isInstalled: () => spawnSync("aria2c", ["--version"], { stdio: "ignore" }).status === 0,
    seed: (torrent, parent, port) => {
      const words = [`--dir=${parent}`, `--listen-port=${port}`, "--bt-seed-unverified=true", "--seed-ratio=0.0"];
      return ["aria2c", [...ariaWords, ...words, torrent]];
    },
    fetch: (torrent, parent) => ["aria2c", [...ariaWords, `--dir=${parent}`, "--seed-time=0", torrent]],
  },
];

interface Served {
  readonly torrent: string;
  readonly port: number;
  readonly seed: Program;
}

export class TorrentSide implements Side {
  readonly name: string;
  readonly labels: readonly string[];
  readonly #tool: Tool;
  readonly #programs: Programs;
  readonly #directory: string;
  readonly #served = new Map<string, Served>();

  private constructor(tool: Tool, programs: Programs, directory: string) {
    this.name = tool.name;
    this.labels = [tool.name];
    this.#tool = tool;
    this.#programs = programs;
    this.#directory = directory;
  }

  /** Makes the checksums and starts what serves; undefined where the tool is not installed. */
  static async start(
    tool: Tool,
    programs: Programs,
    directory: string,
    workloads: readonly Workload[],
  ): Promise<TorrentSide | undefined> {
    if (!tool.isInstalled()) return undefined;
    const side = new TorrentSide(tool, programs, directory);
    mkdirSync(directory);
    for (const workload of workloads) {
      const port = await freePort();
      const { url } = await startTracker(port);
      const torrent = join(directory, `${workload.name}.torrent`);
      const files = [...workload.tree].flatMap(([path, line]) => (line.startsWith("file ") ? [path] : []));
      writeFileSync(torrent, makeTorrent(workload.directory, files, pieceBytes, url));
      const seed = programs.start(`${tool.name}-seed`, ...tool.seed(torrent, dirname(workload.directory), port));
      await answering(port, seed);
      side.#served.set(workload.name, { torrent, port, seed });
    }
    return side;
  }

  async measure(workload: Workload, run: number): Promise<readonly Measurement[]> {
    const served = this.#served.get(workload.name);
    if (served === undefined) throw new UserError(`${this.name} does not serve ${workload.name}`);
    const target = join(this.#directory, `${workload.name}-${run}`);
    mkdirSync(target);
    forgetPeak(served.seed.processId);
    const cpuSeconds = (): number => cpuSecondsOfChildren() + cpuSecondsOf(served.seed.processId);
    const cpuBefore = cpuSeconds();
    const startedAt = performance.now();
    const fetch = this.#programs.start(this.name, ...this.#tool.fetch(served.torrent, target, served.port));
    let receiverPeakBytes = Number.NaN;
    while (fetch.end === undefined) {
      await Promise.race([fetch.ended, pause(lookMilliseconds)]);
      const peakBytes = peakBytesOf(fetch.processId);
      if (!Number.isNaN(peakBytes)) receiverPeakBytes = peakBytes;
    }
    const seconds = (performance.now() - startedAt) / 1000;
    if ((await fetch.ended) !== 0) throw new UserError(`${this.name} failed: ${lastLineOf(fetch)}`);
    const senderPeakBytes = peakBytesOf(served.seed.processId);
    const measurement = { seconds, cpuSeconds: cpuSeconds() - cpuBefore, receiverPeakBytes, senderPeakBytes };
    // Neither brings modes and times: only what is in the files is compared.
    const brought = await readTree(join(target, workload.name));
    const [first] = differences(contentOf(brought), contentOf(workload.tree));
    if (first !== undefined) throw new UserError(`${this.name} brought something else: ${first}`);
    return [measurement];
  }
}

/** A tree without modes and times. */
function contentOf(tree: Tree): Tree {
  return new Map(
    [...tree].map(([path, line]) => {
      const [kind = "", ...others] = line.split(" ");
      return [path, kind === "directory" ? kind : [kind, ...others.slice(2)].join(" ")];
    }),
  );
}
