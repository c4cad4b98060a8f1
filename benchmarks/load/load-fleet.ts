/**
 * What the agents of the load generator connect to: a real controller, a real agent that is the origin, and a file set that
 * the real publisher has published to it; all of them programs of their own.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { ControllerClient } from "#src/cli/controller-client.ts";
import { ControllerApi } from "#src/services/publisher/controller-api.ts";
import { UserError } from "#src/std/errors.ts";
import { lastLineOf, repositoryRoot } from "../../demo/programs.ts";
import type { Program, Programs } from "../../demo/programs.ts";
import { wireBitsPerByte } from "./virtual-lanes.ts";

export const fileSetName = "load";
export const fileSetKey = `${fileSetName}@1`;
export const originName = "origin";
const version = "1";

/** A file of one block: the smallest that there are in number. */
const blockBytes = 16 * 1024;
/** What the origin, and a site's link, carry of what one agent's interface does. */
const originFactor = 100;
const siteFactor = 20;
const onlineTimeoutMilliseconds = 60_000;

export interface FleetShape {
  readonly agents: number;
  readonly sites: number;
  /** Of all agents together, when all of them are busy. */
  readonly transfersPerSecond: number;
  /** Blocks that each agent gets. */
  readonly blocks: number;
  readonly profileDirectory: string | undefined;
}

export class LoadFleet {
  readonly client: ControllerClient;
  readonly url: string;
  readonly #programs: Programs;
  readonly #directory: string;
  readonly #shape: FleetShape;
  #controller: Program;

  private constructor(programs: Programs, directory: string, shape: FleetShape, controller: Program, url: string) {
    this.#programs = programs;
    this.#directory = directory;
    this.#shape = shape;
    this.#controller = controller;
    this.url = url;
    this.client = new ControllerClient({ url, connectTimeoutMilliseconds: 30_000 });
  }

  static async start(programs: Programs, directory: string, shape: FleetShape): Promise<LoadFleet> {
    writeFileSync(join(directory, "topology.yaml"), stringify(topologyOf(shape)));
    const controller = startController(programs, directory, shape, "127.0.0.1:0");
    return new LoadFleet(programs, directory, shape, controller, await programs.listening(controller));
  }

  get controllerProcessId(): number {
    return this.#controller.processId;
  }

  /** Publishes to the origin. The file set is paused, so that nothing begins before all are there. */
  async publish(): Promise<Uint8Array> {
    const content = join(this.#directory, "content");
    mkdirSync(content);
    for (let file = 0; file < this.#shape.blocks; file += 1) {
      writeFileSync(join(content, String(file).padStart(6, "0")), randomBytes(blockBytes));
    }
    const origin = this.#programs.sluice(originName, [
      ...["agent", "--controller", this.url, "--data", join(this.#directory, originName), "--name", originName],
      ...["--site", "site-0", "--listen", "127.0.0.1:0"],
    ]);
    await this.#programs.listening(origin);
    await this.waitOnline(1);
    const publish = this.#programs.sluice("publish", [
      ...["publish", content, "--controller", this.url, "--fileset", fileSetName, "--version", version],
      ...["--agent", originName, "--to", "all", "--wait", "--timeout", "5m"],
    ]);
    if ((await publish.ended) !== 0) throw new UserError(`publishing failed: ${lastLineOf(publish)}`);
    await this.setPaused(true);
    const { signal } = new AbortController();
    const api = new ControllerApi({ url: this.url, patienceMilliseconds: 10_000, signal });
    const base = await api.baseManifest(fileSetName, version);
    if (base === undefined) throw new UserError("the controller has no manifest of what was published");
    return base.bytes;
  }

  async setPaused(isPaused: boolean): Promise<void> {
    await this.client.setPaused(fileSetName, version, isPaused);
  }

  async online(): Promise<number> {
    return (await this.client.agents()).filter(({ online }) => online).length;
  }

  /** Agents that hold all of the file set, as the controller knows it. */
  async held(): Promise<number> {
    const api = new ControllerApi({
      url: this.url,
      patienceMilliseconds: 10_000,
      signal: new AbortController().signal,
    });
    return (await api.versionDetail(fileSetName, version))?.counts.held ?? 0;
  }

  async waitOnline(count: number): Promise<void> {
    for (const giveUpAt = performance.now() + onlineTimeoutMilliseconds; (await this.online()) < count;) {
      this.#programs.check([this.#controller]);
      if (performance.now() > giveUpAt) throw new UserError(`not all of ${count} agents get to the controller`);
      await pause(100);
    }
  }

  /** Ends the controller where it stands, and starts it again with the same data on the same port. */
  async restartController(): Promise<void> {
    process.kill(this.#controller.processId, "SIGKILL");
    await this.#controller.ended;
    this.#controller = startController(this.#programs, this.#directory, this.#shape, new URL(this.url).host);
    await this.#programs.listening(this.#controller);
  }

  check(): void {
    this.#programs.check([this.#controller]);
  }

  async stopController(): Promise<void> {
    await this.#programs.stop(this.#controller);
  }
}

let starts = 0;

function startController(programs: Programs, directory: string, shape: FleetShape, listen: string): Program {
  starts += 1;
  const words = [
    ...["controller", "--data", join(directory, "controller"), "--topology", join(directory, "topology.yaml")],
    ...["--listen", listen],
  ];
  const profile = shape.profileDirectory;
  const flags = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const script = join(repositoryRoot, "bin", "sluice");
  return programs.start(`controller-${starts}`, process.execPath, [...flags, script, ...words]);
}

/** Each agent's interface carries its part of all transfers, one at a time. */
function topologyOf({ agents, sites, transfersPerSecond }: FleetShape): object {
  const rateOfAgent = Math.ceil((transfersPerSecond / agents) * blockBytes * wireBitsPerByte);
  const nic = `${rateOfAgent}bps`;
  const link = `${rateOfAgent * siteFactor}bps`;
  const origin = `${rateOfAgent * originFactor}bps`;
  const siteNames = Array.from({ length: sites }, (_, index) => `site-${index}`);
  const first = `${rateOfAgent * (siteFactor + originFactor)}bps`;
  const linkOf = (site: string): object =>
    site === "site-0" ? { uplink: first, downlink: link } : { uplink: link, downlink: link };
  return {
    sites: Object.fromEntries(siteNames.map((site) => [site, linkOf(site)])),
    agents: {
      [originName]: { nic: { up: origin, down: origin } },
      ...Object.fromEntries(
        Array.from({ length: agents }, (_, index) => [agentName(index), { nic: { up: nic, down: nic } }]),
      ),
    },
  };
}

export function agentName(index: number): string {
  return `agent-${index}`;
}
