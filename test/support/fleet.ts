/**
 * A fleet for a test: a controller and agents as real processes over loopback, each with a directory of its own, and the
 * commands of the command line. Everything is stopped at the end, also when the test fails; then it says what each
 * program printed last, and leaves the logs where they are.
 */
import { strict as assert } from "node:assert";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { stringify } from "yaml";
import { z } from "zod";
import {
  agentViewSchema,
  resourceViewSchema,
  statusViewSchema,
  versionDetailSchema,
  versionSummarySchema,
} from "#src/protocol/views.ts";
import type { AgentView, ResourceView, StatusView, VersionDetail, VersionSummary } from "#src/protocol/views.ts";
import { Program } from "./program.ts";
import type { Outcome, ProgramOptions } from "./program.ts";
import { Relay } from "./relay.ts";
import { describeTree, treeDifferences } from "./trees.ts";
import { waitUntil, within } from "./waiting.ts";

export interface AgentSpec {
  readonly name: string;
  readonly site: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** More words of its command line. */
  readonly flags?: readonly string[];
  /** Others reach it through a relay. */
  readonly relayed?: boolean;
}

export interface FleetOptions {
  /** In the grammar of topologies, written down as YAML for the controller. */
  readonly topology?: object;
  readonly controllerFlags?: readonly string[];
  /** Started at once. */
  readonly agents?: readonly AgentSpec[];
}

/** A member of the fleet: what it is, and the process that it is at the moment. */
export interface Member {
  readonly spec: AgentSpec;
  readonly directory: string;
  readonly relay: Relay | undefined;
  program: Program;
  url: string;
}

const defaultTimeoutMilliseconds = 60_000;
const commandTimeoutMilliseconds = 60_000;
const logTailLines = 25;

/** Agents of sites by their number: `{ fra: 2 }` gives fra-0 and fra-1. */
export function agentsOf(counts: Readonly<Record<string, number>>, more: Partial<AgentSpec> = {}): AgentSpec[] {
  return Object.entries(counts).flatMap(([site, count]) =>
    Array.from({ length: count }, (_, index) => ({ ...more, name: `${site}-${index}`, site })),
  );
}

/** A test with a fleet of its own. */
export function fleetTest(
  name: string,
  options: FleetOptions & { readonly timeoutMilliseconds?: number; readonly skip?: string | false },
  body: (fleet: Fleet) => Promise<void>,
): void {
  it(name, { skip: options.skip ?? false }, async (context) => {
    const fleet = new Fleet(await mkdtemp(join(tmpdir(), "sluice-test-")), options);
    let failed = true;
    try {
      const timeout = options.timeoutMilliseconds ?? defaultTimeoutMilliseconds;
      await within(
        "the whole test",
        timeout,
        (async () => {
          await fleet.start();
          await body(fleet);
        })(),
      );
      failed = false;
    } finally {
      if (failed) context.diagnostic(fleet.logTails());
      await fleet.end(failed);
    }
  });
}

export class Fleet {
  readonly directory: string;
  readonly members = new Map<string, Member>();
  readonly #options: FleetOptions;
  readonly #programs: Program[] = [];
  #controller: Program | undefined;
  #url = "";

  constructor(directory: string, options: FleetOptions) {
    this.directory = directory;
    this.#options = options;
    mkdirSync(join(directory, "logs"));
  }

  /** The controller's. */
  get url(): string {
    return this.#url;
  }

