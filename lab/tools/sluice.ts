/**
 * Ours: a controller beside the sites, an agent on every host, and a publisher on the source's host that hands the payload
 * to the agent there. The clock starts when the publisher has hashed and begins to hand over, as its JSON output tells,
 * and stops when the last `current` has moved.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { nanosecondsPerMillisecond } from "#src/std/units.ts";
import { controllerName } from "#src/simulator/scenario.ts";
import { UserError } from "#src/std/errors.ts";
import { lastLineOf, printedBy, repositoryRoot, type Program } from "../../demo/programs.ts";
import { nowMilliseconds } from "../race/milliseconds.ts";
import { targetsOf } from "../race/parse-race.ts";
import { completionLookMilliseconds, startLookMilliseconds, toolStartMilliseconds } from "./limits.ts";
import { SluiceFleet } from "./sluice-fleet.ts";
import type { CapabilityChange, Completion, RaceTool, ToolRun, ToolSetting } from "./tool.ts";

export const sluiceTool: RaceTool = {
  name: "sluice",
  missing: () => undefined,
  unfit: () => undefined,
  run: async (setting) => new SluiceRun(setting).run(),
};

const growProgram = join(repositoryRoot, "dist", "lab", "race", "grow-main.js");
const publishedSchema = z.object({ handOverStartedAtMilliseconds: z.number().nullable() });
/** A growing file is begun after so long even if the publisher gives no sign that it follows it. */
const followSignMilliseconds = 5_000;

class SluiceRun {
  readonly #setting: ToolSetting;
  readonly #fleet: SluiceFleet;
  readonly #publishers: (Program | undefined)[] = [];
  readonly #changes: CapabilityChange[] = [];
  readonly #timers: NodeJS.Timeout[] = [];
  #problem: Error | undefined;

  constructor(setting: ToolSetting) {
    this.#setting = setting;
    this.#fleet = new SluiceFleet(setting);
  }

