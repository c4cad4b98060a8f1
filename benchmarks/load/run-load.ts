/** One run of the load generator: all connect, transfers run for a while, the controller is killed and started again. */
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { UserError } from "#src/std/errors.ts";
import { nanosecondsPerMillisecond } from "#src/std/units.ts";
import { Programs } from "../../demo/programs.ts";
import { cpuSecondsOf, peakBytesOf } from "../process-usage.ts";
import { DueTimes } from "./due-times.ts";
import { InstructionTimes } from "./instruction-times.ts";
import type { InstructionFigures } from "./instruction-times.ts";
import { LoadAgent } from "./load-agent.ts";
import type { LoadWorld } from "./load-agent.ts";
import { agentName, fileSetKey, LoadFleet } from "./load-fleet.ts";
import { Reconnection } from "./reconnection.ts";
import type { ReconnectionFigures } from "./reconnection.ts";

export interface LoadOptions {
  readonly agents: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly transfersPerSecond: number;
  readonly restart: boolean;
  readonly profileDirectory: string | undefined;
  readonly say: (line: string) => void;
}

export interface LoadFigures {
  readonly agents: number;
  readonly seconds: number;
  readonly transfersPerSecond: number;
  readonly instructions: InstructionFigures;
  readonly messagesPerSecond: { readonly toController: number; readonly fromController: number };
  /** Cores: seconds of processor time a second. */
  readonly controllerCores: number;
  readonly generatorCores: number;
  /** The generator's own lateness, which is in all times above. */
  readonly generatorLatestMilliseconds: number;
  readonly controllerPeakBytes: number;
  readonly missedHeartbeats: number;
  readonly longestSilenceMilliseconds: number;
  readonly connectingSeconds: number;
  readonly reconnection: ReconnectionFigures | undefined;
  /** Tickets from before a restart are refused by sources that have heard of the new controller. */
  readonly refusedTickets: number;
  readonly blocksTwice: number;
  readonly holdEverything: number;
  readonly violations: readonly string[];
}

const agentsPerSite = 100;
const connectBatch = 50;
const connectPauseMilliseconds = 20;
/** For all to be back, and for all to have everything, beyond what the rates take. */
const patienceSeconds = 120;
const lookMilliseconds = 50;

export async function runLoad(directory: string, options: LoadOptions): Promise<LoadFigures> {
  const programs = new Programs(join(directory, "logs"));
  const run = new LoadRun(programs, directory, options);
  // However this process ends, nothing that it has started goes on.
  const killAll = (): void => programs.killAll();
  process.on("exit", killAll);
  try {
    return await run.run();
  } finally {
    await run.stop();
    await programs.stopAll();
    process.off("exit", killAll);
  }
}

class LoadRun {
  readonly #programs: Programs;
  readonly #directory: string;
  readonly #options: LoadOptions;
  readonly #times = new DueTimes();
  readonly #instructions = new InstructionTimes();
  readonly #violations: string[] = [];
  #agents: LoadAgent[] = [];

  constructor(programs: Programs, directory: string, options: LoadOptions) {
    this.#programs = programs;
    this.#directory = directory;
    this.#options = options;
  }

  async run(): Promise<LoadFigures> {
    const { agents, seconds, warmUpSeconds, transfersPerSecond, restart, say, profileDirectory } = this.#options;
    const blocks = Math.ceil((transfersPerSecond / agents) * (seconds + warmUpSeconds) * 1.2);
    const sites = Math.max(1, Math.round(agents / agentsPerSite));
    const fleet = await LoadFleet.start(this.#programs, this.#directory, {
      agents,
      sites,
      transfersPerSecond,
      blocks,
      profileDirectory,
    });
    const manifest = await fleet.publish();
    this.#makeAgents(fleet, manifest, sites);
    const connectingSeconds = await this.#connect();
    say(`${agents} agents of ${sites} sites are connected after ${connectingSeconds.toFixed(1)} s`);
    await fleet.setPaused(false);
    await pause(warmUpSeconds * 1_000);
    const measured = await this.#measure(fleet, seconds);
    say(`${Math.round(measured.transfersPerSecond)} transfers a second for ${seconds} s`);
    const lostBefore = this.#lostConnections();
    this.#violations.push(...this.#agents.flatMap((agent) => agent.refusedTickets));
    const reconnection = restart ? await this.#restart(fleet) : undefined;
    await this.#waitForAll(fleet);
    const missed = lostBefore + this.#gone();
    return {
      agents,
      ...measured,
      missedHeartbeats: missed,
      longestSilenceMilliseconds: Math.max(...this.#agents.map((agent) => agent.longestSilenceMilliseconds)),
      connectingSeconds,
      reconnection,
      controllerPeakBytes: Math.max(measured.controllerPeakBytes, peakBytesOf(fleet.controllerProcessId)),
      blocksTwice: this.#agents.reduce((sum, agent) => sum + agent.blocksTwice, 0),
      refusedTickets: this.#agents.reduce((sum, agent) => sum + agent.refusedTickets.length, 0),
      holdEverything: this.#agents.filter((agent) => agent.holds(fileSetKey)).length,
      violations: this.#violations,
    };
  }