  get controller(): Program {
    assert.ok(this.#controller, "the controller was not started");
    return this.#controller;
  }

  get topologyFile(): string {
    return join(this.directory, "topology.yaml");
  }

  async start(): Promise<void> {
    const { topology, agents = [] } = this.#options;
    if (topology !== undefined) await writeFile(this.topologyFile, stringify(topology));
    await this.startController();
    await Promise.all(agents.map(async (spec) => this.startAgent(spec)));
    if (agents.length > 0) await this.waitOnline(agents.map(({ name }) => name));
  }

  /** Starts the controller, or starts it again with the same data on the same port. */
  async startController(): Promise<void> {
    const { topology, controllerFlags = [] } = this.#options;
    const listen = this.#url === "" ? "127.0.0.1:0" : new URL(this.#url).host;
    this.#controller = this.#program("controller", [
      "controller",
      ...["--data", join(this.directory, "controller"), "--listen", listen],
      ...(topology === undefined ? [] : ["--topology", this.topologyFile]),
      ...controllerFlags,
    ]);
    this.#url = await this.#controller.listening();
  }

  /** The words that start an agent, for those who want to start it in another way. */
  agentWords(spec: AgentSpec, listen: string = "127.0.0.1:0", advertise?: string): string[] {
    const { name, site, labels = {}, flags = [] } = spec;
    return [
      "agent",
      ...["--controller", this.#url, "--data", this.dataOf(name), "--name", name, "--site", site, "--listen", listen],
      ...(advertise === undefined ? [] : ["--advertise", advertise]),
      ...Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]),
      ...flags,
    ];
  }

  /** Starts an agent; resolves when it listens. */
  async startAgent(spec: AgentSpec): Promise<Member> {
    const relay = spec.relayed ? await Relay.start() : undefined;
    const program = this.#program(spec.name, this.agentWords(spec, undefined, relay?.address));
    const member: Member = { spec, directory: this.dataOf(spec.name), relay, program, url: "" };
    this.members.set(spec.name, member);
    member.url = await program.listening();
    relay?.lead(member.url);
    return member;
  }

  /** Starts an agent that has ended again: the same data, the same port. */
  async restartAgent(name: string): Promise<void> {
    const member = this.member(name);
    const words = this.agentWords(member.spec, new URL(member.url).host, member.relay?.address);
    member.program = this.#program(name, words);
    member.url = await member.program.listening();
  }

  member(name: string): Member {
    const member = this.members.get(name);
    assert.ok(member, `there is no agent ${name}`);
    return member;
  }

  relay(name: string): Relay {
    const { relay } = this.member(name);
    assert.ok(relay, `${name} has no relay`);
    return relay;
  }

  /** The data directory of an agent, whether or not there is one of this name. */
  dataOf(name: string): string {
    return join(this.directory, name);
  }

  /** Where a version stands on an agent. */
  tree(agent: string, fileSet: string, version: string): string {
    return join(this.dataOf(agent), "filesets", fileSet, version);
  }

  /** Makes a directory for the test itself. */
  async makeDirectory(name: string): Promise<string> {
    const path = join(this.directory, name);
    await mkdir(path, { recursive: true });
    return path;
  }

  /** Starts a command that goes on while the test does other things. */
  begin(words: readonly string[], options: ProgramOptions = {}): Program {
    return this.#program("commands", words, options);
  }

  /** Runs a command to its end. */
  async run(...words: string[]): Promise<Outcome> {
    const program = this.begin(words);
    program.input.end();
    return within(`sluice ${words.join(" ")}`, commandTimeoutMilliseconds, program.ended);
  }

  /** Runs a command that must succeed. @returns what it printed */
  async must(...words: string[]): Promise<string> {
    const { code, signal, out, error } = await this.run(...words);
    assert.equal(code, 0, `sluice ${words.join(" ")} ended with ${signal ?? code}: ${error}${out}`);
    return out;
  }

  /** Publishes and waits until all targets hold it. */
  async publish(path: string, name: string, version: string, ...flags: string[]): Promise<string> {
    return this.must("publish", path, "--fileset", name, "--version", version, "--wait", "--timeout", "50s", ...flags);
  }

  agents = async (): Promise<AgentView[]> => this.#get("/v1/agents", z.array(agentViewSchema));
  resources = async (): Promise<ResourceView[]> => this.#get("/v1/resources", z.array(resourceViewSchema));
  status = async (): Promise<StatusView> => this.#get("/v1/status", statusViewSchema);
  versions = async (): Promise<VersionSummary[]> => this.#get("/v1/filesets", z.array(versionSummarySchema));
  version = async (name: string, version: string): Promise<VersionDetail> =>
    this.#get(`/v1/filesets/${name}/versions/${version}`, versionDetailSchema);

  async agent(name: string): Promise<AgentView> {
    const agent = (await this.agents()).find((candidate) => candidate.name === name);
    assert.ok(agent, `the controller knows no agent ${name}`);
    return agent;
  }

  async resource(name: string): Promise<ResourceView | undefined> {
    return (await this.resources()).find(({ resource }) => resource === name);
  }

  async waitOnline(names: readonly string[]): Promise<void> {
    await waitUntil(`${names.join(", ")} are online`, async () => {
      const agents = await this.agents();
      return names.every((name) => agents.some((agent) => agent.name === name && agent.online));
    });
  }

  /** Bytes of a version that an agent holds, as the controller knows it. */
  async heldBytes(agent: string, name: string, version: string): Promise<number> {
    const { agents } = await this.version(name, version);
    return agents.find((candidate) => candidate.agent === agent)?.heldBytes ?? 0;
  }

  /** Waits until these agents hold a version whole (all its targets when none are named). */
  async waitHeld(name: string, version: string, agents?: readonly string[]): Promise<void> {
    await waitUntil(`${agents?.join(", ") ?? "all targets"} hold ${name}@${version}`, async () => {
      const detail = await this.version(name, version);
      if (agents === undefined) return detail.counts.targets > 0 && detail.counts.held === detail.counts.targets;
      const held = detail.agents.filter(({ status }) => status === "held").map(({ agent }) => agent);
      return agents.every((agent) => held.includes(agent));
    });
  }

  /** Fails unless each of these agents (all when none are named) has exactly this tree as that version. */
  assertTrees(name: string, version: string, expected: ReadonlyMap<string, string>, agents?: string[]) {
    for (const agent of agents ?? this.members.keys()) {
      const differences = treeDifferences(describeTree(this.tree(agent, name, version)), expected);
      const shown = differences.slice(0, 10).join("\n");
      assert.equal(differences.length, 0, `${agent} differs in ${differences.length} entries:\n${shown}`);
    }
  }

  logTails(): string {
    const tails = [...new Set(this.#logFiles)].map((file) => {
      const lines = existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
      return `--- ${file}\n${lines.slice(-logTailLines).join("\n")}`;
    });
    return tails.join("\n");
  }

  /** Ends every program by its id and removes what they left; the logs stay when `keepLogs`. */
  async end(keepLogs: boolean): Promise<void> {
    await Promise.all(this.#programs.map(async (program) => program.kill()));
    await Promise.all([...this.members.values()].map(async ({ relay }) => relay?.close()));
    if (!keepLogs) await rm(this.directory, { recursive: true, force: true });
  }

  readonly #logFiles: string[] = [];

  #program(log: string, words: readonly string[], options: ProgramOptions = {}): Program {
    const logFile = join(this.directory, "logs", `${log}.log`);
    const environment = { SLUICE_CONTROLLER: this.#url, ...options.environment };
    const program = new Program(words, { ...options, environment, logFile });
    this.#programs.push(program);
    this.#logFiles.push(logFile);
    return program;
  }

  async #get<View>(path: string, schema: z.ZodType<View>): Promise<View> {
    // A connection that was kept for the next request may be closed just when that comes: each has its own.
    const headers = { connection: "close" };
    const response = await fetch(this.#url + path, { headers, signal: AbortSignal.timeout(10_000) });
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`);
    return schema.parse(body);
  }
}
