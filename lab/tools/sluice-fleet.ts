/** A controller and agents on the hosts of a lab, as `bin/sluice` starts them. */
import { lstatSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "#src/std/errors.ts";
import type { Topology } from "#src/model/topology.ts";
import { lastLineOf, printedBy, repositoryRoot, type Program } from "../../demo/programs.ts";
import { declaredText } from "../race/declared-text.ts";
import { agentListMilliseconds, startLookMilliseconds, toolStartMilliseconds } from "./limits.ts";
import { agentPort, controllerPort } from "./ports.ts";
import type { ToolSetting } from "./tool.ts";

const program = join(repositoryRoot, "bin", "sluice");

export class SluiceFleet {
  readonly url: string;
  readonly #setting: ToolSetting;
  readonly #agents = new Map<string, Program>();
  readonly #topologyFile: string;
  readonly #sluice: readonly string[];
  #controller: Program | undefined;
  #commands = 0;
  #declared: Topology;

  constructor(setting: ToolSetting) {
    this.#setting = setting;
    const { profileDirectory } = setting;
    const profile = profileDirectory === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDirectory}`];
    this.#sluice = [process.execPath, ...profile, program];
    this.#declared = setting.race.declared;
    this.#topologyFile = join(setting.directory, "topology.yaml");
    this.url = `http://${setting.lab.plan.controller.address}:${controllerPort}`;
  }

  /** Starts everything and waits until every agent has reached the controller. @throws UserError */
  async start(): Promise<void> {
    const { race, programs, signal } = this.#setting;
    const words = declaredText(this.#declared, race.scenario.agents);
    if (words !== undefined) writeFileSync(this.#topologyFile, words);
    this.startController();
    for (const agent of race.scenario.agents) this.startAgent(agent.name);
    const all = this.running();
    await programs.until("that every program listens", () => all.every(listens), {
      milliseconds: toolStartMilliseconds,
      everyMilliseconds: startLookMilliseconds,
      signal,
      mustRun: () => this.running(),
    });
    let online = 0;
    let asked: Program | undefined;
    await programs.until(
      "that every agent reaches the controller",
      () => {
        if (asked?.end === undefined && asked !== undefined) return false;
        if (asked !== undefined) online = countOnline(asked);
        if (online < race.scenario.agents.length) asked = this.command("agents", ["agent", "ls", "--json"]);
        return online >= race.scenario.agents.length;
      },
      {
        milliseconds: toolStartMilliseconds,
        everyMilliseconds: agentListMilliseconds,
        signal,
        mustRun: () => this.running(),
      },
    );
  }

  startController(): void {
    const { lab, directory, programs } = this.#setting;
    const topology = this.#declared.isUnlimited ? [] : ["--topology", this.#topologyFile];
    this.#controller = programs.start(lab.plan.controller, "controller", [
      ...[...this.#sluice, "controller", "--data", join(directory, "controller")],
      ...["--listen", `${lab.plan.controller.address}:${controllerPort}`, ...topology],
    ]);
  }

  startAgent(name: string): void {
    const { lab, race, programs } = this.#setting;
    const host = lab.host(name);
    const labels = race.scenario.agents.find((agent) => agent.name === name)?.labels ?? {};
    const agent = programs.start(host, name, [
      ...[...this.#sluice, "agent", "--controller", this.url, "--data", this.dataOf(name)],
      ...["--name", name, "--site", host.site, "--listen", `${host.address}:${agentPort}`],
      ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
    ]);
    this.#agents.set(name, agent);
  }

  /** Kills an agent, or the controller. */
  async kill(name: string): Promise<void> {
    const program = name === "controller" ? this.#controller : this.#agents.get(name);
    if (name === "controller") this.#controller = undefined;
    this.#agents.delete(name);
    if (program !== undefined) await this.#setting.programs.kill(program);
  }

  /** Tells the controller of another capability, if the resource is one that was declared to it. */
  declare(resource: string, bitsPerSecond: number): void {
    this.#declared = this.#declared.withCapability(resource, bitsPerSecond);
    const text = declaredText(this.#declared, this.#setting.race.scenario.agents);
    if (text !== undefined) writeFileSync(this.#topologyFile, text);
    // It reads the file again; a command would take half a second to start.
    if (this.#controller !== undefined) process.kill(this.#controller.processId, "SIGHUP");
  }

  /** Runs a command line on the controller's host; its output in a log file of its own. */
  command(name: string, words: readonly string[]): Program {
    const { lab, programs } = this.#setting;
    this.#commands += 1;
    const all = [...this.#sluice, ...words, "--controller", this.url];
    return programs.start(lab.plan.controller, `${name}-${this.#commands}`, all, { uncounted: true });
  }

  /** Starts a publisher on a host. */
  publisher(host: string, name: string, words: readonly string[]): Program {
    const { lab, programs } = this.#setting;
    return programs.start(lab.host(host), name, [...this.#sluice, "publish", "--controller", this.url, ...words]);
  }

  /** Everything that must not end by itself. */
  running(): Program[] {
    return [...(this.#controller === undefined ? [] : [this.#controller]), ...this.#agents.values()];
  }

  dataOf(agent: string): string {
    return join(this.#setting.directory, "agents", agent);
  }

  treeOf(agent: string, fileSet: string, version: string): string {
    return join(this.dataOf(agent), "filesets", fileSet, version);
  }

  /** When `current` moved to this version on an agent, in milliseconds since 1970; undefined: it has not. */
  currentSince(agent: string, fileSet: string, version: string): number | undefined {
    const link = join(this.dataOf(agent), "filesets", fileSet, "current");
    try {
      return readlinkSync(link) === version ? lstatSync(link).ctimeMs : undefined;
    } catch {
      return undefined;
    }
  }
}

function listens(program: Program): boolean {
  return /^listening on /m.test(printedBy(program));
}

function countOnline(program: Program): number {
  try {
    const agents = JSON.parse(printedBy(program)) as { readonly online: boolean }[];
    return agents.filter(({ online }) => online).length;
  } catch {
    throw new UserError(`the agents cannot be listed: ${lastLineOf(program)}`);
  }
}