  async stop(): Promise<void> {
    this.#times.stop();
    await Promise.all(this.#agents.map(async (agent) => agent.stop()));
  }

  #makeAgents(fleet: LoadFleet, manifest: Uint8Array, sites: number): void {
    const agents = new Map<string, LoadAgent>();
    const world: LoadWorld = {
      url: fleet.url,
      times: this.#times,
      instructions: this.#instructions,
      manifests: new Map([[fileSetKey, manifest]]),
      sharedManifests: new Map(),
      agents,
      violation: (text) => void this.#violations.push(text),
    };
    this.#agents = Array.from({ length: this.#options.agents }, (_, index) => {
      const name = agentName(index);
      const agentId = createHash("sha256").update(name).digest("hex").slice(0, 32);
      const agent = new LoadAgent(world, { agentId, name, site: `site-${index % sites}` });
      agents.set(agentId, agent);
      return agent;
    });
  }

  async #connect(): Promise<number> {
    const startedAt = performance.now();
    for (const [index, agent] of this.#agents.entries()) {
      agent.connect();
      if (index % connectBatch === connectBatch - 1) await pause(connectPauseMilliseconds);
    }
    await this.#until("all agents are welcome", () => this.#agents.every(isWelcome));
    return (performance.now() - startedAt) / 1_000;
  }

  async #measure(fleet: LoadFleet, seconds: number) {
    const startedAt = performance.now();
    const own = process.cpuUsage();
    const before = { cpu: cpuSecondsOf(fleet.controllerProcessId), ...this.#messages() };
    this.#instructions.begin();
    this.#times.takeLatestNanoseconds();
    await pause(seconds * 1_000);
    const took = (performance.now() - startedAt) / 1_000;
    const { user, system } = process.cpuUsage(own);
    const after = this.#messages();
    fleet.check();
    const instructions = this.#instructions.figures();
    return {
      seconds: took,
      transfersPerSecond: instructions.transfers / took,
      instructions,
      messagesPerSecond: {
        toController: (after.sent - before.sent) / took,
        fromController: (after.heard - before.heard) / took,
      },
      controllerCores: (cpuSecondsOf(fleet.controllerProcessId) - before.cpu) / took,
      generatorCores: (user + system) / 1_000_000 / took,
      generatorLatestMilliseconds: this.#times.takeLatestNanoseconds() / nanosecondsPerMillisecond,
      controllerPeakBytes: peakBytesOf(fleet.controllerProcessId),
    };
  }

  async #restart(fleet: LoadFleet): Promise<ReconnectionFigures> {
    const reconnection = new Reconnection(this.#agents);
    await fleet.restartController();
    reconnection.controllerIsBack();
    await this.#until("all agents are back", () => this.#agents.every(isWelcome));
    const figures = reconnection.figures();
    this.#options.say(`all are back ${figures.allBackSeconds.toFixed(1)} s after the controller was killed`);
    return figures;
  }

  async #waitForAll(fleet: LoadFleet): Promise<void> {
    await this.#until("all agents hold everything", () => this.#agents.every((agent) => agent.holds(fileSetKey)));
    // The last reports are on their way.
    for (let looks = 0; (await fleet.held()) < this.#agents.length + 1; looks += 1) {
      if (looks > 100) throw new UserError("the controller does not know of all agents that they hold everything");
      await pause(lookMilliseconds);
    }
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const { seconds, warmUpSeconds } = this.#options;
    const giveUpAt = performance.now() + (patienceSeconds + 3 * (seconds + warmUpSeconds)) * 1_000;
    while (!isSo()) {
      if (performance.now() > giveUpAt) {
        throw new UserError(`waited in vain until ${what}: ${this.#violations[0] ?? "nothing strange was seen"}`);
      }
      await pause(lookMilliseconds);
    }
  }

  #lostConnections(): number {
    return this.#agents.reduce((sum, agent) => sum + agent.lostConnections, 0);
  }

  #messages(): { sent: number; heard: number } {
    let [sent, heard] = [0, 0];
    for (const agent of this.#agents) {
      sent += agent.sentMessages;
      heard += agent.heardMessages;
    }
    return { sent, heard };
  }

  /** Agents that a controller has taken for gone or silent, by its own word. */
  #gone(): number {
    const logs = readdirSync(this.#programs.logDirectory).filter((name) => name.startsWith("controller-"));
    const lines = logs.flatMap((name) => readFileSync(join(this.#programs.logDirectory, name), "utf8").split("\n"));
    return lines.filter((line) => /agent agent-\d+ (?:is gone|has been silent)/.test(line)).length;
  }
}

function isWelcome(agent: LoadAgent): boolean {
  return agent.welcomedAtMilliseconds !== undefined;
}
