/**
 * npm run bench:one-to-one: from one agent to another on this machine, without limits, beside `rsync -a --whole-file` from
 * a daemon on this machine in the same run, and libtorrent and aria2 where they are installed. It prints a table in Markdown, and what each side's time includes.
 *
 * Several runs in turn, each into directories that are new; everything that arrives is compared with the original by
 * SHA-256, outside the clock. Nothing is deleted before the last measurement: that would slow down what follows.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "#src/std/errors.ts";
import { formatBytes, parseBytes } from "#src/std/units.ts";
import { Programs } from "../demo/programs.ts";
import type { Measurement } from "./process-usage.ts";
import { RsyncSide } from "./rsync-side.ts";
import { SluiceSide } from "./sluice-side.ts";
import { TorrentSide, torrentTools } from "./torrent-side.ts";
import { makeWorkloads, payloadBytes } from "./workloads.ts";
import type { Workload } from "./workloads.ts";

const usage = `npm run bench:one-to-one [-- options]

  --runs <count>      how often each is measured (3)
  --size <size>       of the one large file (2GiB)
  --files <count>     how many files of 8 KiB (20000)
  --directory <path>  where to work; a new directory is made there (the place for temporary files)
`;

interface Options {
  readonly runs: number;
  readonly sizeBytes: number;
  readonly files: number;
  readonly parent: string;
}

/** One way to get a directory from one place to another. */
export interface Side {
  readonly name: string;
  /** Gets the workload into a new directory, compares it, and says what that took: for each of `labels` one. */
  measure(workload: Workload, run: number): Promise<readonly Measurement[]>;
  readonly labels: readonly string[];
}

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: "string", default: "3" },
        size: { type: "string", default: "2GiB" },
        files: { type: "string", default: "20000" },
        directory: { type: "string", default: tmpdir() },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      process.stdout.write(usage);
      return 0;
    }
    options = {
      runs: positive(values.runs),
      sizeBytes: parseBytes(values.size),
      files: positive(values.files),
      parent: values.directory,
    };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return 2;
  }
  return inDirectory(options);
}

function positive(text: string): number {
  if (!/^[1-9][0-9]{0,6}$/.test(text)) throw new UserError(`${text} is not a count`);
  return Number(text);
}

async function inDirectory(options: Options): Promise<number> {
  const directory = mkdtempSync(join(options.parent, "sluice-benchmark-"));
  const programs = new Programs(join(directory, "logs"));
  process.on("exit", () => programs.killAll());
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      programs.killAll();
      rmSync(directory, { recursive: true, force: true });
      process.exit(1);
    });
  }
  let keep = false;
  try {
    await checkDisk(directory, options);
    await benchmark(programs, directory, options);
    return 0;
  } catch (error) {
    keep = true;
    const message = error instanceof UserError ? error.message : error instanceof Error ? error.stack : String(error);
    process.stderr.write(`${message}\nwhat was there is left in ${directory}\n`);
    return 1;
  } finally {
    await programs.stopAll();
    if (!keep) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function checkDisk(directory: string, options: Options): Promise<void> {
  // The original, the first agent's copy where the file system cannot share, and what arrives by four tools at most.
  const needed = payloadBytes(options.sizeBytes, options.files) * (2 + 4 * options.runs);
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= needed) return;
  throw new UserError(`${formatBytes(needed)} are needed, ${formatBytes(bavail * bsize)} are free: see --directory`);
}

async function benchmark(programs: Programs, directory: string, options: Options): Promise<void> {
  say("making the files");
  const workloads = await makeWorkloads(join(directory, "source"), options.sizeBytes, options.files);
  say("publishing them to the first agent");
  const sides: Side[] = [await SluiceSide.start(programs, join(directory, "sluice"), workloads)];
  const rsync = await RsyncSide.start(programs, join(directory, "rsync"), workloads);
  if (rsync === undefined) say("rsync is not installed and is left out: it is the Debian package `rsync`");
  else sides.push(rsync);
  for (const tool of torrentTools) {
    const side = await TorrentSide.start(tool, programs, join(directory, tool.name), workloads);
    if (side === undefined) say(`${tool.name} is not installed and is left out`);
    else sides.push(side);
  }
  const measured = new Map<string, Measurement[]>();
  for (let run = 1; run <= options.runs; run += 1) {
    for (const workload of workloads) {
      for (const side of run % 2 === 1 ? sides : sides.toReversed()) {
        await settle(programs);
        for (const [index, measurement] of (await side.measure(workload, run)).entries()) {
          const label = side.labels[index] ?? side.name;
          const key = `${workload.name}/${label}`;
          measured.set(key, [...(measured.get(key) ?? []), measurement]);
          const { seconds, cpuSeconds } = measurement;
          say(`run ${run}: ${workload.title}, ${label}: ${seconds.toFixed(2)} s, processor ${cpuSeconds.toFixed(2)} s`);
        }
      }
    }
  }
  process.stdout.write(`\n${report(workloads, sides, measured)}`);
}

/** What the last run wrote goes to the disk before the next one begins. */
async function settle(programs: Programs): Promise<void> {
  await programs.start("sync", "sync", []).ended;
}

function say(text: string): void {
  process.stderr.write(`- ${text}\n`);
}

function report(workloads: readonly Workload[], sides: readonly Side[], measured: Map<string, Measurement[]>): string {
  const lines = [
    "| | each run, s | median, s | GB/s | time / rsync | CPU s/GB | receiver, MiB | sender, MiB |",
    "|---|---|---|---|---|---|---|---|",
  ];
  for (const { name, title, bytes } of workloads) {
    const reference = measured.get(`${name}/${RsyncSide.reference}`)?.map(({ seconds }) => seconds);
    for (const label of sides.flatMap((side) => side.labels)) {
      const runs = measured.get(`${name}/${label}`) ?? [];
      const middle = median(runs.map(({ seconds }) => seconds));
      const cells = [
        `${title}, ${label}`,
        runs.map(({ seconds }) => seconds.toFixed(2)).join(", "),
        middle.toFixed(2),
        (bytes / middle / 1e9).toFixed(2),
        reference === undefined ? "-" : (middle / median(reference)).toFixed(2),
        shown(median(runs.map(({ cpuSeconds }) => cpuSeconds)) / (bytes / 1e9), 2),
        shown(Math.max(...runs.map(({ receiverPeakBytes }) => receiverPeakBytes)) / 2 ** 20, 0),
        shown(Math.max(...runs.map(({ senderPeakBytes }) => senderPeakBytes)) / 2 ** 20, 0),
      ];
      lines.push(`| ${cells.join(" | ")} |`);
    }
  }
  const processor = cpus()[0]?.model.trim() ?? "unknown processor";
  return `${lines.join("\n")}

Node.js ${process.version}, Linux ${release()}, ${cpus().length} x ${processor}; page cache warm on the sending side.
sluice: from \`fileset resume\` to the second agent's \`current\` link: manifest, transfer, BLAKE3 of every block before it is
written, everything flushed to the disk (fsync). rsync: from its start to its end; it flushes nothing, so its second line
adds \`sync -f\`. libtorrent, aria2: from the start of the fetching program to its end, pieces of 1 MiB hashed before; they
flush nothing either. CPU s/GB is of all processes that took part, ours with the controller; MiB are what was resident at
most.
`;
}

function shown(value: number, digits: number): string {
  return Number.isNaN(value) ? "-" : value.toFixed(digits);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}