  async run(): Promise<ToolRun> {
    const { programs, signal, timeoutMilliseconds } = this.#setting;
    await this.#fleet.start();
    const begun = await this.#beginFirst();
    this.#schedule();
    const wanted = this.#wanted();
    const found = new Map<string, Completion>();
    try {
      await programs.until(
        "that every host has everything",
        () => {
          if (this.#problem !== undefined) throw this.#problem;
          for (const { fileSet, host } of wanted) this.#look(fileSet, host, found);
          return wanted.every(({ fileSet, host }) => found.has(`${fileSet} ${host}`));
        },
        {
          milliseconds: timeoutMilliseconds,
          everyMilliseconds: completionLookMilliseconds,
          signal,
          mustRun: () => [...this.#fleet.running(), ...this.#failedPublishers()],
        },
      );
      const startedAtMilliseconds = begun ?? (await this.#handOverStarted());
      return { startedAtMilliseconds, completions: [...found.values()], changes: this.#changes };
    } finally {
      for (const timer of this.#timers) clearTimeout(timer);
    }
  }

  /**
   * Starts what is published first, and returns when it begins to be handed over.
   * @returns when the clock starts, where that is known here: a growing file begins to grow then
   */
  async #beginFirst(): Promise<number | undefined> {
    const { payloads, programs, signal } = this.#setting;
    const firstAt = Math.min(...payloads.map(({ fileSet }) => fileSet.atNanoseconds));
    const first = payloads.filter(({ fileSet }) => fileSet.atNanoseconds === firstAt);
    for (const [index, { fileSet }] of payloads.entries()) {
      if (fileSet.atNanoseconds === firstAt && fileSet.growthBitsPerSecond === undefined) this.#publish(index);
    }
    const growing = payloads.findIndex(
      ({ fileSet }) => fileSet.atNanoseconds === firstAt && fileSet.growthBitsPerSecond !== undefined,
    );
    if (growing >= 0) return this.#publishGrowing(growing);
    const begins = (): boolean =>
      first.some(({ fileSet }) =>
        existsSync(this.#fleet.treeOf(fileSet.origins[0] ?? "", fileSet.name, fileSet.version)),
      );
    await programs.until("that the publisher begins to hand over", begins, {
      milliseconds: toolStartMilliseconds,
      everyMilliseconds: startLookMilliseconds,
      signal,
      mustRun: () => [...this.#fleet.running(), ...this.#failedPublishers()],
    });
    return undefined;
  }

  /** What comes later than the clock's start: events, and file sets that are published then. */
  #schedule(): void {
    const { race, payloads } = this.#setting;
    const firstAt = Math.min(...payloads.map(({ fileSet }) => fileSet.atNanoseconds));
    const later = (atNanoseconds: number, action: () => Promise<unknown> | void): void => {
      const delay = Math.max(0, (atNanoseconds - firstAt) / nanosecondsPerMillisecond);
      const run = async (): Promise<void> => {
        try {
          await action();
        } catch (error) {
          this.#problem ??= error instanceof Error ? error : new Error(String(error));
        }
      };
      this.#timers.push(setTimeout(() => void run(), delay));
    };
    for (const [index, { fileSet }] of payloads.entries()) {
      if (fileSet.atNanoseconds === firstAt) continue;
      later(fileSet.atNanoseconds, () =>
        fileSet.growthBitsPerSecond === undefined ? this.#publish(index) : this.#publishGrowing(index),
      );
    }
    for (const event of race.scenario.events) {
      if (event.type === "set") later(event.atNanoseconds, () => this.#set(event.resource, event.bitsPerSecond));
      else if (event.type === "stop") later(event.atNanoseconds, async () => this.#fleet.kill(event.name));
      else if (event.name === controllerName) later(event.atNanoseconds, () => this.#fleet.startController());
      else later(event.atNanoseconds, () => this.#fleet.startAgent(event.name));
    }
  }

  #set(resource: string, bitsPerSecond: number): void {
    const { race, lab } = this.#setting;
    if (race.shaped) lab.setRate(resource, bitsPerSecond);
    this.#fleet.declare(resource, bitsPerSecond);
    this.#changes.push({ resource, atMilliseconds: nowMilliseconds(), bitsPerSecond });
  }

  #publish(index: number): void {
    const payload = this.#setting.payloads[index];
    if (payload !== undefined) this.#startPublisher(index, [payload.directory]);
  }

  #startPublisher(index: number, what: readonly string[]): void {
    const fileSet = this.#setting.payloads[index]?.fileSet;
    if (fileSet === undefined) return;
    const { name, version, targets, priority } = fileSet;
    const [origin = ""] = fileSet.origins;
    this.#publishers[index] = this.#fleet.publisher(origin, `publish-${name}`, [
      ...[...what, "--fileset", name, "--version", version, "--to", targets, "--priority", String(priority)],
      ...["--agent", origin, "--json"],
    ]);
  }

  /** @returns when the file began to grow */
  async #publishGrowing(index: number): Promise<number> {
    const { payloads, programs, lab, directory, signal } = this.#setting;
    const payload = payloads[index];
    const file = payload?.files[0];
    if (payload === undefined || file === undefined) throw new UserError("there is nothing that could grow");
    const { name, version, origins, growthBitsPerSecond } = payload.fileSet;
    const [origin = ""] = origins;
    const place = join(directory, `growing-${name}`);
    mkdirSync(place);
    const grown = join(place, file.path);
    const go = join(place, "go");
    const rate = String(growthBitsPerSecond);
    const words = [process.execPath, growProgram, join(payload.directory, file.path), grown, rate, go];
    const writer = programs.start(lab.host(origin), `grow-${name}`, words, { uncounted: true });
    const wait = { milliseconds: toolStartMilliseconds, everyMilliseconds: startLookMilliseconds, signal };
    await programs.until("that the growing file is there", () => existsSync(grown), wait);
    this.#startPublisher(index, [grown, "--follow", "--final-on-exit", String(writer.processId)]);
    // It follows the file when the agent beside it has made room for it.
    const giveUpAt = performance.now() + followSignMilliseconds;
    while (!existsSync(this.#fleet.treeOf(origin, name, version)) && performance.now() < giveUpAt) await pause(5);
    writeFileSync(go, "");
    await programs.until("that the file begins to grow", () => beganAt(writer) !== undefined, wait);
    return beganAt(writer) ?? nowMilliseconds();
  }

  /** Publishers may end, but only well. */
  #failedPublishers(): Program[] {
    return this.#publishers.filter((publisher) => publisher !== undefined).filter(hasFailed);
  }

  /** Every pair of a file set and a host that gets it and is alive at the end. */
  #wanted(): { fileSet: number; host: string }[] {
    const { race, payloads } = this.#setting;
    const stopped = new Set<string>();
    for (const event of race.scenario.events) {
      if (event.type === "stop") stopped.add(event.name);
      if (event.type === "start") stopped.delete(event.name);
    }
    return payloads.flatMap((_, fileSet) =>
      targetsOf(race.scenario, fileSet)
        .filter((host) => !stopped.has(host))
        .map((host) => ({ fileSet, host })),
    );
  }

  #look(fileSet: number, host: string, found: Map<string, Completion>): void {
    const spec = this.#setting.payloads[fileSet]?.fileSet;
    if (spec === undefined || found.has(`${fileSet} ${host}`)) return;
    const atMilliseconds = this.#fleet.currentSince(host, spec.name, spec.version);
    if (atMilliseconds === undefined) return;
    const copy = this.#fleet.treeOf(host, spec.name, spec.version);
    found.set(`${fileSet} ${host}`, { fileSet, host, atMilliseconds, copy });
  }

  /** When the first of the publishers began to hand over. */
  async #handOverStarted(): Promise<number> {
    const firstAt = Math.min(...this.#setting.payloads.map(({ fileSet }) => fileSet.atNanoseconds));
    const moments: number[] = [];
    for (const [index, publisher] of this.#publishers.entries()) {
      if (publisher === undefined || this.#setting.payloads[index]?.fileSet.atNanoseconds !== firstAt) continue;
      await publisher.ended;
      const printed = printedBy(publisher);
      const text = printed.slice(Math.max(0, printed.search(/^\{/m)));
      try {
        const { handOverStartedAtMilliseconds } = publishedSchema.parse(JSON.parse(text));
        if (handOverStartedAtMilliseconds !== null) moments.push(handOverStartedAtMilliseconds);
      } catch (error) {
        throw new UserError(`the publisher gave no result: ${lastLineOf(publisher)}`, { cause: error });
      }
    }
    if (moments.length === 0) throw new UserError("no publisher said when it began to hand over");
    return Math.min(...moments);
  }
}

function hasFailed({ end }: Program): boolean {
  return end !== undefined && end !== "exit code 0";
}

function beganAt(writer: Program): number | undefined {
  const found = /^began ([\d.]+)$/m.exec(printedBy(writer))?.[1];
  return found === undefined ? undefined : Number(found);
}
