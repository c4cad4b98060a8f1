/**
 * Sluice's side: a controller without a topology, a first agent that holds everything, and for each measurement a new
 * second agent that is online and waits while the file set is paused. The clock runs from the order to resume until the
 * second agent's `current` points to the version: everything there, verified and durable.
 */
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ControllerClient } from "#src/cli/controller-client.ts";
import { UserError } from "#src/std/errors.ts";
import { differences, readTree } from "../demo/trees.ts";
import { lastLineOf } from "../demo/programs.ts";
import type { Program, Programs } from "../demo/programs.ts";
import type { Side } from "./one-to-one.ts";
import { cpuSecondsOf, forgetPeak, peakBytesOf } from "./process-usage.ts";
import type { Measurement } from "./process-usage.ts";
import type { Workload } from "./workloads.ts";

const version = "1";
const site = "here";
const onlineTimeoutMilliseconds = 30_000;
const transferTimeoutMilliseconds = 300_000;
const lookMilliseconds = 4;

export class SluiceSide implements Side {
  readonly name = "sluice";
  readonly labels = ["sluice"];
  readonly #programs: Programs;
  readonly #directory: string;
  readonly #url: string;
  readonly #client: ControllerClient;
  readonly #controller: Program;
  #first: Program | undefined;

  private constructor(programs: Programs, directory: string, controller: Program, url: string) {
    this.#programs = programs;
    this.#directory = directory;
    this.#controller = controller;
    this.#url = url;
    this.#client = new ControllerClient({ url, connectTimeoutMilliseconds: 5_000 });
  }

  /** Starts the controller and the first agent, and publishes to it. */
  static async start(programs: Programs, directory: string, workloads: readonly Workload[]): Promise<SluiceSide> {
    const data = join(directory, "controller");
    const controller = programs.sluice("controller", ["controller", "--data", data, "--listen", "127.0.0.1:0"]);
    const side = new SluiceSide(programs, directory, controller, await programs.listening(controller));
    side.#first = await side.#startAgent("first");
    for (const workload of workloads) {
      const words = ["--controller", side.#url, "--fileset", workload.name, "--version", version];
      const publish = programs.sluice(`publish-${workload.name}`, [
        ...["publish", workload.directory, ...words, "--agent", "first", "--to", "all", "--wait", "--timeout", "5m"],
      ]);
      if ((await publish.ended) !== 0) throw new UserError(`publishing failed: ${lastLineOf(publish)}`);
      await side.#client.setPaused(workload.name, version, true);
      // As warm as the originals, which the others serve.
      await readTree(join(directory, "first", "filesets", workload.name, version));
    }
    return side;
  }

  async measure(workload: Workload, run: number): Promise<readonly Measurement[]> {
    const name = `${workload.name}-${run}`;
    const agent = await this.#startAgent(name);
    const fileSet = join(this.#directory, name, "filesets", workload.name);
    // It has been told of the file set, and waits.
    await pause(500);
    const agents = [agent, ...(this.#first === undefined ? [] : [this.#first])];
    for (const { processId } of agents) forgetPeak(processId);
    const cpuSeconds = (): number =>
      [...agents, this.#controller].reduce((sum, { processId }) => sum + cpuSecondsOf(processId), 0);
    const cpuBefore = cpuSeconds();
    const startedAt = performance.now();
    await this.#client.setPaused(workload.name, version, false);
    while (linkAt(join(fileSet, "current")) !== version) {
      if (performance.now() - startedAt > transferTimeoutMilliseconds) throw new UserError(`${name} does not finish`);
      this.#programs.check([agent]);
      await pause(lookMilliseconds);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const measurement = {
      seconds,
      cpuSeconds: cpuSeconds() - cpuBefore,
      receiverPeakBytes: peakBytesOf(agent.processId),
      senderPeakBytes: this.#first === undefined ? Number.NaN : peakBytesOf(this.#first.processId),
    };
    await this.#client.setPaused(workload.name, version, true);
    await this.#programs.stop(agent);
    const [first] = differences(await readTree(join(fileSet, version)), workload.tree);
    if (first !== undefined) throw new UserError(`${name} holds something else: ${first}`);
    return [measurement];
  }

  async #startAgent(name: string): Promise<Program> {
    const program = this.#programs.sluice(name, [
      ...["agent", "--controller", this.#url, "--data", join(this.#directory, name)],
      ...["--name", name, "--site", site, "--listen", "127.0.0.1:0"],
    ]);
    await this.#programs.listening(program);
    for (const giveUpAt = performance.now() + onlineTimeoutMilliseconds; ; await pause(20)) {
      this.#programs.check([program]);
      const agents = await this.#client.agents();
      if (agents.some((agent) => agent.name === name && agent.online)) return program;
      if (performance.now() > giveUpAt) throw new UserError(`${name} does not reach the controller`);
    }
  }
}

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
