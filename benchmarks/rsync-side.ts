/** Rsync's side: a daemon that serves the same files, and for each measurement one client into a new directory. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { UserError } from "#src/std/errors.ts";
import { differences, readTree } from "../demo/trees.ts";
import { lastLineOf } from "../demo/programs.ts";
import type { Program, Programs } from "../demo/programs.ts";
import type { Side } from "./one-to-one.ts";
import { cpuSecondsOf, cpuSecondsOfChildren } from "./process-usage.ts";
import type { Measurement } from "./process-usage.ts";
import type { Workload } from "./workloads.ts";

const startTimeoutMilliseconds = 10_000;

export class RsyncSide implements Side {
  /** What the others are compared with. */
  static readonly reference = "rsync -a --whole-file";
  readonly name = "rsync";
  readonly labels = [RsyncSide.reference, "rsync, then sync -f"];
  readonly #programs: Programs;
  readonly #directory: string;
  readonly #port: number;
  readonly #daemon: Program;

  private constructor(programs: Programs, directory: string, daemon: Program, port: number) {
    this.#programs = programs;
    this.#daemon = daemon;
    this.#directory = directory;
    this.#port = port;
  }

  /** Starts the daemon; undefined where rsync is not installed. */
  static async start(
    programs: Programs,
    directory: string,
    workloads: readonly Workload[],
  ): Promise<RsyncSide | undefined> {
    if (spawnSync("rsync", ["--version"], { stdio: "ignore" }).status !== 0) return undefined;
    mkdirSync(directory);
    const configuration = join(directory, "rsyncd.conf");
    // Started by root it would become nobody, who may not read what we have made.
    const identity = process.getuid?.() === 0 ? ["uid = root", "gid = root"] : [];
    const modules = workloads.flatMap(({ name, directory: path }) => [
      `[${name}]`,
      `path = ${path}`,
      "read only = yes",
    ]);
    writeFileSync(configuration, ["use chroot = no", "reverse lookup = no", ...identity, ...modules, ""].join("\n"));
    const port = await freePort();
    const words = ["--daemon", "--no-detach", `--config=${configuration}`, "--address=127.0.0.1", `--port=${port}`];
    const daemon = programs.start("rsync-daemon", "rsync", words);
    await answering(port, daemon);
    return new RsyncSide(programs, directory, daemon, port);
  }

  async measure(workload: Workload, run: number): Promise<readonly Measurement[]> {
    const target = join(this.#directory, `${workload.name}-${run}`);
    mkdirSync(target);
    const source = `rsync://127.0.0.1:${this.#port}/${workload.name}/`;
    // The client is a child of ours, and the daemon's child, which sends, one of the daemon's.
    const cpuSeconds = (): number => cpuSecondsOfChildren() + cpuSecondsOf(this.#daemon.processId);
    const cpuBefore = cpuSeconds();
    const startedAt = performance.now();
    await this.#run("rsync", ["-a", "--whole-file", source, `${target}/`]);
    const seconds = (performance.now() - startedAt) / 1000;
    const rsyncCpuSeconds = cpuSeconds() - cpuBefore;
    await this.#run("sync", ["-f", target]);
    const durableSeconds = (performance.now() - startedAt) / 1000;
    const durableCpuSeconds = cpuSeconds() - cpuBefore;
    // The directory itself has its original's time from rsync, and is not among its entries.
    const [first] = differences(await readTree(target), workload.tree);
    if (first !== undefined) throw new UserError(`rsync brought something else: ${first}`);
    const unknown = { receiverPeakBytes: Number.NaN, senderPeakBytes: Number.NaN };
    return [
      { seconds, cpuSeconds: rsyncCpuSeconds, ...unknown },
      { seconds: durableSeconds, cpuSeconds: durableCpuSeconds, ...unknown },
    ];
  }

  async #run(command: string, words: readonly string[]): Promise<void> {
    const program = this.#programs.start(command, command, words);
    if ((await program.ended) !== 0) throw new UserError(`${command} failed: ${lastLineOf(program)}`);
  }
}

/** A port of this host that nobody listens at. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Waits until somebody accepts at a port of this host. */
export async function answering(port: number, program: Program): Promise<void> {
  for (const giveUpAt = performance.now() + startTimeoutMilliseconds; performance.now() < giveUpAt; await pause(20)) {
    if (program.end !== undefined) throw new UserError(`${program.name} did not start: ${lastLineOf(program)}`);
    const answers = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true));
      socket.once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (answers) return;
  }
  throw new UserError(`${program.name} does not answer`);
}
